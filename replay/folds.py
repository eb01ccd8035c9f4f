"""How a log becomes a state: one pass over the frames, any number of folds, one table that dispatches by type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec

from events.envelope import Fact, Position
from events.facts import TrialImported
from events.log import LogReader, Recorded
from replay.errors import HistoryBroken
from replay.imported import history

S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)

Given = Annotated[S, msgspec.Meta(extra={"given": True})]
"""A list or dictionary that a state took from a fact as it was: nobody changes it, so that states may share it."""

Handler = Callable[[Any, Any, Recorded, int], None]
"""(state, fact, the frame it came in, its index there): changes the state."""


class Fold(Protocol[S, R_co]):
    """A state, what each type of fact does to it, and what it says when asked.

    A fold owns its state: handlers change it in place. It never reads a clock, a random source or who is replaying.

    Attributes:
        handlers: by type of fact.
        parts: folds whose states are parts of this one's, by the part's name: a fact changes these first. Most folds
            have none, and need not say so.
    """

    handlers: Mapping[type[Fact], Handler]

    def initial(self) -> S:
        """Return the state before the first fact."""

    def result(self, state: S) -> R_co:
        """Say what the state means; leaves it unchanged."""


def told(recorded: Recorded) -> Iterator[tuple[int, Fact]]:
    """Yield a frame's facts with their indexes; an imported trial as what a run of ours would have left."""
    for index, fact in enumerate(recorded.facts):
        if isinstance(fact, TrialImported):
            yield from ((index, each) for each in history(fact, recorded.author))
        else:
            yield index, fact


_Table = dict[type[Fact], list[tuple[Handler, Any]]]


def _imported(table: _Table, fact: TrialImported, recorded: Recorded, index: int) -> None:
    for each in history(fact, recorded.author):
        for handler, state in table.get(type(each), ()):
            handler(state, each, recorded, index)


class Pass(Generic[S]):
    """Several folds advanced together, frame by frame.

    Args:
        folds: in the order of their results.
        states: where to go on from, one a fold, now the pass's own; from the beginning where none are given.
        through: the last sequence that the states have seen.

    Attributes:
        folds: as they were given.
        states: one a fold, to read.
        through: the last sequence that was folded, 0 before the first.
    """

    def __init__(self, *folds: Fold[Any, Any], states: Sequence[Any] | None = None, through: int = 0) -> None:
        self.folds = folds
        self.states = [fold.initial() for fold in folds] if states is None else list(states)
        self.through = through
        self._table: _Table = {}
        for fold, state in zip(folds, self.states, strict=True):
            self._enter(fold, state)
        # looked up like any other, it costs the others nothing; a table within itself would keep a dropped pass alive
        self._table[TrialImported] = [(_imported, dict(self._table))]

    def _enter(self, fold: Fold[Any, Any], state: Any) -> None:
        for name, part in getattr(fold, "parts", {}).items():
            self._enter(part, getattr(state, name))
        for kind, handler in fold.handlers.items():
            self._table.setdefault(kind, []).append((handler, state))

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold the frames, in order; those up to `through` are known and pass by.

        Raises:
            HistoryBroken: a fact contradicts those before it, or speaks of what they never made known.
        """
        table = self._table
        for recorded in frames:
            if recorded.sequence <= self.through:
                continue
            index = 0
            try:
                for index, fact in enumerate(recorded.facts):
                    for handler, state in table.get(type(fact), ()):
                        handler(state, fact, recorded, index)
            except KeyError as error:
                sentence = f"{type(fact).__name__} speaks of {error}, which no fact before it made known"
                raise HistoryBroken(Position(recorded.sequence, index), sentence) from error
            self.through = recorded.sequence

    def results(self) -> tuple[Any, ...]:
        """Return each fold's result, in the order of the folds."""
        return tuple(fold.result(state) for fold, state in zip(self.folds, self.states, strict=True))


def run(log: LogReader, *folds: Fold[Any, Any], until: int | None = None) -> tuple[Any, ...]:
    """Fold a log in one pass, through `until` (a sequence) or its end, and return each fold's result."""
    passing: Pass[Any] = Pass(*folds)
    frames: Iterable[Recorded] = log.read()
    if until is not None:
        frames = takewhile(lambda recorded: recorded.sequence <= until, frames)
    passing.advance(frames)
    return passing.results()
