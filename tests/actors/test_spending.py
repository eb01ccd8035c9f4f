"""The order of the queue spends well: campaigns with planted scores and costs, the twins of `just bench scheduler`."""

from __future__ import annotations

import pytest

from actors.judgement.budgets import Budget
from tests.benchmarks import scheduler
from tests.benchmarks.planted import TERMS, TIMEOUT, best, first_come, played, until, without
from tests.benchmarks.scheduler import interval, judged, proposed

SHORT = Budget(experiments=40, timeout=TIMEOUT)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_reaches_what_first_come_first_served_found_in_fewer_gpu_seconds(seed: int) -> None:
    former = played(seed, first_come, budget=SHORT)
    spent, target = former[-1].spent, best(former)
    told = played(seed, budget=Budget(gpu_hours=(spent + 2 * TIMEOUT) / 3600, timeout=TIMEOUT))
    reached = until(told, target)
    assert reached is not None
    assert reached < spent


def test_the_benchmark_prints_what_it_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["scheduler", "1", "100"])
    monkeypatch.setattr(scheduler, "EXPERIMENTS", 12)
    monkeypatch.setattr(scheduler, "TERMS", {})
    scheduler.main()
    judged_, _, _, whole = [line for line in capsys.readouterr().out.splitlines() if line]
    assert judged_.startswith("100 candidates judged in ")
    assert whole.startswith("as it is ")


@pytest.mark.parametrize("term", TERMS)
def test_every_term_of_the_order_has_a_say(term: str) -> None:
    whole = [end.experiment for end in played(1, budget=SHORT)]
    with without(term):
        assert [end.experiment for end in played(1, budget=SHORT)] != whole
    assert [end.experiment for end in played(1, budget=SHORT)] == whole


def test_a_repeated_candidate_is_judged_once_however_many_there_are() -> None:
    _, verdicts, accepted = judged(proposed(2000))
    assert (verdicts, accepted) == (2000, 1500)


def test_the_interval_of_a_median_is_that_of_the_binomial() -> None:
    assert interval(100) == (39, 60)
    assert interval(10) == (1, 8)
