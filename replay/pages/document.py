"""A whole report as sections, tables and figures, before it is Markdown or a page of its own: everything is in it.

The terminal's report (`replay.pages.reports`) is a page of the most needed; this is every measure of the room with
every table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from replay.beside import Line, told
from replay.champions import champion_sentence
from replay.measures import Measurement
from replay.metrics import METRICS, Metric, metric
from replay.milestones import Milestones
from replay.pages.tables import Entry, brief, entry, pairs
from replay.report import Report
from replay.statistics.findings import FINDINGS
from replay.times import lasted, shown
from replay.trajectory import Track, Usage, moved

READINGS = 40
"""Readings of a series that a table has room for, evenly spread, the last one always; the JSON has them all."""

ROWS = 120
"""Rows of a table; of a longer one the first, and a line that says so."""

DRAWN = {
    "figure2-convergence": "fits",
    "figure3-dynamics": "phases",
    "figure4-eras": "running_best",
    "figure5-architectures": "heat_map",
}
"""Beside which measure each figure of `replay.pages.figures` stands."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under headers, as text; `note` says what was left out."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the document; `figure` names one of `replay.pages.figures.FIGURES`."""

    title: str
    said: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figure: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one campaign; `facts` are what it is about, by name."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def document(report: Report, measurement: Measurement) -> Document:
    """Lay out a report with every measure of its campaign.

    Args:
        report: as `replay.report.report` makes it.
        measurement: what `replay.report.folded` folded of the same log through the same position.
    """
    measures = [metric(measurement, name) for name in (*METRICS, *FINDINGS)]
    return Document(
        title=f"Campaign {report.subject.campaign or 'never opened'}",
        facts=_facts(report, measurement),
        sections=(
            *_reported(report),
            *(_measure(each) for each in measures),
            *_trajectory(measurement),
            _record(report),
        ),
    )


def _facts(report: Report, measurement: Measurement) -> tuple[tuple[str, str], ...]:
    subject, values = report.subject, report.values
    eras = metric(measurement, "completed").eras
    return (
        ("space", f"{subject.space or 'none'}, {subject.cells} cells, {values['cells_covered']} covered"),
        *([("imported", subject.imported)] if subject.imported is not None else []),
        ("seed", str(subject.seed)),
        ("opened", shown(subject.opened_at) if subject.opened_at else "never"),
        ("log", f"through position {subject.through}"),
        ("search", f"closed: {subject.closed}" if subject.closed is not None else "open"),
        ("n", f"{values['completed']} completed of {values['queued']} queued of {values['proposed']} proposed"),
        ("eras included", ", ".join(eras) or "none"),
        ("scale", report.scale),
        ("null", "each measure names its own"),
        ("spent", f"{lasted(float(values['gpu_seconds'] or 0))} of device time, {float(values['usd'] or 0):.2f} USD"),
        ("digest", report.record.digest),
    )


def _reported(report: Report) -> tuple[Section, ...]:
    sentences = tuple((each.metric, each.said, str(each.n)) for each in report.statistics)
    troubles, queue = report.failures, report.queue
    return (
        Section(title="Findings", tables=(Table(headers=("measure", "finding", "n"), rows=sentences),)),
        Section(
            title="Leaders",
            said=(
                report.scale,
                "a lead within the noise of both runs is none",
                *([champion_sentence(report.champion)] if report.champion is not None else []),
            ),
            tables=tuple(tables(report.leaders)),
        ),
        Section(
            title="Controls",
            said=("the champion's code, split and scale, without a signal or without a network",),
            tables=tuple(tables(report.controls)),
        ),
        Section(
            title="Agents",
            said=("first uses of each backbone stand under first_uses, what each paid for what it found under cost",),
            tables=tuple(tables(report.agents)),
        ),
        Section(
            title="Failures and queue",
            said=(
                f"failures: {pairs(troubles.by_kind)}",
                f"again: {troubles.again} run more than once, {troubles.recovered} completed after a failure",
                f"given up: {troubles.abandoned}",
                f"repairs: {pairs(troubles.remedies)}",
                f"queue: {queue.unjudged} ideas without a verdict; experiments: {pairs(queue.by_status)}",
                f"declined: {pairs(queue.declined)}",
            ),
        ),
        *([_compared(report.beside)] if report.beside else []),
    )


def _compared(lines: list[Line]) -> Section:
    return Section(title="Beside the paper", said=tuple(told(lines)), tables=tuple(tables(lines)))


def _measure(found: Metric) -> Section:
    value = entry(found.value) if found.value is not None else found.note or ""
    figure = next((name for name, beside in DRAWN.items() if beside == found.name), None)
    standing = f"n = {found.n}, {found.over}; eras: {', '.join(found.eras) or 'none'}; scale: {found.scale or 'none'}"
    window = f"; window {found.window}" if found.window is not None else ""
    return Section(
        title=found.name,
        said=(f"{value} ({found.unit})", found.meaning, f"{standing}{window}; null: {found.null}"),
        tables=(
            *tables(found.rows),
            *(_series(name, series.columns, series.rows) for name, series in found.series.items()),
        ),
        figure=figure,
    )


def _trajectory(measurement: Measurement) -> tuple[Section, ...]:
    turns = next((each for each in measurement.beside if isinstance(each, Milestones)), Milestones())
    use = moved(measurement, turns)
    said = f"n = {use.n} completed; eras: {', '.join(use.eras) or 'none'}; scale: {use.scale}; null: {use.null}"
    uses = tuple(_track(track) for track in use.tracks)
    line = tuple((str(turn.position), shown(turn.at) if turn.at else "", turn.kind, turn.what) for turn in use.line)
    lined = Table(headers=("position", "at", "turn", "what"), rows=line)
    return Section(title="Trajectory", said=(said,), tables=uses), Section(title="Time line", tables=(lined,))


def _track(track: Track) -> Table:
    headers = ("value", "ideas", "completed", "first share", "last share", "best AP", "in", "first by", "why")
    return Table(
        headers=headers,
        rows=tuple(_usage(usage) for usage in track.values),
        note=f"{track.dimension} ({track.part}), n = {track.n}, shares over window {track.window}",
    )


def _usage(usage: Usage) -> tuple[str, ...]:
    shares = [f"{share:.1%}" for _, share in usage.shares]
    best, first = usage.best, usage.first
    return (
        f"{usage.value}{' (widened)' if usage.widened else ''}",
        str(usage.proposed),
        str(usage.completed),
        *((shares[0], shares[-1]) if shares else ("", "")),
        *((f"{best.validation:.4f}", f"{best.experiment}, completion {best.completion}") if best else ("", "")),
        *((f"{first.agent}, {first.origin}, {first.idea}", first.rationale) if first else ("", "")),
    )


def _record(report: Report) -> Section:
    record = report.record
    said = f"{record.verdict}: {len(record.checks)} recordings of the analyst held against this replay"
    return Section(title="Record", said=(said, record.digest), tables=tuple(tables(record.checks)))


def tables(rows: Iterable[Any]) -> list[Table]:
    """Return structs as tables, one for each of their kinds, fields as headers."""
    kinds: dict[type, list[Any]] = {}
    for row in rows:
        kinds.setdefault(type(row), []).append(row)
    return [_table(kind, of) for kind, of in kinds.items()]


def _table(kind: type, rows: Sequence[Any]) -> Table:
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined] # every row is a struct
    texts = [tuple(_text(getattr(row, name)) for name in names) for row in rows[:ROWS]]
    note = f"the first {ROWS} of {len(rows)} rows" if len(rows) > ROWS else ""
    return Table(headers=tuple(name.replace("_", " ") for name in names), rows=tuple(texts), note=note)


def _series(name: str, columns: Sequence[str], rows: Sequence[Sequence[Entry]]) -> Table:
    every = range(1, READINGS + 1)
    kept = rows if len(rows) <= READINGS else [rows[index * len(rows) // READINGS - 1] for index in every]
    note = f"{name}: {len(kept)} of {len(rows)} readings"
    return Table(headers=tuple(columns), rows=tuple(tuple(entry(value) for value in row) for row in kept), note=note)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, str | int | float):
        return entry(value)
    if isinstance(value, dict):
        return brief(value, 200)
    return ", ".join(_text(each) for each in value)
