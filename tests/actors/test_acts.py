"""A person's acts are obeyed: pauses, boosts, cancellations, bans and a search that is opened again."""

from __future__ import annotations

from typing import Any

import pytest

from actors.agent import Agent, Plan
from actors.judgement.budgets import Budget
from actors.scheduler import Scheduler
from actors.worker import Worker
from events.blobs import Blobs
from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    AnswerRefused,
    Assigned,
    BanLifted,
    Banned,
    Boosted,
    CampaignClosed,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Cancelled,
    Completed,
    CycleStarted,
    IdeaDeclined,
    LeaseRevoked,
    Queued,
    Requeued,
)
from replay.audit import audit
from tests.actors.company import Company
from tests.actors.scene import Scene
from tests.actors.test_company import AGENTS, luck
from tests.actors.test_rehearsal import under_its_file
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle

A, B = "worker-cpu0-a", "worker-cpu1-b"


def scheduling(tale: Chronicle, **budget: Any) -> Scene:
    return Scene(tale, Scheduler(Budget(**budget), agents=1, silence=10.0))


def declares(tale: Chronicle, fact: Fact) -> None:
    tale.says("person-test", "campaign", "declared", fact)


def cancels(tale: Chronicle, experiment: str) -> None:
    declares(tale, Cancelled(experiment=experiment, reason="a twin of last year's"))


def test_nothing_is_leased_during_a_pause_and_what_runs_goes_on(tale: Chronicle) -> None:
    running, waiting = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(running, on=A)
    tale.starts(running)
    tale.worker_joins(B)
    scene = scheduling(tale)
    declares(tale, CampaignPaused(reason="the room is hot"))
    assert scene.decides() is None
    tale.completes(running)
    assert scene.decides() is None
    declares(tale, CampaignResumed(reason=""))
    (lease,) = scene.says()
    assert isinstance(lease, Assigned)
    assert lease.experiment == waiting


def test_no_agent_asks_during_a_pause(tale: Chronicle) -> None:
    scene = Scene(tale, Agent(Plan(name="a", policy="uniform")))
    scene.says()
    declares(tale, CampaignPaused(reason=""))
    assert scene.decides() is None
    declares(tale, CampaignResumed(reason=""))
    assert isinstance(scene.says()[0], CycleStarted)


def test_a_boosted_experiment_runs_before_all_others_whoever_proposed_it(tale: Chronicle) -> None:
    tale.queues(tale.proposes("a", pooling="max"), priority=0.9)
    last = tale.queues(tale.proposes("b", pooling="last"), priority=0.1)
    tale.queues(tale.proposes("b", pooling="mean"), priority=0.9)
    declares(tale, Boosted(experiment=last, by=1.0, reason="the reviewers ask"))
    tale.worker_joins(A)
    (lease,) = scheduling(tale).says()
    assert isinstance(lease, Assigned)
    assert lease.experiment == last


def test_an_experiment_that_waits_is_given_up_when_it_is_cancelled(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    tale.worker_joins(A)
    cancels(tale, experiment)
    scene = scheduling(tale)
    (abandoned,) = scene.says()
    assert isinstance(abandoned, Abandoned)
    assert abandoned.reason == "cancelled by a person: a twin of last year's"
    assert scene.decides() is None


@pytest.mark.parametrize("started", [True, False])
def test_a_run_that_is_cancelled_loses_its_lease_and_is_not_tried_again(tale: Chronicle, started: bool) -> None:
    experiment = tale.queues(tale.proposes("a"))
    pack = tale.assigns(experiment)
    if started:
        tale.starts(experiment)
    cancels(tale, experiment)
    scene = scheduling(tale)
    decision = scene.decides()
    assert decision is not None
    assert decision.lease == pack
    revoked, abandoned = scene.says()
    assert isinstance(revoked, LeaseRevoked)
    assert revoked.reason == "cancelled"
    assert isinstance(abandoned, Abandoned)
    assert scene.decides() is None


def test_a_lane_is_not_stopped_alone_and_what_it_brings_counts(tale: Chronicle) -> None:
    one, other = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    pack = tale.assigns(one)
    lease = Assigned(
        **{name: getattr(tale.lease(one), name) for name in ("worker", "seed", "execution", "attempt")},
        experiment=other,
        pack=pack,
        lane=1,
    )
    tale.says("scheduler", "pack", pack, lease)
    tale.starts(one)
    cancels(tale, one)
    scene = scheduling(tale)
    assert scene.decides() is None
    tale.completes(one)
    assert scene.decides() is None
    assert scene.known.ledger.experiments[one].status == "completed"
    cancels(tale, other)
    assert [type(fact) for fact in scene.says()] == [LeaseRevoked, Abandoned]


def test_a_cancelled_run_that_broke_is_not_queued_again(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment, "crashed")
    cancels(tale, experiment)
    scene = scheduling(tale)
    assert scene.decides() is None
    tale.repairs(experiment)
    (abandoned,) = scene.says()
    assert isinstance(abandoned, Abandoned)
    assert "cancelled by a person" in abandoned.reason


def test_a_worker_drops_the_run_whose_lease_was_taken_back_and_no_other(tale: Chronicle, blobs: Blobs) -> None:
    role = Worker(A, device="cpu", lanes=1, platform=PLATFORM, instrument=INSTRUMENT, blobs=blobs)
    scene = Scene(tale, role)
    experiment = tale.queues(tale.proposes("a"))
    pack = tale.assigns(experiment, on=A)
    scene.says()
    underway = frozenset({pack, "move-1"})
    assert role.obsolete(scene.known, underway) == frozenset()
    cancels(tale, experiment)
    scheduling(tale).says()
    assert scene.decides(underway=underway) is None
    assert role.obsolete(scene.known, underway) == {pack}
    assert scene.known.fleet.workers[A].pack is None


def bans(tale: Chronicle, where: str = "pooling == max", *, cycles: int | None = None) -> None:
    declares(tale, Banned(ban="b-1", where=where, reason="it reads padding", cycles=cycles))


def test_an_idea_under_a_ban_is_declined_in_its_words_and_what_was_accepted_before_stays(tale: Chronicle) -> None:
    scene = scheduling(tale)
    tale.proposes("a", pooling="max")
    (before,) = scene.says()
    assert isinstance(before, Queued)
    bans(tale, "pooling == max and learning_rate < 1")
    tale.cycle("a", {"pooling": "max", "length": 16}, {"pooling": "last"})
    declined, queued = scene.says()
    assert isinstance(declined, IdeaDeclined)
    assert (declined.reason, declined.rule) == ("banned", "b-1: pooling == max and learning_rate < 1")
    assert isinstance(queued, Queued)
    assert scene.known.ledger.experiments[before.experiment].status == "queued"


def test_a_ban_ends_by_its_rule_as_a_fact_and_not_before_its_cycles_are_judged(tale: Chronicle) -> None:
    scene = scheduling(tale)
    bans(tale, cycles=2)
    tale.proposes("a", pooling="max")
    assert [type(fact) for fact in scene.all()] == [IdeaDeclined]
    tale.proposes("a", pooling="max", length=16)
    (declined,) = scene.says()
    ends = scene.decides()
    # a person may lift it at this very moment: one of the two must pass the fence of the campaign first
    assert ends is not None
    assert ends.under == "campaign"
    (lifted,) = scene.all()
    assert isinstance(declined, IdeaDeclined)
    assert isinstance(lifted, BanLifted)
    assert (lifted.ban, lifted.cause) == ("b-1", Position(2))
    tale.proposes("a", pooling="max", length=20)
    assert [type(fact) for fact in scene.all()] == [Queued]


def test_a_ban_without_a_number_of_cycles_ends_by_a_person_alone(tale: Chronicle) -> None:
    scene = scheduling(tale)
    bans(tale)
    for length in (8, 12, 16):
        tale.proposes("a", pooling="max", length=length)
    assert {type(fact) for fact in scene.all()} == {IdeaDeclined}
    declares(tale, BanLifted(ban="b-1", reason=""))
    tale.proposes("a", pooling="max", length=20)
    assert [type(fact) for fact in scene.all()] == [Queued]


def test_a_reopened_search_goes_on_under_a_larger_budget_and_ends_at_once_under_the_old_one(tale: Chronicle) -> None:
    tale.runs(tale.queues(tale.proposes("a")))
    waiting = tale.queues(tale.proposes("a", pooling="max"))
    first = scheduling(tale, experiments=1)
    assert [type(fact) for fact in first.all()] == [CampaignClosed]
    declares(tale, CampaignReopened(reason="more"))
    assert isinstance(first.decides().facts[0], CampaignClosed)  # type: ignore[union-attr] # it closes again
    (lease,) = scheduling(tale, experiments=2).says()
    assert isinstance(lease, Assigned)
    assert lease.experiment == waiting


def test_agents_that_were_barren_are_asked_again_when_the_search_is_reopened(tale: Chronicle) -> None:
    tale.joins("a")
    refused = AnswerRefused(cycle="c-a-1", reason="agent.usd = 1 has no room", kind="budget", usd=0.0)
    tale.says("agent-a", "cycle", "c-a-1", CycleStarted(cycle="c-a-1", agent="a", key=1))
    tale.says("agent-a", "cycle", "c-a-1", refused)
    scene = Scene(tale, Agent(Plan(name="a", policy="uniform")))
    assert scene.decides() is None
    tale.closes()
    declares(tale, CampaignReopened(reason="more money"))
    assert isinstance(scene.says()[0], CycleStarted)


def test_whatever_a_person_does_to_a_campaign_no_law_is_broken_and_nothing_is_left_hanging(blobs: Blobs) -> None:
    """A pause, a ban, boosts and cancellations fall on a company at work, and every law of the audit holds."""
    whole = Company(budget=Budget(experiments=12, timeout=60.0), outcome=luck(0.3), plans=AGENTS, blobs=blobs, every=3)
    acts: list[tuple[int, Fact]] = [
        (20, CampaignPaused(reason="lunch")),
        (26, CampaignResumed(reason="")),
        (30, Banned(ban="b-1", where="pooling == max", reason="", cycles=2)),
    ]
    done: set[str] = set()

    def acting() -> None:
        while acts and whole.log.last() >= acts[0][0]:
            whole.declares(acts.pop(0)[1])
        for name, status, make in (("c", "running", Cancelled), ("q", "queued", Cancelled), ("b", "queued", Boosted)):
            standing = whole.ledger.standing(status)  # type: ignore[arg-type] # both are statuses
            if name not in done and whole.log.last() > 40 and standing:
                done.add(name)
                more = {"by": 2.0} if make is Boosted else {}
                whole.declares(make(experiment=standing[-1].experiment, reason="a person's wish", **more))

    whole.play(before=acting, idle=lambda: not acts)
    assert done == {"c", "q", "b"}
    assert len(whole.ledger.completed) == 12
    assert [type(fact) for fact in whole.facts() if isinstance(fact, BanLifted | CampaignResumed)] == [
        CampaignResumed,
        BanLifted,
    ]
    assert {fact.reason for fact in whole.facts(LeaseRevoked)} == {"cancelled"}
    given_up = [fact.experiment for fact in whole.facts(Abandoned) if "cancelled by a person" in fact.reason]
    assert len(given_up) == 2
    assert not {fact.experiment for fact in whole.facts() if isinstance(fact, Completed | Requeued)} & {*given_up}
    made = audit(under_its_file(whole.log))
    assert [ruling.breaches for ruling in made.rulings if ruling.breaches] == []
    assert made.verdict == "held"
