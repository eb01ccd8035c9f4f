"""The statistics of where runs came from and how far they can be trusted, as metrics: agents, sweeps, leaders, test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replay.diversity import projections
from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.runs import architecture, by_dimensions, runs
from replay.statistics.ablations import coverage, first_uses, leaders
from replay.statistics.association import attribution, enrichment, top_of
from replay.statistics.estimates import made
from replay.statistics.ranks import agreement


def _sweeps(measurement: Measurement) -> Metric:
    done = runs(measurement.ledger)
    top = top_of(len(done))
    rows = [enrichment(done, origin, top) for origin in sorted({run.origin for run in done})]
    kept = [row for row in rows if row is not None]
    swept = next((row.ratio for row in kept if row.origin == "sweep"), None)
    return made(
        "sweeps",
        f"share of an origin among the best {top} over its share among all (paper: 1.7 for sweeps); the value is the "
        "sweeps', 1 if they make no difference",
        kept,
        swept,
        n=len(done),
        unit="ratio",
        note=f"{TOO_FEW}: completed sweeps and ten runs are needed",
    )


def _validation_test(measurement: Measurement) -> Metric:
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    found = agreement(done, by_dimensions(done, groups[:1]) if groups else {})
    told = ""
    if found is not None:
        told = f"; mean inside the groups {found.within:.3f}" if found.within is not None else ""
        told += f"; turned around in {', '.join(found.reversed)}" if found.reversed else "; no group turns it around"
        told += "; mostly groups are ranked, not the runs in them" if found.between_alone else ""
    return made(
        "validation_test",
        f"Spearman's rank correlation of validation and test AP, whole and by {groups[0] if groups else 'group'}"
        f"{told}; nothing is selected on test",
        [found.whole, *found.groups] if found else [],
        found.whole.rho if found else None,
        n=len(done),
        unit="rank correlation",
    )


def _attribution(measurement: Measurement) -> Metric:
    done = runs(measurement.ledger)
    rows = attribution(measurement.ledger, done)
    return made(
        "attribution",
        "chi-square and Cramer's V of each choice against the agent, and against having completed; 0 where they go "
        "their own ways; the value is the largest corrected V against the agent",
        rows,
        max((row.v_corrected for row in rows if row.by == "agent"), default=None),
        n=len(done),
        unit="Cramer's V",
        scale=None,
        note=f"{TOO_FEW}: two agents and two values are needed",
    )


def _coverage(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    done = runs(ledger)
    parts: dict[str, Sequence[str]] = {}
    if ledger.space is not None:
        parts.update(projections(ledger.space).items())
    rows = coverage(ledger, done, parts)
    return made(
        "coverage",
        "cells of each part that were proposed and completed at least once; the value is the share of the whole",
        rows,
        rows[0].share if rows and done else None,
        n=len(done),
        unit="share of cells",
        scale=None,
    )


def _leaders(measurement: Measurement) -> Metric:
    done = runs(measurement.ledger)
    rows = leaders(done, architecture(measurement.ledger.space), top_of(len(done)) or min(10, len(done)))
    return made(
        "leaders",
        "the best by validation with the origin of each (paper, Table 1, which selects on test); the value is the "
        "share of them that agents proposed directly",
        rows,
        sum(row.origin == "agent" for row in rows) / len(rows) if rows else None,
        n=len(done),
    )


def _first_uses(measurement: Measurement) -> Metric:
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    rows = first_uses(done, groups[0]) if groups else []
    return made(
        "first_uses",
        f"when each agent first completed a run with each {groups[0] if groups else 'value'}: among all completions "
        "and among its own, with runs and best since; the value is the number of pairs",
        rows,
        len(rows) or None,
        n=len(done),
    )


ORIGINS: dict[str, Callable[[Measurement], Metric]] = {
    "sweeps": _sweeps,
    "validation_test": _validation_test,
    "attribution": _attribution,
    "coverage": _coverage,
    "leaders": _leaders,
    "first_uses": _first_uses,
}
