"""The program around the screen: starts the follower and the folder, and carries their pictures to the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from events.log import LogReader
from tui.feed import Feed
from tui.folding import Folding
from tui.links import State
from tui.model import Model
from tui.overview import Overview
from tui.screen import OverviewScreen


class Pictured(Message):
    """There is a newer overview; of several that wait, the last one is enough."""

    def __init__(self, overview: Overview) -> None:
        super().__init__()
        self.overview = overview

    def can_replace(self, message: Message) -> bool:
        """Replace an older picture that still waits."""
        return isinstance(message, Pictured)


class Broke(Message):
    """The folder met what should never happen."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class WatchApp(App[None]):
    """`myriad watch`: one campaign on one screen.

    Args:
        log: already open; the program closes it.
        again: returns a log with more once this one ended; see `tui.feed.Feed`.
    """

    TITLE = "myriad watch"
    CSS_PATH = "style.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "quit", "Quit", show=False, priority=True)]

    def __init__(self, log: LogReader, again: Callable[[State], LogReader | None] | None = None) -> None:
        super().__init__()
        model = Model(log.campaign)
        self.overview = OverviewScreen(model.overview())
        self._folding = Folding(
            model,
            lambda overview: self._tell(Pictured(overview)),
            lambda error: self._tell(Broke(error)),
        )
        self._feed = Feed(log, self._folding.put, again)

    def get_default_screen(self) -> OverviewScreen:
        """Return the overview."""
        return self.overview

    def on_mount(self) -> None:
        """Begin to read and to fold."""
        self._folding.start()
        self._feed.start()

    def on_unmount(self) -> None:
        """End both threads."""
        self._folding.stop()
        self._feed.stop()

    def on_pictured(self, message: Pictured) -> None:
        """Show it."""
        self.overview.show(message.overview)

    def on_broke(self, message: Broke) -> None:
        """End the program with the error: a screen that stands still would be a lie."""
        raise message.error

    def _tell(self, message: Message) -> None:
        self.post_message(message)
