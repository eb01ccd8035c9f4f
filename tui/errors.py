"""What can go wrong with watching, apart from what goes wrong with the log itself."""

from __future__ import annotations

from replay.errors import QuestionUnknown

NARROWED = ("experiments", "agents", "facts")
"""The panels of which only what matches may be shown."""


class WatchError(Exception):
    """Root of every error that the room raises; its text is one sentence that a person can act on."""


class NoTerminal(WatchError):
    """Standard input, output or error is not a terminal, so there is nothing to draw on."""

    def __init__(self, campaign: str) -> None:
        super().__init__(f"the screen needs a terminal, and this is none: try myriad watch {campaign} --json")
        self.campaign = campaign


class NothingToNarrow(WatchError, QuestionUnknown):
    """A filter was asked for where none means anything."""

    def __init__(self, panel: str) -> None:
        super().__init__(f"{panel} has nothing to narrow: {', '.join(NARROWED[:-1])} and {NARROWED[-1]} have")
        self.panel = panel
