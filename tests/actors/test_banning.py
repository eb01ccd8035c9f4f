"""The scheduler's own bans: a dead end is left alone for a while, and its ban ends by rule, both as facts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.campaign import parse
from actors.errors import CampaignFileInvalid
from actors.hindsight.rehearsal import rehearse
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.orders import Breakdown, Run, Score
from actors.scheduler import Scheduler
from events import predicates
from events.blobs import Blobs
from events.envelope import Fact
from events.facts import BanLifted, Banned, Cancelled, Execution, FailureKind, IdeaDeclined, Queued
from events.space import Choice, Space
from replay.audit import audit
from replay.briefing import Terms, briefing
from replay.failing import Failing
from tests import tiny
from tests.actors.company import Company, Member, broken, scored
from tests.actors.scene import Scene
from tests.actors.test_company import AGENTS
from tests.actors.test_rehearsal import FILE, under_its_file
from tests.chronicle import SPACE, Chronicle

RULE = Banning(after=3, cycles=2)
SHAPE = {"backbone": "motion", "encoder": "retnet", "batch": 64, "length": 20}
WHERE = "backbone == motion and encoder == retnet and batch == 64 and length == 20"


def judging(tale: Chronicle, rule: Banning | None = RULE) -> Scene:
    return Scene(tale, Scheduler(Budget(fruitless=100), agents=1, silence=10.0, bans=rule))


def said(scene: Scene) -> list[Fact]:
    """What it says while nothing can be leased."""
    return scene.all(unheard=frozenset({"worker-cpu0-a"}))


def narrowed(**values: tuple[str | int, ...]) -> Space:
    dimensions = (
        msgspec.structs.replace(d, values=values[d.name]) if isinstance(d, Choice) and d.name in values else d
        for d in SPACE.dimensions
    )
    return Space(name="narrow", dimensions=tuple(dimensions))


def queues(tale: Chronicle, number: int, **changes: Any) -> str:
    return tale.queues(tale.proposes("a", **SHAPE | {"dropout": number * 0.05 + 0.02} | changes))


def gives_up(tale: Chronicle, number: int, kind: FailureKind = "crashed", **changes: Any) -> str:
    """An experiment breaks and is given up."""
    experiment = queues(tale, number, **changes)
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment, kind)
    tale.repairs(experiment, "none")
    tale.abandons(experiment)
    return experiment


def test_a_shape_that_is_given_up_three_times_is_banned_as_a_fact_and_its_next_idea_declined(tale: Chronicle) -> None:
    scene = judging(tale)
    given = [gives_up(tale, number, kind) for number, kind in enumerate(("crashed", "out_of_memory"))]
    assert said(scene) == []
    given.append(gives_up(tale, 2, "timeout"))
    (banned,) = said(scene)
    assert isinstance(banned, Banned)
    assert (banned.ban, banned.where, banned.cycles) == (f"b-{given[-1]}-1", WHERE, 2)
    assert banned.reason == f"{', '.join(given)} were given up there, and none completed"
    assert banned.cause == scene.known.ledger.experiments[given[-1]].moved
    assert str(predicates.parse(banned.where, predicates.configurations(SPACE))) == WHERE
    tale.cycle("a", SHAPE | {"dropout": 0.4}, SHAPE | {"length": 16})
    declined, queued = scene.says()
    assert isinstance(declined, IdeaDeclined)
    assert (declined.reason, declined.rule) == ("banned", f"{banned.ban}: {WHERE}")
    assert isinstance(queued, Queued)


def test_a_model_is_told_of_a_dead_end_and_for_how_long(tale: Chronicle) -> None:
    scene = judging(tale)
    for number in range(3):
        gives_up(tale, number)
    said(scene)
    told = briefing(scene.known.ledger, scene.known.repairs, Failing(), Terms()).fresh
    assert f"- {WHERE} (for 2 more cycles)" in told


def test_the_ban_ends_after_its_cycles_and_only_as_many_new_failures_bring_it_back(tale: Chronicle) -> None:
    scene = judging(tale)
    for number in range(3):
        gives_up(tale, number)
    assert [type(fact) for fact in said(scene)] == [Banned]
    tale.cycle("a")
    assert said(scene) == []
    tale.cycle("a")
    assert [type(fact) for fact in said(scene)] == [BanLifted]
    for number in range(3, 5):
        gives_up(tale, number)
        assert said(scene) == []
    gives_up(tale, 5)
    assert [type(fact) for fact in said(scene)] == [Banned]


def test_a_completion_of_the_shape_ends_the_ban_and_says_which(tale: Chronicle) -> None:
    scene = judging(tale)
    waiting = queues(tale, 9)
    for number in range(3):
        gives_up(tale, number)
    (banned,) = said(scene)
    tale.runs(waiting)
    (lifted,) = said(scene)
    assert isinstance(banned, Banned)
    assert isinstance(lifted, BanLifted)
    assert (lifted.ban, lifted.reason) == (banned.ban, f"{waiting}, which it describes, completed")
    assert lifted.cause == scene.known.ledger.experiments[waiting].ended
    assert scene.known.ledger.bans == {}


def test_what_completes_in_between_begins_the_count_anew(tale: Chronicle) -> None:
    scene = judging(tale)
    for number in range(2):
        gives_up(tale, number)
    tale.runs(queues(tale, 9))
    for number in range(2, 4):
        gives_up(tale, number)
    assert said(scene) == []


@pytest.mark.parametrize("why", ["diverged", "another shape", "cancelled", "never begun"])
def test_what_says_nothing_of_a_shape_does_not_count(tale: Chronicle, why: str) -> None:
    scene = judging(tale)
    for number in range(6):
        if why == "diverged":
            gives_up(tale, number, "diverged")
        elif why == "another shape":
            gives_up(tale, number, length=(8, 12, 16)[number % 3])
        elif why == "never begun":
            tale.abandons(queues(tale, number), "the budget has no room for its 600 s")
        else:
            experiment = queues(tale, number)
            tale.assigns(experiment)
            tale.starts(experiment)
            tale.fails(experiment, "crashed")
            tale.says("person-x", "campaign", "declared", Cancelled(experiment=experiment, reason=""))
            tale.abandons(experiment)
        if why != "another shape" or number < 5:
            assert said(scene) == []


def test_no_more_than_half_of_all_shapes_are_banned_by_rule() -> None:
    """A bug that breaks every run is no matter of shapes: the search ends by its own rule, and says so."""
    space = narrowed(backbone=("motion",), encoder=("retnet", "bimamba"), batch=(64,), length=(20,))
    tale = Chronicle(space=space)
    tale.opened()
    scene = judging(tale)
    for encoder in ("retnet", "bimamba"):
        for number in range(3):
            gives_up(tale, number, encoder=encoder)
    assert [type(fact) for fact in said(scene)] == [Banned]


@pytest.mark.parametrize("rule", [None, Banning(after=0)])
def test_without_a_rule_nothing_is_banned(tale: Chronicle, rule: Banning | None) -> None:
    for number in range(6):
        gives_up(tale, number)
    assert said(judging(tale, rule)) == []


def test_the_campaign_file_holds_the_rule() -> None:
    assert parse(tiny.FILE, file="it.toml").bans == Banning(after=3, cycles=50)
    assert parse(f"{tiny.FILE}\n[bans]\nafter = 5\n", file="it.toml").bans.after == 5
    with pytest.raises(CampaignFileInvalid, match=r"bans\.after must be at least 0, and bans\.cycles at least 1"):
        parse(f"{tiny.FILE}\n[bans]\ncycles = 0\n", file="it.toml")


def test_a_search_with_dead_ends_breaks_no_law_and_is_rehearsed_to_the_same_decisions(blobs: Blobs) -> None:
    def outcome(run: Run, execution: Execution) -> Score | Breakdown:
        return broken(run) if run.configuration["encoder"] == "retnet" else scored(run)

    space = narrowed(encoder=("retnet", "bimamba"), batch=(16, 32), length=(8, 12))
    budget = Budget(experiments=12, timeout=60.0)
    whole = Company(budget=budget, outcome=outcome, plans=AGENTS, blobs=blobs, every=5, space=space)
    role = Scheduler(budget, agents=len(AGENTS), silence=10.0, bans=Banning(after=1, cycles=3))
    whole.members["scheduler"] = Member(role, whole.log, whole.clock)
    whole.play()
    assert len(whole.ledger.completed) == 12
    assert whole.facts(Banned)
    assert whole.facts(BanLifted)
    assert {"banned"} <= {fact.reason for fact in whole.facts(IdeaDeclined)}
    log = under_its_file(whole.log, FILE + "\n[bans]\nafter = 1\ncycles = 3\n")
    assert [ruling.breaches for ruling in audit(log).rulings if ruling.breaches] == []
    assert rehearse(log).first is None
