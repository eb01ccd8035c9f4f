"""Going to any position of a log without folding it from the start: marks on the way, and the nearest one's tail.

timeline = Timeline(log, *MEASURES, FleetFold())
timeline.catch_up()                              # once, and whenever the log has grown
passing = timeline.at(12_000)                    # a pass of its own: read `results()`, or fold it on
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain, islice, takewhile
from typing import Any, NamedTuple

from events.log import LogReader, Recorded
from replay.folds import Fold, Pass
from replay.moments.keeping import Keeper, keeper_of
from replay.moments.preserved import state_of

EVERY = 512
"""Frames between two marks of a short log; an archive's block."""

MARKS = 32
"""At most so many marks: when one more would be needed, every second one goes and the distance doubles."""


class Mark(NamedTuple):
    """What each fold had seen through a sequence, as it is kept."""

    through: int
    kept: tuple[Any, ...]


class Timeline:
    """A log with marks on it. Not for two threads at a time.

    Memory: one state as `replay.moments.keeping` keeps it, and for each mark what changed since the one before. A
    caller may `gc.freeze()` once the timeline has caught up: the collector then walks none of that at each journey.

    Args:
        log: read again from a mark for each journey, so it stays open.
        folds: those that every pass carries.
        every: frames between two marks, at first.
        marks: the most that are kept, two at least.
    """

    def __init__(self, log: LogReader, *folds: Fold[Any, Any], every: int = EVERY, marks: int = MARKS) -> None:
        self._log = log
        self._every = every
        self._most = marks
        self._keepers: tuple[Keeper, ...] = tuple(keeper_of(state_of(fold)) for fold in folds)
        self._head: Pass[Any] = Pass(*folds)
        self._marks: list[Mark] = []

    @property
    def head(self) -> Pass[Any]:
        """What was folded so far, to read; only the timeline folds it on."""
        return self._head

    @property
    def through(self) -> int:
        """The last sequence that was folded; beyond it a journey folds on, and marks its way."""
        return self._head.through

    @property
    def marks(self) -> tuple[int, ...]:
        """The sequences from which a journey can begin, ascending."""
        return tuple(mark.through for mark in self._marks)

    def catch_up(self) -> None:
        """Fold what the log holds beyond `through`; raises what reading and folding raise."""
        # a long way is marked at once as sparsely as it would be in the end
        self._every = max(self._every, (self._log.last() - self.through) // self._most)
        self.advance(self._log.read(self.through))

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold the frames, in order; those up to `through` are known and pass by.

        Raises:
            HistoryBroken: see `replay.folds.Pass.advance`; positions before the broken frame can still be reached.
        """
        self._take(self._head, frames)

    def at(self, position: int, *, here: Pass[Any] | None = None) -> Pass[Any]:
        """Return a pass that has folded the log through a position, or through its end where that comes first.

        Args:
            position: a sequence; 0 is before the first frame.
            here: a pass of this timeline that is not needed any more: it goes on itself where that is the shortest way.

        Raises:
            HistoryBroken: the position lies at or beyond a frame that cannot be folded.
        """
        if position > self.through:
            self.advance(_until(self._log.read(self.through), position))
        mark = self._before(position)
        start = self._marks[mark].through if mark >= 0 else 0
        near = here is not None and start <= here.through <= position
        passing = here if here is not None and near else self._restored(mark)
        self._take(passing, _until(self._log.read(passing.through), position))
        return passing

    def _take(self, passing: Pass[Any], frames: Iterable[Recorded]) -> None:
        """Fold the frames, and mark the way wherever the last mark lies too far back."""
        coming = iter(frames)
        while (first := next(coming, None)) is not None:
            if self._following(passing.through) < first.sequence == passing.through + 1:
                self._mark(passing)
            room = self._following(passing.through) - passing.through
            passing.advance(chain((first,), islice(coming, room - 1)))

    def _following(self, through: int) -> int:
        mark = self._before(through)
        return self._every + (self._marks[mark].through if mark >= 0 else 0)

    def _before(self, position: int) -> int:
        return bisect_right(self._marks, position, key=lambda mark: mark.through) - 1

    def _restored(self, mark: int) -> Pass[Any]:
        if mark < 0:
            return Pass(*self._head.folds)
        through, kept = self._marks[mark]
        states = [keeper.restored(part) for keeper, part in zip(self._keepers, kept, strict=True)]
        return Pass(*self._head.folds, states=states, through=through)

    def _mark(self, passing: Pass[Any]) -> None:
        place = self._before(passing.through)
        before = self._marks[place].kept if place >= 0 else (None,) * len(self._keepers)
        states = zip(self._keepers, passing.states, before, strict=True)
        kept = tuple(keeper.keep(state, old) for keeper, state, old in states)
        self._marks.insert(place + 1, Mark(passing.through, kept))
        if len(self._marks) > self._most:
            del self._marks[::2]
            self._every *= 2


def _until(frames: Iterable[Recorded], position: int) -> Iterable[Recorded]:
    return takewhile(lambda recorded: recorded.sequence <= position, frames)
