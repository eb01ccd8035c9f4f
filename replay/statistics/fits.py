"""Curves through a search's running best, and what is known about their parameters.

Each model is a straight line in one transform of N once its exponent is fixed, so the exponent is searched alone and
the rest is least squares in closed form (variable projection, Golub and Pereyra 1973): no start values, no local search
that fails. A running best never falls, so its residuals hang together: R2 is high for any order of the runs, an AIC
overstates what n points tell, and intervals resample blocks of residuals. `replay.statistics.bands` holds those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import msgspec
import numpy as np
from scipy import optimize

from replay.runs import Floats

Model = Literal["power", "logarithmic", "exponential"]
"""power: a - b N^-c (paper, eq. 3); logarithmic: a + b ln N; exponential: a - b exp(-c (N - first N))."""

MODELS: tuple[Model, ...] = get_args(Model)

PARAMETERS: dict[Model, int] = {"power": 3, "logarithmic": 2, "exponential": 3}
"""As the paper counts them for AIC and BIC: without the residual variance."""

GRID = 80
POWERS = (0.005, 5.0)
"""Exponents that are looked at; below, a power law is a logarithm in all but name, above, a step."""

LEAST = 5


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A model's least-squares fit.

    Attributes:
        ceiling: the largest a allowed, None where it is free (AP cannot pass 1, a may) and for the logarithm, which has
            no asymptote.
        c: the exponent or rate; None for the logarithm.
        r2: 1 - SSR / SST.
        aic: 2k + n (ln(2 pi SSR / n) + 1); bic: k ln n in place of 2k; k without the variance, as the paper counts.
        at_edge: c ended at the edge of what is looked at: the data do not identify it.
    """

    model: Model
    ceiling: float | None
    n: int
    a: float
    b: float
    c: float | None
    r2: float
    ssr: float
    aic: float
    bic: float
    at_edge: bool


class Scan(msgspec.Struct, frozen=True):
    """Least squares of r curves on m transforms: each array (m, r)."""

    ssr: Floats
    a: Floats
    b: Floats


def fit(model: Model, at: Sequence[float], values: Sequence[float], *, ceiling: float | None = None) -> Fit | None:
    """Fit one model to values at N (positive, ascending); None below five points or where nothing but rounding varies.

    The sum of squares is taken to be no smaller than rounding leaves it, so an exact curve has a finite AIC.
    """
    x, y = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    rounding = float(np.finfo(np.float64).eps) * float(np.abs(y).max(initial=0.0))
    if len(y) < LEAST or float(np.ptp(y)) <= 4 * rounding:
        return None
    ceiling = ceiling if model != "logarithmic" else None  # it has no asymptote
    c = None if model == "logarithmic" else _exponent(model, x, y, ceiling)
    scan = project(basis(model, x, np.array([c or 0.0])), y[:, None], ceiling)
    ssr = max(float(scan.ssr[0, 0]), len(y) * rounding**2)
    grid = exponents(model, x)
    return Fit(
        model=model,
        ceiling=ceiling,
        n=len(y),
        a=float(scan.a[0, 0]),
        b=float(scan.b[0, 0]) * (-1.0 if model == "logarithmic" else 1.0),
        c=c,
        r2=1.0 - ssr / float(((y - y.mean()) ** 2).sum()),
        ssr=ssr,
        aic=akaike(ssr, len(y), PARAMETERS[model]),
        bic=schwarz(ssr, len(y), PARAMETERS[model]),
        at_edge=c is not None and not grid[1] < c < grid[-2],
    )


def fits(values: Sequence[float], *, ceiling: float | None = None) -> list[Fit]:
    """Fit every model to a running best, N from 1; the best by AIC first."""
    found = (fit(model, range(1, len(values) + 1), values, ceiling=ceiling) for model in MODELS)
    return sorted((each for each in found if each is not None), key=lambda each: each.aic)


def akaike(ssr: float, n: int, parameters: int) -> float:
    """Return AIC = 2k + n (ln(2 pi SSR / n) + 1), for Gaussian residuals (paper, section 5.2)."""
    return 2 * parameters + n * (math.log(2 * math.pi * ssr / n) + 1)


def schwarz(ssr: float, n: int, parameters: int) -> float:
    """Return BIC = k ln n + n (ln(2 pi SSR / n) + 1), for Gaussian residuals."""
    return parameters * math.log(n) + n * (math.log(2 * math.pi * ssr / n) + 1)


def predicted(found: Fit, at: Sequence[float]) -> list[float]:
    """Return the fitted curve at N; the exponential's first N must be the fit's."""
    x = np.asarray(at, dtype=np.float64)
    sign = 1.0 if found.model == "logarithmic" else -1.0
    curve: Floats = found.a + sign * found.b * basis(found.model, x, np.array([found.c or 0.0]))[:, 0]
    return [float(value) for value in curve]


def basis(model: Model, at: Floats, exponent: Floats) -> Floats:
    """Return the transforms of N, (n, m): N^-c, exp(-c (N - first)), or ln N whatever the exponent."""
    transformed: Floats
    if model == "exponential":
        transformed = np.exp(-np.outer(at - at[0], exponent))
    elif model == "power":
        transformed = np.exp(-np.outer(np.log(at), exponent))
    else:
        transformed = np.repeat(np.log(at)[:, None], len(exponent), axis=1)
    return transformed


def exponents(model: Model, at: Floats) -> Floats:
    """Return the exponents that are looked at, ascending: fixed for the power law, by the span of N for the rate."""
    if model != "exponential":
        return np.geomspace(*POWERS, GRID)
    span = float(at[-1] - at[0])
    return np.geomspace(0.05 / span, 5.0 * (len(at) - 1) / span, GRID)


def project(transform: Floats, values: Floats, ceiling: float | None) -> Scan:
    """Fit a - b x to every column of values (n, r) for every column x of the transform (n, m), with a <= ceiling."""
    n = len(values)
    middle, mean = transform.mean(axis=0), values.mean(axis=0)
    x, y = transform - middle, values - mean
    spread = np.maximum((x * x).sum(axis=0), 1e-300)[:, None]
    cross = x.T @ y
    b = -cross / spread
    a = mean + b * middle[:, None]
    ssr = (y * y).sum(axis=0) - cross * cross / spread
    if ceiling is not None and (above := a > ceiling).any():
        gap = ceiling - values
        along, squares = transform.T @ gap, np.maximum((transform * transform).sum(axis=0), 1e-300)[:, None]
        b = np.where(above, along / squares, b)
        ssr = np.where(above, (gap * gap).sum(axis=0) - along * along / squares, ssr)
        a = np.where(above, ceiling, a)
    return Scan(np.maximum(ssr, n * 1e-32), a, b)


def smallest(
    lost: Callable[[Floats], tuple[float, Floats]],
    start: tuple[float, ...],
    within: tuple[tuple[float, float], ...],
) -> tuple[tuple[float, ...], float]:
    """Return where a convex function (value, gradient) is smallest inside a box, and how small (L-BFGS-B)."""
    found = optimize.minimize(
        lost, np.array(start), jac=True, bounds=within, method="L-BFGS-B", options={"ftol": 1e-13}
    )
    return tuple(float(x) for x in found.x), float(found.fun)


def _exponent(model: Model, at: Floats, values: Floats, ceiling: float | None) -> float:
    def ssr(log_c: float) -> float:
        return float(project(basis(model, at, np.array([math.exp(log_c)])), values[:, None], ceiling).ssr[0, 0])

    grid = np.log(exponents(model, at))
    best = int(np.argmin([ssr(float(log_c)) for log_c in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID - 1)])
    found = optimize.minimize_scalar(ssr, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    return math.exp(float(found.x))
