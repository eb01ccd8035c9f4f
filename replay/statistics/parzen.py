"""A tree-structured Parzen estimator that searches a pool of configurations by what they are, not by their places.

The paper's TPE searches an index into a pool, whose neighbours have nothing in common. This one reads configurations:
one density over the best tenth of what it has run and one over the rest, a factor a dimension (Bergstra and others
2011), continuous dimensions in the bins of the space. It can run only what the search ran. It is ours, since replay may
not ask Optuna, which cannot search a pool either; its defaults are Optuna's: 10 runs at random, then the best
of 24 candidates drawn from the first density, the best tenth being at most 25 runs. Outside the digest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from events.space import Configuration, Space
from replay.runs import Floats
from replay.statistics.draws import draws
from replay.trajectory import label_of

STARTUP = 10
CANDIDATES = 24
BEST = 25
TURNS = 10
"""Searches of one pool, each with its own draws."""

GRAIN = 2.0**20
"""Logarithms are rounded to so many parts, so that their sums are exact in any order, on any machine."""

Places = NDArray[np.int64]


def features(space: Space, pool: Sequence[Configuration]) -> tuple[Floats, Places]:
    """Return the pool in columns, (n, v) of 0 and 1: a column for each value of each dimension, and whose it is (v)."""
    columns: list[Floats] = []
    of: list[int] = []
    for index, dimension in enumerate(space.dimensions):
        told = [label_of(dimension, point) for point in pool]
        for label in sorted({*told}, key=str):
            columns.append(np.array([each == label for each in told], dtype=np.float64))
            of.append(index)
    return np.stack(columns, axis=1), np.array(of, dtype=np.int64)


def searches(
    space: Space, pool: Sequence[Configuration], scores: Sequence[float], steps: int, *, turns: int = TURNS
) -> Floats:
    """Return the best validation AP after each of `steps` runs of each search: (turns, steps), steps at most the pool.

    Args:
        space: its dimensions, and the bins of the continuous ones.
        pool: what may be run.
        scores: what each would score.
        steps: runs of one search.
        turns: searches.
    """
    x, of = features(space, pool)
    across = np.ascontiguousarray(x.T)
    y, chance = np.asarray(scores, dtype=np.float64), draws("TPE over the pool")
    run = np.zeros((turns, steps), dtype=np.int64)
    left = np.ones((turns, len(y)), dtype=bool)
    seen = np.zeros((turns, x.shape[1]))
    rows = np.arange(turns)
    for step in range(steps):
        if step < STARTUP:
            weight = left.astype(np.float64)
            chosen = _drawn(weight, chance.random((turns, 1)))[:, 0]
        else:
            good, rest = _densities(x, of, run[:, :step], y, seen)
            likely = np.exp(good @ across)
            drawn = _drawn(np.where(left, likely, 0.0), chance.random((turns, CANDIDATES)))
            lift = np.einsum("tv,tcv->tc", good - rest, x[drawn])
            chosen = drawn[rows, np.argmax(lift, axis=1)]
        run[:, step] = chosen
        left[rows, chosen] = False
        seen += x[chosen]
    best: Floats = np.maximum.accumulate(y[run], axis=1)
    return best


def _densities(x: Floats, of: Places, run: Places, y: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of both densities, (turns, v), from the places that were run, (turns, n)."""
    many = run.shape[1]
    kept = min(BEST, math.ceil(many / 10))
    # the earlier run first among equals
    order = np.argsort(-y[run], axis=1, kind="stable")[:, :kept]
    good = x[np.take_along_axis(run, order, axis=1)].sum(axis=1)
    return _logs(good, of, kept), _logs(seen - good, of, many - kept)


def _logs(counts: Floats, of: Places, many: int) -> Floats:
    """Return log((count + 1 / values) / (many + 1)): one observation more, spread evenly over the dimension."""
    values = np.bincount(of)[of]
    logs: Floats = np.round(np.log((counts + 1.0 / values) / (many + 1)) * GRAIN) / GRAIN
    return logs


def _drawn(weight: Floats, chance: Floats) -> Places:
    """Return places drawn by weight, (turns, draws), with replacement."""
    edges = np.cumsum(weight, axis=1)
    wanted = chance * edges[:, -1:]
    found = [np.searchsorted(edge, want, side="right") for edge, want in zip(edges, wanted, strict=True)]
    # rounding may carry a draw past the last place that has a weight
    last = weight.shape[1] - 1 - np.argmax(weight[:, ::-1] > 0, axis=1)
    places: Places = np.minimum(np.stack(found), last[:, None])
    return places
