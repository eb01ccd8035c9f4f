"""The facts as they were written: the raw stream, narrowed by words, one of them in full, followed, and copied."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from events.envelope import Fact, Position
from events.errors import LogError
from replay.times import shown
from tui.columns import Column
from tui.model import Model
from tui.overview import Overview
from tui.roll import Roll, Table
from tui.sheet import Sheet
from tui.tape import holding
from tui.telling import line
from tui.view import Keys, View

COLUMNS = (
    Column("at", right=True),
    Column("time", 2),
    Column("author", 3),
    Column("fact"),
    Column("what", long=20),
)


class Facts(View):
    """The stream, and below it the fact under the cursor."""

    NAME = "facts"
    KEYS: ClassVar[Keys] = (
        ("arrows, pages, ends", "move the cursor; end follows what arrives"),
        ("/", "words that a fact must hold, such as e-12 or Failed diverged"),
        ("y", "copy the fact under the cursor as JSON"),
        ("enter", "the list or the fact alone, esc both again"),
    )
    NARROWS = "words that a fact must hold; nothing shows all"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy", show=False)]

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.roll = Roll(title="Facts", id="facts-roll", empty="no fact is here")
        self.sheet = Sheet(title="The fact under the cursor", id="facts-sheet")
        self._words: tuple[str, ...] = ()
        self._found: list[Position] = []
        self._searched = 0
        self._pointed = Position(0)
        self._led = -1

    def compose(self) -> ComposeResult:
        """Yield the list and the fact."""
        yield self.roll
        yield self.sheet

    def show(self, overview: Overview) -> None:
        """Show this moment; the cursor on the last line, or where travelling led it, goes on to the last line."""
        through = overview.subject.through
        led = overview.following and self.roll.cursor == self._led
        at_end = led or self.roll.cursor >= self.roll.count - 1
        count = self._count(through)
        self.roll.show(Table(COLUMNS, count, self._rows), cursor=count - 1 if at_end else None)
        self._tell()

    def narrow(self, text: str) -> str:
        """Show the facts that hold every word, whatever the case: of their JSON, their author or their subject."""
        self._words, self._found, self._searched = tuple(text.lower().split()), [], 0
        self.roll.border_title = f"Facts that hold {' and '.join(self._words)}" if self._words else "Facts"
        self.roll.show(Table(COLUMNS, 0, self._rows))
        self.again()
        return self.narrowed()

    def narrowed(self) -> str:
        """Count the facts that are shown where words narrow them."""
        return f"{self.roll.count} facts hold {' and '.join(self._words)}" if self._words else ""

    def point(self, position: Position) -> None:
        """Put the cursor there once, or on the last fact before it that is listed; where it went since, it stays."""
        if position == self._pointed or self._looked is None or position.sequence != self._looked.subject.through:
            return
        self._pointed, before = position, self.model.tape.told(position.sequence - 1)
        self._led = bisect_right(self._found, position) - 1 if self._words else before + position.index
        self.roll.stand(self._led)

    def action_copy(self) -> None:
        """Put the fact under the cursor on the clipboard, as it lies on the log."""
        if not self.roll.count:
            self.notify("there is no fact to copy", timeout=2)
        else:
            self.app.copy_to_clipboard(self.raw(self.roll.cursor))
            self.notify(f"Copied {self._position(self.roll.cursor)} as JSON", timeout=2)

    def raw(self, row: int) -> str:
        """Return one fact's own JSON."""
        return msgspec.json.encode(self._plain(self._position(row))).decode()

    def on_roll_moved(self, message: Roll.Moved) -> None:
        """Show the fact under the cursor."""
        self._tell()

    def on_roll_chosen(self, message: Roll.Chosen) -> None:
        """Give the list the whole screen."""
        self.screen.maximize(self.roll)

    def _tell(self) -> None:
        if not self.roll.count:
            return self.sheet.show([])
        pretty = msgspec.json.format(self.raw(self.roll.cursor), indent=2)
        return self.sheet.show(pretty.splitlines())

    def _count(self, through: int) -> int:
        if not self._words:
            return self.model.tape.told(through)
        if through < self._searched:
            self._found = [position for position in self._found if position.sequence <= through]
        for recorded in self.model.tape.passing(self._searched, through, self._words):
            self._found += [Position(recorded.sequence, index) for index, _ in holding(recorded, self._words)]
        self._searched = through
        return len(self._found)

    def _position(self, row: int) -> Position:
        return self._found[row] if self._words else self.model.tape.position(row + 1)

    def _plain(self, position: Position) -> object:
        return msgspec.json.decode(self.model.tape.frame(position.sequence).payload)[position.index]

    def _rows(self, first: int, last: int) -> list[tuple[str, ...]]:
        return [self._row(self._position(row)) for row in range(first, last)]

    def _row(self, position: Position) -> tuple[str, ...]:
        recorded = self.model.tape.frame(position.sequence)
        try:
            fact: Fact = recorded.facts[position.index]
        except LogError as error:
            return (str(position), "", recorded.author, "unreadable", str(error))
        told = line(position, recorded.author, fact)
        return (told.position, shown(told.at)[:19], told.author, told.type, told.words)
