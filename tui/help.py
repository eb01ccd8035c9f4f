"""The keys, on a page of their own over the screen: those of the view in focus first; what arrives is shown behind."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.view import Keys

KEYS: Keys = (
    ("1 to 6", "overview, experiments, agents, dynamics, facts, eras"),
    ("esc", "back to where you were"),
    ("space", "freeze the view, and catch up; facts keep arriving and are counted"),
    ("[ ]  { }", "a fact back or on; an era back or on"),
    ("g", "go to a position, a time or an experiment"),
    ("p  + -", "play from here; faster and slower, 1x to 1000x"),
    (":", "type a command; ctrl+p lists them, and themes"),
    ("tab, shift+tab", "next panel, previous panel"),
    ("q, ctrl+c", "quit; a running campaign goes on"),
    ("?", "this page; any of ?, esc and q closes it"),
)


WIDTH = 72
"""Cells of the page without its border."""


class Help(ModalScreen[None]):
    """Which key does what.

    Args:
        about: the name of the view that has the focus, and `keys`, its own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,escape,q", "dismiss", "Close")]

    def __init__(self, about: str, keys: Keys) -> None:
        super().__init__()
        self._about = about
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield the page."""
        own = [self._about.capitalize(), *_lines(self._keys), ""] if self._keys else []
        page = VerticalScroll(Static("\n".join([*own, "Everywhere", *_lines(KEYS)]), markup=False), id="keys")
        page.border_title = "Keys"
        yield page


def _lines(keys: Sequence[tuple[str, str]]) -> list[str]:
    room = max(len(key) for key, _ in keys) + 2
    told = [(key, wrap(what, WIDTH - room - 2)) for key, what in keys]
    return [f"  {key if not nth else '':<{room}}{line}" for key, lines in told for nth, line in enumerate(lines)]
