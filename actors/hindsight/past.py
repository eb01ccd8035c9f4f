"""What a recorded history holds for whoever asks how else it might have gone: each run's draws, ends and sequels."""

from __future__ import annotations

from typing import Literal, NamedTuple

from events.envelope import Position
from events.facts import (
    Abandoned,
    Assigned,
    Completed,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.log import LogReader, Recorded
from replay.folds import run
from replay.ledger import LedgerFold

Following = Requeued | Abandoned
"""What the scheduler says after an attempt ended without a result."""


class End(NamedTuple):
    """How an attempt ended by itself; `then` is what the scheduler made of a failure, with the subject it said it on.

    Attributes:
        instrument: that measured it; under another one it would be another number.
    """

    sequence: int
    fact: Completed | Failed
    instrument: str | None
    then: tuple[str, Following] | None = None


class Proposed(NamedTuple):
    """An idea where history proposed it."""

    sequence: int
    subject: str
    fact: IdeaProposed


class Judged(NamedTuple):
    """An idea's verdict where history gave it."""

    sequence: int
    subject: str
    fact: IdeaDeclined | Queued


class Past:
    """Everything that history holds, by experiment and by idea.

    Attributes:
        ledger: as the whole log folds.
        void: positions of facts that changed nothing.
        assignments: of each experiment, in order, with their positions.
        ends: of each experiment, in order; leases that were taken back are nobody's ends.
        forgone: positions where an experiment was abandoned while it waited.
        proposals, verdicts: by idea.
        last_assigned: sequence of the last assignment, 0 without one.
    """

    def __init__(self, log: LogReader) -> None:
        (self.ledger,) = run(log, LedgerFold())
        self.void = {*self.ledger.void}
        self.assignments: dict[str, list[tuple[Position, Assigned]]] = {}
        self.ends: dict[str, list[End]] = {}
        self.forgone: set[Position] = set()
        self.proposals: dict[str, Proposed] = {}
        self.verdicts: dict[str, Judged] = {}
        self.last_assigned = 0
        self._instruments: dict[str, str] = {}
        self._holder: dict[str, str] = {}
        self._awaiting: dict[str, Literal["end", "lease"]] = {}
        for recorded in log.read():
            for position, fact in recorded.positions():
                if position not in self.void:
                    self._take(recorded, position, fact)

    def next_assignment(self, experiment: str, before: int) -> tuple[Position, Assigned] | None:
        """Return the recorded assignment that follows so many earlier ones, None where there was none."""
        known = self.assignments.get(experiment, [])
        return known[before] if before < len(known) else None

    def next_end(self, experiment: str, before: int) -> End | None:
        """Return the recorded end that follows so many earlier ones, None where history holds none."""
        known = self.ends.get(experiment, [])
        return known[before] if before < len(known) else None

    def _take(self, recorded: Recorded, position: Position, fact: object) -> None:
        match fact:
            case IdeaProposed():
                self.proposals[fact.idea] = Proposed(recorded.sequence, recorded.subject, fact)
            case IdeaDeclined() | Queued():
                self.verdicts[fact.idea] = Judged(recorded.sequence, recorded.subject, fact)
            case Assigned():
                self.assignments.setdefault(fact.experiment, []).append((position, fact))
                self._holder[fact.experiment] = fact.pack
                self.last_assigned = recorded.sequence
            case Started():
                self._instruments[fact.experiment] = fact.instrument
            case Completed() | Failed():
                self._end(recorded, fact)
            case LeaseRevoked():
                self._revoke(fact)
            case Requeued() | Abandoned():
                self._follow(recorded, position, fact)

    def _end(self, recorded: Recorded, fact: Completed | Failed) -> None:
        self._holder.pop(fact.experiment, None)
        if isinstance(fact, Failed):
            self._awaiting[fact.experiment] = "end"
        end = End(recorded.sequence, fact, self._instruments.get(fact.experiment))
        self.ends.setdefault(fact.experiment, []).append(end)

    def _revoke(self, fact: LeaseRevoked) -> None:
        # what follows belongs to the lease, which another run may have held: it is no end of the experiment's own
        for name in [name for name, pack in self._holder.items() if pack == fact.pack]:
            del self._holder[name]
            self._awaiting[name] = "lease"

    def _follow(self, recorded: Recorded, position: Position, fact: Following) -> None:
        awaited = self._awaiting.pop(fact.experiment, None)
        if awaited == "end":
            ends = self.ends[fact.experiment]
            ends[-1] = ends[-1]._replace(then=(recorded.subject, fact))
        elif awaited is None and isinstance(fact, Abandoned):
            self.forgone.add(position)
