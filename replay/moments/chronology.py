"""Where each fact of a log stands, when it was said, and which moments are worth going to; kept up frame by frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from events import facts
from events.envelope import Fact, Position
from events.errors import LogError
from events.log import Recorded
from replay.imported import history

TROUBLE = (
    facts.Failed,
    facts.LeaseRevoked,
    facts.WorkerLost,
    facts.RoleFailed,
    facts.RoleRestarted,
    facts.AnswerRefused,
    facts.DiagnosisMade,
    facts.RemedyProposed,
    facts.RemedyApplied,
    facts.RemedyRefused,
    facts.Requeued,
    facts.Abandoned,
    facts.InstrumentRefused,
    facts.DefectFound,
    facts.DefectFixed,
)
"""Facts that tell of failures and repairs."""

NOTED = frozenset((*TROUBLE, facts.Started, facts.EraOpened, facts.TrialImported))


class Chronology(msgspec.Struct):
    """Frames in the order of the log, the n-th at sequence n.

    Attributes:
        counts: of the facts through each sequence, from 0 on.
        latest: the latest time told through each sequence, microseconds by the authors' clocks; 0 before the first.
        troubles: sequences of frames that tell of failures and repairs.
        borders: sequences at which another instrument measures, from the second one on; `instrument` is the last.
    """

    counts: list[int] = msgspec.field(default_factory=lambda: [0])
    latest: list[int] = msgspec.field(default_factory=lambda: [0])
    troubles: list[int] = []
    borders: list[int] = []
    instrument: str | None = None

    @property
    def facts(self) -> int:
        """How many facts there are."""
        return self.counts[-1]

    def told(self, through: int) -> int:
        """Return how many facts there are through a sequence."""
        return self.counts[min(through, len(self.counts) - 1)]

    def position(self, number: int) -> Position:
        """Return where the fact with this number, from 1, stands."""
        before = bisect_right(self.counts, number - 1) - 1
        return Position(before + 1, number - 1 - self.counts[before])

    def until(self, at: int) -> int:
        """Return the last sequence before the first fact later than a time."""
        return bisect_right(self.latest, at) - 1

    def time(self, sequence: int) -> int:
        """Return the latest time that was told through a sequence."""
        return self.latest[min(sequence, len(self.latest) - 1)]

    def extend(self, frames: Iterable[Recorded]) -> None:
        """Take in the next frames; one that cannot be read counts as one fact, and whoever folds it says why."""
        many, latest = self.counts[-1], self.latest[-1]
        for recorded in frames:
            said = _said(recorded)
            for fact in said:
                if fact.at > latest:  # noqa: PLR1730 # a call for each of a hundred thousand facts
                    latest = fact.at
                if type(fact) in NOTED:
                    self._note(fact, recorded)
            many += len(said) or 1
            self.counts.append(many)
            self.latest.append(latest)

    def _note(self, fact: Fact, recorded: Recorded) -> None:
        if isinstance(fact, facts.TrialImported):
            for each in history(fact, recorded.author):
                self._note(each, recorded)
        elif isinstance(fact, facts.Started | facts.EraOpened):
            if self.instrument not in (None, fact.instrument):
                self.borders.append(recorded.sequence)
            self.instrument = fact.instrument
        elif isinstance(fact, TROUBLE) and self.troubles[-1:] != [recorded.sequence]:
            self.troubles.append(recorded.sequence)


def _said(recorded: Recorded) -> tuple[Fact, ...]:
    try:
        return recorded.facts
    except LogError:
        return ()
