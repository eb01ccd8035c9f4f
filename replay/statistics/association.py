"""Whether one choice goes with another: who chose what, whether what ran is like what did not, what sweeps gave."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from replay.ledger import Ledger
from replay.runs import Run
from replay.statistics.tails import log10, log_chi2_tail, log_hypergeometric_tail, quantile

SPARSE = 5.0
"""Below so many expected in a cell of a table, chi-square is a rough guide (Cochran 1954)."""


class Association(msgspec.Struct, frozen=True, kw_only=True):
    """A contingency table's chi-square.

    Attributes:
        what, by: the two labels.
        v: Cramer's V in [0, 1]; v_corrected takes out what chance alone gives (Bergsma 2013).
        sparse: some cell expects fewer than five, so p is rough.
    """

    what: str
    by: str
    n: int
    chi2: float
    freedom: int
    log10_p: float
    v: float
    v_corrected: float
    sparse: bool


class Enrichment(msgspec.Struct, frozen=True, kw_only=True):
    """How much more often an origin is among the best than among all (paper, "Auto-sweep enrichment").

    Attributes:
        top: how many best runs are looked at; the earlier stands higher among equals.
        ratio: share among the top over share among all; 1 where the origin makes no difference.
        low, high: 95% interval (Katz's for the ratio of top to rest, one half added to each count, carried over).
        p: of at least so many among the top, the origin being dealt at random (hypergeometric).
    """

    origin: str
    n: int
    of_origin: int
    top: int
    in_top: int
    share: float
    share_top: float
    ratio: float
    low: float
    high: float
    p: float


def association(pairs: Iterable[tuple[str, str]], *, what: str, by: str) -> Association | None:
    """Return chi-square, Cramer's V and p of paired labels (paper, section 5.3); None where a label has one value."""
    table = Counter(pairs)
    n = table.total()
    rows, columns = Counter[str](), Counter[str]()
    for (row, column), many in table.items():
        rows[row] += many
        columns[column] += many
    freedom, small = (len(rows) - 1) * (len(columns) - 1), min(len(rows), len(columns)) - 1
    if freedom < 1 or n < 2:
        return None
    expected = {(r, c): rows[r] * columns[c] / n for r in sorted(rows) for c in sorted(columns)}
    chi2 = math.fsum((table[cell] - wanted) ** 2 / wanted for cell, wanted in expected.items())
    excess = max(0.0, chi2 / n - freedom / (n - 1))
    sides = [len(labels) - (len(labels) - 1) ** 2 / (n - 1) for labels in (rows, columns)]
    return Association(
        what=what,
        by=by,
        n=n,
        chi2=chi2,
        freedom=freedom,
        log10_p=log10(log_chi2_tail(chi2, freedom)),
        v=min(1.0, math.sqrt(chi2 / n / small)),
        v_corrected=min(1.0, math.sqrt(excess / (min(sides) - 1))) if min(sides) > 1 else 0.0,
        sparse=min(expected.values()) < SPARSE,
    )


def attribution(ledger: Ledger, done: Sequence[Run]) -> list[Association]:
    """Return for each categorical dimension whether agents chose it differently, and whether what ran is like the rest.

    The paper tests whether the fifth of its runs that kept their author resembles all of them; here every idea has its
    author, so the question is put twice: agent against value, and completed or not against value.
    """
    names = [choice.name for choice in ledger.space.choices] if ledger.space is not None else []
    completed = {run.experiment for run in done}
    ideas = [idea for idea in ledger.ideas.values() if all(name in idea.configuration for name in names)]
    fates = [("completed" if idea.experiment in completed else "not", idea.configuration) for idea in ideas]
    found = []
    for name in names:
        found.append(association(((run.agent, str(run.configuration[name])) for run in done), what=name, by="agent"))
        found.append(association(((fate, str(point[name])) for fate, point in fates), what=name, by="completed"))
    return [each for each in found if each is not None]


def top_of(n: int) -> int:
    """Return how many runs count as the best of n: the paper's 100, or a tenth of a campaign of fewer than 1,000."""
    return min(100, n // 10)


def enrichment(done: Sequence[Run], origin: str, top: int) -> Enrichment | None:
    """Compare an origin's share among the `top` best by validation with its share among all.

    None where the origin has no run or all, or the top is empty or everything.
    """
    n, of_origin = len(done), sum(run.origin == origin for run in done)
    if not 0 < top < n or not 0 < of_origin < n:
        return None
    best = sorted(done, key=lambda run: (-run.validation, run.n))[:top]
    inside = sum(run.origin == origin for run in best)
    part = top / n
    rest = (inside + 0.5) / (top + 0.5), (of_origin - inside + 0.5) / (n - top + 0.5)
    spread = math.sqrt(
        max(0.0, 1 / (inside + 0.5) - 1 / (top + 0.5) + 1 / (of_origin - inside + 0.5) - 1 / (n - top + 0.5))
    )
    reach = quantile(0.975) * spread
    low, high = (_carried(rest[0] / rest[1] * math.exp(side * reach), part) for side in (-1, 1))
    return Enrichment(
        origin=origin,
        n=n,
        of_origin=of_origin,
        top=top,
        in_top=inside,
        share=of_origin / n,
        share_top=inside / top,
        ratio=inside / top / (of_origin / n),
        low=low,
        high=high,
        p=math.exp(log_hypergeometric_tail(top, of_origin, n, inside)),
    )


def _carried(against_rest: float, part: float) -> float:
    """Turn a ratio of top to rest into one of top to all, the top being so large a part."""
    return against_rest / (part * against_rest + 1 - part)
