"""The paper's Figures 2 to 5 over any log, eras as bands, as matplotlib figures, written as PNG or SVG.

Okabe and Ito's colours and cividis, which keep apart under every common colour blindness; every colour comes with a
line style or a label. The same log gives the same bytes under one version of matplotlib and its fonts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import IO, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replay import divergence as divergences
from replay.agents import agents
from replay.counts import window_for
from replay.diversity import cells, series
from replay.measures import Measurement
from replay.metrics import TOO_FEW
from replay.progress import running_best
from replay.runs import Run, architecture, joined, runs
from replay.statistics.ablations import CELL_LEAST, heat_map
from replay.statistics.dynamics import found_phases
from replay.statistics.fits import MODELS, fit, predicted
from replay.statistics.piecewise import pieces
from replay.statistics.pools import expected_best

Form = Literal["png", "svg"]

FORMS: tuple[Form, ...] = ("png", "svg")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Okabe and Ito (2008)."""

BAND = "#D9D9D9"
"""Of every second era: a grey, which keeps its distance from every colour above."""

STYLES = ("-", "--", "-.", ":")

POINTS = 400
"""Points that a curve is drawn with."""

FIXED: dict[Any, Any] = {
    "svg.hashsalt": "myriad",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a name with a dollar is a name
}


def figures(measurement: Measurement) -> dict[str, Figure]:
    """Return every figure by name: convergence (2), dynamics (3), eras (4), architectures (5)."""
    with mpl.rc_context(FIXED):
        return {name: draw(measurement) for name, draw in FIGURES.items()}


def write(measurement: Measurement, folder: str) -> list[str]:
    """Write every figure in every form into a folder that is there; return the paths. Raises OSError as files do."""
    found = {
        f"{folder}/{name}.{form}": (figure, form) for name, figure in figures(measurement).items() for form in FORMS
    }
    for path, (figure, form) in found.items():
        render(figure, form, path)
    return [*found]


def drawings(measurement: Measurement) -> dict[str, str]:
    """Return every figure by name as SVG."""
    found = {}
    for name, figure in figures(measurement).items():
        into = BytesIO()
        render(figure, "svg", into)
        found[name] = into.getvalue().decode()
    return found


def render(figure: Figure, form: Form, into: IO[bytes] | str) -> None:
    """Write a figure into an open file or to a path, without a date or a version in it."""
    metadata = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
    with mpl.rc_context(FIXED):
        figure.savefig(into, format=form, dpi=150, metadata=metadata)


def _convergence(measurement: Measurement) -> Figure:
    """Figure 2: the running best with its three fits, and the expectation over orders of the same runs."""
    done = runs(measurement.ledger)
    figure, (axes,) = _canvas("Figure 2: best validation AP, its fits, and shuffled orders of the same runs", 1)
    best = running_best([run.validation for run in done])
    if len(best) < 2:
        return _empty(figure, axes)
    at = _points(len(best))
    axes.plot(at, [best[n - 1] for n in at], color=COLOURS[7], lw=1.8, label="recorded", drawstyle="steps-post")
    expected = expected_best([run.validation for run in done], at)
    axes.plot(at, expected, color=COLOURS[5], lw=2.4, ls="-", alpha=0.8, label="shuffled pool, expected")
    for index, model in enumerate(MODELS):
        if (found := fit(model, range(1, len(best) + 1), best)) is not None:
            label = f"{model}, R2 {found.r2:.3f}"
            axes.plot(at, predicted(found, at), color=COLOURS[index], ls=STYLES[index + 1], lw=1.2, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")  # its own would be mathematics
    axes.xaxis.set_minor_formatter("")
    _bands(axes, done)
    axes.set_xlabel("completed experiments N")
    axes.set_ylabel("best validation AP")
    axes.legend(frameon=False, loc="lower right")
    return figure


def _dynamics(measurement: Measurement) -> Figure:
    """Figure 3: entropy of all and of each agent with the phases; shares of the first dimension; divergence."""
    figure, axes = _canvas("Figure 3: how widely the search went, and where", 3)
    _entropies(measurement, axes[0])
    _shares(measurement, axes[1])
    _divergences(measurement, axes[2])
    for panel in axes[:2]:
        panel.set_xlim(0, max(1, len(measurement.ledger.completed)))
        if panel.axison:
            _bands(panel, runs(measurement.ledger), over=True)
    return figure


def _entropies(measurement: Measurement, axes: Axes) -> None:
    ledger = measurement.ledger
    names = [choice.name for choice in ledger.space.choices] if ledger.space is not None else []
    everyone = ["", *(row.agent for row in agents(measurement.results) if row.policy is not None)]
    drawn = 0
    for index, agent in enumerate(everyone if names else ()):
        sequence = cells(ledger, names, agent=agent)
        places = [n for n, run in enumerate(runs(ledger), start=1) if agent in ("", run.agent)]
        told = [(places[r.n - 1], r.value) for r in series(sequence, window_for(len(sequence))) if r.value is not None]
        if told:
            colour, width = (COLOURS[(index - 1) % 7], 1.1) if agent else (COLOURS[7], 1.8)
            places_told, bits = zip(*told, strict=True)
            axes.plot(places_told, bits, color=colour, ls=STYLES[index % 4], lw=width, label=agent or "all")
            drawn += 1
    if not drawn:
        _say_too_few(axes)
        return
    for phase in found_phases(ledger)[0]:
        shade = {"exploration": COLOURS[5], "exploitation": COLOURS[4]}.get(phase.kind)
        if shade is not None:
            axes.axvspan(phase.start, phase.end, color=shade, alpha=0.15, lw=0)
    axes.set_ylabel("entropy, bits")
    axes.set_title("(a) all choices; exploration blue, exploitation orange", loc="left", fontsize=9)
    axes.legend(frameon=False, ncols=4, loc="lower left")


def _shares(measurement: Measurement, axes: Axes) -> None:
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    if not groups or len(done) < 2:
        _say_too_few(axes)
        return
    window = window_for(len(done))
    length, step = window.length(len(done)), window.step(len(done))
    ends = sorted({*range(step, len(done) + 1, step), len(done)})
    values = sorted({joined(run.configuration, groups[:1]) for run in done})
    shares = [[_share(done[max(0, end - length) : end], groups[:1], value) for end in ends] for value in values]
    axes.stackplot(ends, shares, colors=[COLOURS[index % 8] for index in range(len(values))], labels=values, alpha=0.8)
    axes.set_ylabel(f"share of {groups[0]}")
    axes.set_title(f"(b) {groups[0]} over the last {length} completions", loc="left", fontsize=9)
    axes.legend(frameon=True, ncols=4, loc="lower left")


def _share(done: Sequence[Run], names: Sequence[str], value: str) -> float:
    return sum(joined(run.configuration, names) == value for run in done) / len(done)


def _divergences(measurement: Measurement, axes: Axes) -> None:
    search, ledger = measurement.results[0], measurement.ledger
    known = list(search.divergence.ever)
    authors = [ledger.author(name) for name in ledger.completed]
    pairs = list(zip(authors, cells(ledger, search.compared), strict=True)) if search.compared else []
    sequence = [pair for pair in pairs if pair[0] in known]
    readings = divergences.series(known, sequence, window_for(len(sequence)))
    lines = {
        "since the start": [(r.n, r.cumulative) for r in readings if r.cumulative is not None],
        "lately": [(r.n, r.windowed) for r in readings if r.windowed is not None],
    }
    if not lines["since the start"]:
        _say_too_few(axes)
        return
    for index, (label, points) in enumerate(lines.items()):
        if points:
            axes.plot(*zip(*points, strict=True), color=COLOURS[index], ls=STYLES[index], lw=1.3, label=label)
    axes.set_ylabel("divergence, bits")
    axes.set_xlabel("completed experiments; in (c) those of these agents")
    axes.set_title(f"(c) between {', '.join(known)}; no line while one is silent", loc="left", fontsize=9)
    axes.legend(frameon=False)


def _eras(measurement: Measurement) -> Figure:
    """Figure 4: every score and the running best, each era a band; scores do not compare across."""
    done = runs(measurement.ledger)
    figure, (axes,) = _canvas("Figure 4: validation AP of every run and the best so far, eras as bands", 1)
    if not done:
        return _empty(figure, axes)
    y = [run.validation for run in done]
    axes.plot(range(1, len(y) + 1), y, ".", color=COLOURS[0], ms=2, alpha=0.6, label="run", rasterized=True)
    axes.plot(range(1, len(y) + 1), running_best(y), color=COLOURS[7], lw=1.5, drawstyle="steps-post", label="best")
    _bands(axes, done)
    axes.set_xlabel("completed experiments")
    axes.set_ylabel("validation AP")
    axes.legend(frameon=True, loc="lower right")
    return figure


def _bands(axes: Axes, done: Sequence[Run], *, over: bool = False) -> None:
    """Draw each era as a band with its number; `over` another filling as lines between them, where bands would hide."""
    stretches = _stretches(done)
    for index, (era, first, last) in enumerate(stretches if len(stretches) > 1 else ()):
        if index % 2 and not over:
            axes.axvspan(first - 0.5, last + 0.5, color=BAND, alpha=0.35, lw=0, zorder=0)
        if index and over:
            axes.axvline(first - 0.5, color=COLOURS[7], lw=0.8, ls=":")
        told = "none" if era is None else f"era {era}" if not index else str(era)
        # short eras lie close together: every third label begins a new line of them
        height = 1.0 - 0.045 * (index % 3)
        axes.annotate(told, (first, height), xycoords=("data", "axes fraction"), fontsize=6, va="top", ha="left")


def _stretches(done: Sequence[Run]) -> list[tuple[int | None, int, int]]:
    """Return each era with its first completion and the one before the next era's; late results stretch none."""
    starts = [(piece.era, piece.first) for piece in pieces(done)]
    ends = [first - 1 for _, first in starts[1:]] + [len(done)]
    return [(era, first, last) for (era, first), last in zip(starts, ends, strict=True)]


def _architectures(measurement: Measurement) -> Figure:
    """Figure 5: mean validation AP of each backbone x encoder cell with at least five runs."""
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    what = " x ".join(groups[:2]) or "architecture"
    figure, (axes,) = _canvas(f"Figure 5: mean validation AP by {what}, cells with at least {CELL_LEAST} runs", 1)
    found = heat_map(done, groups[0], groups[1]) if len(groups) > 1 else []
    if not any(cell.mean is not None for cell in found):
        return _empty(figure, axes)
    rows, columns = sorted({cell.row for cell in found}), sorted({cell.column for cell in found})
    grid = np.full((len(rows), len(columns)), np.nan)
    for cell in found:
        place = rows.index(cell.row), columns.index(cell.column)
        grid[place] = np.nan if cell.mean is None else cell.mean
        told = f"{cell.mean:.3f}\n" if cell.mean is not None else ""
        boxed = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
        axes.text(place[1], place[0], f"{told}n {cell.n}", ha="center", va="center", fontsize=8, bbox=boxed)
    shown = axes.imshow(np.ma.masked_invalid(grid), cmap="cividis", aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    figure.colorbar(shown, ax=axes, label="mean validation AP")
    return figure


def _canvas(title: str, panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(7.0, 4.2 if panels == 1 else 2.6 * panels), layout="constrained")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure, [figure.add_subplot(panels, 1, index + 1) for index in range(panels)]


def _empty(figure: Figure, axes: Axes) -> Figure:
    _say_too_few(axes)
    return figure


def _say_too_few(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, TOO_FEW, ha="center", va="center", transform=axes.transAxes)


def _points(n: int) -> list[int]:
    return sorted({round(at) for at in np.geomspace(1, n, min(n, POINTS))})


FIGURES: dict[str, Callable[[Measurement], Figure]] = {
    "figure2-convergence": _convergence,
    "figure3-dynamics": _dynamics,
    "figure4-eras": _eras,
    "figure5-architectures": _architectures,
}
