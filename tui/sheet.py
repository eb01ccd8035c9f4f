"""A sheet: lines of any number, cut to the width or wrapped by who makes them, scrolled with the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import MouseScrollDown, MouseScrollUp, Resize
from textual.strip import Strip

from tui.columns import cut
from tui.inked import Inked


class Sheet(Inked, can_focus=True):
    """Text of which only what the eye sees is drawn.

    Attributes:
        lines: all of it, as it was given; a line that begins with `# ` is a heading.
        top: the first line that is seen.
    """

    ALLOW_MAXIMIZE: ClassVar[bool | None] = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--heading"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "end(0)", "Top", show=False),
        Binding("end", "end(1)", "End", show=False),
    ]

    def __init__(self, *, title: str, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(id=id)
        self.border_title = title
        self.lines: list[str] = []
        self.top = 0

    def show(self, lines: Sequence[str], *, top: int | None = None) -> None:
        """Show other lines; the place in them stays unless it is given."""
        if list(lines) != self.lines or top is not None:
            before = self._window()
            self.lines = list(lines)
            self._stand(self.top if top is None else top)
            self.redraw(before, self._window())

    def on_resize(self, event: Resize) -> None:
        """Keep the place within the lines."""
        self._to(self.top)

    def action_move(self, by: int) -> None:
        """Scroll by so many lines."""
        self._to(self.top + by)

    def action_page(self, by: int) -> None:
        """Scroll by so many pages."""
        self._to(self.top + by * max(1, self.size.height - 1))

    def action_end(self, end: int) -> None:
        """Scroll to the top, or to the end."""
        self._to(end * len(self.lines))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll on."""
        self._to(self.top + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll back."""
        self._to(self.top - 3)

    def render_line(self, y: int) -> Strip:
        """Return one line of the window."""
        width, nth = self.size.width, self.top + y
        if nth >= len(self.lines):
            return Strip.blank(width, self.ink)
        text, style, heading = self.lines[nth], self.ink, self.heading(nth)
        if heading is not None:
            text, style = heading, self.get_component_rich_style("sheet--heading")
        return Strip([Segment(cut(text, width), style)]).adjust_cell_length(width, style)

    def heading(self, nth: int) -> str | None:
        """Return what a line says where it is a heading, None where it is none."""
        return self.lines[nth][2:] if self.lines[nth].startswith("# ") else None

    def _to(self, top: int) -> None:
        self._stand(top)
        self.refresh()

    def _stand(self, top: int) -> None:
        height = self.size.height
        self.top = max(0, min(top, len(self.lines) - height))
        more = len(self.lines) > height > 0
        self.seen(f"{self.top + 1} to {min(len(self.lines), self.top + height)} of {len(self.lines)}" * more)

    def _window(self) -> list[tuple[str, bool]]:
        """What is seen, and whether it is a heading."""
        places = range(self.top, min(len(self.lines), self.top + self.size.height))
        return [(self.lines[nth], self.heading(nth) is not None) for nth in places]
