"""The dossier's view: one experiment with its reasons, its curves, and every fact about it, each with its cause."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from events.envelope import Text
from replay.dossier import Dossier, Event, Relative, differing, dossier, stands, words
from replay.pages.tables import measured, pairs
from replay.times import lasted, shown
from tui.chart import curve, stretched
from tui.columns import Column, fit
from tui.model import Model
from tui.overview import Overview
from tui.sheet import Sheet
from tui.telling import laid, plain
from tui.view import Keys, Opened, View

TALL = 6
"""Lines of a curve."""


class Dossiers(View):
    """One experiment's dossier."""

    NAME = "dossier"
    UNDER = "experiments"
    KEYS: ClassVar[Keys] = (
        ("arrows, pages, ends", "scroll"),
        ("u", "up: the dossier of the parent"),
        ("t", "the first run that was declined as its twin, or whose twin it is"),
        ("b", "the cycle that proposed it: briefing, answer, ideas"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "parent", "Parent", show=False),
        Binding("t", "twin", "Twin", show=False),
        Binding("b", "briefing", "Briefing", show=False),
    ]

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.sheet = Sheet(title="Dossier", id="dossier-sheet")
        self.made: Dossier | None = None
        self._trail = Trail("")
        self._seen = (0, False)

    def compose(self) -> ComposeResult:
        """Yield the page."""
        yield self.sheet

    def open(self, about: str) -> None:
        """Begin at the top of another one."""
        super().open(about)
        self.sheet.show([], top=0)
        self._trail = Trail(about)

    def on_resize(self) -> None:
        """Draw the curves anew."""
        self.again()

    def show(self, overview: Overview) -> None:
        """Show what was known at this moment; made anew only where a frame about it came since."""
        width = self.size.width - 4
        if not self.about or width < 0:
            return
        with self.model.lock:
            moved = self._trail.follow(self.model) or (
                self.made is not None and not stands(self.made, self.model.sight.ledger)
            )
            if moved:
                self.made = self._trail.gather(self.model)
        seen = (width, self.model.with_test)
        if moved or seen != self._seen:
            self._seen = seen
            unknown = [f"{self.about} was not queued at this moment"]
            told = page(self.made, width, with_test=seen[1]) if self.made is not None else unknown
            self.sheet.show(told)

    def action_parent(self) -> None:
        """Open the parent."""
        self._open("parent", self.made.parents if self.made else ())

    def action_twin(self) -> None:
        """Open the twin."""
        self._open("twin that ran", self.made.twins if self.made else ())

    def action_briefing(self) -> None:
        """Open the cycle."""
        if self.made is not None and self.made.cycle is not None:
            self.post_message(Opened("cycle", self.made.cycle))
        else:
            self.notify("no agent's cycle proposed it", timeout=2)

    def _open(self, what: str, relatives: Sequence[Relative]) -> None:
        run = next((relative.experiment for relative in relatives if relative.experiment), None)
        if run is not None:
            self.post_message(Opened("dossier", run))
        else:
            self.notify(f"there is no {what}", timeout=2)


class Trail:
    """Where on the tape an experiment is spoken of; only what is new on it is searched."""

    def __init__(self, experiment: str) -> None:
        self.experiment = experiment
        self._words: tuple[str, ...] = ()
        self._sequences: list[int] = []
        self._searched = 0
        self._begun = False

    def follow(self, model: Model) -> bool:
        """Search on, through the shown moment, and say whether anything is otherwise; hold the lock."""
        through, known, begun = model.sight.through, len(self._sequences), self._begun
        self._begun = True
        named = self._names(model)
        if named != self._words:
            self._words, self._sequences, self._searched, known = named, [], 0, -1
        kept = bisect_right(self._sequences, through)
        lost = kept < len(self._sequences)
        del self._sequences[kept:]
        if named:
            self._sequences += model.tape.naming(named, after=min(self._searched, through), through=through)
        self._searched = through
        return lost or not begun or len(self._sequences) != known

    def gather(self, model: Model) -> Dossier | None:
        """Return the dossier, None for one that was not queued by then; hold the lock."""
        frames = (model.tape.frame(sequence) for sequence in self._sequences)
        return dossier(model.sight.results, self.experiment, frames) if self._words else None

    def _names(self, model: Model) -> tuple[str, ...]:
        known = self.experiment in model.sight.ledger.experiments
        return words(model.sight.results, self.experiment) if known else ()


def page(made: Dossier, width: int, *, with_test: bool = False) -> list[str]:
    """Return the dossier's lines; test scores only where somebody asked for them."""
    return [
        *_head(made, width),
        *_configuration(made, width),
        *_curves(made, width),
        *_failures(made, width),
        *_patches(made, width),
        *_relatives(made, width),
        *_facts(made, width, with_test=with_test),
    ]


def _head(made: Dossier, width: int) -> list[str]:
    row = made.entry
    score = f", AP {row.validation:.4f} +- {measured(row.noise)}" if row.validation is not None else ""
    from_cycle = f" in {made.cycle}" if made.cycle else ""
    cost = f"{lasted(row.gpu_seconds)} of device time in {row.attempts} attempt{'s' * (row.attempts != 1)}"
    told = [
        f"{made.idea} by {row.agent} ({row.origin}){from_cycle}, proposed at {made.proposed}",
        plain(made.rationale),
        f"priority {made.priority:.3f}: {pairs(made.terms)}",
        cost + (f", {made.usd:.4f} USD of its cycle" if made.usd is not None else ""),
        f"instrument {row.instrument or 'none yet'}; {pairs(made.platform)}",
    ]
    if row.touched:
        told.append(f"touched by {', '.join(row.touched)}: it means other than it says, and counts no longer")
    if made.compared is not None:
        told.append(f"made again: {made.compared[0]}, AP {made.compared[1]:.4f}")
    heading = f"# {row.experiment} {row.status}{score}"
    return [heading, *(part for text in told for part in wrap(text, width)), ""]


def _configuration(made: Dossier, width: int) -> list[str]:
    parent = made.parents[0] if made.parents else None
    heading = f"# Configuration, beside {parent.experiment or parent.idea}" if parent else "# Configuration"
    rows = [
        (name, _value(value), f"was {_value(before)}" if before is not None else "")
        for name, (value, before) in differing(made).items()
    ]
    return [heading, *fit((Column(""), Column(""), Column("", 1)), rows, width)[1:], ""]


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _curves(made: Dossier, width: int) -> list[str]:
    if not made.validation:
        return []
    room = max(8, min(60, (width - 3) // 2))
    known = [loss for loss in made.loss if loss is not None]
    left = f"training loss {known[0]:.4f} to {known[-1]:.4f}" if known else "training loss never finite"
    best = f"validation AP, best {max(made.validation):.4f} at epoch {made.epoch} of {len(made.validation)}"
    drawn = zip(*(curve(stretched(values, room), room, TALL) for values in (made.loss, made.validation)), strict=True)
    return [
        "# Curves, an epoch after the other",
        *([f"{left:<{room}}   {best}"] if room + 3 + len(best) <= width else [left, best]),
        *(f"{one}   {other}" for one, other in drawn),
        "",
    ]


def _failures(made: Dossier, width: int) -> list[str]:
    lines: list[str] = []
    for attempt, kind, step, trace in made.failures:
        lines += [f"# Attempt {attempt} {kind} at step {step}", *_text(trace, width), ""]
    return lines


def _text(text: Text, width: int) -> list[str]:
    parts = [text.head, *([f"... {text.length} characters in all ...", text.tail] if text.tail else [])]
    return [line for part in parts for line in laid(part, width)]


def _patches(made: Dossier, width: int) -> list[str]:
    lines: list[str] = []
    for one in made.patches:
        told = f"# Patch of {one.repair}, {one.status}: {', '.join(one.files)}"
        why = _text(one.explanation, width) if one.explanation is not None else []
        lines += [told, *why, *_text(one.diff, width), ""]
    return lines


def _relatives(made: Dossier, width: int) -> list[str]:
    lines = []
    for what, relatives in (("Parents", made.parents), ("Children", made.children), ("Declined twins", made.twins)):
        if relatives:
            rows = [
                (r.experiment or "none", r.idea, r.agent, f"{r.validation:.4f}" if r.validation is not None else "")
                for r in relatives
            ]
            columns = (Column("run"), Column("idea"), Column("agent", 1), Column("AP", right=True))
            lines += [f"# {what}: {len(relatives)}", *fit(columns, rows[:20], width)]
            lines += [f"and {len(rows) - 20} more"] * (len(rows) > 20)
            lines.append("")
    return lines


def _words(event: Event, *, with_test: bool) -> str:
    """Say a fact's own words and numbers, but what every line would repeat, and test scores that nobody asked for."""
    silent = ("experiment",) if with_test else ("experiment", "test")
    told = {name: value for name, value in event.said.items() if isinstance(value, str | float) and name not in silent}
    return "; ".join(f"{name} {_value(value)}" for name, value in told.items())


def _facts(made: Dossier, width: int, *, with_test: bool) -> list[str]:
    columns = (
        Column("at", right=True),
        Column("cause", 2, right=True),
        Column("time", 4),
        Column("author", 3),
        Column("fact"),
        Column("what", long=16),
    )
    rows = [
        (
            str(event.position),
            str(event.cause) if event.cause is not None else "",
            shown(event.at)[:19],
            event.author,
            event.type.partition(".")[0],
            _words(event, with_test=with_test),
        )
        for event in made.facts
    ]
    return ["# Every fact, with the one that its author answered", *fit(columns, rows, width)]
