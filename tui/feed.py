"""The follower: a thread that knows a log and an inbox, and nothing of folds or widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from events.errors import LogError, LogLost
from events.log import LogReader, Recorded
from tui.links import Link, State, is_live
from tui.pulses import Epoch, epoch_of

LOOK = 2.0
"""Seconds between two looks for a log that went away, or for a recorded one that runs again."""


class Heard(NamedTuple):
    """A pulse that tells an epoch."""

    epoch: Epoch


class Several(NamedTuple):
    """Frames in a row that were on the log already."""

    frames: tuple[Recorded, ...]


Item = Recorded | Several | Heard | Link
"""A frame that was just written, several that had been there, a pulse, or word of the log itself."""

SEVERAL = 128
"""Frames that are handed over together while a log is read that was there: one at a time, the handing over would take
as long as the folding.
"""


class Feed:
    """Reads a log, follows it where it can be followed, and puts what comes into an inbox in the order of the log.

    Args:
        log: already open; closed by the feed: a connection once it is of no more use, an archive with the feed itself,
            since long texts are read from it.
        put: takes an item, from the feed's thread or the connection's; may wait for room when the item is of frames.
        again: returns a log with more, given how the last one ended; asked every two seconds.
    """

    def __init__(
        self, log: LogReader, put: Callable[[Item], None], again: Callable[[State], LogReader | None] | None = None
    ) -> None:
        self._log: LogReader | None = log
        self._put = put
        self._again = again
        self._last = 0
        self._read: list[LogReader] = []
        self._stopped = threading.Event()
        self._follower: Any = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Read no more; returns when the thread has ended, or after `patience` seconds."""
        self._stopped.set()
        if (follower := self._follower) is not None:
            follower.stop()
        if self._thread.ident is not None:
            self._thread.join(patience)
        for done in self._read:
            _close(done)

    def _run(self) -> None:
        log, self._log = self._log, None
        while log is not None:
            state = self._take_all(log)
            if is_live(log):
                _close(log)
            else:
                self._read.append(log)
            log = self._next(state)

    def _take_all(self, log: LogReader) -> State:
        try:
            state = self._taken(log)
        except LogLost as error:
            state = "lost"
            self._put(Link(state=state, last=self._last, sentence=str(error)))
        except LogError as error:
            state = "broken"
            self._put(Link(state=state, last=self._last, sentence=str(error)))
        return state

    def _taken(self, log: LogReader) -> State:
        last = log.last()
        if last < self._last:
            raise LogError(f"{log.campaign} ends at {last}, but {self._last} was seen: it is another log by that name")
        if not is_live(log):
            self._put(Link(state="recorded", last=last))
            self._take(log.read(self._last))
            return "recorded"
        self._put(Link(state="live", last=last))
        end = self._listen(log)
        try:
            self._take(log.read(self._last))
            self._follow(log)
        finally:
            with suppress(LogError):
                end()
        return "lost"

    def _following(self, log: Any) -> Iterable[Recorded]:
        follower: Iterable[Recorded] = log.follow(self._last)
        self._follower = follower
        if self._stopped.is_set():
            self._follower.stop()
        return follower

    def _take(self, frames: Iterator[Recorded]) -> None:
        while not self._stopped.is_set() and self._hands_over(frames):
            pass

    def _hands_over(self, frames: Iterator[Recorded]) -> bool:
        """Hand over the next frames, those before an error too, and say whether there were any."""
        several: list[Recorded] = []
        try:
            several += islice(frames, SEVERAL)
        finally:
            if several:
                self._put(Several(tuple(several)))
                self._last = several[-1].sequence
        return bool(several)

    def _follow(self, log: Any) -> None:
        for recorded in self._following(log):
            if self._stopped.is_set():
                return
            self._put(recorded)
            self._last = recorded.sequence

    def _listen(self, log: Any) -> Callable[[], None]:
        """Hear the pulses of a log that carries them; return the function that ends it."""
        live = getattr(log, "live", log)
        if not hasattr(live, "subscribe_pulses"):
            return lambda: None
        end: Callable[[], None] = live.subscribe_pulses(self._hear)
        return end

    def _hear(self, author: str, payload: bytes) -> None:
        if (epoch := epoch_of(author, payload)) is not None:
            self._put(Heard(epoch))

    def _next(self, state: State) -> LogReader | None:
        if self._again is None or state == "broken":
            return None
        while not self._stopped.wait(LOOK):
            if (log := self._again(state)) is not None:
                return log
        return None


def _close(log: LogReader) -> None:
    with suppress(LogError):
        log.close()
