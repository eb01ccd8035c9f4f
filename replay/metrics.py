"""The measures by name, for `myriad replay NAME metric`: each with its meaning, unit, scale, n and window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from replay import divergence as divergences
from replay.agents import agents
from replay.champions import stood
from replay.counts import Window, window_for
from replay.diversity import Part, Sequenced, cells, numbered, projections, series
from replay.errors import QuestionUnknown
from replay.leaderboard import leaderboard, left_out
from replay.ledger import Ledger
from replay.measures import Measurement, measured
from replay.progress import expected_improvements, innovations, regret, running_best
from replay.statistics.nulls import null_of

TOO_FEW = "too few observations"
RANKED = "completed experiments by validation AP, ties to the earlier; a lead within noise is none"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A measure as it went: rows under named columns, the first one n; None where observations are too few."""

    columns: tuple[str, ...]
    rows: list[tuple[float | int | None, ...]]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one log.

    Attributes:
        name: as asked for.
        meaning: its definition in a sentence, with the null that it is held against where there is one.
        unit: bits, AP, experiments ...
        scale: validation for every score (test is never selected on), None where no score is read.
        over: the sequence that it is read from.
        n: observations in that sequence.
        window: preset and length of the sliding window, None where there is none.
        value: its value at the end of the log; None with a `note` where observations are too few.
        series: as it went, None for a measure of one moment.
        rows: a table, for measures that are one.
        eras: what measured the completed runs, each with their number; scores of two of them do not compare.
        null: what the measure is held against.
    """

    name: str
    meaning: str
    unit: str
    scale: Literal["validation"] | None
    over: str
    n: int
    window: str | None = None
    value: float | int | str | None = None
    note: str | None = None
    series: dict[str, Series] = {}
    rows: list[Any] = []
    eras: tuple[str, ...] = ()
    null: str = ""


class MetricUnknown(QuestionUnknown):
    """A measure was asked for by a name that there is none of.

    Attributes:
        known: the names that there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no metric {name!r}; there are: {', '.join(known)}")
        self.known = known


def metric(measurement: Measurement, name: str) -> Metric:
    """Return a measure by name: one of `METRICS`, a named value of this log, or a statistic of `findings.FINDINGS`.

    Raises:
        MetricUnknown: neither.
    """
    found = _found(measurement, name)
    return msgspec.structs.replace(found, eras=included(measurement.ledger), null=null_of(name))


def included(ledger: Ledger) -> tuple[str, ...]:
    """Name the eras of the completed runs, in order, each as `era 2: instrument 3f2a (120 runs)`."""
    attempts = ((name, ledger.experiments[name].attempts[-1]) for name in ledger.completed)
    many = Counter((ledger.eras.of.get(name), attempt.instrument or "unstated") for name, attempt in attempts)
    return tuple(
        f"{f'era {number}' if number is not None else 'no era'}: instrument {instrument[:12]} ({count} runs)"
        for (number, instrument), count in many.items()
    )


def _found(measurement: Measurement, name: str) -> Metric:
    if (make := METRICS.get(name)) is not None:
        return make(measurement)
    values = measured(measurement.results)
    if name in values:
        return _value(measurement, name)
    from replay.statistics.findings import FINDINGS  # noqa: PLC0415 # only a statistic needs numpy and scipy

    if (estimate := FINDINGS.get(name)) is not None:
        return estimate(measurement)
    raise MetricUnknown(name, (*METRICS, *FINDINGS, *values))


def validations(ledger: Ledger) -> list[float]:
    """Return validation AP in the order of completion."""
    outcomes = (ledger.experiments[name].outcome for name in ledger.completed)
    return [outcome.validation for outcome in outcomes if outcome is not None]


def _value(measurement: Measurement, name: str) -> Metric:
    value = measured(measurement.results)[name]
    return Metric(
        name=name,
        meaning="a named value, as the analyst records it in MetricsMeasured",
        unit="as named",
        scale="validation" if name.startswith("best_") else None,
        over="completed experiments",
        n=len(measurement.ledger.completed),
        value=value,
        note=None if value is not None else TOO_FEW,
    )


def _leaderboard(measurement: Measurement) -> Metric:
    rows = stood(measurement.ledger, leaderboard(measurement.ledger))
    return Metric(
        name="leaderboard",
        meaning="; ".join(filter(None, (RANKED, left_out(measurement.ledger)))),
        unit="AP",
        scale="validation",
        over="completed experiments",
        n=len(rows),
        value=rows[0].experiment if rows else None,
        note=None if rows else TOO_FEW,
        rows=list(rows),
    )


def _running_best(measurement: Measurement) -> Metric:
    scores = validations(measurement.ledger)
    best, gaps = running_best(scores), regret(scores)
    rows: list[tuple[float | int | None, ...]] = list(zip(range(1, len(best) + 1), best, gaps, strict=True))
    return Metric(
        name="running_best",
        meaning="AP*(N) = best validation AP of the first N; regret against the best seen, which bounds it from below",
        unit="AP",
        scale="validation",
        over="completed experiments",
        n=len(best),
        value=best[-1] if best else None,
        note=None if best else TOO_FEW,
        series={"all": Series(columns=("n", "best", "regret"), rows=rows)},
    )


def _innovation(measurement: Measurement) -> Metric:
    steps = innovations(validations(measurement.ledger))
    n = len(steps)
    window = window_for(n)
    length, step = window.length(n), window.step(n)
    points = [at for at in range(1, n + 1) if at % step == 0 or at == n]
    rows: list[tuple[float | int | None, ...]] = [
        (at, sum(steps[max(0, at - length) : at]) / min(at, length)) for at in points
    ]
    null = f"{expected_improvements(n):.2f} improvements if runs were exchangeable, {sum(steps)} happened"
    return Metric(
        name="innovation",
        meaning=f"I_t = 1 where y_t beats all before it; the rate is its mean over the window; null: {null}",
        unit="share of completions",
        scale="validation",
        over="completed experiments",
        n=n,
        window=_named(window, n),
        value=rows[-1][1] if rows else None,
        note=None if rows else TOO_FEW,
        series={"all": Series(columns=("n", "rate"), rows=rows)},
    )


def _entropy(measurement: Measurement, over: Sequenced = "completed") -> Metric:
    ledger = measurement.ledger
    space = ledger.space
    parts: dict[Part, tuple[str, ...]] = projections(space) if space is not None else {}
    found: dict[str, Series] = {}
    numbers = numbered(ledger, parts, over=over)
    for agent in ("", *(row.agent for row in agents(measurement.results))):
        for part in parts:
            sequence = numbers[part].get(agent, [])
            readings = series(sequence, window_for(len(sequence)))
            name = f"{part} of {agent}" if agent else part
            found[name] = Series(columns=("n", "window", "bits"), rows=list(readings))
    whole = found["whole"].rows if "whole" in found else []
    n = int(whole[-1][0] or 0) if whole else 0
    value = whole[-1][2] if whole else None
    return Metric(
        name="entropy" if over == "completed" else "entropy_proposed",
        meaning="H = -sum p log2 p over the cells of a window; at most log2 of the window or of the part's cells",
        unit="bits",
        scale=None,
        over="completed experiments" if over == "completed" else "proposed ideas",
        n=n,
        window=_named(window_for(n), n),
        value=value,
        note=None if value is not None else TOO_FEW,
        series=found,
    )


def _entropy_proposed(measurement: Measurement) -> Metric:
    return _entropy(measurement, "proposed")


def _divergence(measurement: Measurement) -> Metric:
    search, ledger = measurement.results[0], measurement.ledger
    known = list(search.divergence.ever)
    authors = [ledger.author(name) for name in ledger.completed]
    pairs = list(zip(authors, cells(ledger, search.compared), strict=True)) if search.compared else []
    sequence = [pair for pair in pairs if pair[0] in known]
    window = window_for(len(sequence))
    value = search.divergence.cumulative()
    rows = divergences.series(known, sequence, window)
    return Metric(
        name="divergence",
        meaning=f"Jensen-Shannon divergence between {', '.join(known) or 'no agents'} "
        f"over {' x '.join(search.compared)}; undefined while an agent is silent",
        unit="bits",
        scale=None,
        over="completed experiments",
        n=len(sequence),
        window=_named(window, len(sequence)),
        value=value,
        note=None if value is not None else f"{TOO_FEW}: two agents are needed, each with a completion",
        series={"all": Series(columns=("n", "cumulative", "windowed"), rows=list(rows))},
    )


def _agents(measurement: Measurement) -> Metric:
    rows = agents(measurement.results)
    return Metric(
        name="agents",
        meaning="what each author of ideas proposed, completed, found and spent",
        unit="counts, AP, bits, seconds, US dollars",
        scale="validation",
        over="the whole log",
        n=len(rows),
        value=len(rows),
        rows=list(rows),
    )


def _named(window: Window, n: int) -> str:
    return f"{window.name}: {window.length(n)}, read every {window.step(n)}"


METRICS: dict[str, Callable[[Measurement], Metric]] = {
    "leaderboard": _leaderboard,
    "running_best": _running_best,
    "innovation": _innovation,
    "entropy": _entropy,
    "entropy_proposed": _entropy_proposed,
    "divergence": _divergence,
    "agents": _agents,
}
