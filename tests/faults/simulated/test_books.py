"""The second auditor's other books: each of their rules is tripped by a story of a few frames that breaks it alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.chaos import books
from actors.chaos.auditor import audited
from actors.chaos.books import meant
from events.log import Recorded

Said = tuple[str, dict[str, Any]]
"""An author and a fact."""

FILE = '[budget]\nusd = 3.0\n[[agent]]\nname = "a"\nusd = 2.0\n[[agent]]\nname = "b"\n'
SHAPE = {"pooling": "max", "length": 8}


def says(author: str, kind: str, **fields: Any) -> Said:
    return author, {"type": kind, **fields}


def asks(agent: str, usd: float, cycle: str = "", **fields: Any) -> Said:
    fields = {"through": 0} | fields
    return says(f"agent-{agent}", "CycleStarted", cycle=f"c-{agent}{cycle}", agent=agent, reserve_usd=usd, **fields)


def joins(device: str = "cpu", instrument: str = "one") -> Said:
    return says("worker-1", "WorkerJoined", worker="worker-1", instrument=instrument, platform={"device": device})


def looks(device: str = "cpu", instrument: str = "one", *, held: bool = True) -> Said:
    kind = "InstrumentVerified" if held else "InstrumentRefused"
    return says("worker-1", kind, instrument=instrument, platform={"device": device})


def queues(experiment: str = "e-1", **fields: Any) -> tuple[Said, Said]:
    idea = f"i-{experiment}"
    proposed = says("agent-a", "IdeaProposed", idea=idea, configuration=SHAPE)
    return proposed, says("scheduler", "Queued.2", idea=idea, experiment=experiment, **fields)


def leases(experiment: str = "e-1", **fields: Any) -> Said:
    execution = {"timeout": 60.0, "micro_batches": 1}
    told = {"experiment": experiment, "attempt": 1, "pack": "p-1", "worker": "worker-1", "execution": execution}
    return says("scheduler", "Assigned", **told, **fields)


def starts(instrument: str = "one", device: str = "cpu") -> Said:
    told = {"experiment": "e-1", "attempt": 1, "instrument": instrument, "platform": {"device": device}}
    return says("worker-1", "Started", **told)


OPENED = says("person-1", "CampaignOpened", file={"head": FILE})
CLOSED, REOPENED = says("scheduler", "CampaignClosed"), says("person-1", "CampaignReopened")
PAUSED, RESUMED = says("person-1", "CampaignPaused"), says("person-1", "CampaignResumed")
ERA = says("scheduler", "EraOpened", era=1, instrument="one")
BANNED = says("person-1", "Banned", ban="b-1", where="pooling == max")
LIFTED = says("scheduler", "BanLifted", ban="b-1")
FOUND = says("person-1", "DefectFound", defect="d-1")
FIXED = says("person-1", "DefectFixed", defect="d-1")
CANCELLED = says("person-1", "Cancelled", experiment="e-1")
REVOKED = says("scheduler", "LeaseRevoked", pack="p-1", worker="worker-1", reason="cancelled")
ANSWERED = says("agent-b", "AnswerReceived", cycle="c-b", usd=0.5)

COMPLETED = says("worker-1", "Completed", experiment="e-1", attempt=1, gpu_seconds=9.0)
BEGUN = says("analyst", "RepeatsBegun", experiment="e-1", seeds=[1, 2], timeout=9.0)

STORIES: dict[str, tuple[list[Said], list[Said]]] = {
    "no more money than the campaign has": ([asks("b", 2.0), asks("a", 1.0)], [asks("b", 2.0), asks("a", 1.5)]),
    "no more money than an agent has": ([asks("a", 2.0)], [asks("a", 2.5)]),
    "no answer costs more than was reserved": ([asks("b", 0.5), ANSWERED], [asks("b", 0.4), ANSWERED]),
    "nothing is leased before its canaries held": (
        [joins(), looks(), *queues(), leases()],
        [joins(), looks("cuda"), *queues(), leases()],
    ),
    "nothing starts before its canaries held": (
        [joins(), looks(), ERA, *queues(), leases(), starts()],
        [joins(), *queues(), leases(), starts(), looks()],
    ),
    "nothing starts outside an era": (
        [joins(), looks(), ERA, *queues(), leases(), starts()],
        [joins(), looks(), *queues(), leases(), starts()],
    ),
    "eras count up, each of another instrument": (
        [ERA],
        [ERA, says("scheduler", "EraOpened", era=2, instrument="one")],
    ),
    "nothing is leased in a pause that was read of": (
        [joins(), *queues(), PAUSED, leases(through=4)],
        [joins(), *queues(), PAUSED, leases(through=5)],
    ),
    "nothing is asked in a pause that was read of": (
        [PAUSED, RESUMED, asks("a", 1.0, through=3)],
        [PAUSED, RESUMED, asks("a", 1.0, through=2)],
    ),
    "a pause is begun once and ended once": ([PAUSED, RESUMED, PAUSED], [PAUSED, RESUMED, RESUMED]),
    "only what is closed is reopened": ([CLOSED, REOPENED], [CLOSED, REOPENED, REOPENED]),
    "what was cancelled is not leased": (
        [joins(), *queues(), CANCELLED, leases(through=4)],
        [joins(), *queues(), CANCELLED, leases(through=5)],
    ),
    "what was cancelled is not tried again": (
        [*queues(), CANCELLED, says("scheduler", "Requeued", experiment="e-1", through=3)],
        [*queues(), CANCELLED, says("scheduler", "Requeued", experiment="e-1", through=4)],
    ),
    "a lease is cancelled with all of its runs": (
        [joins(), *queues(), leases(), CANCELLED, REVOKED],
        [joins(), *queues(), *queues("e-2"), leases(), leases("e-2"), CANCELLED, REVOKED],
    ),
    "only what there is is boosted or cancelled": ([*queues(), CANCELLED], [CANCELLED]),
    "nothing banned is queued": ([BANNED, *queues(through=1)], [BANNED, *queues(through=2)]),
    "a ban is named once and ended once": ([BANNED, LIFTED], [BANNED, LIFTED, LIFTED]),
    "a defect is named once and fixed once": ([FOUND, FIXED], [FOUND, FOUND]),
    "only what has a result is repeated": (
        [joins(), *queues(), leases(), starts(), COMPLETED, BEGUN],
        [joins(), *queues(), leases(), starts(), BEGUN],
    ),
}
"""By rule, a story that keeps it, and one that does not."""


def broken(story: list[Said]) -> set[str]:
    """The rules of these books that a log of one fact a frame breaks, the opening first."""
    lines = [
        Recorded(number, f"myriad.c.x.p-1.{author}", f"{author}:{number}", json.dumps([fact]).encode())
        for number, (author, fact) in enumerate([OPENED, *story], start=1)
    ]
    return {rule for rule in STORIES for problem in audited(lines)[0] if f": {rule}: " in problem}


def test_every_rule_of_these_books_has_its_stories() -> None:
    assert {*STORIES} >= {*books.RULES}


@pytest.mark.parametrize("rule", STORIES)
def test_a_story_that_breaks_a_rule_is_told_and_one_that_keeps_it_is_not(rule: str) -> None:
    keeps, breaks = STORIES[rule]
    assert broken(keeps) == set()
    assert rule in broken(breaks)


def test_of_a_predicate_that_says_more_than_equalities_nothing_is_said() -> None:
    assert meant("pooling == max and length == 8", SHAPE)
    assert not meant("pooling == max and length == 12", SHAPE)
    assert not meant("loss == focal", SHAPE)
    for where in (
        "everything",
        "length > 8",
        "pooling in (max, mean)",
        "not pooling == max",
        "pooling == max or x == 1",
    ):
        assert meant(where, SHAPE) is None
