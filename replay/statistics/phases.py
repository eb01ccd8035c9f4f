"""Phases of exploration and exploitation, found as change points of an entropy series (paper, section 5.3).

The series is cut into straight pieces by least squares, as many as BIC pays for; neighbours of one direction are
joined, and a standstill shorter than a window goes with its neighbour. What is left are phases: entropy rises in an
exploration and falls in an exploitation. Readings of overlapping windows hang together, so a border is known to about
a window.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np

from events.space import Cell
from replay.counts import Window
from replay.diversity import series
from replay.runs import Floats
from replay.statistics.tails import quantile

SHORTEST = 3
"""Readings of a straight piece."""

MOST = 16
"""Straight pieces that are tried."""

LEAST = 2 * SHORTEST


Kind = Literal["exploration", "exploitation", "level"]


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the search.

    Attributes:
        start, end: observations after which it begins and ends.
        first, last, change: bits read at its ends, and their difference, positive while exploring.
        noise: bits by which sampling alone would move any of the series' separate windows, 5 times in a hundred.
    """

    kind: Kind
    start: int
    end: int
    first: float
    last: float
    change: float
    noise: float


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Architectural against training entropy over one stretch.

    Attributes:
        architecture, training: bits of change.
        ratio: |architecture| / |training|; None where the training change is within its noise, as division then says
            nothing. Parts have different ceilings in bits, so a ratio is no measure of importance.
    """

    stretch: str
    start: int
    end: int
    architecture: float
    training: float
    training_noise: float
    ratio: float | None


class LogFit(msgspec.Struct, frozen=True, kw_only=True):
    """The author's global fit H(t) = H0 - k ln t; a poor one, kept because 15.2 comes from it."""

    h0: float
    k: float
    r2: float
    n: int


class AuthorRatio(msgspec.Struct, frozen=True, kw_only=True):
    """The paper's "15.2 times faster": the ratio of two global slopes, whatever their fits are worth.

    It is not measured "within each phase" as the text has it: one line runs through rises and falls alike, and where
    the training fit explains nothing (R2 .009 in the paper's data) its slope, the divisor, is near 0 by accident.
    """

    ratio: float | None
    whole: LogFit
    architecture: LogFit
    training: LogFit


def phases(readings: Sequence[tuple[int, float]], *, noise: float, window: int) -> list[Phase]:
    """Cut a series of (observations, bits) into phases that tile it; none below six readings.

    Args:
        readings: the series, where entropy is defined.
        noise: standard deviation in bits of a reading around the habits it samples; see `sampling_noise`.
        window: observations of a reading; a shorter standstill between two phases is no phase.
    """
    if len(readings) < LEAST:
        return []
    at, bits = (np.array(column, dtype=np.float64) for column in zip(*readings, strict=True))
    reach = _reach(noise, int(at[-1] - at[0]), window)
    corners = _corners(at, bits)
    while (fewer := _joined(corners, reach, window)) != corners:
        corners = fewer
    corners = _peaked(corners, readings, reach, window)
    return [
        Phase(
            kind=_kind(last - first, reach),
            start=start,
            end=end,
            first=first,
            last=last,
            change=last - first,
            noise=reach,
        )
        for (start, first), (end, last) in pairwise(corners)
    ]


def sampling_noise(cells: Sequence[Cell], window: Window) -> float:
    """Return the median over the series of sqrt((sum p log2(p)^2 - H^2) / w): the plug-in entropy's deviation, bits."""
    n = len(cells)
    length, step = window.length(n), window.step(n)
    found = []
    for end in range(step, n + 1, step):
        shares = [many / min(end, length) for many in Counter(cells[max(0, end - length) : end]).values()]
        mean = -math.fsum(p * math.log2(p) for p in shares)
        square = math.fsum(p * math.log2(p) ** 2 for p in shares)
        found.append(math.sqrt(max(0.0, square - mean * mean) / min(end, length)))
    return float(np.median(found)) if found else 0.0


def readings(cells: Sequence[Cell], window: Window) -> list[tuple[int, float]]:
    """Return the series of a sequence of cells from the first full window on: as one fills, entropy can but rise."""
    length = window.length(len(cells))
    return [(r.n, r.value) for r in series(cells, window) if r.value is not None and r.window == length]


def rates(
    found: Sequence[Phase], architecture: Sequence[Cell], training: Sequence[Cell], window: Window
) -> list[Rates]:
    """Return the ratio of entropy changes in each phase and over the whole, of two sequences read alike."""
    one, other = dict(readings(architecture, window)), dict(readings(training, window))
    shared = sorted(one.keys() & other.keys())
    if len(shared) < 2:
        return []
    reach = _reach(sampling_noise(training, window), shared[-1] - shared[0], window.length(len(training)))
    stretches: list[tuple[str, int, int]] = [(phase.kind, phase.start, phase.end) for phase in found]
    stretches.append(("whole", shared[0], shared[-1]))
    return [
        _rate(name, start, end, (one[end] - one[start], other[end] - other[start]), reach)
        for name, start, end in stretches
        if start in one and end in one and start in other and end in other
    ]


def log_fit(points: Sequence[tuple[int, float]]) -> LogFit | None:
    """Fit H = H0 - k ln t by least squares; None below three readings or where the series is constant."""
    if len(points) < 3 or len({bits for _, bits in points}) < 2:
        return None
    x = np.log(np.array([n for n, _ in points], dtype=np.float64))
    y = np.array([bits for _, bits in points])
    slope = float((x - x.mean()) @ (y - y.mean()) / ((x - x.mean()) @ (x - x.mean())))
    left = y - y.mean() - slope * (x - x.mean())
    return LogFit(
        h0=float(y.mean() - slope * x.mean()),
        k=-slope,
        r2=1 - float(left @ left) / float(((y - y.mean()) ** 2).sum()),
        n=len(points),
    )


def author_ratio(
    whole: Sequence[tuple[int, float]], architecture: Sequence[tuple[int, float]], training: Sequence[tuple[int, float]]
) -> AuthorRatio | None:
    """Return the author's ratio with the three fits behind it; None where one of them cannot be made."""
    fits = [log_fit(points) for points in (whole, architecture, training)]
    one, two, three = fits
    if one is None or two is None or three is None:
        return None
    return AuthorRatio(ratio=two.k / three.k if three.k else None, whole=one, architecture=two, training=three)


def _rate(name: str, start: int, end: int, changes: tuple[float, float], reach: float) -> Rates:
    return Rates(
        stretch=name,
        start=start,
        end=end,
        architecture=changes[0],
        training=changes[1],
        training_noise=reach,
        ratio=abs(changes[0] / changes[1]) if abs(changes[1]) > reach else None,
    )


def _reach(noise: float, span: int, window: int) -> float:
    """Return the change that one of span / window windows makes by sampling 5 times in a hundred (Bonferroni)."""
    return quantile(1 - 0.025 / max(1.0, span / window)) * math.sqrt(2) * noise


def _peaked(
    corners: list[tuple[int, float]], readings: Sequence[tuple[int, float]], reach: float, window: int
) -> list[tuple[int, float]]:
    """Move each turn to the highest or lowest reading within half a window of it, short of the next corners."""
    moved = list(corners)
    for index in range(1, len(corners) - 1):
        before, here, after = moved[index - 1], corners[index], corners[index + 1]
        kinds = _kind(here[1] - before[1], reach), _kind(after[1] - here[1], reach)
        near = [r for r in readings if before[0] < r[0] < after[0] and abs(r[0] - here[0]) <= window / 2]
        if near and kinds in {("exploration", "exploitation"), ("exploitation", "exploration")}:
            extreme = max if kinds[0] == "exploration" else min
            moved[index] = extreme(near, key=lambda reading: reading[1])
    return moved


def _kind(change: float, reach: float) -> Kind:
    if abs(change) <= reach:
        return "level"
    return "exploration" if change > 0 else "exploitation"


def _joined(corners: list[tuple[int, float]], reach: float, window: int) -> list[tuple[int, float]]:
    """Return the corners without the first that divides two of a kind, or that ends too short a standstill."""
    kinds = [_kind(later - earlier, reach) for (_, earlier), (_, later) in pairwise(corners)]
    for index in range(1, len(kinds)):
        if kinds[index - 1] == kinds[index]:
            return corners[:index] + corners[index + 1 :]
    for index, kind in enumerate(kinds):
        if kind == "level" and len(kinds) > 1 and corners[index + 1][0] - corners[index][0] < window:
            drop = index if index == len(kinds) - 1 else index + 1
            return corners[:drop] + corners[drop + 1 :]
    return corners


def _corners(at: Floats, bits: Floats) -> list[tuple[int, float]]:
    """Return where the straight pieces of the smallest BIC meet: (observations, bits read there)."""
    n = len(at)
    cost = _costs(at, bits)
    best, came = np.full((MOST + 1, n + 1), np.inf), np.zeros((MOST + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for many in range(1, MOST + 1):
        for end in range(many * SHORTEST, n + 1):
            tried = best[many - 1, :end] + cost[:end, end]
            came[many, end] = int(np.argmin(tried))
            best[many, end] = tried[came[many, end]]
    floor = 1e-12 * n * max(1.0, float(np.ptp(bits)) ** 2)
    reached = [many for many in range(1, MOST + 1) if math.isfinite(best[many, n])]
    # a piece costs a border, a height and a slope
    chosen = min(reached, key=lambda many: n * math.log(max(float(best[many, n]), floor) / n) + 3 * many * math.log(n))
    cuts = [n]
    for many in range(chosen, 0, -1):
        cuts.insert(0, int(came[many, cuts[0]]))
    bends = np.abs(np.diff(bits, 2, prepend=bits[0], append=bits[-1]))
    # a cut lies between two readings: the corner is the one at which the series bends more
    inner = [cut - 1 if bends[cut - 1] >= bends[cut] else cut for cut in cuts[1:-1]]
    return [(int(at[place]), float(bits[place])) for place in (0, *inner, n - 1)]


def _costs(at: Floats, bits: Floats) -> Floats:
    """Return the least squares' residual of each stretch, (start, end), from sums over prefixes; infinite if short."""
    n = len(at)
    x, y = at - at.mean(), bits - bits.mean()
    x = x / max(1.0, float(np.abs(x).max()))
    sums = [np.concatenate(([0.0], np.cumsum(column))) for column in (x, y, x * x, x * y, y * y)]
    start, end = np.arange(n + 1)[:, None], np.arange(n + 1)[None, :]
    many = np.maximum(end - start, 1)
    sx, sy, sxx, sxy, syy = (column[None, :] - column[:, None] for column in sums)
    spread = np.maximum(sxx - sx * sx / many, 1e-300)
    residual = syy - sy * sy / many - (sxy - sx * sy / many) ** 2 / spread
    cost: Floats = np.where(end - start >= SHORTEST, np.maximum(residual, 0.0), np.inf)
    return cost
