"""Exact counts of what was seen how often, and the windows that they are made over; entropy is read from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """How long a sliding window is, and how often a series is read, when n observations were made.

    Attributes:
        floor: the shortest window, in observations.
        share: the window is n // share where that is longer.
        step_floor, step_share: likewise the distance between readings.
    """

    name: str
    floor: int
    share: int
    step_floor: int
    step_share: int

    def length(self, n: int) -> int:
        """Return the window's length at n observations."""
        return max(self.floor, n // self.share)

    def step(self, n: int) -> int:
        """Return the distance between two readings of a series of n observations."""
        return max(self.step_floor, n // self.step_share)

    def last(self, tape: Sequence[T]) -> Sequence[T]:
        """Return the window at the end of all observations."""
        return tape[-self.length(len(tape)) :]


PAPER = Window(name="paper", floor=200, share=10, step_floor=50, step_share=100)
"""The author's: max(200, n//10), read every max(50, n//100)."""

SMALL = Window(name="small", floor=20, share=4, step_floor=5, step_share=20)
"""For campaigns of less than 400 observations, where the paper's window would be half of them or more; ours."""

FULL = 64
"""Numbers that a total keeps as they came before it sums them."""

WINDOWS = {window.name: window for window in (PAPER, SMALL)}


def window_for(n: int) -> Window:
    """Choose the preset for a campaign of n observations: the paper's from 400 on."""
    return PAPER if n >= 2 * PAPER.floor else SMALL


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many things were seen how often, exactly.

    Attributes:
        total: observations.
        multiplicity: k to the number of things that were seen k times.
    """

    total: int
    multiplicity: dict[int, int]

    def entropy(self) -> float | None:
        """Return H = sum over k of m_k (k/n) log2(n/k), in bits, 0 to log2 n; None below two observations.

        Paper, Definition 2, grouped by how often a cell was seen: as exact as the counts, in any order of them.
        """
        if self.total < 2:
            return None
        n = self.total
        return math.fsum(many * k / n * math.log2(n / k) for k, many in self.multiplicity.items())

    def exact(self) -> list[tuple[int, int]]:
        """Return (k, number of things seen k times), ascending."""
        return sorted(self.multiplicity.items())


def count(things: Iterable[Hashable]) -> Counts:
    """Count them all."""
    of = Counter(things)
    return Counts(total=of.total(), multiplicity=Counter(of.values()))


class Total(msgspec.Struct):
    """A sum of floats without rounding until it is read (math.fsum, after Shewchuk).

    Attributes:
        parts: numbers whose exact sum it is, never many.
    """

    parts: list[float] = []

    def add(self, x: float) -> None:
        """Add one finite number exactly."""
        self.parts.append(x)
        if len(self.parts) == FULL:
            self.parts = exactly(self.parts)

    def value(self) -> float:
        """Return the sum of all that was added, correctly rounded."""
        return math.fsum(self.parts)


def exactly(numbers: Iterable[float]) -> list[float]:
    """Return few floats with the exact sum of many finite ones: the rounded sum, and what each one before it lost."""
    left, parts = list(numbers), list[float]()
    while part := math.fsum(left):
        parts.append(part)
        left.append(-part)
    return parts
