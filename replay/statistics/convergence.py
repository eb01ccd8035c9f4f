"""The statistics of convergence, as metrics: fits with intervals and a null, pools, innovation (section 5.2)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.progress import running_best
from replay.runs import runs, scores
from replay.statistics.bands import band, null
from replay.statistics.estimates import made
from replay.statistics.fits import MODELS, Fit, fit
from replay.statistics.innovation import decay, records
from replay.statistics.pools import standings

CEILING = 1.0
"""No AP is above."""


class FitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fit on one line, with the 95% intervals of its parameters by blocks of residuals."""

    model: str
    ceiling: float | None
    n: int
    a: float
    a_low: float
    a_high: float
    b: float
    c: float | None
    c_low: float | None
    c_high: float | None
    r2: float
    aic: float
    bic: float
    at_edge: bool


def fit_row(found: Fit, a: tuple[float, float], c: tuple[float, float] | None) -> FitRow:
    """Return a fit with its intervals on one line."""
    return FitRow(
        model=found.model,
        ceiling=found.ceiling,
        n=found.n,
        a=found.a,
        a_low=a[0],
        a_high=a[1],
        b=found.b,
        c=found.c,
        c_low=c[0] if c else None,
        c_high=c[1] if c else None,
        r2=found.r2,
        aic=found.aic,
        bic=found.bic,
        at_edge=found.at_edge,
    )


def _fits(measurement: Measurement) -> Metric:
    best = running_best([float(y) for y in scores(runs(measurement.ledger))])
    at = range(1, len(best) + 1)
    rows = []
    for model in MODELS:
        for ceiling in (None, CEILING) if model != "logarithmic" else (None,):
            found, reach = fit(model, at, best, ceiling=ceiling), band(model, at, best, ceiling=ceiling)
            if found is not None and reach is not None:
                rows.append(fit_row(found, reach.a, reach.c))
    rows.sort(key=lambda row: row.aic)
    return made(
        "fits",
        "least squares on the running best: power a - b N^-c (paper, eq. 3), logarithmic a + b ln N, exponential "
        "a - b exp(-c(N-1)), a free and at most 1; the value is the best by AIC. Points of one path hang together: AIC "
        "overstates, R2 is high for any order (see fit_null), and the intervals of a and c hold for noise around a "
        "curve; over running bests they covered the true c in 30 of 100 simulated logs",
        rows,
        f"{rows[0].model}" if rows else None,
        n=len(best),
    )


def _fit_null(measurement: Measurement) -> Metric:
    y = [float(score) for score in scores(runs(measurement.ledger))]
    found = null(y)
    return made(
        "fit_null",
        "R2 of the power law on the running best, against 1,000 shuffled orders of the same runs: p is the share of "
        "orders whose R2 is as high; a high R2 alone says only that a running best cannot fall",
        [found] if found else [],
        found.p if found else None,
        n=len(y),
        unit="share",
    )


def _pools(measurement: Measurement) -> Metric:
    y = [float(score) for score in scores(runs(measurement.ledger))]
    rows = standings(y)
    return made(
        "pools",
        "best after N runs: as recorded; expected of a shuffled pool, exactly and over 1,000 shuffles; the oracle's. "
        "The pool is what the search made, so a fast shuffle says that good runs are common in it, not that random "
        "search is better; the value is recorded minus expected at the last mark",
        rows,
        rows[-1].recorded - rows[-1].expected if rows else None,
        n=len(y),
    )


def _innovation_law(measurement: Measurement) -> Metric:
    y = [float(score) for score in scores(runs(measurement.ledger))]
    law, against = decay(y), records(y)
    return made(
        "innovation_law",
        "P(improvement at t) = k t^-alpha for t from 2, by Bernoulli likelihood with the zeros (paper, eq. 4, which "
        "drops them); the value is alpha. Null: exchangeable runs, k = alpha = 1, H_n improvements",
        [row for row in (law, against) if row is not None],
        law.alpha if law else None,
        n=len(y),
        unit="exponent",
        note=f"{TOO_FEW}: three improvements after the first run are needed",
    )


CONVERGENCE: dict[str, Callable[[Measurement], Metric]] = {
    "fits": _fits,
    "fit_null": _fit_null,
    "pools": _pools,
    "innovation_law": _innovation_law,
}
