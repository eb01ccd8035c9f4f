"""Where each fact of a log stands, when it was said, and which moments are worth going to; kept up frame by frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import msgspec

from events import facts
from events.codec import KINDS
from events.envelope import Fact, Position
from events.log import Recorded
from replay.folds import Handler

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

    def unreadable(self) -> None:
        """Count a frame that cannot be read as one fact."""
        self.counts.append(self.counts[-1] + 1)
        self.latest.append(self.latest[-1])


def _told(state: Chronology, fact: Fact, recorded: Recorded, index: int) -> None:
    if len(state.counts) <= recorded.sequence:
        state.counts.append(0)
        state.latest.append(state.latest[-1])
    state.counts[-1] = state.counts[-2] + index + 1  # by the index: an imported trial is told as several facts
    state.latest[-1] = max(state.latest[-1], fact.at)


def _broke(state: Chronology, fact: Fact, recorded: Recorded, index: int) -> None:
    _told(state, fact, recorded, index)
    if state.troubles[-1:] != [recorded.sequence]:
        state.troubles.append(recorded.sequence)


def _measured(state: Chronology, fact: facts.Started | facts.EraOpened, recorded: Recorded, index: int) -> None:
    _told(state, fact, recorded, index)
    if state.instrument not in (None, fact.instrument):
        state.borders.append(recorded.sequence)
    state.instrument = fact.instrument


class ChronologyFold:
    """Folds a log of sequences from 1 on, none missing, into its chronology."""

    handlers: Mapping[type[Fact], Handler] = {
        **dict.fromkeys(KINDS.values(), _told),
        **dict.fromkeys(TROUBLE, _broke),
        **dict.fromkeys((facts.Started, facts.EraOpened), _measured),
    }

    def initial(self) -> Chronology:
        """Return that of an empty log."""
        return Chronology()

    def result(self, state: Chronology) -> Chronology:
        """Return the chronology itself."""
        return state
