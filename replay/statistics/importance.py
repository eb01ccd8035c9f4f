"""Architecture or knobs: how much of the scores' variance each dimension makes, continuous ones included.

A functional analysis of variance (Hooker 2007; Hutter, Hoos and Leyton-Brown 2014, there with forests): the scores are
expanded by ridge regression in columns that are orthonormal over the whole space, so a component's variance under a
*uniform* sample is the sum of its squared coefficients, wherever the policy happened to look. Beside it stands the
same component *as sampled*, its covariance with the recorded scores (Li and others 2010): a dimension that a policy
settles early makes little variance in its log and may still make most of it in the space. The paper's 1 - eta2 gives
all that is not backbone x encoder to "hyperparameters": pooling, loss, interactions and seed noise alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from events.space import Configuration, Space
from replay.runs import Floats, Run, scores
from replay.statistics.expansion import Expansion, expand
from replay.statistics.tails import quantile

BLOCKS = 20
"""Stretches of the log that are left out in turn for the intervals (jackknife)."""

PENALTIES = np.geomspace(1e-4, 1e3, 36)


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """One component's shares of variance.

    Attributes:
        component: a dimension, or two choices joined by ` x `.
        uniform: share under a uniform sample, the coefficients' own noise taken out; low and high are its 95% interval
            by leaving stretches of the log out, which knows nothing of what no run has tried.
        sampled: share as the policy sampled; these sum to r2 and may be negative where choices go together.
        tried, values: of a choice, how many of its values were run at least once; 0 for others.
    """

    component: str
    part: str
    uniform: float
    low: float
    high: float
    sampled: float
    tried: int
    values: int


class Decomposition(msgspec.Struct, frozen=True, kw_only=True):
    """The whole variance, divided.

    Attributes:
        parts: uniform shares summed by part; `between parts` are interactions of choices of different ones.
        sampled: the same as sampled.
        noise: share that repeats of one configuration differ by (their seeds), None without repeats.
        unexplained: what neither the components nor the noise explain; with the noise where that is unknown.
        r2, r2_left_out: of the recorded scores, and when each is predicted without itself; where the latter is small
            the decomposition explains the log and not the space.
        repeats: runs beyond the first of their configuration.
    """

    n: int
    columns: int
    degree: int
    rows: list[Importance]
    parts: dict[str, float]
    sampled: dict[str, float]
    noise: float | None
    unexplained: float
    r2: float
    r2_left_out: float
    repeats: int
    penalty: float


class _Sums(NamedTuple):
    """What a stretch of runs adds up to: runs, columns, scores, products."""

    n: float
    x: Floats
    y: float
    xx: Floats
    xy: Floats
    yy: float

    def plus(self, other: _Sums, sign: float = 1.0) -> _Sums:
        return _Sums(
            self.n + sign * other.n,
            self.x + sign * other.x,
            self.y + sign * other.y,
            self.xx + sign * other.xx,
            self.xy + sign * other.xy,
            self.yy + sign * other.yy,
        )


class _Solution(NamedTuple):
    beta: Floats
    inverse: Floats
    gram: Floats
    error: float
    freedom: float


def importance(space: Space, done: Sequence[Run]) -> Decomposition | None:
    """Decompose the variance of validation AP over every dimension; None where runs are too few or all score the same.

    Three runs a column are asked for; see `replay.statistics.expansion.expand`.
    """
    y = scores(done)
    if len(y) < BLOCKS or float(np.ptp(y)) == 0.0 or (plan := expand(space, len(y))) is None:
        return None
    points = [run.configuration for run in done]
    edges = [len(y) * index // BLOCKS for index in range(BLOCKS + 1)]
    stretches = [(points[start:end], y[start:end]) for start, end in pairwise(edges)]
    blocks = [_sums(plan.rows(there), part) for there, part in stretches]
    whole = _total(blocks)
    penalty = _penalty(whole)
    solution = _solve(whole, penalty)
    noise, repeats = repeated(space, done)
    uniform, left = _variances(plan, solution), solution.error
    total = float(uniform.sum()) + left
    spreads = _spreads(plan, whole, blocks, penalty)
    sampled = _sampled(plan, whole, solution)
    kept = min(noise, left) if noise is not None else 0.0
    rows = _rows(plan, points, uniform / total, spreads, sampled)
    return Decomposition(
        n=len(y),
        columns=plan.columns,
        degree=plan.degree,
        rows=sorted(rows, key=lambda row: -row.uniform),
        parts=_by_part((row.part, row.uniform) for row in rows),
        sampled=_by_part((row.part, row.sampled) for row in rows),
        noise=kept / total if noise is not None else None,
        unexplained=(left - kept) / total,
        r2=float(sampled.sum()),
        r2_left_out=_left_out(plan, stretches, whole, solution),
        repeats=repeats,
        penalty=penalty,
    )


def repeated(space: Space, done: Sequence[Run]) -> tuple[float | None, int]:
    """Return the variance among repeats of one configuration in one era, pooled, and how many are beyond the first."""
    groups: dict[tuple[int | None, str], list[float]] = {}
    for run in done:
        groups.setdefault((run.era, space.fingerprint(run.configuration)), []).append(run.validation)
    again = [np.array(group) for group in groups.values() if len(group) > 1]
    freedom = sum(len(group) - 1 for group in again)
    if not freedom:
        return None, 0
    return math.fsum(float(((group - group.mean()) ** 2).sum()) for group in again) / freedom, freedom


def _sums(x: Floats, y: Floats) -> _Sums:
    return _Sums(float(len(y)), x.sum(axis=0), float(y.sum()), x.T @ x, x.T @ y, float(y @ y))


def _total(blocks: Sequence[_Sums]) -> _Sums:
    whole = blocks[0]
    for block in blocks[1:]:
        whole = whole.plus(block)
    return whole


def _centred(sums: _Sums) -> tuple[Floats, Floats, float]:
    gram = sums.xx - np.outer(sums.x, sums.x) / sums.n
    return gram, sums.xy - sums.x * sums.y / sums.n, sums.yy - sums.y**2 / sums.n


def _penalty(sums: _Sums) -> float:
    """Choose the ridge penalty by generalised cross-validation (Golub, Heath and Wahba 1979)."""
    gram, cross, total = _centred(sums)
    values, vectors = np.linalg.eigh(gram)
    values, along = np.maximum(values, 0.0), vectors.T @ cross
    scored = []
    for penalty in PENALTIES:
        shrunk = along / (values + penalty)
        residual = total - 2 * float(shrunk @ along) + float(values @ shrunk**2)
        freedom = sums.n - 1 - float((values / (values + penalty)).sum())
        scored.append(max(residual, 0.0) / max(freedom, 1.0) ** 2)
    return float(PENALTIES[int(np.argmin(scored))])


def _solve(sums: _Sums, penalty: float) -> _Solution:
    gram, cross, total = _centred(sums)
    inverse: Floats = np.asarray(np.linalg.inv(gram + penalty * np.eye(len(cross))), dtype=np.float64)
    beta = inverse @ cross
    residual = max(0.0, total - 2 * float(beta @ cross) + float(beta @ gram @ beta))
    freedom = max(1.0, sums.n - 1 - float((inverse * gram).sum()))
    return _Solution(beta, inverse, gram, residual / freedom, freedom)


def _variances(plan: Expansion, solution: _Solution) -> Floats:
    """Return each component's variance under a uniform sample, less what the noise of its coefficients adds."""
    own = solution.error * ((solution.inverse @ solution.gram) * solution.inverse).sum(axis=1)
    return np.maximum(_summed(plan, solution.beta**2 - own), 0.0)


def _sampled(plan: Expansion, sums: _Sums, solution: _Solution) -> Floats:
    _, cross, total = _centred(sums)
    return _summed(plan, solution.beta * cross) / total


def _summed(plan: Expansion, columns: Floats) -> Floats:
    edges = np.cumsum([0, *(component.columns for component in plan.components)])[:-1]
    summed: Floats = np.add.reduceat(columns, edges)
    return summed


def _spreads(plan: Expansion, whole: _Sums, blocks: Sequence[_Sums], penalty: float) -> Floats:
    """Return the jackknife's standard error of each uniform share."""
    shares = []
    for block in blocks:
        solution = _solve(whole.plus(block, -1.0), penalty)
        variances = _variances(plan, solution)
        shares.append(variances / (variances.sum() + solution.error))
    spread = np.array(shares) - np.mean(shares, axis=0)
    errors: Floats = np.sqrt((len(blocks) - 1) / len(blocks) * (spread**2).sum(axis=0))
    return errors


def _left_out(
    plan: Expansion, stretches: Sequence[tuple[Sequence[Configuration], Floats]], whole: _Sums, solution: _Solution
) -> float:
    """Return 1 - PRESS / SST: each score predicted without itself, by the leverage of its row (Allen 1974)."""
    centre, mean = whole.x / whole.n, whole.y / whole.n
    missed = 0.0
    for points, y in stretches:
        rows = plan.rows(points) - centre
        leverage = 1 / whole.n + ((rows @ solution.inverse) * rows).sum(axis=1)
        missed += float((((y - mean - rows @ solution.beta) / np.maximum(1 - leverage, 1e-9)) ** 2).sum())
    return 1 - missed / _centred(whole)[2]


def _rows(
    plan: Expansion, points: Sequence[Configuration], uniform: Floats, errors: Floats, sampled: Floats
) -> list[Importance]:
    reach = quantile(0.975)
    tried = {choice.name: len({point[choice.name] for point in points}) for choice in plan.space.choices}
    sizes = {choice.name: len(choice.values) for choice in plan.space.choices}
    return [
        Importance(
            component=" x ".join(component.names),
            part=component.part,
            uniform=float(share),
            low=max(0.0, float(share - reach * error)),
            high=min(1.0, float(share + reach * error)),
            sampled=float(seen),
            tried=tried.get(component.names[0], 0) if len(component.names) == 1 else 0,
            values=sizes.get(component.names[0], 0) if len(component.names) == 1 else 0,
        )
        for component, share, error, seen in zip(plan.components, uniform, errors, sampled, strict=True)
    ]


def _by_part(shares: Iterable[tuple[str, float]]) -> dict[str, float]:
    parts: dict[str, list[float]] = {}
    for part, share in shares:
        parts.setdefault(part, []).append(share)
    return {part: math.fsum(of) for part, of in parts.items()}
