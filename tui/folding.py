"""The folder: a thread that folds what comes and hands out a picture of it, a bounded number of times a second."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tui.feed import Heard, Item
from tui.model import Model
from tui.overview import Overview

EVERY = 0.125
"""Seconds between two pictures: eight a second look steady, and are little enough for a slow line. Where a picture
itself takes long there are fewer: at most half of the time goes into them.
"""

BEHIND, FAR = 1000, 2.0
"""With so many frames still to come, as when a long log is read, a picture every so many seconds is enough: each takes
as long as folding some thousand facts.
"""

ROOM = 2000
"""Items that may wait; a reader that is faster waits for room, so that a long log does not fill the memory."""


class Ask(NamedTuple):
    """What a person at the screen wants done with the model; done before anything that waits to be folded."""

    do: Callable[[Model], None]


class Folding:
    """Folds in the order of coming; a burst becomes one picture, a lone item one at once, and silence costs nothing.

    Args:
        show: takes each picture, from the folder's thread.
        fail: takes what should never happen, from the folder's thread, which ends with it.
    """

    def __init__(self, model: Model, show: Callable[[Overview], None], fail: Callable[[Exception], None]) -> None:
        self._model = model
        self._show = show
        self._fail = fail
        self._inbox: queue.Queue[Item | Ask | None] = queue.Queue(ROOM)
        self._asked: deque[Ask] = deque()
        self._turn = EVERY
        self._stopped = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def put(self, item: Item) -> None:
        """Take an item, from any thread; waits for room, save for a pulse, which is dropped where there is none."""
        while not self._stopped.is_set():
            try:
                self._inbox.put(item, timeout=0 if isinstance(item, Heard) else 0.2)
            except queue.Full:
                if isinstance(item, Heard):
                    return
            else:
                return

    def ask(self, do: Callable[[Model], None]) -> None:
        """Have something done with the model as soon as may be, and a picture made of it; from any thread."""
        ask = Ask(do)
        self._asked.append(ask)
        self._hurry.set()
        with suppress(queue.Full):  # where it is full the thread is busy, and looks at what was asked between two items
            self._inbox.put_nowait(ask)

    def start(self) -> None:
        """Begin to fold."""
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Fold no more; what still waits is dropped."""
        self._stopped.set()
        self._hurry.set()
        with suppress(queue.Full):  # where it is full the thread is busy, and looks at `_stopped` before it waits again
            self._inbox.put_nowait(None)
        if self._thread.ident is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        try:
            while self._picture():
                pass
        except Exception as error:  # noqa: BLE001 # whatever it is, the screen must not stand still in silence
            self._fail(error)

    def _picture(self) -> bool:
        """Fold from the first item on for the length of a turn, show, rest until its end; say whether to go on."""
        item = self._inbox.get()
        begun = time.monotonic()
        end = begun + self._turn
        while item is not None:
            if not isinstance(item, Ask):
                self._model.take(item)
            if time.monotonic() > end or self._stopped.is_set() or self._hurry.is_set():
                break
            try:
                item = self._next(end)
            except queue.Empty:
                break
        if item is None or self._stopped.is_set():
            return False
        self._answer()
        painted = time.monotonic()
        self._show(picture := self._model.overview())
        self._model.leave(picture)
        least = EVERY if self._model.ahead < BEHIND else FAR
        self._turn = max(least, 2 * (time.monotonic() - painted))
        self._hurry.wait(max(0.0, min(end, begun + self._turn) - time.monotonic()))
        return True

    def _next(self, end: float) -> Item | Ask | None:
        """Return the next item; while the log is read that was there, wait for it until the turn is over."""
        if not self._model.ahead:
            return self._inbox.get_nowait()
        return self._inbox.get(timeout=max(0.0, end - time.monotonic()))

    def _answer(self) -> None:
        self._hurry.clear()
        while self._asked:
            self._asked.popleft().do(self._model)
