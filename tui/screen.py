"""The overview's screen: a head that always shows, six panels, and a view that may be frozen while facts arrive."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Grid, Horizontal
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer, Sparkline, Static

from tui import pages
from tui.help import Help
from tui.overview import Overview
from tui.panel import Panel

LEAST = (60, 16)
"""Columns and lines below which nothing would be legible."""

BADGES = {"opening": "OPENING", "live": "LIVE", "recorded": "RECORDED", "lost": "LOST", "broken": "BROKEN"}


class Said(Static):
    """A text that is repainted only when it changes; markup in it means nothing."""

    def __init__(self, where: str) -> None:
        super().__init__(id=where, markup=False)
        self.said = ""

    def say(self, text: str) -> None:
        """Show a text."""
        if text != self.said:
            self.said = text
            self.update(Content(text))


class OverviewScreen(Screen[None]):
    """One campaign at a glance.

    Attributes:
        shown: what the screen shows.
        newest: what has arrived; ahead of `shown` while the view is frozen.
        frozen: whether the view stands still.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (210, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-tall")]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.quit", "Quit"),
        Binding("space", "freeze", "Freeze"),
        Binding("tab", "app.focus_next", "Next panel"),
        Binding("enter", "alone", "Panel alone"),
        Binding("escape", "together", "All panels", show=False),
        Binding("question_mark", "keys", "Keys"),
    ]

    def __init__(self, overview: Overview) -> None:
        super().__init__()
        self.shown = overview
        self.newest = overview
        self.frozen = False
        # made here and kept, so that a picture may come before the screen is composed, and after it is gone
        words = ("small", "name", "badge", "head", "notice", "best", "first", "last", "counts")
        self._said = {where: Said(where) for where in words}
        self._chart = Sparkline([], id="progress")
        self._panels = [
            Panel(pages.devices, title="Devices", id="devices"),
            Panel(pages.leaders, title="Leaderboard, validation AP", id="leaders"),
            Panel(pages.agents, title="Agents", id="agents"),
            Panel(pages.queue, title="Queue, next first", id="queue"),
            Panel(pages.troubles, title="Failures and repairs", id="troubles"),
            Panel(pages.stream, title="Facts, newest first", id="facts"),
        ]

    def compose(self) -> ComposeResult:
        """Yield the head, the panels and the keys."""
        said = self._said
        yield said["small"]
        yield Horizontal(said["name"], said["badge"], said["head"], id="top")
        yield said["notice"]
        yield Container(
            said["best"],
            Horizontal(said["first"], self._chart, said["last"], id="chart"),
            said["counts"],
            id="summary",
        )
        yield Grid(*self._panels, id="panels")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what is known so far."""
        self._paint()

    def on_resize(self, event: Resize) -> None:
        """Say so where the terminal is too small, and show everything again where it is not."""
        columns, lines = event.size
        self.set_class(columns < LEAST[0] or lines < LEAST[1], "-small")
        needed = f"the screen needs {LEAST[0]} and {LEAST[1]}. q quits."
        self._said["small"].say(f"This terminal has {columns} columns and {lines} lines; {needed}")
        self._paint_head()

    def show(self, overview: Overview) -> None:
        """Take a newer moment: shown at once, or only counted while the view is frozen."""
        self.newest = overview
        if self.frozen:
            self._paint_badge()
        else:
            self.shown = overview
            self._paint()

    def action_freeze(self) -> None:
        """Let the view stand still, or catch up."""
        self.frozen = not self.frozen
        self.show(self.newest)

    def action_alone(self) -> None:
        """Give the focused panel the whole screen."""
        if isinstance(self.focused, Panel):
            self.maximize(self.focused)

    def action_together(self) -> None:
        """Show all panels again."""
        self.minimize()

    def action_keys(self) -> None:
        """Say which key does what."""
        self.app.push_screen(Help())

    def _paint(self) -> None:
        self._paint_badge()
        self._paint_head()
        for panel in self._panels:
            panel.show(self.shown)

    def _paint_badge(self) -> None:
        state, badge = self.newest.link.state, self._said["badge"]
        badge.set_classes(f"-{state}")
        waiting = self.newest.facts - self.shown.facts
        badge.say(BADGES[state] + (f" FROZEN, {waiting} facts wait" if self.frozen else ""))
        told = pages.notice(self.newest)
        self._said["notice"].display = bool(told)
        self._said["notice"].say(told)

    def _paint_head(self) -> None:
        shown, said, width = self.shown, self._said, self.size.width
        said["name"].say(shown.subject.campaign)
        said["head"].say(pages.head(shown, width))
        said["best"].say("\n".join(pages.best(shown, width - 2)))
        said["counts"].say(pages.counts(shown, width - 2))
        rising = shown.running_best
        said["first"].say(f"running best {rising[0]:.4f} " if rising else "running best ")
        said["last"].say(f" {rising[-1]:.4f} after {len(rising)}" if rising else " after 0")
        if self._chart.data != rising:
            self._chart.data = rising
