"""What draws its own lines of text: their colours are looked up once a drawing, not once a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Inked(Widget):
    """A widget of lines."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(id=id)
        self._ink: Style | None = None
        self._seen = ""

    @property
    def ink(self) -> Style:
        """Its own colours; every ancestor is asked for them."""
        if self._ink is None:
            self._ink = self.rich_style
        return self._ink

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines that are not drawn yet, in the colours of now."""
        self._ink = None
        return super().render_lines(crop)

    def seen(self, told: str) -> None:
        """Say in the border which part is seen."""
        if told != self._seen:  # a border that is set is drawn, whatever was there
            self._seen = told
            self.border_subtitle = told

    def redraw(self, before: Sequence[object], now: Sequence[object]) -> None:
        """Draw the lines of the window that are no longer what they were, and those that one of the two has not."""
        width = self.size.width
        for y, (old, new) in enumerate(zip_longest(before, now)):
            if old != new:
                self.refresh(Region(0, y, width, 1))
