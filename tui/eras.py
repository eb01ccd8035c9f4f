"""The eras' view: instruments and their canaries, eras, defects, what these touched, and what came of that."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, ClassVar

from replay.era_report import EraReport
from replay.folds import Pass
from replay.instruments import Instrument
from replay.lessons import Lessons
from replay.pages.trust import platform_lines
from replay.taint import Taint
from replay.times import lasted, shown
from tui.apart import Apart
from tui.columns import Column, fit
from tui.sight import Sight
from tui.telling import plain
from tui.view import Keys

TREE, RESULTS = 400, 50
"""Lines of the tree, and touched results, that a page shows; all of them are counted."""


Trust = tuple[EraReport, list[Instrument], Taint]
"""What the page is made of; see `tui.sight.Sight.trust`."""


class Eras(Apart[Trust]):
    """One page; following what defects touched takes a quarter of a second in a large campaign."""

    NAME = "eras"
    TITLE = "Eras, instruments, defects and taint"
    KEYS: ClassVar[Keys] = (
        ("arrows, pages, ends", "scroll"),
        ("{ }", "to the border of the era before, or of the next"),
    )

    def make(self, passing: Pass[Any]) -> Trust:
        """Say what can be trusted at a moment."""
        return Sight(passing, Lessons()).trust()

    def lay(self, made: Trust, width: int) -> list[str]:
        """Return the page's lines."""
        return page(*made, width)


def page(report: EraReport, instruments: list[Instrument], taint: Taint, width: int) -> list[str]:
    """Return the page's lines."""
    return [
        *_eras(report, width),
        *_instruments(instruments, width),
        *_defects(taint, width),
        *_touched(taint, width),
        *_tree(taint, width),
    ]


def _eras(report: EraReport, width: int) -> list[str]:
    columns = (
        Column("era", right=True),
        Column("instrument", 2),
        Column("at", 3, right=True),
        Column("since", 5),
        Column("runs", right=True),
        Column("done", 4, right=True),
        Column("touched", 1, right=True),
        Column("best", right=True),
        Column("run", 4),
        Column("device time", 6, right=True),
        Column("why", 1, long=20),
    )
    rows = [
        (
            str(row.number) if row.number is not None else "none",
            row.instrument[:12],
            str(row.opened or ""),
            shown(row.at)[:19] if row.at is not None else "",
            str(row.runs),
            str(row.completed),
            str(row.touched),
            f"{row.best.validation:.4f}" if row.best else "",
            row.best.experiment if row.best else "",
            lasted(row.gpu_seconds),
            row.reason,
        )
        for row in report.eras
    ]
    return ["# Eras, best by validation AP", *(fit(columns, rows, width) if rows else ["no run has started"]), ""]


def _instruments(instruments: list[Instrument], width: int) -> list[str]:
    lines = []
    columns = (
        Column("canary"),
        Column("of"),
        Column("seen", 1, right=True),
        Column("held against", 2, right=True),
        Column("verdict", long=16),
    )
    for one in instruments:
        why = f": {one.reason}" if one.reason else ""
        lines.append(f"# Instrument {one.instrument[:12]} {one.status}, {one.runs} runs{plain(why)}")
        lines += [part for told in platform_lines(one.platforms) for part in wrap(plain(told), width)]
        rows = [(c.name, c.subject, _number(c.seen), _number(c.allowed), c.problem or "held") for c in one.canaries]
        lines += fit(columns, rows, width) if rows else ["no canary has spoken of it"]
        lines.append("")
    return lines


def _defects(taint: Taint, width: int) -> list[str]:
    lines = ["# Defects"]
    for one in taint.defects:
        since = f", from position {one.since}" if one.since is not None else ""
        fixed = f"fixed at {one.fixed} by {(one.instrument or '')[:12]}" if one.fixed is not None else "not fixed"
        found = f"{one.defect} in {one.component}, found at {one.found} by {one.by or 'nobody named'}, {fixed}"
        why = f"where {one.where}{since}: {plain(one.reason)}"
        lines += [part for text in (plain(found), f"  {why}") for part in wrap(text, width, subsequent_indent="  ")]
    return [*(lines if taint.defects else [*lines, "none was declared"]), ""]


def _touched(taint: Taint, width: int) -> list[str]:
    if not taint.results:
        return []
    columns = (
        Column("run"),
        Column("believed", right=True),
        Column("known now", right=True),
        Column("defects", 1),
        Column("agent", 2),
        Column("followed", 3, right=True),
        Column("matters", 2),
    )
    rows = [
        (
            one.experiment,
            f"{one.believed:.4f}",
            f"{one.known:.4f}" if one.known is not None else "nothing",
            " ".join(one.defects),
            one.agent,
            str(one.followed),
            "yes" if one.matters else "",
        )
        for one in taint.results[:RESULTS]
    ]
    heading = f"# Touched results: {len(taint.results)} of {taint.completed}, best first by what was believed"
    return [heading, *fit(columns, rows, width), *_more(len(taint.results), RESULTS), ""]


def _tree(taint: Taint, width: int) -> list[str]:
    if not taint.tree:
        return []
    counted_ = ", ".join(f"{many} by {via}" for via, many in taint.followed.items() if many)
    lines = [f"# What came of them: {counted_}; {taint.briefed} briefings showed one"]
    for one in taint.tree[:TREE]:
        score = f" AP {one.validation:.4f}" if one.validation is not None else ""
        touched = ", touched itself" if one.touched else ""
        run = f" {one.experiment}" if one.experiment else ""
        lines.append(f"{'  ' * one.depth}{one.idea}{run}{score} by {one.via} of {one.source}{touched}")
    return [*lines, *_more(len(taint.tree), TREE)]


def _more(many: int, shown_: int) -> list[str]:
    return [f"and {many - shown_} more"] * (many > shown_)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
