"""A view whose page takes long to make: made apart from all else, in a thread and from a moment of its own."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.message import Message

from replay.folds import Pass
from tui.model import Model
from tui.overview import Overview
from tui.sheet import Sheet
from tui.view import View

REST = 10
"""Times that a page took in which no other is made while facts arrive."""

SETTLED = 0.3
"""Seconds that a moment must have been looked at before its page is made: who plays or steps does not wait."""

Ask = Callable[[Callable[[Model], None]], None]
"""Has something done with the model in the thread that folds."""

M = TypeVar("M")


class Apart(View, Generic[M]):
    """One page of what `make` returns.

    Attributes:
        TITLE: of the page.
        made: what is shown, None before the first; `through` the moment that it is of.
    """

    TITLE: ClassVar[str]

    class Made(Message):
        """A page's matter is there."""

        def __init__(self, made: Any, through: int, seconds: float) -> None:
            super().__init__()
            self.made = made
            self.through = through
            self.seconds = seconds

    def __init__(self, model: Model, ask: Ask, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.sheet = Sheet(title=self.TITLE, id=f"{id}-sheet")
        self.made: M | None = None
        self.through = -1
        self._ask = ask
        self._making = False
        self._again = 0.0
        self._wanted = (-1, 0.0)
        self._laid: tuple[int, int] = (-1, -1)

    @abstractmethod
    def make(self, passing: Pass[Any]) -> M:
        """Return what the page says of a moment; in a thread of its own."""

    @abstractmethod
    def lay(self, made: M, width: int) -> Sequence[str]:
        """Return the page's lines."""

    def compose(self) -> ComposeResult:
        """Yield the page."""
        yield self.sheet

    def on_mount(self) -> None:
        """Look now and then whether a moment has settled."""
        self.set_interval(SETTLED, self._settle)

    def show(self, overview: Overview) -> None:
        """Note which moment is wanted, and show what is made."""
        if overview.subject.through != self._wanted[0]:
            self._wanted = (overview.subject.through, time.monotonic())
        self._tell()
        self._settle()

    def on_resize(self) -> None:
        """Lay the page anew."""
        self._tell()

    def on_apart_made(self, message: Made) -> None:
        """Show it."""
        self.made, self.through, self._making = message.made, message.through, False
        self._again = time.monotonic() + REST * message.seconds
        self._laid = (-1, -1)
        self._tell()

    def _settle(self) -> None:
        through, since = self._wanted
        now = time.monotonic()
        if self._making or through in (-1, self.through) or not self.display:
            return
        # a moment that a person went to is drawn at once; what arrives by itself takes turns with everything else
        unsettled = self.made is not None and now - since < SETTLED
        if unsettled or (self.model.following and self.made is not None and now < self._again):
            return
        self._making = True
        self._ask(lambda model: self._begin(model.apart()))

    def _begin(self, passing: Pass[Any]) -> None:
        threading.Thread(target=self._make, args=(passing,), name=self.NAME, daemon=True).start()

    def _make(self, passing: Pass[Any]) -> None:
        begun = time.monotonic()
        made = self.make(passing)
        self.post_message(self.Made(made, passing.through, time.monotonic() - begun))

    def _tell(self) -> None:
        width = self.size.width - 4
        if width < 0:
            return
        if self.made is None:
            self.sheet.show(["This page is being made."])
            return
        late = ", a newer one is coming" if self._wanted[0] != self.through else ""
        title = f"{self.TITLE} at position {self.through}{late}"
        if title != self.sheet.border_title:
            self.sheet.border_title = title
        if (self.through, width) != self._laid:
            self._laid = (self.through, width)
            self.sheet.show(self.lay(self.made, width))
