"""The recorded order against other orders of the same runs: shuffled, with the exact expectation, and the oracle's.

Every policy here draws from the pool that the search made, so none could have found what the search did not; a shuffled
pool that is faster says that good runs are common in it, not that random search is better (paper, section 5.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from replay.runs import Floats
from replay.statistics.draws import orders

MARKS = (50, 100, 200, 500)
"""Runs after which the best so far is compared (Table 2)."""

SMALL_MARKS = (5, 10, 20, 50)
"""The same for campaigns of fewer than 100 runs; ours."""

SHUFFLES = 1_000


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The best validation AP after N runs, by policy.

    Attributes:
        expected: exact mean over all orders of the pool.
        shuffled: mean of the shuffles; low and high hold 95 of a hundred of them.
        below: share of shuffles that were worse than the recorded order, ties half.
        oracle: the best first.
    """

    n: int
    recorded: float
    expected: float
    shuffled: float
    low: float
    high: float
    below: float
    oracle: float


def marks(n: int) -> tuple[int, ...]:
    """Return the numbers of runs at which a pool of n is compared."""
    return tuple(mark for mark in (MARKS if n >= 2 * MARKS[0] else SMALL_MARKS) if mark <= n)


def expected_best(pool: Sequence[float], at: Sequence[int]) -> list[float]:
    """Return E[max of N drawn without replacement] = sum over i of y_(i) C(i-1, N-1) / C(n, N), for every N in 1..n.

    y_(i) is the i-th smallest. The weights go down from i = n by the ratio (i - N) / (i - 1); those that fall below the
    smallest float weigh nothing in a sum of scores.
    """
    ordered = np.sort(np.asarray(pool, dtype=np.float64))[::-1]
    return [float(weights(len(ordered), many) @ ordered) for many in at]


def weights(n: int, many: int) -> Floats:
    """Return the chance that the i-th best of n is the best of `many` drawn, for i from 1."""
    steps = np.arange(n - 1, 0, -1, dtype=np.float64)  # i - 1 for the next worse
    ratio = np.maximum(steps - (many - 1), 0.0) / steps
    chances: Floats = many / n * np.concatenate(([1.0], np.cumprod(ratio)))
    return chances


def shuffled_best(pool: Sequence[float], at: Sequence[int], *, shuffles: int = SHUFFLES) -> Floats:
    """Return the best after N of each shuffle: (shuffles, len(at)); the shuffles are keyed, the same everywhere."""
    y = np.asarray(pool, dtype=np.float64)
    places = np.asarray(at, dtype=np.int64) - 1
    batches = orders("shuffled pool", len(y), shuffles)
    return np.concatenate([np.maximum.accumulate(y[rows], axis=1)[:, places] for rows in batches])


def standings(scores: Sequence[float], *, shuffles: int = SHUFFLES) -> list[Standing]:
    """Compare the policies at the marks that the campaign reached; none below five runs."""
    at = marks(len(scores))
    if not at:
        return []
    best = np.maximum.accumulate(np.asarray(scores, dtype=np.float64))
    drawn, expected = shuffled_best(scores, at, shuffles=shuffles), expected_best(scores, at)
    found = []
    for index, many in enumerate(at):
        column, recorded = drawn[:, index], float(best[many - 1])
        low, high = np.quantile(column, (0.025, 0.975))
        found.append(
            Standing(
                n=many,
                recorded=recorded,
                expected=expected[index],
                shuffled=float(column.mean()),
                low=float(low),
                high=float(high),
                below=float((column < recorded).mean() + (column == recorded).mean() / 2),
                oracle=float(best[-1]),
            )
        )
    return found
