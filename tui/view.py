"""A view: one of the screens that the keys 1 to 6 show, or what is opened from one, such as a dossier."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Container
from textual.events import DescendantFocus
from textual.message import Message
from textual.widget import Widget

from events.envelope import Position
from tui.model import Model
from tui.overview import Overview

Keys = tuple[tuple[str, str], ...]
"""Pairs of keys and what they do."""


class Opened(Message):
    """Somebody wants to see something.

    Attributes:
        view: the name of a view.
        about: what it should show, such as an experiment; empty for a view of the whole campaign.
    """

    def __init__(self, view: str, about: str = "") -> None:
        super().__init__()
        self.view = view
        self.about = about


class View(Container):
    """One view of a model.

    Attributes:
        NAME: what the head calls it.
        KEYS: what its own keys do, for its page of help.
        NARROWS: what may be typed after a slash, empty where nothing can be narrowed.
        UNDER: the view with a key of its own that it belongs to, empty for one that has a key.
        about: what is shown, where the view is of one thing.
    """

    NAME: ClassVar[str]
    KEYS: ClassVar[Keys] = ()
    NARROWS: ClassVar[str] = ""
    UNDER: ClassVar[str] = ""

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(id=id)
        self.model = model
        self.about = ""
        self._looked: Overview | None = None
        self._had: Widget | None = None

    def look(self, overview: Overview) -> None:
        """Take a moment, and show it."""
        self._looked = overview
        self.show(overview)

    def again(self) -> None:
        """Show the moment that was last looked at, for another width or another question."""
        if self._looked is not None:
            self.show(self._looked)

    def show(self, overview: Overview) -> None:
        """Show this moment; asked while the view is the one that is seen, for each picture."""

    def open(self, about: str) -> None:
        """Take what to show, before `show` is asked."""
        self.about = about

    def narrow(self, text: str) -> str:
        """Show only what a text means, and say what is shown; raises `ValueError` where it means nothing."""
        raise ValueError(f"{self.NAME} has nothing to narrow")

    def narrowed(self) -> str:
        """Say again, for the moment that is shown now, what `narrow` said."""
        return ""

    def point(self, position: Position) -> None:
        """Put a cursor on the fact that a person went to; a view that lists no facts has none."""

    def first(self) -> None:
        """Give the focus to what had it last here, or else to what a person most likely wants."""
        widget = self._had or next((each for each in self.query("*") if each.can_focus), None)
        if widget is not None:
            widget.focus()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember what has the focus."""
        self._had = event.widget
