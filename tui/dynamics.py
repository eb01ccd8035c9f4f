"""The dynamics' view: how widely the search moves, how agents differ, how it improves, what its choices gave."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

from replay.folds import Pass
from replay.measures import Measurement
from replay.pages.tables import TOO_FEW
from tui.apart import Apart
from tui.chart import BARS, curve, stretched
from tui.columns import Column, fit
from tui.view import Keys

if TYPE_CHECKING:
    from replay.portrait import Portrait


class Dynamics(Apart["Portrait"]):
    """One portrait."""

    NAME = "dynamics"
    TITLE = "Dynamics"
    KEYS: ClassVar[Keys] = (("arrows, pages, ends", "scroll"),)

    def make(self, passing: Pass[Any]) -> Portrait:
        """Draw the portrait of a moment."""
        from replay.portrait import portrait  # noqa: PLC0415 # scipy takes longer to load than all the rest of the screen

        return portrait(Measurement(passing=passing))

    def lay(self, made: Portrait, width: int) -> list[str]:
        """Return its lines."""
        return page(made, width)


def page(made: Portrait, width: int) -> list[str]:
    """Return a portrait's lines."""
    if made.n < 2:
        return [f"{made.n} runs have completed: too few to say anything of"]
    return [
        *_charts(made, width),
        *_divergences(made, width),
        *_improving(made, width),
        *_fits(made, width),
        *_heat(made, width),
        *_policies(made, width),
        *_choices(made, width),
    ]


def _chart(title: str, values: Sequence[float | None], width: int, unit: str) -> list[str]:
    known = [value for value in values if value is not None]
    if not known:
        return [f"{title}: {TOO_FEW}"]
    told = f"{title}: {known[-1]:.3g} {unit} now, {min(known):.3g} to {max(known):.3g}"
    room = min(width, 100)
    return [told, *curve(stretched(values, room), room, 3)]


def _charts(made: Portrait, width: int) -> list[str]:
    lines = [f"# Entropy over windows of {made.window} completions, n = {made.n}"]
    for part, readings in made.entropy.items():
        lines += _chart(part, [reading.value for reading in readings], width, "bits")
    rates = [rate for _, rate in made.innovation]
    return [*lines, "", "# Innovation, n as above, validation", *_chart("rate", rates, width, "a run"), ""]


def _divergences(made: Portrait, width: int) -> list[str]:
    lines = ["# Divergence between agents (Jensen-Shannon), in all and lately"]
    for pair in made.divergence:
        if pair.cumulative is None:
            lines.append(f"{pair.one}, {pair.other}: undefined while one of them is silent")
            continue
        lately = f"{pair.windowed:.3g}" if pair.windowed is not None else TOO_FEW
        lines.append(f"{pair.one}, {pair.other}: {pair.cumulative:.3g} bits in all, {lately} lately, n = {pair.n}")
        room = min(width, 100)
        lines += curve(stretched([reading.windowed for reading in pair.series], room), room, 2)
    return [*(lines if made.divergence else [lines[0], "fewer than two agents"]), ""]


def _improving(made: Portrait, width: int) -> list[str]:
    lines = ["# Improvements, against runs in any order"]
    if made.null is not None:
        null = made.null
        lines.append(
            f"{null.happened} happened, {null.expected:.1f} +- {null.deviation:.1f} if exchangeable: "
            f"at most so few p = {null.p_few:.3f}, at least so many p = {null.p_many:.3f}"
        )
    if made.law is not None:
        law = made.law
        lines.append(f"their chance falls as t^-a with a = {law.alpha:.2f} [{law.alpha_low:.2f}, {law.alpha_high:.2f}]")
    told = [f"{phase.kind} {phase.start} to {phase.end}, {phase.change:+.2f} bits" for phase in made.phases]
    return [lines[0], *(part for text in (*lines[1:], *told) for part in wrap(text, width)), ""]


def _fits(made: Portrait, width: int) -> list[str]:
    columns = (
        Column("model"),
        Column("c", right=True),
        Column("95% interval", 1),
        Column("R2", right=True),
        Column("AIC", 2, right=True),
        Column("a", 3, right=True),
        Column("", 4),
    )
    rows = [
        (
            fitted.model,
            f"{fitted.c:.3f}" if fitted.c is not None else "",
            f"{fitted.c_low:.2f} to {fitted.c_high:.2f}" if fitted.c_low is not None else "",
            f"{fitted.r2:.3f}",
            f"{fitted.aic:.0f}",
            f"{fitted.a:.4f}",
            "at the edge of what is looked at" if fitted.at_edge else "",
        )
        for fitted in made.fits
    ]
    note = "intervals bound the fit, not the truth: a running best is one path"
    return [
        "# Curves through the running best",
        *(fit(columns, rows, width) if rows else [TOO_FEW]),
        *wrap(note, width),
        "",
    ]


def _heat(made: Portrait, width: int) -> list[str]:
    if not made.heat:
        return []
    across = sorted({cell.column for cell in made.heat})
    known = {(cell.row, cell.column): cell for cell in made.heat}
    scores = [cell.best for cell in made.heat if cell.best is not None]
    low, span = (min(scores), max(scores) - min(scores)) if scores else (0.0, 0.0)

    def told(row: str, column: str) -> str:
        cell = known.get((row, column))
        if cell is None:
            return "-"
        if cell.best is None:
            return f"n {cell.n}"
        shade = BARS[1 + round(7 * (cell.best - low) / span)] if span else BARS[8]
        return f"{cell.best:.3f} {shade} {cell.n}"

    rows = [(row, *(told(row, column) for column in across)) for row in sorted({cell.row for cell in made.heat})]
    columns = (Column(""), *(Column(name, rank) for rank, name in enumerate(across)))
    table = fit(columns, rows, width)
    hidden = [name for name in across if name not in table[0].split()]
    note = "n alone: too few runs" + (f"; no room here for {', '.join(hidden)}" if hidden else "")
    return [f"# {made.row} by {made.column}: best validation AP and runs", *table, *wrap(note, width), ""]


def _policies(made: Portrait, width: int) -> list[str]:
    columns = (
        Column("policy"),
        Column("from", 2),
        Column("n", 1, right=True),
        *(Column(f"AP@{n}", right=True) for n in (50, 100, 200, 500)),
        Column("between", 3),
    )
    rows = [
        (
            row.policy,
            row.source,
            str(row.n),
            *(_score(score) for score in (row.ap_50, row.ap_100, row.ap_200, row.ap_500)),
            f"{row.ap_low:.4f} and {row.ap_high:.4f}" if row.ap_low is not None else "",
        )
        for row in made.policies
    ]
    return ["# Policies compared, validation AP", *(fit(columns, rows, width) if rows else [TOO_FEW]), ""]


def _choices(made: Portrait, width: int) -> list[str]:
    columns = (
        Column("choice"),
        Column("value"),
        Column("n", 1, right=True),
        Column("best", right=True),
        Column("mean of top", right=True),
        Column("95% interval", 2),
        Column("median", 3, right=True),
    )
    rows = [
        (
            row.dimension,
            row.value,
            str(row.n),
            f"{row.best:.4f}",
            f"{row.mean_top:.4f}",
            f"{row.low:.3f} to {row.high:.3f}" if row.low is not None else "",
            f"{row.median:.4f}",
        )
        for row in made.choices
    ]
    return ["# What each choice gave, validation AP", *(fit(columns, rows, width) if rows else [TOO_FEW])]


def _score(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else ""
