"""How much of the scores' variance goes with which choice: one-way and two-way analysis of variance (section 5.4).

The scores are those that the search chose to make, so a share of variance speaks of that sample and not of the space;
`replay.statistics.importance` shows both. Group variances differ in practice, which F and its interval assume they do
not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from scipy import optimize, special

from replay.runs import Floats
from replay.statistics.draws import draws
from replay.statistics.tails import log10, log_f_tail

VAST = 1e6
"""Noncentrality beyond which the noncentral F is a scaled inverse chi-square to three digits."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group's scores in brief; `std` is the population's (divided by count), as the paper's author stores it."""

    count: int
    mean: float
    std: float


class OneWay(msgspec.Struct, frozen=True, kw_only=True):
    """One-way analysis of variance.

    Attributes:
        subset: which runs, grouped by what.
        eta2: SSB / SST, the paper's "architecture explains"; biased upwards by about (groups - 1) / (n - 1).
        rest: 1 - eta2, the paper's "hyperparameters explain": what the groups leave, seed and clip noise included.
        omega2: the same share without that bias (Hays 1963), at least 0.
        eta2_low, eta2_high: 95% interval of the population's share by the noncentral F (Steiger 2004).
        log10_p: of F, in logarithms because it falls below the smallest float.
    """

    subset: str
    groups: int
    n: int
    between: int
    within: int
    ssb: float
    ssw: float
    f: float
    log10_p: float
    eta2: float
    rest: float
    omega2: float
    eta2_low: float
    eta2_high: float


class Balanced(msgspec.Struct, frozen=True, kw_only=True):
    """One-way analysis over subsamples of equal size, so that no large group carries it; medians over the draws.

    Attributes:
        subset: which runs, grouped by what.
        size: runs drawn from each group, without replacement.
        f_low, f_high, eta2_low, eta2_high: the draws' 2.5% and 97.5% quantiles: how much one draw says.
    """

    subset: str
    groups: int
    size: int
    draws: int
    f: float
    f_low: float
    f_high: float
    eta2: float
    eta2_low: float
    eta2_high: float


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a two-way table; eta2 is its share of the total sum of squares."""

    term: str
    ss: float
    freedom: int
    f: float
    log10_p: float
    eta2: float
    omega2: float


class TwoWay(msgspec.Struct, frozen=True, kw_only=True):
    """Two-way analysis with interaction, type II.

    Attributes:
        cells, cells_possible: combinations that were run, of all; with empty ones the interaction is what can be told.
        eta2_model: share of variance of both factors and their interaction together.
    """

    n: int
    cells: int
    cells_possible: int
    terms: list[Term]
    residual: float
    freedom: int
    eta2_model: float


def groups_of(scores: Mapping[str, Sequence[float]], *, at_least: int) -> dict[str, list[float]]:
    """Return the groups that are large enough, keys sorted."""
    return {name: list(scores[name]) for name in sorted(scores) if len(scores[name]) >= at_least}


def in_brief(scores: Sequence[float]) -> Group:
    """Return a group's count, mean and standard deviation."""
    y = np.asarray(scores, dtype=np.float64)
    return Group(count=len(y), mean=float(y.mean()), std=float(y.std()))


def one_way(groups: Sequence[Group], *, subset: str = "all") -> OneWay | None:
    """Compare groups from their counts, means and deviations alone (Table 3 and its text).

    None below two groups, without a run more than groups, or where nothing varies inside the groups.
    """
    counts = np.array([group.count for group in groups], dtype=np.float64)
    n = int(counts.sum())
    between, within = len(groups) - 1, n - len(groups)
    if between < 1 or within < 1:
        return None
    means = np.array([group.mean for group in groups])
    ssb = float((counts * (means - (counts @ means) / n) ** 2).sum())
    ssw = float((counts * np.array([group.std for group in groups]) ** 2).sum())
    if ssw <= 1e-24 * n * max(1.0, float(np.abs(means).max()) ** 2):
        return None
    f = (ssb / between) / (ssw / within)
    low, high = _shares(f, between, within)
    return OneWay(
        subset=subset,
        groups=len(groups),
        n=n,
        between=between,
        within=within,
        ssb=ssb,
        ssw=ssw,
        f=f,
        log10_p=log10(log_f_tail(f, between, within)),
        eta2=ssb / (ssb + ssw),
        rest=ssw / (ssb + ssw),
        omega2=_omega2(ssb, between, ssw / within, ssb + ssw),
        eta2_low=low,
        eta2_high=high,
    )


def balanced(
    groups: Mapping[str, Sequence[float]], size: int, *, turns: int = 1_000, subset: str = "balanced"
) -> Balanced | None:
    """Compare subsamples of `size` runs from every group that has as many; None where that leaves nothing to tell."""
    kept = [np.asarray(groups[name], dtype=np.float64) for name in sorted(groups) if len(groups[name]) >= size]
    if len(kept) < 2 or size < 2:
        return None
    chance = draws("balanced subsamples")
    picked = np.stack([_subsamples(chance, scores, size, turns) for scores in kept])  # (groups, turns, size)
    means = picked.mean(axis=2)
    ssb = size * ((means - means.mean(axis=0)) ** 2).sum(axis=0)
    ssw = ((picked - means[:, :, None]) ** 2).sum(axis=(0, 2))
    if float(ssw.min()) <= 1e-24:
        return None
    f = (ssb / (len(kept) - 1)) / (ssw / (len(kept) * (size - 1)))
    eta2 = ssb / (ssb + ssw)
    quantiles = (0.025, 0.5, 0.975)
    f_low, f_middle, f_high = (float(q) for q in np.quantile(f, quantiles))
    eta2_low, eta2_middle, eta2_high = (float(q) for q in np.quantile(eta2, quantiles))
    return Balanced(
        subset=subset,
        groups=len(kept),
        size=size,
        draws=turns,
        f=f_middle,
        f_low=f_low,
        f_high=f_high,
        eta2=eta2_middle,
        eta2_low=eta2_low,
        eta2_high=eta2_high,
    )


def two_way(one: Sequence[str], other: Sequence[str], scores: Sequence[float], names: tuple[str, str]) -> TwoWay | None:
    """Compare two factors and their interaction, each adjusted for all but what contains it (type II; section 5.4).

    None where a factor has one level, no degree of freedom is left, or nothing varies inside the cells.
    """
    y = np.asarray(scores, dtype=np.float64)
    levels = (sorted(set(one)), sorted(set(other)))
    if min(map(len, levels)) < 2:
        return None
    a, b = _dummies(one, levels[0]), _dummies(other, levels[1])
    cells = [f"{x}+{z}" for x, z in zip(one, other, strict=True)]
    full = _dummies(cells, sorted(set(cells)))
    left = {key: _left(y, columns) for key, columns in (("a", a), ("b", b), ("ab", np.hstack([a, b])), ("all", full))}
    residual, rank = left["all"]
    freedom = len(y) - rank
    total = float(((y - y.mean()) ** 2).sum())
    if freedom < 1 or residual <= 1e-24 * len(y):
        return None
    terms = [
        _term(name, (less, more), residual / freedom, freedom, total)
        for name, less, more in (
            (names[0], left["b"], left["ab"]),
            (names[1], left["a"], left["ab"]),
            (f"{names[0]} x {names[1]}", left["ab"], left["all"]),
        )
    ]
    return TwoWay(
        n=len(y),
        cells=full.shape[1],
        cells_possible=len(levels[0]) * len(levels[1]),
        terms=[term for term in terms if term is not None],
        residual=residual,
        freedom=freedom,
        eta2_model=1 - residual / total,
    )


def _shares(f: float, between: int, within: int) -> tuple[float, float]:
    """Return the population shares under which an F so large, and so small, would be seen 2.5 times in a hundred."""
    n = between + within + 1

    def share(chance: float) -> float:
        def excess(noncentrality: float) -> float:
            return noncentral_f(f, between, within, noncentrality) - chance

        if between * f > VAST:
            # the numerator's own spread vanishes beside the denominator's
            far = float(special.chdtri(within, chance)) * between * f / within
            return far / (far + n)
        if excess(0.0) <= 0:
            return 0.0
        far = _beyond(excess, 4.0 * (between * f + n))
        found = float(optimize.brentq(excess, 0.0, far, xtol=1e-9 * far))
        return found / (found + n)

    return share(0.975), share(0.025)


def noncentral_f(f: float, between: int, within: int, noncentrality: float) -> float:
    """Return P(F <= f) of the noncentral F: a Poisson mixture of incomplete betas, to eight of its deviations.

    `scipy.special.ncfdtr` (1.17) answers NaN for some noncentralities between 1 and 4,000 at (9, 10459) degrees.
    """
    half = noncentrality / 2
    reach = 8 * math.sqrt(half) + 20
    j = np.arange(max(0, math.floor(half - reach)), math.ceil(half + reach) + 1, dtype=np.float64)
    weights = np.exp(special.xlogy(j, half) - half - special.gammaln(j + 1))
    x = between * f / (between * f + within)
    return float(weights @ special.betainc(between / 2 + j, within / 2, x))


def _beyond(excess: Callable[[float], float], start: float) -> float:
    far = start
    while excess(far) > 0:
        far *= 2
    return far


def _omega2(ss: float, freedom: int, error: float, total: float) -> float:
    return max(0.0, (ss - freedom * error) / (total + error))


def _subsamples(chance: np.random.Generator, scores: Floats, size: int, turns: int) -> Floats:
    picked: Floats = scores[np.argsort(chance.random((turns, len(scores))), axis=1)[:, :size]]
    return picked


def _dummies(labels: Sequence[str], levels: Sequence[str]) -> Floats:
    place = {level: index for index, level in enumerate(levels)}
    columns = np.zeros((len(labels), len(levels)))
    columns[np.arange(len(labels)), [place[label] for label in labels]] = 1.0
    return columns


def _left(y: Floats, columns: Floats) -> tuple[float, int]:
    """Return the residual sum of squares, and the rank, of least squares on the columns."""
    solved, _, rank, _ = np.linalg.lstsq(columns, y, rcond=None)
    residual = y - columns @ solved
    return float(residual @ residual), int(rank)


def _term(
    name: str, models: tuple[tuple[float, int], tuple[float, int]], error: float, freedom: int, total: float
) -> Term | None:
    less, more = models
    ss, steps = max(0.0, less[0] - more[0]), more[1] - less[1]
    if steps < 1:
        return None
    f = ss / steps / error
    return Term(
        term=name,
        ss=ss,
        freedom=steps,
        f=f,
        log10_p=log10(log_f_tail(f, steps, freedom)) if math.isfinite(f) else 0.0,
        eta2=ss / total,
        omega2=_omega2(ss, steps, error, total),
    )
