"""Exact counts of what was seen how often, kept up one observation at a time; entropy is read from them, never kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Generic, TypeVar

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
        share = n // self.share
        return share if share > self.floor else self.floor  # max() takes twice the time, once a push

    def step(self, n: int) -> int:
        """Return the distance between two readings of a series of n observations."""
        return max(self.step_floor, n // self.step_share)


PAPER = Window(name="paper", floor=200, share=10, step_floor=50, step_share=100)
"""The author's: max(200, n//10), read every max(50, n//100)."""

SMALL = Window(name="small", floor=20, share=4, step_floor=5, step_share=20)
"""For campaigns of less than 400 observations, where the paper's window would be half of them or more; ours."""

WINDOWS = {window.name: window for window in (PAPER, SMALL)}


def window_for(n: int) -> Window:
    """Choose the preset for a campaign of n observations: the paper's from 400 on."""
    return PAPER if n >= 2 * PAPER.floor else SMALL


class Counts(msgspec.Struct, Generic[T]):
    """How often each thing was seen, and how many things were seen so often; both exact.

    Attributes:
        total: observations.
        of: times that each thing was seen, never 0.
        multiplicity: k to the number of things that were seen k times.
    """

    total: int = 0
    of: dict[T, int] = {}
    multiplicity: dict[int, int] = {}

    def add(self, thing: T) -> None:
        """Count one observation more."""
        of, multiplicity = self.of, self.multiplicity
        before = of.get(thing, 0)
        of[thing] = before + 1
        self.total += 1
        # written out here and below: the two together are called half a million times in a large campaign
        if before:
            if left := multiplicity[before] - 1:
                multiplicity[before] = left
            else:
                del multiplicity[before]
        multiplicity[before + 1] = multiplicity.get(before + 1, 0) + 1

    def remove(self, thing: T) -> None:
        """Take one observation back; raises KeyError for a thing that is not counted."""
        of, multiplicity = self.of, self.multiplicity
        before = of[thing]
        self.total -= 1
        if left := multiplicity[before] - 1:
            multiplicity[before] = left
        else:
            del multiplicity[before]
        if before == 1:
            del of[thing]
        else:
            of[thing] = before - 1
            multiplicity[before - 1] = multiplicity.get(before - 1, 0) + 1

    def replace(self, old: T, new: T) -> None:
        """Take one observation back and count another; raises KeyError for an old thing that is not counted."""
        if old != new:
            self.add(new)
            self.remove(old)

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


def count(things: Iterable[T]) -> Counts[T]:
    """Count them all."""
    of = Counter(things)
    # as plain dictionaries: a Counter would say 0 of what was never counted
    return Counts(total=of.total(), of=dict(of), multiplicity=dict(Counter(of.values())))


class Sliding(msgspec.Struct, Generic[T]):
    """The last `window.length(n)` of n things: one pushed in, at most one falls out, in constant time and memory."""

    window: Window
    n: int = 0
    items: list[T] = []
    start: int = 0

    def push(self, thing: T) -> tuple[T, ...]:
        """Let one more in; return what falls out, one thing or none."""
        window, items, start = self.window, self.items, self.start
        self.n = n = self.n + 1
        items.append(thing)
        held = len(items) - start
        # Window.length, written out: the call would take as long as all the rest
        if held <= window.floor or held <= n // window.share:
            return ()
        fallen = items[start]
        self.start = start = start + 1
        if 2 * start > len(items):
            del items[:start]
            self.start = 0
        return (fallen,)

    def __len__(self) -> int:
        return len(self.items) - self.start


class Total(msgspec.Struct):
    """A sum of floats without rounding until it is read (Shewchuk's partials, the method of math.fsum)."""

    partials: list[float] = []

    def add(self, x: float) -> None:
        """Add one finite number exactly."""
        kept: list[float] = []
        for y in self.partials:
            large, small = (x, y) if abs(x) >= abs(y) else (y, x)
            high = large + small
            if low := small - (high - large):
                kept.append(low)
            x = high
        self.partials = [*kept, x]

    def value(self) -> float:
        """Return the sum of all that was added, correctly rounded."""
        return math.fsum(self.partials)
