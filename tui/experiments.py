"""Every experiment, one line each: in any order, narrowed by a predicate, and only those made that the eye sees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from events.predicates import Predicate, PredicateInvalid
from replay.pages.tables import SHORT
from replay.roster import Entry, columns, entry, order, predicate
from replay.times import lasted
from tui.columns import Column
from tui.model import Model
from tui.overview import Overview
from tui.roll import Roll, Table, kept
from tui.view import Keys, Opened, View

RATHER = 60
"""Times that sorting took it rests while facts arrive: about a second in a large campaign, and rows that jump more
often than that nobody can read.
"""

FIXED = (
    ("experiment", Column("run")),
    ("status", Column("status", 1)),
    ("validation", Column("AP", right=True)),
    ("validation_noise", Column("+-", 9, right=True)),
    ("agent", Column("agent", 2)),
    ("origin", Column("origin", 7)),
    ("attempts", Column("tries", 8, right=True)),
    ("gpu_seconds", Column("device time", 6, right=True)),
    ("completion", Column("done", 10, right=True)),
    ("era", Column("era", 12, right=True)),
    ("touched", Column("touched by", 1)),
    ("worker", Column("worker", 30)),
    ("instrument", Column("instrument", 29)),
)
"""The roster's own columns and how much they give way; a campaign's dimensions come after them."""

OWN, NOISE = dict(FIXED), "validation_noise"


class Experiments(View):
    """The table of all experiments."""

    NAME = "experiments"
    KEYS: ClassVar[Keys] = (
        ("arrows, pages, ends", "move the cursor"),
        ("enter", "open the dossier of the run under the cursor"),
        ("< >", "sort by the column before, or the next one"),
        ("r", "turn the order around"),
        ("/", "a predicate, as myriad declare --help tells: validation > 0.9 and backbone == motion"),
    )
    NARROWS = "a predicate, such as validation > 0.9; nothing shows all"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "sort(-1)", "Sort", show=False),
        Binding("greater_than_sign", "sort(1)", "Sort", show=False),
        Binding("r", "turn", "Turn around", show=False),
    ]

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.roll = Roll(title="Experiments", id="experiments-roll", empty="no experiment is here")
        self.by = "number"
        self.downward = False
        self._where: Predicate | None = None
        self._names: list[str] = []
        self._seen: tuple[object, ...] = ()
        self._rests = 0.0

    def compose(self) -> ComposeResult:
        """Yield the table."""
        yield self.roll

    def show(self, overview: Overview) -> None:
        """Show this moment; sorting waits its turn where it takes long."""
        seen, before = (overview.subject.through, self.by, self.downward, self._where), self._names
        if seen != self._seen and (seen[1:] != self._seen[1:] or time.monotonic() >= self._rests):
            self._sort()
            self._seen = seen
        with self.model.lock:
            shown = self._columns()
        names = self._names
        table = Table([column for _, column in shown], len(names), lambda a, b: self._rows(shown, names[a:b]))
        self.roll.show(table, cursor=kept(self.roll.cursor, before, names) if names is not before else None)

    def narrow(self, text: str) -> str:
        """Show those that a predicate means."""
        with self.model.lock:
            try:
                self._where = predicate(self.model.sight.ledger, text) if text else None
            except PredicateInvalid as error:
                raise ValueError(str(error)) from error
        self._resort()
        return self.narrowed()

    def narrowed(self) -> str:
        """Count the experiments that are shown where a predicate narrows them."""
        return f"{len(self._names)} experiments where {self._where}" if self._where else ""

    def action_sort(self, by: int) -> None:
        """Sort by another column; numbers begin with the largest, save for the order of queueing."""
        with self.model.lock:
            known = columns(self.model.sight.ledger)
        self.by = known[(known.index(self.by) + by) % len(known)]
        self.downward = self.by in ("validation", "validation_noise", "gpu_seconds", "attempts", "touched")
        self._resort(0)

    def action_turn(self) -> None:
        """Turn the order around."""
        self.downward = not self.downward
        self._resort(0)

    def on_roll_chosen(self, message: Roll.Chosen) -> None:
        """Open a dossier."""
        self.post_message(Opened("dossier", self._names[message.row]))

    def _resort(self, cursor: int | None = None) -> None:
        self._seen = ()
        if cursor is not None:
            self.roll.cursor = cursor
        self.again()

    def _sort(self) -> None:
        begun = time.monotonic()
        with self.model.lock:
            self._names = order(self.model.sight.ledger, by=self.by, downward=self.downward, where=self._where)
        now = time.monotonic()
        self._rests = now + RATHER * (now - begun)
        narrowed = f", where {self._where}" if self._where else ""
        self.roll.border_title = f"Experiments by {self.by}{', downward' if self.downward else ''}{narrowed}"

    def _columns(self) -> list[tuple[str, Column]]:
        ledger = self.model.sight.ledger
        names = columns(ledger)
        others = [name for name in names if name not in OWN and name != "number"]
        told = [each for each in FIXED if each[0] != "touched" or self.by == "touched" or ledger.defects.all]
        found = [*told, *((name, Column(SHORT.get(name, name), 11 + n)) for n, name in enumerate(others))]
        return [(name, column._replace(rank=0) if name == self.by else column) for name, column in found]

    def _rows(self, shown: Sequence[tuple[str, Column]], names: Sequence[str]) -> list[tuple[str, ...]]:
        with self.model.lock:
            ledger = self.model.sight.ledger
            entries = [entry(ledger, name) for name in names if name in ledger.experiments]
        return [tuple(_cell(row, name) for name, _ in shown) for row in entries]


def _cell(row: Entry, name: str) -> str:
    value = row.configuration.get(name) if name not in OWN else row.noise if name == NOISE else getattr(row, name)
    if value is None:
        return ""
    if name == "touched":
        return " ".join(row.touched)
    if name == "status" and row.touched:
        return f"{row.status}, tainted"
    if name == "gpu_seconds":
        return lasted(row.gpu_seconds) if row.attempts else ""
    if name in ("validation", NOISE):
        return f"{value:.4f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:24]
