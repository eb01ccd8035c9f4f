"""The overview's view: the best so far, how it got there, and six panels."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Grid
from textual.content import Content
from textual.widgets import Static

from tui import pages
from tui.model import Model
from tui.overview import Overview
from tui.panel import Panel
from tui.view import Keys, View


class Said(Static):
    """A text that is repainted only when it changes; markup in it means nothing."""

    def __init__(self, where: str) -> None:
        super().__init__(id=where, markup=False)
        self.said = ""

    def say(self, text: str | Content) -> None:
        """Show a text."""
        plain = text if isinstance(text, str) else text.plain
        if plain != self.said:
            height, width = self.styles.height, self.styles.width
            wraps, grows = height is not None and height.is_auto, width is not None and width.is_auto
            moves = wraps or (grows and len(plain) != len(self.said))
            self.said = plain
            self.update(Content(text) if isinstance(text, str) else text, layout=moves)


class Front(View):
    """One campaign at a glance."""

    NAME = "overview"
    KEYS: ClassVar[Keys] = (
        ("tab, shift+tab", "next panel, previous panel"),
        ("arrows, pages, ends", "scroll the panel in focus"),
        ("enter, esc", "the panel in focus alone, all panels again"),
    )

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self._said = {where: Said(where) for where in ("best", "chart", "counts", "trend")}
        self._overview: Overview | None = None
        self._panels = [
            Panel(pages.devices, title="Devices", id="devices"),
            Panel(pages.leaders, title="Leaderboard, validation AP", id="leaders"),
            Panel(pages.agents, title="Agents", id="speakers"),
            Panel(pages.queue, title="Queue, next first", id="queue"),
            Panel(pages.troubles, title="Failures and repairs", id="troubles"),
            Panel(pages.stream, title="Facts, newest first", id="stream"),
        ]

    def compose(self) -> ComposeResult:
        """Yield the summary and the panels."""
        yield Container(*self._said.values(), id="summary")
        yield Grid(*self._panels, id="panels")

    def show(self, overview: Overview) -> None:
        """Show this moment."""
        self._overview = overview
        for panel in self._panels:
            panel.look(overview)
        self._summarise()

    def on_resize(self) -> None:
        """Cut the summary anew."""
        self._summarise()

    def _summarise(self) -> None:
        shown, width = self._overview, self.size.width - 2
        if shown is None or width <= 0:
            return
        lines = 3 if self.screen.has_class("-tall") else 1
        self._said["best"].say("\n".join(pages.best(shown, width)))
        self._said["chart"].say(pages.rising(shown, width, lines))
        self._said["counts"].say(pages.counts(shown, width))
        self._said["trend"].say("\n".join(pages.trend(shown, width)))
