"""The line at the foot in which a person types a command, a filter or a place to go; nothing while it is not asked."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class Prompt(Horizontal):
    """Asks for one line."""

    class Answered(Message):
        """A line was typed, or None where the person thought better of it."""

        def __init__(self, asked: str, text: str | None) -> None:
            super().__init__()
            self.asked = asked
            self.text = text

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False, priority=True)]

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._asked = ""
        self._mark = Static("", id="mark", markup=False)
        self._input = Input(id="typed", compact=True)
        self._input.cursor_blink = False

    def on_mount(self) -> None:
        """Hide until somebody asks."""
        self.display = False

    def compose(self) -> list[Static | Input]:
        """Yield the mark and the line."""
        return [self._mark, self._input]

    def ask(self, asked: str, hint: str, text: str = "") -> None:
        """Ask for a line: `asked` is the key that opened it, `hint` is shown while nothing is typed."""
        self._asked = asked
        self._mark.update(asked)
        self._input.placeholder = hint
        self._input.value = text
        self.display = True
        self.screen.set_focus(self._input)  # at once: what is typed next is for this line

    def typed(self, character: str) -> None:
        """Take a character that was typed before the line had the focus."""
        self._input.insert_text_at_cursor(character)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand over what was typed."""
        event.stop()
        self._end(event.value.strip())

    def action_leave(self) -> None:
        """Ask no more."""
        self._end(None)

    def _end(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Answered(self._asked, text))
