"""A panel: one page of the overview, its first line a heading, scrolled with the arrows; no line is made twice."""

from __future__ import annotations

from textual.events import Resize

from tui.overview import Overview
from tui.pages import Page
from tui.sheet import Sheet


class Panel(Sheet):
    """One of the overview's panels; it takes the focus, and may have the screen to itself.

    Args:
        page: says the lines.
        title: in plain words, read aloud by screen readers.
    """

    def __init__(self, page: Page, *, title: str, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(title=title, id=id)
        self._page = page
        self._overview: Overview | None = None

    def on_resize(self, event: Resize) -> None:
        """Cut the lines anew."""
        super().on_resize(event)
        self._paint()

    def look(self, overview: Overview) -> None:
        """Show another moment."""
        self._overview = overview
        self._paint()

    def heading(self, nth: int) -> str | None:
        """Say that the first line is one."""
        return self.lines[0] if nth == 0 else None

    def _paint(self) -> None:
        if self._overview is not None and self.size.width:
            self.show(self._page(self._overview, self.size.width))
