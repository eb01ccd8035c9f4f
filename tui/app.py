"""The program around the screen: starts the follower and the folder, and carries their pictures to the screen."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.screen import Screen

from events.log import LogReader
from tui.acting import Write
from tui.commands import COMMANDS
from tui.feed import Feed
from tui.folding import Folding
from tui.links import State
from tui.model import Model
from tui.overview import Overview
from tui.remembered import Remembered
from tui.screen import WatchScreen
from tui.themes import OURS, THEMES
from tui.views import views

SWITCH = 0.0005
"""Seconds for which a thread may keep another one from running. A key passes a dozen turns of the event loop, and at
each of them the thread that folds may be in between: with Python's own 5 ms that alone is longer than a key may take.
"""


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
        write: how a person's facts are written, None for somebody who only looks on.
        remembered: where an earlier screen may have left a picture, and this one leaves its own.
    """

    TITLE = "myriad watch"
    CSS_PATH = "style.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "quit", "Quit", show=False, priority=True)]

    def __init__(
        self,
        log: LogReader,
        again: Callable[[State], LogReader | None] | None = None,
        write: Write | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        super().__init__()
        self._interval = sys.getswitchinterval()
        for theme in OURS:
            self.register_theme(theme)
        model = Model(log.campaign, remembered)
        self._folding = Folding(
            model,
            lambda overview: self._tell(Pictured(overview)),
            lambda error: self._tell(Broke(error)),
        )
        self.watching = WatchScreen(model, self._folding, views(model, log, self._folding.ask), write)
        self._feed = Feed(log, self._folding.put, again)

    def get_default_screen(self) -> WatchScreen:
        """Return the one screen."""
        return self.watching

    def get_system_commands(self, screen: Screen[None]) -> Iterable[SystemCommand]:
        """Yield the commands that need nothing typed, and the themes."""
        for name, command in COMMANDS.items():
            if not command.takes:
                yield SystemCommand(name, command.says, partial(command.run, self.watching, ""))
        for name in THEMES:
            yield SystemCommand(f"theme {name}", "change the colours", partial(setattr, self, "theme", THEMES[name]))

    def on_mount(self) -> None:
        """Begin to read and to fold; until the log is read nothing is garbage, and the search for it takes a third."""
        gc.disable()
        self._folding.start()
        self._feed.start()

    def on_unmount(self) -> None:
        """End both threads."""
        self._folding.stop()
        self._feed.stop()
        self._read()
        gc.unfreeze()
        sys.setswitchinterval(self._interval)

    def on_key(self, event: Key) -> None:
        """Let the prompt have what was typed ahead of it: over a slow line a command comes in one piece."""
        typed = event.character if event.is_printable else None
        if typed and self.screen is self.watching and self.watching.typed_ahead(typed):
            event.stop()
            event.prevent_default()

    def on_pictured(self, message: Pictured) -> None:
        """Show it."""
        shown = message.overview
        if shown.link.state != "opening" and shown.end >= shown.link.last:
            self._read()
        self.watching.show(shown)

    def on_broke(self, message: Broke) -> None:
        """End the program with the error: a screen that stands still would be a lie."""
        raise message.error

    def _read(self) -> None:
        """Look for garbage again, save in what a campaign keeps for good; from now on keys go before folding."""
        if not gc.isenabled():
            gc.enable()
            gc.freeze()
            sys.setswitchinterval(SWITCH)

    def _tell(self, message: Message) -> None:
        self.post_message(message)
