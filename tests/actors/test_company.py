"""All roles together, in any order, dying at any moment: what must hold at every frame of what they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.agent import Plan
from actors.judgement.budgets import Budget, spent
from actors.orders import Breakdown, Run, Score
from actors.role import Known, News
from events.blobs import Blobs
from events.facts import (
    Abandoned,
    AnswerRefused,
    Assigned,
    CampaignClosed,
    Completed,
    ControlMeasured,
    CycleStarted,
    Execution,
    Failed,
    FeaturesExtracted,
    IdeaProposed,
    LeaseRevoked,
    LogSealed,
    RemedyProposed,
    Requeued,
    WorkerLost,
)
from replay.seals import overall, verified
from tests.actors.company import Company, Outcome, broken, scored
from tests.chronicle import SPACE

AGENTS = (
    Plan(name="one", policy="uniform", ideas=2, backlog=2),
    Plan(name="two", policy="uniform", ideas=3, sweep=2, backlog=3),
)
KINDS: tuple[Any, ...] = ("crashed", "diverged", "out_of_memory", "timeout", "missing_features")
SMALL = Budget(experiments=6, timeout=60.0)


def luck(share: float, seed: int = 0) -> Outcome:
    """Outcomes of which a share breaks, each in a way that its configuration and its attempt decide."""

    def outcome(run: Run, execution: Execution) -> Score | Breakdown:
        draw = Random(f"{seed} {run.seed} {run.attempt}")
        if draw.random() < share:
            kind = draw.choice(KINDS)
            return broken(run, kind, seconds=execution.timeout if kind == "timeout" else draw.uniform(0, 20))
        return scored(run, seconds=draw.uniform(1, execution.timeout))

    return outcome


@pytest.fixture
def company(blobs: Blobs) -> Callable[..., Company]:
    """A company of two agents and two workers, unless said otherwise."""

    def make(**changes: Any) -> Company:
        known: dict[str, Any] = {"budget": SMALL, "plans": AGENTS, "blobs": blobs, "every": 3}
        return Company(**known | changes)

    return make


def test_a_campaign_completes_what_its_budget_allows_closes_once_and_is_sealed(company: Callable[..., Company]) -> None:
    whole = company()
    whole.play()
    assert len(whole.ledger.completed) == 6
    assert len(whole.facts(CampaignClosed)) == 1
    assert [control.control for control in whole.facts(ControlMeasured)] == ["shuffled_labels", "linear"]
    assert isinstance(tuple(whole.log.read())[-1].facts[-1], LogSealed)
    assert overall(verified(whole.log)[1]) == "held"


def test_the_same_campaign_played_twice_is_the_same_to_the_byte(company: Callable[..., Company]) -> None:
    one, other = (company(outcome=luck(0.3)) for _ in range(2))
    one.play()
    other.play()
    assert [r.payload for r in one.log.read()] == [r.payload for r in other.log.read()]


def test_every_run_that_breaks_is_mended_replaced_or_given_up(company: Callable[..., Company]) -> None:
    whole = company(outcome=luck(0.5), budget=Budget(experiments=20, timeout=60.0))
    whole.play()
    remedies = {fact.remedy for fact in whole.facts(RemedyProposed)}
    assert {"retry", "child", "micro_batches", "patience", "extract"} <= remedies
    assert whole.facts(FeaturesExtracted)
    assert len(whole.ledger.completed) == 20
    assert {e.status for e in whole.ledger.experiments.values()} <= {"completed", "abandoned", "queued"}


def test_an_experiment_that_always_breaks_is_abandoned_and_the_search_goes_on(company: Callable[..., Company]) -> None:
    def poisoned(run: Run, execution: Execution) -> Score | Breakdown:
        return broken(run) if run.experiment == "e-2" else scored(run)

    whole = company(outcome=poisoned, budget=Budget(experiments=12))
    whole.play()
    (abandoned,) = whole.facts(Abandoned)
    assert abandoned.experiment == "e-2"
    assert len([fact for fact in whole.facts(Failed) if fact.experiment == "e-2"]) == SMALL.attempts
    assert len(whole.ledger.completed) == 12


def test_a_small_space_is_searched_to_its_end_and_then_the_campaign_closes(
    company: Callable[..., Company],
) -> None:
    tiny = SPACE.narrowed(
        {
            "backbone": ["motion"], "encoder": ["retnet"], "loss": ["bce"], "scheduler": ["cosine"], "batch": [32],
            "length": [8], "epochs": [5], "learning_rate": [1e-3, 1e-3], "weight_decay": [1e-3, 1e-3],
            "dropout": [0.1, 0.1], "oversampling": [1.0, 1.0], "mixup": [0.0, 0.0], "noise": [0.0, 0.0],
        }
    )  # fmt: skip
    whole = company(space=tiny, budget=Budget(experiments=100))
    whole.play()
    assert len(whole.ledger.completed) == 4
    assert "no agent had a new idea" in str(whole.ledger.closed)


def test_lanes_are_filled_with_experiments_of_one_shape(company: Callable[..., Company]) -> None:
    whole = company(lanes=4, budget=Budget(experiments=20), plans=(Plan(name="many", policy="uniform", ideas=20),))
    whole.play()
    packs: dict[str, list[str]] = {}
    for lease in whole.facts(Assigned):
        packs.setdefault(lease.pack, []).append(lease.experiment)
    assert max(map(len, packs.values())) > 1
    for names in packs.values():
        shapes = {
            tuple(whole.ledger.configuration(name)[key] for key in ("backbone", "encoder", "batch", "length"))
            for name in names
        }
        assert len(shapes) == 1
    assert len(whole.ledger.completed) == 20


def test_a_worker_that_vanishes_is_lost_first_and_its_run_is_done_by_another(company: Callable[..., Company]) -> None:
    whole = company(workers=("worker-cpu0-a",))
    while not whole.facts(Assigned):
        for author in whole.members:
            whole.speaks(author)
            if author != "worker-cpu0-a":
                whole.works(author)
    whole.speaks("worker-cpu0-a")
    whole.leaves("worker-cpu0-a")
    whole.joins("worker-cpu1-b")
    whole.play()
    order = [type(fact) for fact in whole.facts() if isinstance(fact, WorkerLost | LeaseRevoked | Requeued)]
    assert order == [WorkerLost, LeaseRevoked, Requeued]
    assert len(whole.ledger.completed) == 6


def disturbed(whole: Company, draw: Random, *, deaths: float) -> None:
    """Play in a random order until all is said; roles die between two of their frames, living workers seem lost."""
    idle = 0
    while idle < 3:
        moved = False
        for author in draw.sample(tuple(whole.members), len(whole.members)):
            if draw.random() < deaths:
                whole.dies(author)
            silent = draw.random() < deaths and draw.choice([name for name in whole.members if "worker" in name])
            whole.silences = {silent: 11.0} if silent else {}
            moved |= bool(whole.speaks(author))
            if draw.random() < 0.5:
                moved |= whole.works(author)
        moved |= any(member.orders for member in whole.members.values())
        idle = 0 if moved else idle + 1
        assert whole.log.last() < 3000


def checked(whole: Company, budget: Budget) -> None:
    """Hold every prefix of a log against what must always be true."""
    known, finished, closed = Known(), set[str](), 0
    for recorded in whole.log.read():
        known.advance((recorded,))
        ledger = known.ledger
        for agent in known.cycles.agents.values():
            assert sum(known.cycles.cycles[name].open for name in agent.cycles) <= 1
        if budget.gpu_hours is not None:
            assert spent(ledger) <= budget.gpu_hours * 3600
        if budget.experiments is not None:
            live = sum(e.status in ("assigned", "running") for e in ledger.experiments.values())
            assert len(ledger.completed) + live <= budget.experiments
        for fact in recorded.facts:
            if isinstance(fact, Completed):
                assert fact.experiment not in finished
                finished.add(fact.experiment)
            closed += isinstance(fact, CampaignClosed)
        assert not ledger.void
    assert closed == 1
    assert len(known.ledger.ideas) == len({f.idea for f in whole.facts(IdeaProposed)})
    assert overall(verified(whole.log)[1]) == "held"


BUDGETS = (SMALL, Budget(gpu_hours=0.2, timeout=60.0), Budget(experiments=5, gpu_hours=0.1, timeout=60.0))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), share=st.sampled_from((0.0, 0.3, 0.6)), budget=st.sampled_from(BUDGETS))
def test_whatever_the_order_and_whoever_dies_or_seems_lost_nothing_completes_twice_nor_beyond_a_budget(
    tmp_path: Path, seed: int, share: float, budget: Budget
) -> None:
    whole = Company(
        budget=budget, outcome=luck(share, seed), plans=AGENTS, every=3, blobs=Blobs(tmp_path), lanes=1 + seed % 3
    )
    disturbed(whole, Random(seed), deaths=0.05)
    checked(whole, budget)


def test_a_role_refolded_at_any_frame_decides_what_was_decided_then(company: Callable[..., Company]) -> None:
    """Every frame that a role wrote without news is what a newborn of that role would write at that point."""
    budget = Budget(experiments=20, timeout=60.0)
    whole, again = company(outcome=luck(0.4), budget=budget), company(budget=budget)
    whole.play()
    frames = list(whole.log.read())
    rehearsed = 0
    for number, recorded in enumerate(frames):
        if recorded.author not in ("agent-one", "agent-two", "scheduler"):
            continue
        role = again.members[recorded.author].role
        known = role.initial()
        through = recorded.facts[0].through
        known.advance(frames[:through])
        decision = role.decide(known, recorded.facts[0].at, News())
        # What answers an order depends on the order's result, which a newborn does not have: it refuses instead.
        if decision is None or isinstance(decision.facts[0], AnswerRefused):
            continue
        stamped = [
            msgspec.structs.replace(fact, at=said.at, through=said.through)
            for fact, said in zip(decision.facts, recorded.facts, strict=True)
        ]
        assert stamped == list(recorded.facts), f"frame {number + 1}"
        rehearsed += 1
    assert rehearsed > 60


def test_a_second_copy_of_a_role_writes_nothing_that_the_first_wrote_already(company: Callable[..., Company]) -> None:
    """Two schedulers over one log: frame numbers and fences leave one frame of each decision."""
    whole = company()
    twin = company()
    twin.log = whole.log
    twin.members["scheduler"] = type(whole.members["scheduler"])(twin.members["scheduler"].role, whole.log, whole.clock)
    for _ in range(400):
        said = [bool(whole.speaks(author)) for author in whole.members]
        said.append(bool(twin.speaks("scheduler")))
        if not any([*said, *(whole.works(author) for author in whole.members)]):
            break
    checked(whole, SMALL)
    assert len(whole.ledger.completed) == 6


def test_two_cycles_of_one_agent_never_share_a_key(company: Callable[..., Company]) -> None:
    whole = company()
    whole.play()
    keys = [fact.key for fact in whole.facts(CycleStarted)]
    assert len(set(keys)) == len(keys)
