"""Charts of text: values as bars of eighths on one line, and as a curve of Braille dots on several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

BARS = " ▁▂▃▄▅▆▇█"

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a Braille cell by row and column, from the block's own numbering of its dots."""

Values = Sequence[float | None]


def bars(values: Values, width: int) -> str:
    """Return one line of `width` cells, lowest value to highest; a blank where nothing is known."""
    sampled = sample(values, width)
    known = [value for value in sampled if value is not None]
    if not known:
        return " " * width
    low, span = min(known), max(known) - min(known)
    drawn = [" " if value is None else BARS[1 + _step(value, low, span, 7)] for value in sampled]
    return "".join(drawn).ljust(width)


def curve(values: Values, width: int, height: int, *, low: float | None = None, high: float | None = None) -> list[str]:
    """Return `height` lines of `width` cells in which the values run from left to right, two dots a cell, joined.

    Args:
        low, high: ends of the scale; those of the values where they are not given. Values beyond are drawn at the end.
    """
    points = sample(values, 2 * width)
    known = [value for value in points if value is not None]
    grid = [[0] * width for _ in range(height)]
    if known:
        floor = min(known) if low is None else low
        span = (max(known) if high is None else high) - floor
        before: int | None = None
        for x, value in enumerate(points):
            if value is None:
                before = None
                continue
            y = 4 * height - 1 - _step(value, floor, span, 4 * height - 1)
            for dot in _between(y if before is None else before, y):
                grid[dot // 4][x // 2] |= _DOTS[dot % 4][x % 2]
            before = y
    return ["".join(chr(0x2800 + cell) if cell else " " for cell in row) for row in grid]


def stretched(values: Values, width: int) -> list[float | None]:
    """Return a short series with so many points between its own, in a straight line, that a curve fills a width."""
    times = max(1, 2 * width // max(1, len(values) - 1))
    drawn: list[float | None] = list(values[:1])
    for one, other in pairwise(values):
        gap = one is None or other is None
        steps = (step / times for step in range(1, times + 1))
        drawn += [None if gap else _along(one, other, share) for share in steps]
    return drawn


def sample(values: Values, width: int) -> list[float | None]:
    """Return at most `width` of the values: all where they fit, else the last of each of `width` equal stretches."""
    if len(values) <= width or width <= 0:
        return list(values[: max(0, width)])
    return [values[math.ceil((nth + 1) * len(values) / width) - 1] for nth in range(width)]


def _along(one: float | None, other: float | None, share: float) -> float:
    return (one or 0.0) + ((other or 0.0) - (one or 0.0)) * share


def _step(value: float, low: float, span: float, steps: int) -> int:
    if span <= 0:
        return steps // 2
    return max(0, min(steps, round((value - low) / span * steps)))


def _between(before: int, now: int) -> range:
    """Return the dots of one column that join it to the one before, its own among them."""
    if abs(now - before) <= 1:
        return range(now, now + 1)
    return range(before + 1, now + 1) if now > before else range(now, before)
