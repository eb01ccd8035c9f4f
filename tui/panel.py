"""A panel: a title, a page of lines cut to its width, scrolled with the arrows, repainted only when a line changed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from tui.overview import Overview
from tui.pages import Page


class Panel(VerticalScroll):
    """One of the overview's panels; it takes the focus, and may have the screen to itself.

    Args:
        page: says the lines.
        title: in plain words, read aloud by screen readers.
    """

    ALLOW_MAXIMIZE: ClassVar[bool] = True

    def __init__(self, page: Page, *, title: str, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(id=id, can_focus=True)
        self.border_title = title
        self._page = page
        self._text = Static(markup=False)
        self._overview: Overview | None = None
        self.lines: list[str] = []

    def compose(self) -> ComposeResult:
        """Yield the one widget that holds the lines."""
        yield self._text

    def on_resize(self, event: Resize) -> None:
        """Cut the lines anew."""
        self._paint()

    def show(self, overview: Overview) -> None:
        """Show another moment."""
        self._overview = overview
        self._paint()

    def _paint(self) -> None:
        width = self.scrollable_content_region.width
        if self._overview is None or not width:
            return
        lines = self._page(self._overview, width)
        if lines != self.lines:
            self.lines = lines
            text = Content("\n").join([Content.styled(lines[0], "bold"), *map(Content, lines[1:])])
            self._text.update(text)
