"""What completed runs taught: rows in the order of completion, and from the first so many of them what to expect.

A result stays as it was told, so that all moments of one log share the rows; each moment learns from its first ones.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import reduce
from itertools import islice
from operator import add
from typing import NamedTuple, TypeVar

from events.space import Choice, Configuration, Space
from replay.entries import SHAPE
from replay.ledger import Ledger

K = TypeVar("K")

EPOCHS = "epochs"

DOUBT = 4.0
"""Results that must speak for a value before its own mean counts as much as that of all results."""


class Prospect(NamedTuple):
    """What is expected of one run: the gain in validation AP over the best, and its GPU-seconds."""

    gain: float
    seconds: float

    @property
    def rate(self) -> float:
        """Gain for a GPU-second."""
        return self.gain / self.seconds if self.seconds > 0 else 0.0


class Lesson(NamedTuple):
    """What some runs taught.

    Attributes:
        mean, best, spread: of their validation APs; the spread is what the effects left unexplained.
        effects: by name and value of a categorical dimension, what it added to the mean, doubted.
        times: by shape, how many runs and their GPU-seconds an epoch; `epoch` is the mean of all.
    """

    mean: float
    best: float
    spread: float
    effects: dict[tuple[str, object], float]
    times: dict[tuple[object, ...], tuple[int, float]]
    epoch: float

    def guess(self, configuration: Configuration) -> Prospect:
        """Return what a run of a configuration promises."""
        expected = self.mean + sum(self.effects.get(pair, 0.0) for pair in configuration.items())
        many, total = self.times.get(tuple(configuration.get(name) for name in SHAPE), (0, 0.0))
        seconds = (total + self.epoch) / (many + 1) * epochs(configuration)
        return Prospect(improvement(expected, self.spread, self.best), seconds)


class Lessons:
    """Runs of one log, each read once."""

    def __init__(self) -> None:
        self._begin(())

    def through(self, ledger: Ledger, space: Space, known: int) -> Lesson:
        """Return what the first so many completions of a ledger taught, one at least."""
        names = tuple(dimension.name for dimension in space.dimensions if isinstance(dimension, Choice))
        many = min(known, len(self._experiments))
        if names != self._names or self._experiments[:many] != ledger.completed[:many]:
            self._begin(names)
        for experiment in islice(ledger.completed, len(self._experiments), known):
            self._add(ledger, experiment)
        return self._taught(known)

    def _begin(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._experiments: list[str] = []
        self._scores: list[float] = []
        self._seconds: list[float] = []
        self._shapes: list[int] = []
        self._cells: list[int] = []
        # a number for each pair of a name and a value, from 1; by cell, those of its pairs as they are told, and those
        # of each dimension, 0 where it has none
        self._numbers: dict[tuple[str, object], int] = {}
        self._kinds: dict[tuple[object, ...], int] = {}
        self._known: dict[tuple[object, ...], int] = {}
        self._told: list[tuple[int, ...]] = []
        self._held: list[tuple[int, ...]] = []

    def _add(self, ledger: Ledger, name: str) -> None:
        run = ledger.experiments[name]
        assert run.outcome is not None  # noqa: S101 # the ledger lists nothing as completed that has no outcome
        configuration = ledger.ideas[run.idea].configuration
        self._experiments.append(name)
        self._scores.append(run.outcome.validation)
        self._seconds.append(run.attempts[-1].gpu_seconds / epochs(configuration))
        self._shapes.append(_number(self._kinds, tuple(map(configuration.get, SHAPE))))
        self._cells.append(self._cell(configuration))

    def _cell(self, configuration: Configuration) -> int:
        """Return the number of a cell; those whose dimensions are told in another order differ, since sums round."""
        key = (*configuration, *map(configuration.get, self._names))
        if key not in self._known:
            pairs = [pair for pair in configuration.items() if pair[0] in self._names]
            numbers = {name: 1 + _number(self._numbers, (name, value)) for name, value in pairs}
            self._told.append(tuple(numbers.values()))
            self._held.append(tuple(numbers.get(name, 0) for name in self._names))
        return _number(self._known, key)

    def _taught(self, known: int) -> Lesson:
        scores = self._scores[:known]
        mean = reduce(add, scores, 0.0) / known
        effects = self._effects([score - mean for score in scores])
        expected = [mean + sum(effects[number] for number in cell) for cell in self._told]
        left = [(score - expected[cell]) ** 2 for score, cell in zip(scores, self._cells, strict=False)]
        return Lesson(
            mean=mean,
            best=max(0.0, *scores),
            spread=math.sqrt(math.fsum(left) / known),
            effects={pair: effects[1 + number] for pair, number in self._numbers.items()},
            times=self._times(known),
            epoch=reduce(add, self._seconds[:known], 0.0) / known,
        )

    def _effects(self, above: list[float]) -> list[float]:
        """Return by number what a value added; `above` is how much each run scored above the mean."""
        sums, many = [0.0] * (1 + len(self._numbers)), Counter[int]()
        for held in zip(*self._held, strict=True):
            values = [held[cell] for cell in self._cells[: len(above)]]
            many.update(values)
            for number, score in zip(values, above, strict=True):
                sums[number] += score
        return [0.0, *(total / (many[number] + DOUBT) for number, total in enumerate(sums) if number)]

    def _times(self, known: int) -> dict[tuple[object, ...], tuple[int, float]]:
        sums, many = [0.0] * len(self._kinds), Counter(self._shapes[:known])
        for shape, seconds in zip(self._shapes[:known], self._seconds, strict=False):
            sums[shape] += seconds
        return {shape: (many[number], sums[number]) for shape, number in self._kinds.items()}


def improvement(mean: float, spread: float, best: float) -> float:
    """Return how much a normal draw exceeds the best on average, counting a draw below it as nothing."""
    if spread <= 0:
        return max(0.0, mean - best)
    z = (mean - best) / spread
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (mean - best) * (1 + math.erf(z / math.sqrt(2))) / 2 + spread * density


def epochs(configuration: Configuration) -> float:
    """Return the training epochs that a configuration asks for; 1 where it does not say."""
    asked = configuration.get(EPOCHS, 1)
    return float(asked) if isinstance(asked, (int, float)) and asked > 0 else 1.0


def _number(known: dict[K, int], key: K) -> int:
    return known.setdefault(key, len(known))
