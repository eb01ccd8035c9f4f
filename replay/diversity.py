"""How widely a campaign searches: configuration entropy in bits over a sliding window (paper, Definition 2).

The sequence is of completed experiments in the order of completion, or, where that is asked for, of ideas in the order
of proposal. Entropy of w observations is at most log2(w), whatever the space: compare windows of one length.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple

import msgspec

from events.space import Cell, Space, Value
from replay.counts import PAPER, Counts, Window, count
from replay.ledger import Idea, Ledger

Part = Literal["whole", "architecture", "training", "backbone_encoder", "loss_pooling", "author"]
"""whole: every categorical dimension; architecture and training: those of that part (the paper's text). The last three
are the author's code: backbone x encoder, loss x pooling, and all four of them."""

Sequenced = Literal["completed", "proposed"]

_AUTHOR: dict[Part, tuple[str, ...]] = {
    "backbone_encoder": ("backbone", "encoder"),
    "loss_pooling": ("loss", "pooling"),
    "author": ("backbone", "encoder", "loss", "pooling"),
}


def projections(space: Space) -> dict[Part, tuple[str, ...]]:
    """Name the dimensions of each part that the space has; a part with none of its dimensions is left out."""
    names = [choice.name for choice in space.choices]
    parts: dict[Part, tuple[str, ...]] = {
        "whole": tuple(names),
        "architecture": tuple(choice.name for choice in space.choices if choice.part == "architecture"),
        "training": tuple(choice.name for choice in space.choices if choice.part == "training"),
    }
    parts |= {part: tuple(name for name in wanted if name in names) for part, wanted in _AUTHOR.items()}
    return {part: dimensions for part, dimensions in parts.items() if dimensions}


def project(configuration: Mapping[str, Value], dimensions: tuple[str, ...]) -> Cell:
    """Return the configuration's values of these categorical dimensions."""
    return _getter(dimensions)(configuration)


@lru_cache
def _getter(dimensions: tuple[str, ...]) -> Callable[[Mapping[str, Value]], Cell]:
    if len(dimensions) == 1:
        (name,) = dimensions
        return lambda configuration: (configuration[name],)  # type: ignore[return-value] # a Choice's are str or int
    return itemgetter(*dimensions)


class Diversity(msgspec.Struct):
    """The tape of completions: the cell of each one, of all agents together (key "") and of each one, as a number.

    Whatever is asked is counted from the tape when it is asked. Each agent's window slides over the agent's own tape.

    Attributes:
        cells: every cell of the whole space that was seen, numbered from 0 as they came.
        numbers: likewise the cells of each part.
        columns: of each part, its cell's number in each cell of the whole space.
    """

    window: Window = PAPER
    dimensions: dict[Part, tuple[str, ...]] = {}
    cells: dict[Cell, int] = {}
    numbers: dict[Part, dict[Cell, int]] = {}
    columns: dict[Part, list[int]] = {}
    tapes: dict[str, list[int]] = {}

    def add(self, agent: str, configuration: Mapping[str, Value]) -> None:
        """Let the next observation in."""
        together, own = self.tapes.setdefault("", []), self.tapes.setdefault(agent, [])
        if not self.dimensions:
            return
        cell = _getter(self.dimensions["whole"])(configuration)
        if (number := self.cells.get(cell)) is None:
            number = self._number(cell, configuration)
        together.append(number)
        own.append(number)

    def entropy(self, part: Part, agent: str = "") -> float | None:
        """Return the entropy of the latest window in bits; None below two observations, or for a part without one."""
        return self._latest(part, agent).entropy() if part in self.columns else None

    def covered(self, agent: str = "") -> int:
        """Return how many cells of the whole space were seen at least once."""
        return len(set(self.tapes.get(agent, ())))

    def exact(self) -> list[tuple[str, str, int, list[tuple[int, int]]]]:
        """Return the counts that every entropy and coverage is read from, in a fixed order."""
        agents, parts = sorted(self.tapes), sorted(self.columns)
        windows = [(agent, part, self._latest(part, agent)) for agent in agents for part in parts]
        ever = [(agent, "ever", count(self.tapes[agent])) for agent in agents]
        return [(agent, what, counts.total, counts.exact()) for agent, what, counts in (*windows, *ever)]

    def _latest(self, part: Part, agent: str) -> Counts:
        latest = self.window.last(self.tapes.get(agent, ()))
        return count(map(self.columns[part].__getitem__, latest))

    def _number(self, cell: Cell, configuration: Mapping[str, Value]) -> int:
        """Give a cell that is new its number, in every part."""
        for part, dimensions in self.dimensions.items():
            numbers = self.numbers.setdefault(part, {})
            of_part = numbers.setdefault(_getter(dimensions)(configuration), len(numbers))
            self.columns.setdefault(part, []).append(of_part)
        return self.cells.setdefault(cell, len(self.cells))


class Reading(NamedTuple):
    """One point of a series: after n observations, over the last `window` of them; None where they were too few."""

    n: int
    window: int
    value: float | None


def cells(ledger: Ledger, dimensions: Iterable[str], *, over: Sequenced = "completed", agent: str = "") -> list[Cell]:
    """Return the ledger's cells in order, of one agent or (with "") of all.

    A proposed configuration that lacks one of the dimensions is in no cell, and left out.
    """
    wanted = tuple(dimensions)
    names, of = set(wanted), _getter(wanted)
    mine = (idea.configuration for idea in _ideas(ledger, over) if agent in ("", idea.agent))
    return [of(point) for point in mine if names <= point.keys()]


def numbered(
    ledger: Ledger, parts: Mapping[Part, tuple[str, ...]], *, over: Sequenced = "completed"
) -> dict[Part, dict[str, list[int]]]:
    """Return what `cells` returns, of each part, of all agents (key "") and of each: cells as numbers, which is faster.

    A cell's number is its place in the order in which the part's cells first came, from 0.
    """
    ideas = list(_ideas(ledger, over))
    names = dict.fromkeys(name for dimensions in parts.values() for name in dimensions)
    columns = {name: [idea.configuration.get(name) for idea in ideas] for name in names}
    places: dict[str, list[int]] = {"": list(range(len(ideas)))}
    for place, idea in enumerate(ideas):
        places.setdefault(idea.agent, []).append(place)
    found: dict[Part, dict[str, list[int]]] = {}
    for part, dimensions in parts.items():
        numbers: dict[tuple[Value | None, ...], int] = {}
        rows = zip(*(columns[name] for name in dimensions), strict=True)
        row = [-1 if None in cell else numbers.setdefault(cell, len(numbers)) for cell in rows]
        found[part] = {agent: [row[at] for at in mine if row[at] >= 0] for agent, mine in places.items()}
    return found


def _ideas(ledger: Ledger, over: Sequenced) -> Iterable[Idea]:
    if over == "proposed":
        return ledger.ideas.values()
    return (ledger.ideas[ledger.experiments[name].idea] for name in ledger.completed)


def series(sequence: Sequence[Hashable], window: Window) -> list[Reading]:
    """Read the entropy of a whole sequence every `window.step(n)`, and at its end, over windows of `window.length(n)`.

    The sequence is of cells, or, faster, of their numbers (`numbered`).

    n is the length of the sequence, as in the author's code, so that every full window of a series has one length.
    """
    n = len(sequence)
    length, step = window.length(n), window.step(n)
    ends = [*range(step, n, step), n] if n else []
    windows = [sequence[max(0, end - length) : end] for end in ends]
    # counted anew at each reading: of numbers, ten fast counts of each are quicker than one that is kept up
    return [Reading(end, len(held), count(held).entropy()) for end, held in zip(ends, windows, strict=True)]


def highest(space: Space, dimensions: Iterable[str], observations: int) -> float:
    """Return the largest entropy that so many observations of these dimensions can have, in bits."""
    sizes = [len(choice.values) for choice in space.choices if choice.name in set(dimensions)]
    return math.log2(max(1, min(observations, math.prod(sizes))))


def entropy(cells: Sequence[Cell]) -> float | None:
    """Return H = -sum p log2 p in bits, straight from the definition: what every faster form is held against."""
    n = len(cells)
    if n < 2:
        return None
    return -math.fsum(times / n * math.log2(times / n) for times in Counter(cells).values())
