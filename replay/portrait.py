"""How a search moves, on one page: diversity, divergence, innovation, fits, heat map, choices, policies compared.

Every number is that of the module which defines it; this one only asks them all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import msgspec

from replay import divergence as divergences
from replay.counts import window_for
from replay.diversity import Part, Reading, cells, projections, series
from replay.ledger import Ledger
from replay.measures import Measurement
from replay.progress import innovations, running_best
from replay.runs import Run, architecture, runs
from replay.statistics.ablations import Ablation, HeatCell, ablations, heat_map
from replay.statistics.bands import band
from replay.statistics.convergence import CEILING
from replay.statistics.dynamics import found_phases
from replay.statistics.fits import fits
from replay.statistics.innovation import Decay, Records, decay, records
from replay.statistics.phases import Phase
from replay.statistics.policies import Compared, policies

PARTS: tuple[Part, ...] = ("whole", "architecture", "training")


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Divergence between two agents, in bits, over `n` completions of theirs; None while one of them is silent."""

    one: str
    other: str
    n: int
    cumulative: float | None
    windowed: float | None
    series: list[divergences.Reading]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A model fitted to the running best; `replay.statistics` says what the interval means, in `fits` and `bands`."""

    model: str
    a: float
    b: float
    c: float | None
    c_low: float | None
    c_high: float | None
    r2: float
    aic: float
    at_edge: bool


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the dynamics of a screen show.

    Attributes:
        through, n: the last sequence that was folded, and completions.
        window: of the entropies and the innovation rate, in completions.
        entropy: bits, by part.
        innovation: the share of improvements in the window, as (n, rate).
        law, null: how the chance of an improvement falls, and what exchangeable runs would show.
        row, column: the heat map's dimensions, empty where the space has no two of architecture.
    """

    through: int
    n: int
    window: int
    entropy: dict[str, list[Reading]]
    divergence: list[Pair]
    innovation: list[tuple[int, float]]
    law: Decay | None
    null: Records | None
    phases: list[Phase]
    fits: list[Curve]
    row: str
    column: str
    heat: list[HeatCell]
    choices: list[Ablation]
    policies: list[Compared]


def portrait(measurement: Measurement) -> Portrait:
    """Draw the portrait of a campaign as far as it was folded; takes seconds where there are ten thousand runs."""
    ledger, search = measurement.ledger, measurement.results[0]
    done = runs(ledger)
    y = [run.validation for run in done]
    groups = architecture(ledger.space)
    row, column = groups[:2] if len(groups) >= 2 else ("", "")
    window = window_for(len(done))
    return Portrait(
        through=measurement.through,
        n=len(done),
        window=window.length(len(done)),
        entropy=_entropies(ledger),
        divergence=_pairs(ledger, list(search.divergence.ever), search.compared),
        innovation=_rates(y),
        law=decay(y),
        null=records(y),
        phases=found_phases(ledger)[0],
        fits=_curves(y),
        row=row,
        column=column,
        heat=heat_map(done, row, column) if row else [],
        choices=_choices(ledger, done),
        policies=policies(measurement),
    )


def _entropies(ledger: Ledger) -> dict[str, list[Reading]]:
    parts = projections(ledger.space) if ledger.space is not None else {}
    found = {}
    for part in PARTS:
        if part in parts:
            sequence = cells(ledger, parts[part])
            found[str(part)] = series(sequence, window_for(len(sequence)))
    return found


def _pairs(ledger: Ledger, agents: Sequence[str], compared: tuple[str, ...]) -> list[Pair]:
    if not compared:
        return []
    authors = [ledger.author(name) for name in ledger.completed]
    spoken = list(zip(authors, cells(ledger, compared), strict=True))
    found = []
    for one, other in combinations(agents, 2):
        sequence = [pair for pair in spoken if pair[0] in (one, other)]
        readings = divergences.series((one, other), sequence, window_for(len(sequence)))
        last = readings[-1] if readings else divergences.Reading(0, None, None)
        found.append(
            Pair(
                one=one,
                other=other,
                n=len(sequence),
                cumulative=last.cumulative,
                windowed=last.windowed,
                series=readings,
            )
        )
    return found


def _rates(y: Sequence[float]) -> list[tuple[int, float]]:
    steps, n = innovations(y), len(y)
    window = window_for(n)
    length, step = window.length(n), window.step(n)
    points = [at for at in range(1, n + 1) if at % step == 0 or at == n]
    return [(at, sum(steps[max(0, at - length) : at]) / min(at, length)) for at in points]


def _curves(y: Sequence[float]) -> list[Curve]:
    best = running_best(y)
    found = []
    for each in fits(best, ceiling=CEILING):
        reach = band(each.model, range(1, len(best) + 1), best, ceiling=CEILING) if each.c is not None else None
        low, high = reach.c if reach is not None and reach.c is not None else (None, None)
        found.append(
            Curve(
                model=each.model,
                a=each.a,
                b=each.b,
                c=each.c,
                c_low=low,
                c_high=high,
                r2=each.r2,
                aic=each.aic,
                at_edge=each.at_edge,
            )
        )
    return found


def _choices(ledger: Ledger, done: Sequence[Run]) -> list[Ablation]:
    names = [choice.name for choice in ledger.space.choices] if ledger.space is not None else []
    return ablations(done, names) if done else []
