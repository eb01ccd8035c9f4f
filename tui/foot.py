"""The foot: which key shows which view, the open one in brackets; a click on one does what its key does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.events import Click
from textual.strip import Strip

from tui.inked import Inked


class Tab(NamedTuple):
    """A key, the word beside it, and the action of the screen that it stands for."""

    key: str
    word: str
    action: str


class Foot(Inked):
    """One line of tabs.

    Args:
        tabs: in their order.

    Attributes:
        open: the action of the tab that is open; where there is no room for every word, it alone has one.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"foot--open"}

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__(id="foot")
        self.border_title = "Keys"
        self.open = ""
        self._tabs = tabs

    def mark(self, action: str) -> None:
        """Put another tab in brackets."""
        if action != self.open:
            self.open = action
            self.refresh()

    def words(self) -> list[str]:
        """Return what stands on the line, one word a tab; joined they fit where 40 cells are."""
        room = sum(len(tab.key) + len(tab.word) + 3 for tab in self._tabs) <= self.size.width
        return [self._word(tab, named=room) for tab in self._tabs]

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        style, marked = self.ink, self.get_component_rich_style("foot--open")
        parts = zip(self._tabs, self.words(), strict=True)
        segments = [Segment(word, marked if tab.action == self.open else style) for tab, word in parts]
        return Strip(segments).adjust_cell_length(self.size.width, style)

    async def on_click(self, event: Click) -> None:
        """Do what the key does on which the click was."""
        end = 0
        for tab, word in zip(self._tabs, self.words(), strict=True):
            end += len(word)
            if event.x < end:
                await self.app.run_action(tab.action, self.screen)
                return

    def _word(self, tab: Tab, *, named: bool) -> str:
        if tab.action == self.open:
            return f"[{tab.key} {tab.word}]"
        return f" {tab.key} {tab.word} " if named else f" {tab.key} "
