"""The keys, on a page of their own over the screen; what arrives meanwhile is shown behind it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = (
    ("q, ctrl+c", "quit; a running campaign goes on"),
    ("space", "freeze the view, and catch up; facts keep arriving and are counted"),
    ("tab, shift+tab", "next panel, previous panel"),
    ("up, down, page up, page down, home, end", "scroll the panel in focus"),
    ("enter", "the panel in focus alone"),
    ("esc", "all panels again"),
    ("?", "this page; any of ?, esc and q closes it"),
    ("ctrl+p", "commands, and themes: light, high contrast and others"),
)


class Help(ModalScreen[None]):
    """Which key does what."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,escape,q", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """Yield the page."""
        told = "\n".join(f"{keys}\n    {what}" for keys, what in KEYS)
        page = Static(told, id="keys", markup=False)
        page.border_title = "Keys"
        yield page
