"""What the scheduler judges by: twins, priorities, budgets, and seeds that follow from names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from actors.judgement import budgets, duplicates
from actors.judgement.budgets import Budget
from actors.judgement.priority import order, priority
from actors.role import Known
from actors.seeds import seed_of
from replay.ledger import Ledger
from tests.chronicle import SPACE, START, Chronicle


def ledger(tale: Chronicle) -> Ledger:
    known = Known()
    known.advance(tale.log.read())
    return known.ledger


def test_configurations_of_one_cell_in_the_same_bins_are_one_idea(tale: Chronicle) -> None:
    one = tale.configuration(learning_rate=1e-3)
    near = tale.configuration(learning_rate=1.05e-3)
    far = tale.configuration(learning_rate=2e-3)
    other = tale.configuration(learning_rate=1e-3, pooling="max")
    assert duplicates.identity(SPACE, one) == duplicates.identity(SPACE, near)
    assert len({duplicates.identity(SPACE, c) for c in (one, far, other)}) == 3


def test_the_first_idea_of_its_kind_is_the_twin_of_all_later_ones(tale: Chronicle) -> None:
    first, second = (tale.proposes("a", pooling=pooling) for pooling in ("max", "last"))
    for idea in (first, second):
        tale.queues(idea)
    known = duplicates.Known(SPACE)
    known.update(ledger(tale))
    known.add(tale.configuration(pooling="max"), "i-late")
    assert known.twin(tale.configuration(pooling="max")) == first
    assert known.twin(tale.configuration(pooling="mean")) is None


def test_twins_are_found_alike_whether_the_ledger_comes_at_once_or_piece_by_piece(tale: Chronicle) -> None:
    piecewise = duplicates.Known(SPACE)
    for pooling in ("max", "last", "mean"):
        tale.queues(tale.proposes("a", pooling=pooling))
        piecewise.update(ledger(tale))
    at_once = duplicates.Known(SPACE)
    at_once.update(ledger(tale))
    for pooling in ("max", "last", "mean", "attention"):
        point = tale.configuration(pooling=pooling)
        assert piecewise.twin(point) == at_once.twin(point)


def test_a_wish_and_a_new_architecture_raise_a_priority_and_it_says_what_it_was_made_of() -> None:
    value, terms = priority(0.5, 0)
    assert value > priority(0.5, 3)[0] > priority(0.1, 3)[0] > 0
    assert value <= 1
    assert terms == {"wish": 0.5, "novelty": 1.0}


def test_within_an_agent_higher_priority_goes_first_and_age_decides_a_tie(tale: Chronicle) -> None:
    names = [
        tale.queues(tale.proposes("a", pooling=pooling), priority=value)
        for pooling, value in (("max", 0.2), ("last", 0.9), ("mean", 0.2))
    ]
    assert [e.experiment for e in order(ledger(tale))] == [names[1], names[0], names[2]]


def test_the_agent_that_was_served_least_goes_first(tale: Chronicle) -> None:
    served = [tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last", "mean")]
    for experiment in served[:2]:
        tale.runs(experiment)
    waiting = [tale.queues(tale.proposes("b", pooling=pooling)) for pooling in ("max", "last", "mean")]
    assert [e.experiment for e in order(ledger(tale))] == [waiting[0], waiting[1], served[2], waiting[2]]


def test_device_time_counts_a_live_and_a_lost_attempt_at_its_time_out(tale: Chronicle) -> None:
    done, live, lost, broken = (
        tale.queues(tale.proposes("a", pooling=p)) for p in ("max", "last", "mean", "attention")
    )
    tale.runs(done, gpu_seconds=10.0)
    tale.assigns(broken)
    tale.starts(broken)
    tale.fails(broken, gpu_seconds=3.0)
    assert budgets.spent(ledger(tale)) == 13.0
    tale.assigns(live, on="worker-cpu1-b")
    assert budgets.spent(ledger(tale)) == 613.0
    tale.assigns(lost)
    tale.loses("worker-cpu0-a")
    tale.revokes(lost)
    assert budgets.spent(ledger(tale)) == 1213.0


def test_without_a_limit_there_is_always_room(tale: Chronicle) -> None:
    assert budgets.room(Budget(), ledger(tale), START) == (float("inf"), float("inf"), float("inf"))
    assert budgets.exhausted(Budget(), ledger(tale), START + 10**15) is None


def test_once_the_wall_time_is_over_there_is_room_for_nothing(tale: Chronicle) -> None:
    held = ledger(tale)
    budget = Budget(hours=1.0, timeout=600.0)
    assert budgets.room(budget, held, held.opened_at + 3000 * 10**6) == (float("inf"), float("inf"), 600.0)
    assert budgets.room(budget, held, held.opened_at + 3001 * 10**6) == (0, 0.0, 0.0)


def test_a_clock_that_ran_backwards_does_not_end_a_campaign(tale: Chronicle) -> None:
    assert budgets.exhausted(Budget(hours=1.0), ledger(tale), START - 10**12) is None


def test_seeds_differ_by_every_name_and_by_the_campaigns_seed() -> None:
    seeds = {seed_of(campaign, *names) for campaign in (0, 1) for names in (("a",), ("b",), ("a", "b"), ("ab",))}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**53 for seed in seeds)


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_is_the_same_in_any_process(hash_seed: str) -> None:
    code = "from actors.seeds import seed_of; print(seed_of(7, 'e-1'))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed},
    )
    assert int(said.stdout) == seed_of(7, "e-1")
