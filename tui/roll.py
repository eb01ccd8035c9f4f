"""A roll: a table of any length of which only the lines that the eye sees are ever made, with a cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.strip import Strip

from tui.columns import Column, fit
from tui.inked import Inked

Rows = Callable[[int, int], Sequence[Sequence[str]]]
"""Returns the cells of the rows from one number up to, and without, another, from 0."""


_UNDER = Style(underline=True)
"""How the cursor's row looks while another widget has the focus."""


class Table(NamedTuple):
    """What a roll shows: its columns, how many rows there are, and how to make some of them."""

    columns: Sequence[Column]
    length: int
    rows: Rows


def kept(cursor: int, before: Sequence[str], now: Sequence[str]) -> int | None:
    """Return where the row under the cursor went, None where it is gone, or was the first: what is first stays seen."""
    name = before[cursor] if 0 < cursor < len(before) else None
    return next((row for row, other in enumerate(now) if other == name), None) if name is not None else None


class Roll(Inked, can_focus=True):
    """A table's window.

    Attributes:
        top: the first row that is seen.
        cursor: the row that the keys are about.
        lines: what is drawn, the heading first.
    """

    class Chosen(Message):
        """Enter, or a click on the row under the cursor."""

        def __init__(self, roll: Roll, row: int) -> None:
            super().__init__()
            self.roll = roll
            self.row = row

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, roll: Roll, row: int) -> None:
            super().__init__()
            self.roll = roll
            self.row = row

    ALLOW_MAXIMIZE: ClassVar[bool | None] = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {"roll--heading", "roll--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "end(0)", "First", show=False),
        Binding("end", "end(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    def __init__(self, *, title: str, id: str, empty: str = "nothing") -> None:  # noqa: A002 # Textual's word
        super().__init__(id=id)
        self.border_title = title
        self._empty = empty
        self._table = Table((), 0, lambda *_: ())
        self._widths: dict[str, int] = {}
        self.top = self.cursor = 0
        self.lines: list[str] = []
        self._window: list[tuple[str, bool, bool]] = []

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._table.length

    def show(self, table: Table, *, cursor: int | None = None) -> None:
        """Show a table, or another state of it; the cursor stays where it was unless it is given."""
        if [column.header for column in table.columns] != [column.header for column in self._table.columns]:
            self._widths.clear()
        self._table = table
        self._place(self.cursor if cursor is None else cursor)

    def stand(self, row: int) -> None:
        """Put the cursor on a row."""
        self._walk(row)

    def on_resize(self, event: Resize) -> None:
        """Make the lines anew."""
        self._place(self.cursor)
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor as one that moves."""
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self._walk(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by so many pages."""
        self._walk(self.cursor + by * max(1, self._height() - 1))

    def action_end(self, end: int) -> None:
        """Move the cursor to the first row, or to the last."""
        self._walk(end * (self.count - 1))

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move on."""
        self.action_move(3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move back."""
        self.action_move(-3)

    def on_click(self, event: Click) -> None:
        """Put the cursor on a row; on the row where it stands already, open it."""
        offset = event.get_content_offset(self)
        if offset is None or not 0 < offset.y < len(self.lines) or not self.count:
            return
        row = self.top + offset.y - 1
        if row == self.cursor:
            self.action_choose()
        else:
            self._walk(row)

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        width = self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, self.ink)
        style = self.ink
        if y == 0 and self.count:
            style = self.get_component_rich_style("roll--heading")
        elif self.count and self.top + y - 1 == self.cursor:
            style = self.get_component_rich_style("roll--cursor") if self.has_focus else self.ink + _UNDER
        return Strip([Segment(self.lines[y], style)]).adjust_cell_length(width, style)

    def _walk(self, row: int) -> None:
        before = self.cursor
        self._place(row)
        if self.cursor != before:
            self.post_message(self.Moved(self, self.cursor))

    def _place(self, row: int) -> None:
        height, last = self._height(), max(0, self.count - 1)
        self.cursor = max(0, min(row, last))
        self.top = max(0, min(self.top, self.cursor, max(0, self.count - height)))
        if height:
            self.top = max(self.top, self.cursor - height + 1)
        self._draw(height)

    def _draw(self, height: int) -> None:
        if not height or not self.size.width:
            return
        columns, count, rows = self._table
        seen = [tuple(row) for row in rows(self.top, min(count, self.top + height))] if count else []
        lines = fit(columns, seen, self.size.width, least=self._widths) if seen else [self._empty]
        told = f"{self.cursor + 1} of {count}" if count else ""
        self.seen(told)
        before, self.lines = self._window, lines
        self._window = [(line, y == self.cursor - self.top + 1, bool(count)) for y, line in enumerate(lines)]
        self.redraw(before, self._window)

    def _height(self) -> int:
        return max(0, self.size.height - 1)
