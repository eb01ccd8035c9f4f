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
from replay.counts import PAPER, Counts, Sliding, Window, count
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


class Seen(msgspec.Struct):
    """The window of one sequence of cells, by their numbers, and its counts."""

    recent: Sliding[int]
    counts: Counts[int]

    def add(self, cell: int) -> None:
        """Let the next cell in."""
        if fallen := self.recent.push(cell):
            self.counts.replace(fallen[0], cell)
        else:
            self.counts.add(cell)


class Diversity(msgspec.Struct):
    """Every part's cells, of all agents together (key "") and of each one; constant time an observation.

    Each agent's window slides over the agent's own sequence.

    Attributes:
        numbers: every cell of a part that was ever seen, numbered as they came: a number is quicker to count.
        ever: cells of the whole space since the start.
    """

    window: Window = PAPER
    dimensions: dict[Part, tuple[str, ...]] = {}
    numbers: dict[Part, dict[Cell, int]] = {}
    seen: dict[str, dict[Part, Seen]] = {}
    ever: dict[str, Counts[int]] = {}

    def add(self, agent: str, configuration: Mapping[str, Value]) -> None:
        """Let the next observation in."""
        together, own = self._of(""), self._of(agent)
        for part, dimensions in self.dimensions.items():
            numbers = self.numbers.setdefault(part, {})
            number = numbers.setdefault(_getter(dimensions)(configuration), len(numbers))
            together[part].add(number)
            own[part].add(number)
            if part == "whole":
                self.ever[""].add(number)
                self.ever[agent].add(number)

    def entropy(self, part: Part, agent: str = "") -> float | None:
        """Return the entropy of the latest window in bits; None below two observations, or for a part without one."""
        seen = self.seen.get(agent, {}).get(part)
        return seen.counts.entropy() if seen is not None else None

    def covered(self, agent: str = "") -> int:
        """Return how many cells of the whole space were seen at least once."""
        return len(self.ever[agent].of) if agent in self.ever else 0

    def exact(self) -> list[tuple[str, str, int, list[tuple[int, int]]]]:
        """Return the counts that every entropy and coverage is read from, in a fixed order."""
        windows = [
            (agent, part, len(seen.recent), seen.counts.exact())
            for agent, parts in sorted(self.seen.items())
            for part, seen in sorted(parts.items())
        ]
        return windows + [(agent, "ever", ever.total, ever.exact()) for agent, ever in sorted(self.ever.items())]

    def _of(self, agent: str) -> dict[Part, Seen]:
        if agent not in self.seen:
            self.seen[agent] = {part: Seen(Sliding(self.window), Counts()) for part in self.dimensions}
            self.ever[agent] = Counts()
        return self.seen[agent]


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
