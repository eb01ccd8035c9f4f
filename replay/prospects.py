"""What a waiting experiment promises: how much it may improve on the best, and how long it will take its device.

The gain is the expected improvement of a normal guess (Mockus 1975; Jones, Schonlau and Welch 1998, equation 15). Its
mean is the mean of all results plus what each value of the configuration was worth so far, a few runs counting little;
its spread is what these effects left unexplained. The time is that of past runs of the same shape, an epoch at a time.
Everything is a function of the ledger: of its first completions, how many of them grows in steps of a few per cent.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import NamedTuple

from events.space import Choice, Configuration, Space
from replay.entries import SHAPE
from replay.ledger import Experiment, Ledger

EPOCHS = "epochs"

FEWEST = 8
"""Completions before anything is guessed."""

DOUBT = 4.0
"""Results that must speak for a value before its own mean counts as much as that of all results."""

Tally = tuple[int, float]
"""How many, and their sum."""


class Prospect(NamedTuple):
    """What is expected of one run: the gain in validation AP over the best, and its GPU-seconds."""

    gain: float
    seconds: float

    @property
    def rate(self) -> float:
        """Gain for a GPU-second."""
        return self.gain / self.seconds if self.seconds > 0 else 0.0


class Prospects:
    """Learns from a ledger as it grows; what was told of an experiment stands until more is known."""

    def __init__(self) -> None:
        self._through = 0
        self._told: dict[str, Prospect] = {}
        self._forget()

    def of(self, ledger: Ledger, experiment: Experiment) -> Prospect | None:
        """Return what an experiment promises by what is known now; None while too little is."""
        self._learn(ledger)
        if self._through < FEWEST:
            return None
        told = self._told.get(experiment.experiment)
        if told is None:
            told = self._guess(ledger.ideas[experiment.idea].configuration)
            self._told[experiment.experiment] = told
        return told

    def _forget(self) -> None:
        self._best = 0.0
        self._scores: Tally = (0, 0.0)
        self._epochs: Tally = (0, 0.0)
        self._spread = 0.0
        self._effects: dict[tuple[str, object], float] = {}
        self._times: dict[tuple[object, ...], Tally] = {}

    def _learn(self, ledger: Ledger) -> None:
        """Take in what has come, once enough has: in steps, so that a large queue is not guessed at every time."""
        known = counted(len(ledger.completed))
        if known == self._through or ledger.space is None:
            return
        self._told.clear()
        self._forget()
        self._through = known
        runs = [ledger.experiments[name] for name in islice(ledger.completed, known)]
        self._time(ledger, runs)
        self._score(ledger, ledger.space, runs)

    def _time(self, ledger: Ledger, runs: list[Experiment]) -> None:
        for run in runs:
            configuration = ledger.ideas[run.idea].configuration
            seconds = run.attempts[-1].gpu_seconds / epochs(configuration)
            shape = tuple(configuration.get(name) for name in SHAPE)
            self._times[shape] = _added(self._times.get(shape, (0, 0.0)), seconds)
            self._epochs = _added(self._epochs, seconds)

    def _score(self, ledger: Ledger, space: Space, runs: list[Experiment]) -> None:
        scored = [
            (run.outcome.validation, ledger.ideas[run.idea].configuration) for run in runs if run.outcome is not None
        ]
        for value, _ in scored:
            self._scores = _added(self._scores, value)
            self._best = max(self._best, value)
        self._effects = _effects(space, scored, self._mean)
        left = [(value - self._expected(configuration)) ** 2 for value, configuration in scored]
        self._spread = math.sqrt(math.fsum(left) / len(left)) if left else 0.0

    @property
    def _mean(self) -> float:
        return self._scores[1] / self._scores[0] if self._scores[0] else 0.0

    def _expected(self, configuration: Configuration) -> float:
        return self._mean + sum(self._effects.get(pair, 0.0) for pair in configuration.items())

    def _guess(self, configuration: Configuration) -> Prospect:
        gain = improvement(self._expected(configuration), self._spread, self._best)
        many, total = self._times.get(tuple(configuration.get(name) for name in SHAPE), (0, 0.0))
        anywhere = self._epochs[1] / self._epochs[0]
        return Prospect(gain, (total + anywhere) / (many + 1) * epochs(configuration))


def counted(completed: int) -> int:
    """Return how many of the completions are learnt from: all of the first 64, then in steps of 1.5 to 3 per cent."""
    step = max(1, 1 << max(0, completed.bit_length() - 6)) if completed > 64 else 1
    return completed - completed % step


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
    return float(asked) if isinstance(asked, int | float) and asked > 0 else 1.0


def _effects(space: Space, scored: list[tuple[float, Configuration]], mean: float) -> dict[tuple[str, object], float]:
    """Return what each value of each categorical dimension added to the mean, one dimension at a time, doubted."""
    names = [dimension.name for dimension in space.dimensions if isinstance(dimension, Choice)]
    sums: dict[tuple[str, object], Tally] = {}
    for value, configuration in scored:
        for name in names:
            if name in configuration:
                key = (name, configuration[name])
                sums[key] = _added(sums.get(key, (0, 0.0)), value - mean)
    return {key: total / (many + DOUBT) for key, (many, total) in sums.items()}


def _added(tally: Tally, value: float) -> Tally:
    return tally[0] + 1, tally[1] + value
