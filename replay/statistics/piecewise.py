"""The whole campaign cut at its eras: one power law against one in each era, and gain at borders against gain within.

The paper fits one law to all 10,469 runs (c .3415, R2 .47) and says that the curve is "better understood as piecewise";
here that is held against borders at random places. Scores of two eras do not compare, so a gain at a border is what the
repair and the search did together, and no number tells them apart unless runs are made again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.runs import Floats, Run, runs
from replay.statistics.draws import draws
from replay.statistics.estimates import made
from replay.statistics.fits import LEAST, PARAMETERS, akaike, basis, exponents, schwarz
from replay.statistics.pools import expected_best

SETTLING = 10
"""Completions from which the level at the start of an era is read; ours."""

POINTS = 2_000
"""A longer curve is read at so many N, evenly spaced on a logarithmic scale, before it is cut; ours."""

PLACEMENTS = 200


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one era in the order of completion; `era` is None for runs that belong to none."""

    era: int | None
    first: int
    runs: tuple[Run, ...]


class EraGain(msgspec.Struct, frozen=True, kw_only=True):
    """One era's part in the gain, validation AP.

    Attributes:
        first: its first completion's place in the campaign.
        start: best of its first ten completions; end: its best.
        within: end - start.
        border: start less the end of the era before, of whatever sign; None for the first.
        border_null: the same if the first ten were drawn from the runs of the era before, in exact expectation.
    """

    era: int | None
    n: int
    first: int
    start: float
    end: float
    within: float
    border: float | None
    border_null: float | None


class Pieces(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the campaign's running best: one power law, or one in each era from its own first run on.

    Attributes:
        best: across eras, as the paper draws it; of the era so far: it starts anew, as scores of two do not compare.
        parameters: three a law, one a constant piece; where the borders lie is known and not counted.
        aic, bic: as for single curves; points of one path hang together, so both overstate.
        p: of the pieces across eras: share of 200 placements of as many borders at random that leave as few squares.
    """

    best: str
    model: str
    pieces: int
    parameters: int
    n: int
    r2: float
    aic: float
    bic: float
    p: float | None


def pieces(done: Sequence[Run]) -> list[Piece]:
    """Return the eras in the order in which they first had a result; a late result stays with its own era."""
    found: dict[int | None, list[Run]] = {}
    for run in done:
        found.setdefault(run.era, []).append(run)
    return [Piece(era=era, first=of[0].n, runs=tuple(of)) for era, of in found.items()]


def gains(done: Sequence[Run]) -> list[EraGain]:
    """Split best of the last era - start of the first into steps at borders and inside eras; they sum to it."""
    rows: list[EraGain] = []
    before: list[float] = []
    for piece in pieces(done):
        y = [run.validation for run in piece.runs]
        start, end = max(y[:SETTLING]), max(y)
        drawn = min(SETTLING, len(before))
        rows.append(
            EraGain(
                era=piece.era,
                n=len(y),
                first=piece.first,
                start=start,
                end=end,
                within=end - start,
                border=start - rows[-1].end if rows else None,
                border_null=expected_best(before, [drawn])[0] - max(before) if before else None,
            )
        )
        before = y
    return rows


def piecewise(done: Sequence[Run]) -> list[Pieces]:
    """Hold one power law against one in each era, on both series; none below two eras or where nothing varies."""
    parts = pieces(done)
    # a late result of an older era stands with its own
    y = [np.array([run.validation for run in piece.runs], dtype=np.float64) for piece in parts]
    borders = [1 + sum(map(len, y[:index])) for index in range(1, len(y))]
    across = np.maximum.accumulate(np.concatenate(y)) if y else np.zeros(0)
    if not borders or float(np.ptp(across)) == 0.0:
        return []
    restarted = np.concatenate([np.maximum.accumulate(part) for part in y])
    return [*_compared("across eras", across, borders), *_compared("of the era so far", restarted, borders)]


def _compared(series: str, best: Floats, borders: Sequence[int]) -> list[Pieces]:
    kept = np.unique(np.geomspace(1, len(best), min(POINTS, len(best))).round().astype(int))
    weights = np.diff(np.concatenate(([0], kept))).astype(np.float64)
    total = float((weights * (best[kept - 1] - np.average(best[kept - 1], weights=weights)) ** 2).sum())
    rows = []
    for model, cuts in (("one power law", []), ("one in each era", borders)):
        ssr, parameters = _left(best, kept, weights, cuts)
        ssr = max(ssr, len(best) * (float(np.finfo(np.float64).eps) * float(best.max())) ** 2)
        rows.append(
            Pieces(
                best=series,
                model=model,
                pieces=len(cuts) + 1,
                parameters=parameters,
                n=len(best),
                r2=1 - ssr / total,
                aic=akaike(ssr, len(best), parameters),
                bic=schwarz(ssr, len(best), parameters),
                p=_chance(best, kept, weights, borders) if cuts and series == "across eras" else None,
            )
        )
    return rows


def _chance(best: Floats, kept: Floats, weights: Floats, borders: Sequence[int]) -> float:
    recorded = _left(best, kept, weights, borders)[0]
    chance, as_few = draws("borders at random"), 0
    for _ in range(PLACEMENTS):
        placed = sorted(int(at) for at in chance.choice(np.arange(2, len(best) + 1), size=len(borders), replace=False))
        as_few += _left(best, kept, weights, placed)[0] <= recorded
    return (1 + as_few) / (1 + PLACEMENTS)


def _left(best: Floats, kept: Floats, weights: Floats, borders: Sequence[int]) -> tuple[float, int]:
    """Return the sum of squares that a power law in each piece leaves, N counted from its start, and the parameters."""
    ssr, parameters = [], 0
    for start, end in pairwise((1, *borders, len(best) + 1)):
        inside = (kept >= start) & (kept < end)
        y, at, weight = best[kept[inside] - 1], (kept[inside] - start + 1).astype(np.float64), weights[inside]
        if len(y) < LEAST or float(np.ptp(y)) == 0.0:
            ssr.append(float((weight * (y - np.average(y, weights=weight)) ** 2).sum()) if len(y) else 0.0)
            parameters += 1
            continue
        ssr.append(_law(at, y, weight))
        parameters += PARAMETERS["power"]
    return math.fsum(ssr), parameters


def _law(at: Floats, y: Floats, weight: Floats) -> float:
    """Return the sum of squares that the best exponent of the grid leaves, by weighted least squares."""
    transform = basis("power", at, exponents("power", at))
    x, z = transform - np.average(transform, axis=0, weights=weight), y - np.average(y, weights=weight)
    cross = (weight * z) @ x
    spread = np.maximum(weight @ (x * x), 1e-300)
    return max(0.0, float((weight @ (z * z) - cross * cross / spread).min()))


def _gains(measurement: Measurement) -> Metric:
    done = runs(measurement.ledger)
    rows = gains(done)
    whole = rows[-1].end - rows[0].start if len(rows) > 1 else 0.0
    at_borders = math.fsum(row.border for row in rows if row.border is not None)
    told = (
        f"of {whole:+.4f} in all, {at_borders:+.4f} at borders and {math.fsum(row.within for row in rows):+.4f} within"
        if len(rows) > 1
        else "one era, no border"
    )
    return made(
        "era_gains",
        f"from the start of the first era to the best of the last: {told}; a start is the best of an era's first "
        f"{SETTLING} completions. Scores of two eras do not compare: a step at a border is instrument and search "
        "together; the value is the gain at borders, of whatever sign",
        rows,
        at_borders if len(rows) > 1 else None,
        n=len(done),
        note=f"{TOO_FEW}: two eras are needed",
    )


def _piecewise(measurement: Measurement) -> Metric:
    done = runs(measurement.ledger)
    rows = piecewise(done)
    return made(
        "piecewise",
        "the running best of the whole campaign: one power law against one in each era, N counted from its first "
        "completion; the value is AIC of the one less AIC of the pieces, across eras: positive where pieces are better",
        rows,
        rows[0].aic - rows[1].aic if rows else None,
        n=len(done),
        unit="AIC",
        note=f"{TOO_FEW}: two eras and a running best that rises are needed",
    )


PIECEWISE: dict[str, Callable[[Measurement], Metric]] = {
    "piecewise": _piecewise,
    "era_gains": _gains,
}
