"""The statistics of how the search moved, as metrics: phases, rates, the decay of divergence (paper, section 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from replay import divergence as divergences
from replay.counts import window_for
from replay.diversity import cells, projections
from replay.ledger import Ledger
from replay.measures import Measurement
from replay.metrics import Metric
from replay.statistics.bands import band
from replay.statistics.convergence import fit_row
from replay.statistics.estimates import made
from replay.statistics.fits import fit
from replay.statistics.phases import AuthorRatio, Phase, author_ratio, phases, rates, readings, sampling_noise


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """One of the author's global log fits, H = H0 - k ln t."""

    entropy: str
    h0: float
    k: float
    r2: float


def found_phases(ledger: Ledger) -> tuple[list[Phase], list[Any]]:
    """Return the phases of the whole entropy, and the rates of its parts in each."""
    parts = projections(ledger.space) if ledger.space is not None else {}
    sequences = {part: cells(ledger, names) for part, names in parts.items()}
    whole = sequences.get("whole", [])
    window = window_for(len(whole))
    found = phases(readings(whole, window), noise=sampling_noise(whole, window), window=window.length(len(whole)))
    return found, list(rates(found, sequences.get("architecture", []), sequences.get("training", []), window))


def _phases(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    found, changes = found_phases(ledger)
    return made(
        "phases",
        "stretches in which entropy over all choices rises (exploration) or falls (exploitation), by change points; "
        "then, in each and in all, the change of architectural over training entropy, undefined where the latter is "
        "within its noise; the value is the number of phases. See log_ratio for the paper's 15.2",
        [*found, *changes],
        len(found) or None,
        n=len(ledger.completed),
        unit="bits",
        scale=None,
    )


def _log_ratio(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    parts = projections(ledger.space) if ledger.space is not None else {}
    found: AuthorRatio | None = None
    if {"author", "backbone_encoder", "loss_pooling"} <= parts.keys():
        sequences = [cells(ledger, parts[part]) for part in ("author", "backbone_encoder", "loss_pooling")]
        window = window_for(len(sequences[0]))
        found = author_ratio(*(readings(sequence, window) for sequence in sequences))
    named = (
        zip(("whole", "architecture", "training"), (found.whole, found.architecture, found.training), strict=True)
        if found
        else ()
    )
    rows = [Slope(entropy=name, h0=each.h0, k=each.k, r2=each.r2) for name, each in named]
    return made(
        "log_ratio",
        "the paper's `architectural entropy changes 15.2 times faster`: the ratio of the slopes of two global log fits "
        "over the author's dimensions. It is no rate within a phase, it does not compare importance, and where the R2 "
        "of the divisor's fit is near 0 it means nothing",
        rows,
        found.ratio if found else None,
        n=len(ledger.completed),
        unit="ratio",
        scale=None,
    )


def _divergence_decay(measurement: Measurement) -> Metric:
    search, ledger = measurement.results[0], measurement.ledger
    known = list(search.divergence.ever)
    authors = [ledger.author(name) for name in ledger.completed]
    pairs = list(zip(authors, cells(ledger, search.compared), strict=True)) if search.compared else []
    sequence = [pair for pair in pairs if pair[0] in known]
    points = [
        (reading.n, reading.cumulative)
        for reading in divergences.series(known, sequence, window_for(len(sequence)))
        if reading.cumulative is not None
    ]
    at, bits = [n for n, _ in points], [value for _, value in points]
    found, reach = fit("exponential", at, bits), band("exponential", at, bits)
    return made(
        "divergence_decay",
        "JSD(n) = a - b exp(-c (n - first)) over its cumulative series from the first reading where both agents spoke "
        "(paper, section 5.3: A e^-ln + B, so a is B and c is l); a cumulative series falls slowly even when habits "
        "meet at once; the value is c",
        [fit_row(found, reach.a, reach.c)] if found and reach else [],
        found.c if found else None,
        n=len(sequence),
        unit="1 / completed experiments",
        scale=None,
    )


DYNAMICS: dict[str, Callable[[Measurement], Metric]] = {
    "phases": _phases,
    "log_ratio": _log_ratio,
    "divergence_decay": _divergence_decay,
}
