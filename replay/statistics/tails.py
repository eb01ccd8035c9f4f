"""Tail probabilities as logarithms, so that a p-value far below the smallest float is still a number and not 0.

The continued fractions of the incomplete beta and gamma functions (Abramowitz and Stegun 26.5.8 and 6.5.31), evaluated
by Lentz's method; natural logarithms in and out unless the name says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from statistics import NormalDist

TINY = 1e-300
ROUNDS = 100_000
LN10 = math.log(10.0)


def log_f_tail(f: float, between: float, within: float) -> float:
    """Return ln P(F >= f) for F with (between, within) degrees of freedom; 0 for f <= 0."""
    if f <= 0:
        return 0.0
    whole = within + between * f
    return log_beta_share(within / whole, between * f / whole, within / 2, between / 2)


def log_chi2_tail(x: float, freedom: float) -> float:
    """Return ln P(X >= x) for X chi-square with so many degrees of freedom; 0 for x <= 0."""
    if x <= 0:
        return 0.0
    a, z = freedom / 2, x / 2
    front = a * math.log(z) - z - math.lgamma(a)
    if z < a + 1:
        return _log_complement(front + math.log(_gamma_series(a, z)))
    fraction = _lentz(z + 1 - a, lambda i: -i * (i - a), lambda i: z + 1 - a + 2 * i)
    return min(0.0, front - math.log(fraction))


def log_t_tails(t: float, freedom: float) -> float:
    """Return ln P(|T| >= |t|) for Student's T: both tails."""
    return log_f_tail(t * t, 1.0, freedom)


def log_beta_share(x: float, rest: float, a: float, b: float) -> float:
    """Return ln I_x(a, b), the regularised incomplete beta function; `rest` is 1 - x, given so that it keeps digits."""
    if x <= 0:
        return -math.inf
    if rest <= 0:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return _log_complement(log_beta_share(rest, x, b, a))
    front = a * math.log(x) + b * math.log(rest) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) - math.log(a)

    def above(i: int) -> float:
        m = i // 2
        if i % 2 == 0:
            return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))

    return min(0.0, front - math.log(_lentz(1.0, above, lambda _: 1.0)))


def log_hypergeometric_tail(drawn: int, marked: int, total: int, found: int) -> float:
    """Return ln P(at least `found` of `drawn` from `total`, `marked` of which are marked)."""
    top = min(drawn, marked)
    terms = [
        _log_choose(marked, i) + _log_choose(total - marked, drawn - i) - _log_choose(total, drawn)
        for i in range(max(found, drawn + marked - total, 0), top + 1)
    ]
    if not terms:
        return -math.inf
    largest = max(terms)
    return min(0.0, largest + math.log(math.fsum(math.exp(term - largest) for term in terms)))


def log10(natural: float) -> float:
    """Return a natural logarithm to the base of ten."""
    return natural / LN10


def quantile(share: float) -> float:
    """Return the standard normal's quantile."""
    return NormalDist().inv_cdf(share)


def told(log10_p: float) -> str:
    """Return a p-value in words that hold below 1e-308 too, such as `p = 3.1e-449`."""
    if log10_p > -4:
        return f"p = {10**log10_p:.4f}"
    whole = math.floor(log10_p)
    return f"p = {10 ** (log10_p - whole):.1f}e{whole}"


def _lentz(first: float, above: Callable[[int], float], below: Callable[[int], float]) -> float:
    """Return first + above(1) / (below(1) + above(2) / (below(2) + ...))."""
    value = first or TINY
    c, d = value, 0.0
    for i in count(1):
        d = 1 / ((below(i) + above(i) * d) or TINY)
        c = (below(i) + above(i) / c) or TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15 or i > ROUNDS:
            break
    return value


def _gamma_series(a: float, z: float) -> float:
    term = total = 1 / a
    for i in count(1):
        term *= z / (a + i)
        total += term
        if term < total * 1e-16:
            return total
    return total


def _log_complement(log_share: float) -> float:
    return math.log1p(-math.exp(log_share)) if log_share < 0 else -math.inf


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
