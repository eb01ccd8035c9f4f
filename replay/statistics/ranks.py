"""Whether validation orders runs as test does: Spearman's rank correlation, whole and inside each group (Simpson)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from replay.runs import Floats, Run
from replay.statistics.tails import log10, log_t_tails, quantile

LEAST = 4
"""Runs that a rank correlation with an interval needs."""


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """Spearman's rho, with a 95% interval on Fisher's scale (Bonett and Wright 2000) and p by Student's T."""

    group: str
    n: int
    rho: float
    low: float
    high: float
    log10_p: float


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole correlation beside those inside the groups.

    Attributes:
        within: the groups' mean rho, weighed by n - 3 on Fisher's scale; None where no group is large enough.
        reversed: a group, or the groups' mean, points the other way than the whole.
        between_alone: the groups' mean is less than half of the whole: mostly groups are ranked, not runs in them.
    """

    whole: Rank
    groups: list[Rank]
    within: float | None
    reversed: tuple[str, ...]
    between_alone: bool


def rank(one: Sequence[float], other: Sequence[float], *, group: str = "all") -> Rank | None:
    """Correlate ranks, ties sharing their mean rank; None below four pairs, or where either side is constant."""
    n = len(one)
    if n < LEAST or len(set(one)) < 2 or len(set(other)) < 2:
        return None
    x, y = (ranked - ranked.mean() for ranked in (ranks(one), ranks(other)))
    rho = max(-1.0, min(1.0, float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))))
    bounded = max(-1 + 1e-12, min(1 - 1e-12, rho))
    reach = quantile(0.975) * math.sqrt((1 + rho * rho / 2) / (n - 3))
    t = bounded * math.sqrt((n - 2) / (1 - bounded * bounded))
    return Rank(
        group=group,
        n=n,
        rho=rho,
        low=math.tanh(math.atanh(bounded) - reach),
        high=math.tanh(math.atanh(bounded) + reach),
        log10_p=log10(log_t_tails(t, n - 2)),
    )


def ranks(values: Sequence[float]) -> Floats:
    """Return the rank of each value, from 1; equal ones share the mean of their ranks."""
    _, place, many = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(many)
    shared: Floats = (last - (many - 1) / 2)[place]
    return shared


def agreement(done: Sequence[Run], groups: Mapping[str, Sequence[Run]]) -> Agreement | None:
    """Correlate validation with test AP over all runs and inside each group (paper, section 7: rho .7059 over all)."""
    whole = _of(done, "all")
    if whole is None:
        return None
    inside = [each for name, members in groups.items() if (each := _of(members, name)) is not None]
    within = _pooled(inside)
    against = tuple(each.group for each in inside if each.rho * whole.rho < 0)
    if within is not None and within * whole.rho < 0:
        against += ("mean of the groups",)
    return Agreement(
        whole=whole,
        groups=inside,
        within=within,
        reversed=against,
        between_alone=within is not None and abs(within) < abs(whole.rho) / 2,
    )


def _of(done: Sequence[Run], name: str) -> Rank | None:
    both = [(run.validation, run.test) for run in done if run.test is not None]
    return rank([validation for validation, _ in both], [test for _, test in both], group=name)


def _pooled(inside: Sequence[Rank]) -> float | None:
    weights = [each.n - 3 for each in inside]
    if not weights:
        return None
    heights = [math.atanh(max(-1 + 1e-12, min(1 - 1e-12, each.rho))) for each in inside]
    return math.tanh(math.fsum(w * h for w, h in zip(weights, heights, strict=True)) / sum(weights))
