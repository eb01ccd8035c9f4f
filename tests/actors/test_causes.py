"""Why anybody spoke: every fact names the one before it that made its author speak, but for a few first words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from events.authors import role_of
from events.blobs import Blobs
from events.envelope import Position
from events.facts import CampaignOpened, Completed, LeaseRevoked, Requeued, Started, WorkerLost, WorkerRetired
from events.log import LogReader, Recorded
from events.memory import MemoryLog
from replay.audit import audit
from tests.actors.test_audited import BEFALLEN
from tests.actors.test_company import AGENTS, luck
from tests.actors.test_rehearsal import under_its_file
from tests.actors.test_whatif import played

ROOTS = (CampaignOpened,)
"""First words: a person's, who needs no reason on the log."""


def uncaused(log: LogReader) -> list[str]:
    """Every fact without a cause that is no root; a worker that a person asked to stop has none on the log either."""
    return [
        f"{position} {type(fact).__name__} by {recorded.author}"
        for recorded in log.read()
        for position, fact in recorded.positions()
        if fact.cause is None
        and not isinstance(fact, ROOTS)
        and not (isinstance(fact, WorkerRetired) and fact.reason == "asked to stop")
    ]


@pytest.mark.parametrize("name", BEFALLEN)
def test_every_fact_but_the_roots_has_a_cause_that_precedes_it(name: str, blobs: Blobs) -> None:
    log = played(blobs, plans=AGENTS, **BEFALLEN[name]).log
    assert uncaused(log) == []
    law = next(r for r in audit(under_its_file(log)).rulings if r.law == "causes precede and exist")
    assert law.verdict == "held"
    assert law.held == sum(fact.cause is not None for recorded in log.read() for fact in recorded.facts)


def test_a_run_follows_its_lease_and_its_end_its_start(blobs: Blobs) -> None:
    log = played(blobs, losing=True, outcome=luck(0.3)).log
    facts = {position: fact for recorded in log.read() for position, fact in recorded.positions()}
    because: dict[type, set[str]] = {}
    for fact in facts.values():
        if fact.cause is not None:
            because.setdefault(type(fact), set()).add(type(facts[fact.cause]).__name__)
    assert because[Started] == {"Assigned"}
    assert because[Completed] == {"Started"}
    assert because[WorkerLost] == {"WorkerJoined"}
    assert because[LeaseRevoked] == {"WorkerLost"}
    assert "WorkerLost" in because[Requeued]


def test_a_cause_that_comes_after_what_it_caused_is_caught(blobs: Blobs) -> None:
    log = under_its_file(played(blobs).log)
    frames = list(log.read())
    late = Position(frames[-1].sequence)

    def backwards(recorded: Recorded) -> Recorded:
        if role_of(recorded.author) != "worker" or not isinstance(recorded.facts[0], Started):
            return recorded
        facts: list[Any] = [msgspec.structs.replace(fact, cause=late) for fact in recorded.facts]
        return Recorded(recorded.sequence, recorded.subject, recorded.id, msgspec.json.encode(facts))

    twisted = MemoryLog("company")
    twisted.restore([backwards(recorded) for recorded in frames])
    law = next(r for r in audit(twisted).rulings if r.law == "causes precede and exist")
    assert (law.verdict, law.broken > 0) == ("broken", True)
