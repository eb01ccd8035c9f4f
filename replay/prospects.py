"""What a waiting experiment promises: how much it may improve on the best, and how long it will take its device.

The gain is the expected improvement of a normal guess (Mockus 1975; Jones, Schonlau and Welch 1998, equation 15). Its
mean is the mean of all results plus what each value of the configuration was worth so far, a few runs counting little;
its spread is what these effects left unexplained. The time is that of past runs of the same shape, an epoch at a time.
Everything is a function of the ledger: of its first completions, how many of them grows in steps of a few per cent.
"""

from __future__ import annotations

from replay.ledger import Experiment, Ledger
from replay.lessons import Lesson, Lessons, Prospect

FEWEST = 8
"""Completions before anything is guessed."""


class Prospects:
    """Learns from a ledger as it grows; what was told of an experiment stands until more is known.

    Args:
        lessons: what moments of one log share; of its own where none are given.
    """

    def __init__(self, lessons: Lessons | None = None) -> None:
        self._lessons = lessons or Lessons()
        self._lesson: Lesson | None = None
        self._through = 0
        self._told: dict[str, Prospect] = {}

    def of(self, ledger: Ledger, experiment: Experiment) -> Prospect | None:
        """Return what an experiment promises by what is known now; None while too little is."""
        self._learn(ledger)
        if self._lesson is None or self._through < FEWEST:
            return None
        told = self._told.get(experiment.experiment)
        if told is None:
            told = self._lesson.guess(ledger.ideas[experiment.idea].configuration)
            self._told[experiment.experiment] = told
        return told

    def _learn(self, ledger: Ledger) -> None:
        """Take in what has come, once enough has: in steps, so that a large queue is not guessed at every time."""
        known = counted(len(ledger.completed))
        if known == self._through or ledger.space is None:
            return
        self._told.clear()
        self._through = known
        self._lesson = self._lessons.through(ledger, ledger.space, known)


def counted(completed: int) -> int:
    """Return how many of the completions are learnt from: all of the first 64, then in steps of 1.5 to 3 per cent."""
    step = max(1, 1 << max(0, completed.bit_length() - 6)) if completed > 64 else 1
    return completed - completed % step
