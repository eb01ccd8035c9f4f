"""How the chance of an improvement falls: a power law by Bernoulli likelihood, zeros included, and its null.

The paper (eq. 4) fits binned rates and drops the empty bins, which predicts 99 improvements where about 11 happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from replay.progress import expected_improvements, innovations
from replay.runs import Floats
from replay.statistics.fits import smallest
from replay.statistics.tails import log10, log_chi2_tail

LEAST = 3
"""Improvements after the first run that an exponent needs."""

HALF_CHI2 = 1.920729410347062
"""Half of the 95% quantile of chi-square with one degree of freedom: how far a profile likelihood may fall."""


class Decay(msgspec.Struct, frozen=True, kw_only=True):
    """P(improvement at t) = k t^-alpha for t from 2: the first run beats nothing, and is an improvement by definition.

    Attributes:
        alpha_low, alpha_high: 95% interval by profile likelihood.
        predicted: improvements that the law expects, the first run's included; near `happened` for a fit that is one.
        log10_p: of the likelihood ratio against exchangeable runs (k = 1, alpha = 1), two degrees of freedom.
    """

    n: int
    happened: int
    k: float
    alpha: float
    alpha_low: float
    alpha_high: float
    predicted: float
    log10_p: float


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """The null: n exchangeable runs without ties improve H_n times on average (Renyi 1962).

    Attributes:
        deviation: standard deviation under the null, sqrt(H_n - H_n^(2)).
        p_few, p_many: exact probabilities of at most, and at least, so many.
    """

    n: int
    happened: int
    expected: float
    deviation: float
    p_few: float
    p_many: float


def decay(scores: Sequence[float]) -> Decay | None:
    """Fit the law by maximum likelihood; None below three improvements after the first run, or without a zero."""
    steps = np.array(innovations(scores)[1:], dtype=np.float64)
    happened = int(steps.sum())
    if happened < LEAST or happened == len(steps):
        return None
    log_t = np.log(np.arange(2, len(scores) + 1, dtype=np.float64))
    (at_two, at_end), lost = _most_likely(steps, log_t)
    alpha = (at_two - at_end) / float(log_t[-1] - log_t[0])
    log_k = at_two + alpha * float(log_t[0])
    null = _lost(-log_t, steps)[0]
    return Decay(
        n=len(scores),
        happened=happened + 1,
        k=math.exp(log_k),
        alpha=alpha,
        alpha_low=_bound(steps, log_t, alpha, lost, -1.0),
        alpha_high=_bound(steps, log_t, alpha, lost, 1.0),
        predicted=1.0 + float(np.exp(log_k - alpha * log_t).sum()),
        log10_p=log10(log_chi2_tail(2 * (null - lost), 2)),
    )


def records(scores: Sequence[float]) -> Records | None:
    """Hold the number of improvements against exchangeable runs; None below two runs."""
    n = len(scores)
    if n < 2:
        return None
    happened = sum(innovations(scores))
    few, many = _tails(n, happened)
    expected = expected_improvements(n)
    return Records(
        n=n,
        happened=happened,
        expected=expected,
        deviation=math.sqrt(expected - math.fsum(1 / (t * t) for t in range(1, n + 1))),
        p_few=few,
        p_many=many,
    )


def _lost(log_p: Floats, steps: Floats) -> tuple[float, Floats]:
    """Return minus the log-likelihood of the steps, and its derivative in each log p; log p is at most -1e-12."""
    log_p = np.minimum(log_p, -1e-12)
    missed = -np.expm1(log_p)
    lost = -float(np.where(steps > 0, log_p, np.log(missed)).sum())
    return lost, np.where(steps > 0, -1.0, np.exp(log_p) / missed)


def _most_likely(steps: Floats, log_t: Floats) -> tuple[tuple[float, float], float]:
    """Return log p at t = 2 and at the last t, both at most 0, where the (concave) likelihood is largest."""
    share = (log_t - log_t[0]) / (log_t[-1] - log_t[0])

    def lost(ends: Floats) -> tuple[float, Floats]:
        value, slope = _lost(ends[0] * (1 - share) + ends[1] * share, steps)
        return value, np.array([float(slope @ (1 - share)), float(slope @ share)])

    start = math.log(float(steps.mean()))
    ends, value = smallest(lost, (min(-0.1, start), start), ((-40.0, -1e-9), (-40.0, -1e-9)))
    return (ends[0], ends[1]), value


def _profile(steps: Floats, log_t: Floats, alpha: float) -> float:
    """Return minus the largest log-likelihood under a fixed alpha."""
    highest = -max(-alpha * float(log_t[0]), -alpha * float(log_t[-1])) - 1e-9

    def lost(log_k: Floats) -> tuple[float, Floats]:
        value, slope = _lost(log_k[0] - alpha * log_t, steps)
        return value, np.array([float(slope.sum())])

    return smallest(lost, (highest - 1.0,), ((highest - 80.0, highest),))[1]


def _bound(steps: Floats, log_t: Floats, alpha: float, lost: float, side: float) -> float:
    """Return where the profile likelihood has fallen by half a chi-square quantile, by bisection."""
    near, far = 0.0, 0.25
    while far < 64 and _profile(steps, log_t, alpha + side * far) - lost < HALF_CHI2:
        near, far = far, 2 * far
    for _ in range(30):
        middle = (near + far) / 2
        if _profile(steps, log_t, alpha + side * middle) - lost < HALF_CHI2:
            near = middle
        else:
            far = middle
    return alpha + side * near


def _tails(n: int, happened: int) -> tuple[float, float]:
    """Return P(at most) and P(at least) so many records of n, record t having probability 1/t independently."""
    chances = np.zeros(happened + 2)
    chances[0] = 1.0  # chances[r]: r records so far; the last entry gathers all that are more
    for t in range(1, n + 1):
        moved = chances / t
        chances -= moved
        chances[1:] += moved[:-1]
        chances[-1] += moved[-1]
    few = float(chances[: happened + 1].sum())
    return min(1.0, few), min(1.0, float(chances[happened:].sum()))
