"""A surrogate for any space: keyed hills in place of scores, and durations that a real campaign had or a person gives.

Its scores are nothing that a task has: they let policies see better and worse. What it is for is time: a run lasts as
long as some run of the campaign that it was told of, drawn by configuration and seed.
"""

from __future__ import annotations

import math
from hashlib import sha256
from statistics import NormalDist
from typing import NamedTuple

from actors.orders import Breakdown, Run, Score
from actors.virtual.bugs import Bug
from actors.virtual.surrogate import draws
from events.facts import Execution
from events.space import Configuration

VERSION = "landscape-1"

LUCK = 0.6
"""Weight of chance beside the settings, which weigh as much as all of them together do at 1."""

_normal = NormalDist()


class Durations(NamedTuple):
    """How long runs take, device seconds, shortest first, and from where that is known."""

    seconds: tuple[float, ...]
    source: str

    def at(self, place: float) -> float:
        """Return the one at a place in (0, 1) of their order."""
        return self.seconds[min(len(self.seconds) - 1, int(place * len(self.seconds)))]


class Landscape:
    """Answers for a bench over any space; see the module.

    Attributes:
        bugs: none; it is a sound instrument.
    """

    def __init__(self, durations: Durations) -> None:
        self.bugs: tuple[Bug, ...] = ()
        self.instrument = sha256(VERSION.encode()).hexdigest()
        self._durations = durations

    def run(self, run: Run, execution: Execution) -> Score | Breakdown:
        """Return how a run ends, and how long it takes."""
        seconds = self._durations.at(draws("time", run.configuration, run.seed).one)
        if seconds > execution.timeout:
            return Breakdown(run.experiment, "timeout", 0, "killed at its time-out", execution.timeout)
        validation, test = (round(value, 7) for value in self.truth(run.configuration, run.seed))
        return Score(
            experiment=run.experiment,
            validation=validation,
            test=test,
            noise=round(0.06 * math.sqrt(validation * (1 - validation)), 6),
            epoch=1,
            loss=(0.5,),
            curve=(validation,),
            learning_rate=(0.0,),
            gpu_seconds=round(seconds, 3),
            peak_memory=0,
        )

    def truth(self, configuration: Configuration, seed: int) -> tuple[float, float]:
        """Return validation and test AP."""
        hills = [_normal.inv_cdf(draws("hill", {name: value}, 0).one) for name, value in configuration.items()]
        merit = sum(hills) / math.sqrt(max(1, len(hills)))
        chance = draws("score", configuration, seed)
        scores = (merit + LUCK * _normal.inv_cdf(place) for place in (chance.one, chance.two))
        validation, test = (min(0.999, max(0.01, _normal.cdf(score / math.hypot(1, LUCK)))) for score in scores)
        return validation, test
