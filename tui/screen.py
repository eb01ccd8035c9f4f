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


class OverviewScreen(Screen[None]):
    """One campaign at a glance.

    Attributes:
        shown: what the screen shows.
        newest: what has arrived; ahead of `shown` while the view is frozen.
        frozen: whether the view stands still.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (180, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-tall")]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.quit", "Quit"),
        Binding("space", "freeze", "Freeze"),
        Binding("enter", "alone", "Panel alone"),
        Binding("escape", "together", "Back", show=False),
        Binding("tab", "app.focus_next", "Next panel"),
        Binding("question_mark", "keys", "Keys"),
    ]

    def __init__(self, overview: Overview) -> None:
        super().__init__()
        self.shown = overview
        self.newest = overview
        self.frozen = False

    def compose(self) -> ComposeResult:
        """Yield the head, the panels and the keys."""
        yield Static(id="small", markup=False)
        with Horizontal(id="top"):
            yield Static(id="name", markup=False)
            yield Static(id="badge", markup=False)
            yield Static(id="head", markup=False)
        yield Static(id="notice", markup=False)
        with Container(id="summary"):
            yield Static(id="best", markup=False)
            with Horizontal(id="chart"):
                yield Static(id="first", markup=False)
                yield Sparkline([], id="progress")
                yield Static(id="last", markup=False)
            yield Static(id="counts", markup=False)
        with Grid(id="panels"):
            yield Panel(pages.devices, title="Devices", id="devices")
            yield Panel(pages.leaders, title="Leaderboard, validation AP", id="leaders")
            yield Panel(pages.agents, title="Agents", id="agents")
            yield Panel(pages.queue, title="Queue, next first", id="queue")
            yield Panel(pages.troubles, title="Failures and repairs", id="troubles", newest_last=True)
            yield Panel(pages.stream, title="Latest facts", id="facts", newest_last=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what is known so far."""
        self._paint()

    def on_resize(self, event: Resize) -> None:
        """Say so where the terminal is too small, and show everything again where it is not."""
        columns, lines = event.size
        self.set_class(columns < LEAST[0] or lines < LEAST[1], "-small")
        size = f"This terminal has {columns} columns and {lines} lines; the screen needs {LEAST[0]} and {LEAST[1]}."
        self._say("small", f"{size} q quits.")
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
        for panel in self.query(Panel):
            panel.show(self.shown)

    def _paint_badge(self) -> None:
        state = self.newest.link.state
        badge = self.query_one("#badge", Static)
        badge.set_classes(f"-{state}")
        behind = self.newest.facts - self.shown.facts
        self._say("badge", BADGES[state] + (f"  FROZEN, {behind} facts wait" if self.frozen else ""))

    def _paint_head(self) -> None:
        shown, width = self.shown, self.size.width
        self._say("name", shown.subject.campaign)
        self._say("head", pages.head(shown, width))
        told = pages.notice(self.newest)
        self.query_one("#notice").display = bool(told)
        self._say("notice", told)
        self._say("best", "\n".join(pages.best(shown, width - 2)))
        self._say("counts", pages.counts(shown, width - 2))
        rising = shown.running_best
        self._say("first", f"best so far {rising[0]:.4f} " if rising else "best so far ")
        self._say("last", f" {rising[-1]:.4f} after {len(rising)}" if rising else " after 0")
        chart = self.query_one("#progress", Sparkline)
        if chart.data != rising:
            chart.data = rising

    def _say(self, where: str, text: str) -> None:
        widget = self.query_one(f"#{where}", Static)
        if str(widget.content) != text:
            widget.update(Content(text))
