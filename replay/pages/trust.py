"""Instruments, eras and taint as text for a terminal."""

from __future__ import annotations

from events.facts import Canary
from replay.champions import Champion, bounds, champion_sentence
from replay.era_report import Best, EraReport, EraRow
from replay.instruments import DIGITS, Changes, Instrument
from replay.pages.tables import cut, folded, measured, table
from replay.platforms import Platform, differing, said
from replay.times import lasted, shown

SHOWN = 12
"""Canaries that held, of each instrument, that a page shows."""

ROOM = 24
"""Columns for a canary's subject, and for the name of a part."""


def eras_page(report: EraReport) -> str:
    """Return the text of a campaign's eras: a table, then why each began."""
    if not report.eras:
        return f"eras of {report.campaign}: none, no run has started"
    headers = ("era", "instrument", "runs", "done", "failed", "touched", "best", "validation", "test")
    lines = [f"eras of {report.campaign}, the current one {report.current}", ""]
    lines += table(headers, [_era(row) for row in report.eras])
    lines += ["", "best by validation AP; its test AP stands beside it, and nothing is selected on test"]
    for row in report.eras:
        when = f"position {row.opened}, {shown(row.at)}" if row.at is not None else "no position"
        lines.append(f"  {_named(row)} from {when}, {lasted(row.gpu_seconds)} of device time: {row.reason}")
    return folded(lines, indent=4)


def instruments_page(known: list[Instrument]) -> str:
    """Return the text of a campaign's instruments: a table, then what each one's canaries saw."""
    headers = ("instrument", "verdict", "parts", "canaries", "runs", "done", "eras")
    rows = [
        (
            one.instrument[:DIGITS],
            one.status,
            len(one.parts),
            len(one.canaries),
            one.runs,
            one.completed,
            ", ".join(map(str, one.eras)) or "none",
        )
        for one in known
    ]
    lines = [*table(headers, rows)] if rows else ["no instrument is named on this log"]
    for one in known:
        lines += ["", *_seen(one)]
    return folded(lines, indent=4)


def changes_page(changes: Changes) -> str:
    """Return the text of what differs between two instruments."""
    differ = f"{len(changes.changes)} of {len(changes.changes) + changes.same} parts differ"
    rows = [
        (change.part, (change.before or "none")[:DIGITS], (change.after or "none")[:DIGITS])
        for change in changes.changes
    ]
    moved = [(one.part, one.before or "none", one.after or "none") for one in changes.platforms]
    return folded(
        [
            f"from {changes.before[:DIGITS]} to {changes.after[:DIGITS]}: {differ}",
            *(table(("part", "before", "after"), rows) if rows else []),
            "",
            f"the platforms of their runs differ in {len(moved)} values" if moved else "their platforms are the same",
            *(table(("platform", "before", "after"), moved) if moved else []),
        ]
    )


def champion_page(made: Champion) -> str:
    """Return the text of who is champion, and how the leaders stand."""
    rows = []
    for one in made.candidates:
        known = one.interval
        told = (f"{known.mean:.4f}", bounds(known)) if known else ("unknown", "unknown")
        rows.append((one.rank, one.experiment, one.validation, one.noise, one.repeats, *told))
    headers = ("rank", "experiment", "validation", "noise", "repeats", "their mean", "95% interval")
    return folded([champion_sentence(made), "", *(table(headers, rows) if rows else [])])


def _era(row: EraRow) -> tuple[str | int | float | None, ...]:
    best = (row.best.experiment, row.best.validation, row.best.test) if row.best else ("none", "none", "none")
    number = "none" if row.number is None else f"{row.number}{'' if row.declared else '*'}"
    return (number, row.instrument[:DIGITS], row.runs, row.completed, row.failed, row.touched, *best)


def _named(row: EraRow) -> str:
    return f"era {row.number}" if row.number is not None else "no era:"


def best_said(best: Best | None) -> str:
    """Return an era's best in words."""
    return f"{best.experiment} of {best.agent}, {best.validation:.4f} +- {measured(best.noise)}" if best else "none"


def _seen(one: Instrument) -> list[str]:
    took = f", its canaries took {lasted(one.seconds)}" if one.canaries else ""
    why = f": {one.reason}" if one.reason else ""
    head = f"{one.instrument[:DIGITS]} {one.status} at position {one.told}, {shown(one.at)}{took}{why}"
    # what did not hold comes first, and is never cut
    ordered = sorted(one.canaries, key=lambda canary: canary.problem is None)
    many = max(SHOWN, sum(canary.problem is not None for canary in ordered))
    rows = [_canary(canary) for canary in ordered[:many]]
    more = [f"  and {len(ordered) - many} more, which held; --json has them all"] * (len(ordered) > many)
    seen = table(("canary", "of", "seen", "held against", "verdict"), rows) if rows else []
    wrong = [f"  {canary.name}, {canary.subject}: {canary.problem}" for canary in ordered if canary.problem]
    return [head, *platform_lines(one.platforms), *wrong, *seen, *more]


def platform_lines(platforms: tuple[Platform, ...]) -> list[str]:
    """Return a line for each platform, and what they differ in: results there agree within noise, not bit for bit."""
    lines = [
        f"  on {said(one.values)}: {one.status}, {one.runs} runs, {one.completed} done"
        for one in platforms
        if one.values or one.runs
    ]
    apart = differing(one for one in platforms if one.runs)
    names = "; ".join(f"{name}: {', '.join(values)}" for name, values in apart.items())
    return lines + [f"  its runs are of platforms that differ, and agree within noise alone: {names}"] * bool(apart)


def _canary(canary: Canary) -> tuple[str, ...]:
    told = "held" if canary.problem is None else "not held"
    return (canary.name, cut(canary.subject, ROOM), _number(canary.seen), _number(canary.allowed), told)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
