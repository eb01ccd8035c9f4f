"""Reports, moments, metrics and checks as text for a terminal; every page has a JSON twin with all of its digits."""

from __future__ import annotations

from collections.abc import Sequence

from replay.beside import beside_lines
from replay.champions import champion_sentence
from replay.leaderboard import NOISE, Row
from replay.metrics import Metric
from replay.moments.moment import Moment
from replay.pages.tables import WIDTH, Entry, brief, cut, entry, folded, measured, pairs, table, wide
from replay.report import Record, Report, Searching, Spread
from replay.seals import Check
from replay.subject import Subject
from replay.times import lasted, shown

SHOWN = 20
"""Lines of a long list on a page; the JSON twin has them all."""

ACROSS = ": scores do not compare across them; --era N asks one"

ROOM = 32
"""Columns for the dimensions of an entropy."""


def report_page(report: Report) -> str:
    """Return a report's text."""
    completed = report.search.n
    return folded(
        [
            *_heading(report.subject),
            *([f"imported   {report.subject.imported}"] if report.subject.imported is not None else []),
            f"scale      {report.scale}",
            "null       each measure is held against its own; `metric NAME` says which",
            *_spent(report),
            "",
            f"Leaderboard: the best {len(report.leaders)} of {completed} completed",
            *_leaders(report.leaders, completed),
            *([f"champion   {champion_sentence(report.champion)}"] if report.champion is not None else []),
            *_leads(report),
            *_controls(report),
            "",
            "Agents",
            *_agents(report),
            "",
            *_searching(report.search),
            "",
            *_statistics(report),
            "",
            *_troubles(report),
            "",
            *record_lines(report.record),
            *(["", *beside_lines(report.beside)] if report.beside else []),
        ]
    )


def moment_page(moment: Moment) -> str:
    """Return a past moment's text."""
    when = shown(moment.at) if moment.at else "before the first fact"
    running = [(r.experiment, r.agent, r.attempt, r.worker, r.pack, shown(r.since)) for r in moment.running]
    waiting = [(w.experiment, w.agent, w.priority, w.why) for w in moment.waiting[:SHOWN]]
    workers = [(w.worker, w.device, w.status, w.pack or "idle", w.runs) for w in moment.workers]
    return folded(
        [
            *_heading(moment.subject),
            f"moment     {when}, position {moment.subject.through} of {moment.last}",
            f"state      {pairs(moment.queue.by_status)}; {moment.queue.unjudged} ideas without a verdict",
            "",
            f"Leaderboard then: {moment.values['completed']} completed, validation AP",
            *_leaders(moment.leaders, bool(moment.values["completed"])),
            "",
            f"Running: {len(running)}",
            *(table(("experiment", "agent", "attempt", "worker", "pack", "since"), running) if running else []),
            "",
            f"Queue: {len(moment.waiting)}",
            *(table(("experiment", "agent", "priority", "why"), waiting) if waiting else []),
            "",
            f"Workers: {len(workers)}",
            *(table(("worker", "device", "status", "pack", "runs"), workers) if workers else []),
            *(f"  {name} {what}" for name, what in moment.repairing.items()),
            "",
            f"digest     {moment.digest}",
        ]
    )


def metric_page(metric: Metric) -> str:
    """Return a metric's text: its value, then the latest lines of each series."""
    lines = [
        f"{metric.name}  {entry(metric.value) if metric.value is not None else metric.note}",
        f"  {metric.meaning}",
        f"  unit {metric.unit}; n = {metric.n}, {metric.over}",
    ]
    lines += [f"  scale {metric.scale}"] * (metric.scale is not None)
    lines += [f"  window {metric.window}"] * (metric.window is not None)
    lines += [f"  eras {', '.join(metric.eras) or 'none'}", f"  null {metric.null}"]
    for name, series in metric.series.items():
        lines += ["", f"{name}: the last of {len(series.rows)} readings"]
        lines += table(series.columns, series.rows[-5:] if len(metric.series) > 1 else series.rows[-SHOWN:])
    if metric.name == "leaderboard":
        lines += ["", *_leaders(metric.rows[:SHOWN], metric.n)]
    elif metric.rows:
        lines += _rows(metric.rows)
    return folded(lines, indent=2)


def record_lines(record: Record) -> list[str]:
    """Return the digest and how the analyst's recordings stand against it."""
    told = {"held": 0, "broken": 0, "unknown": 0}
    for check in record.checks:
        told[check.verdict] += 1
    lines = [
        f"Digest     {record.digest}",
        (
            f"recorded   {record.verdict}: of {len(record.checks)} recordings {told['held']} held, "
            f"{told['broken']} broken, {told['unknown']} unknown"
        ),
    ]
    for check in [check for check in record.checks if check.verdict != "held"][:SHOWN]:
        lines += _failing(check)
    return lines


def _failing(check: Check) -> list[str]:
    what = f"  {check.kind} at {check.sequence} about {check.through}: {check.verdict}"
    if check.recomputed is None:
        return [f"{what}, the log does not reach so far"]
    if check.verdict == "unknown":
        agreeing = "; its values agree" if check.kind == "MetricsMeasured" else ""
        return [f"{what}, its digest is of scheme {check.recorded.partition(':')[0]}{agreeing}"]
    differing = [f"    differing {', '.join(check.differing)}"] * bool(check.differing)
    return [what, *differing, f"  {check.recorded} recorded", f"  {check.recomputed} recomputed"]


def _heading(subject: Subject) -> list[str]:
    opened = shown(subject.opened_at) if subject.opened_at else "never"
    many = len(subject.instruments)
    return [
        (
            f"campaign   {subject.campaign or 'never opened'}, space {subject.space or 'none'} of {subject.cells} "
            f"cells, seed {subject.seed}"
        ),
        f"log        through position {subject.through}; opened {opened}",
        f"search     {'closed: ' + subject.closed if subject.closed is not None else 'open'}",
        f"eras       {many} instrument{'s' * (many != 1)}{ACROSS * (many > 1)}",
        *([f"defects    {subject.left_out}; myriad replay {subject.campaign} taint"] if subject.left_out else []),
    ]


def _spent(report: Report) -> list[str]:
    values = report.values
    seconds = float(values["gpu_seconds"] or 0)
    return [
        (
            f"n          {values['proposed']} ideas, {values['declined']} declined, {values['queued']} experiments, "
            f"{values['completed']} completed"
        ),
        f"spent      {lasted(seconds)} of device time, {float(values['usd'] or 0):.2f} USD",
        *_prices(report),
        f"cells      {values['cells_covered']} of {report.subject.cells} covered",
    ]


def _prices(report: Report) -> list[str]:
    lines = []
    if report.costs and report.costs[0].gpu_hours_per_improvement is not None:
        whole = report.costs[0]
        lines.append(
            f"cost       an improvement: {entry(whole.gpu_hours_per_improvement)} GPU-hours and "
            f"{entry(whole.usd_per_improvement)} USD"
        )
    shares = {use.what: f"{use.share:.1%}" for use in report.uses if use.share is not None and use.share >= 0.001}
    lines += [f"devices    {pairs(shares)}"] * bool(shares)
    return lines


def _leaders(rows: list[Row], completed: int) -> list[str]:
    if not rows:
        return [f"  too few observations: nothing {'that counts ' * bool(completed)}has completed"]
    tested = rows[0].test is not None
    headers = ("#", "experiment", "agent", "origin", "AP", "noise", "lead over next", *(["test"] * tested))
    lines = table(headers, [_leader(row, tested=tested) for row in rows])
    told = [lines[0]]
    for row, line in zip(rows, lines[1:], strict=True):
        standing = f"{row.standing}: " if row.standing is not None else ""
        told += [line, f"       {standing}{brief(row.configuration, WIDTH - 7 - len(standing))}"]
    return told


def _leader(row: Row, *, tested: bool) -> tuple[str | int | float | None, ...]:
    lead = "none below" if row.lead is None else f"{row.lead:.4f} {NOISE[row.within_noise]}"
    test = [f"{row.test:.4f}"] if tested and row.test is not None else []
    numbers = (f"{row.validation:.4f}", measured(row.noise), lead, *test)
    return (row.rank, row.experiment, row.agent, row.origin, *numbers)


def _leads(report: Report) -> list[str]:
    if not report.leads:
        return []
    seconds = list(report.leads[0].validation)
    tested = report.leads[0].test_mean is not None
    headers = ("experiment", "Nexar AP", *(f"at {lead} s" for lead in seconds), *(["test"] * tested))
    rows = [
        (row.experiment, row.mean, *(row.validation.get(lead) for lead in seconds), *([row.test_mean] * tested))
        for row in report.leads
    ]
    heading = "Leads: validation AP of the clips that end so long before their event; Nexar AP is the mean"
    return ["", *folded([heading], indent=2).splitlines(), *table(headers, rows)]


def _controls(report: Report) -> list[str]:
    controls = [(c.control, f"{c.validation:.4f}", f"{c.noise:.4f}", c.experiment) for c in report.controls]
    return ["", "Controls", *table(("control", "AP", "noise", "beside"), controls)] if controls else []


def _agents(report: Report) -> list[str]:
    headers = ("agent", "ideas", "kept", "done", "failed", "best AP", "firsts", "cells", "H bits", "USD")
    rows = [
        (
            cut(row.agent, 14),
            row.proposed,
            row.queued,
            row.completed,
            row.failed,
            row.best_validation,
            row.improvements,
            row.cells,
            row.entropy_whole,
            f"{row.usd:.2f}",
        )
        for row in report.agents
    ]
    return table(headers, rows) if rows else ["  none joined"]


def _searching(search: Searching) -> list[str]:
    rows = [(s.part, s.first, s.last, s.whole, s.at_most, _over(s)) for s in search.spreads]
    headers = ("entropy, bits", "first", "last", "all", "at most", "over")
    compared = " x ".join(search.compared)
    return [
        f"Search: n = {search.n} completed, window {search.window}",
        *(table(headers, rows) if rows else []),
        f"  divergence between agents {entry(search.divergence)} bits, lately {entry(search.divergence_windowed)}"
        + (f", over {compared}" if compared else ""),
        (
            f"  improvements {search.improvements}; {search.improvements_if_exchangeable:.1f} expected if runs were "
            f"exchangeable; rate {entry(search.innovation_rate)}"
        ),
    ]


def _statistics(report: Report) -> list[str]:
    lines = [f"  {each.metric}: {each.said}" for each in report.statistics]
    heading = f"Statistics: n = {report.search.n} completed, validation AP; each is a metric with its numbers"
    return [heading, *folded(lines, indent=4).splitlines()]


def _over(spread: Spread) -> str:
    names = " ".join(spread.dimensions)
    return names if len(names) <= ROOM else f"all {len(spread.dimensions)} dimensions"


def _troubles(report: Report) -> list[str]:
    failures, queue = report.failures, report.queue
    return [
        f"Failures   {pairs(failures.by_kind)}",
        (
            f"again      {failures.again} run more than once, {failures.recovered} completed after a failure, "
            f"{failures.abandoned} abandoned"
        ),
        f"repairs    {pairs(failures.remedies)}; {failures.at_once} of {failures.repairs} right at once",
        f"Queue      {queue.unjudged} ideas without a verdict; experiments: {pairs(queue.by_status)}",
        f"declined   {pairs(queue.declined)}",
    ]


def _rows(rows: Sequence[object]) -> list[str]:
    """Return rows as a table for each of their kinds, or as named values where a table would be too wide."""
    kinds: dict[tuple[str, ...], list[tuple[Entry, ...]]] = {}
    for row in rows:
        fields: tuple[str, ...] = getattr(row, "__struct_fields__", ())
        plain = {name: getattr(row, name) for name in fields}
        kept = {name: value for name, value in plain.items() if value is None or isinstance(value, str | int | float)}
        kinds.setdefault(tuple(kept), []).append(tuple(kept.values()))
    lines: list[str] = []
    for names, told in kinds.items():
        shown = [[*row] for row in told[:SHOWN]]
        headers = [name.replace("_", " ") for name in names]
        lines += ["", *(table(headers, shown) if wide(headers, shown) <= WIDTH else _listed(names, told))]
        lines += [f"  and {len(told) - SHOWN} more"] * (len(told) > SHOWN)
    return lines


def _listed(names: Sequence[str], rows: Sequence[Sequence[Entry]]) -> list[str]:
    said = (dict(zip(names, row, strict=True)) for row in rows[:SHOWN])
    return ["  " + pairs({name: value for name, value in row.items() if value is not None}) for row in said]
