"""How a search gets better: the running best of validation, simple regret, and innovation (paper, Definition 4)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec

from replay.counts import Window


class Improvement(msgspec.Struct, frozen=True):
    """A completion that beat all before it: the n-th, with its validation AP."""

    n: int
    experiment: str
    validation: float


class Progress(msgspec.Struct):
    """The running best as the steps that it took; the first completion is one, since it beats nothing."""

    n: int = 0
    improvements: list[Improvement] = []

    def add(self, experiment: str, validation: float) -> None:
        """Let the next completion in: I_t = 1[y_t > AP*(t-1)]; a tie is no improvement."""
        self.n += 1
        if not self.improvements or validation > self.improvements[-1].validation:
            self.improvements.append(Improvement(self.n, experiment, validation))

    def best(self) -> Improvement | None:
        """Return the best by validation, the earliest among equals; None before the first completion."""
        return self.improvements[-1] if self.improvements else None

    def innovation(self, window: Window) -> float | None:
        """Return the share of improvements among the last min(n, window.length(n)) completions; None before any."""
        if not self.n:
            return None
        length = min(self.n, window.length(self.n))
        earlier = bisect_right(self.improvements, self.n - length, key=lambda step: step.n)
        return (len(self.improvements) - earlier) / length


def running_best(validation: Sequence[float]) -> list[float]:
    """Return AP*(N) = max over i <= N of y_i, for N from 1; validation AP in the order of completion."""
    return list(accumulate(validation, max))


def regret(validation: Sequence[float]) -> list[float]:
    """Return r_N = best - AP*(N), for N from 1.

    The optimum f(c*) is unknown: the best that was seen stands for it, so this is a lower bound of simple regret.
    """
    best = running_best(validation)
    return [best[-1] - value for value in best]


def innovations(validation: Sequence[float]) -> list[int]:
    """Return I_t, 1 where y_t beat all before it, for t from 1."""
    best = running_best(validation)
    return [1] * bool(best) + [int(later > earlier) for earlier, later in pairwise(best)]


def expected_improvements(n: int) -> float:
    """Return 1 + 1/2 + ... + 1/n, the improvements that n exchangeable runs would show: the null of innovation."""
    return math.fsum(1 / k for k in range(1, n + 1))
