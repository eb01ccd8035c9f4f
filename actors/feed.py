"""The log as it comes: followed once in a process, decoded once, and handed to every role in it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice

from events.errors import LogError, LogLost
from events.log import EventLog, Recorded

KEPT = 20_000
"""Frames that stay in memory; a role that is further behind reads them from the log again."""

PATIENCE = 30.0
"""Seconds to wait for a frame that is known to be on the log."""


class Feed:
    """Follows a log in a thread of its own; any thread may ask for what has come.

    Args:
        kept: frames that stay in memory, None for all of them.
    """

    def __init__(self, log: EventLog, *, kept: int | None = KEPT) -> None:
        self._log = log
        self._follower = log.follow()
        self._frames: deque[Recorded] = deque(maxlen=kept)
        self._last = 0
        self._lost: LogError | None = None
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back, from the feed's thread, after something came or the log was lost."""
        with self._changed:
            self._listeners = [*self._listeners, callback]

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call back no more."""
        with self._changed:
            self._listeners = [known for known in self._listeners if known != callback]

    def since(self, after: int) -> list[Recorded]:
        """Return the frames after a sequence that have come, in order.

        Raises:
            LogError: following has failed; what the log raised.
        """
        with self._changed:
            self._check()
            if self._last <= after:
                return []
            oldest = self._last - len(self._frames) + 1
            if after >= oldest - 1:
                return [*islice(reversed(self._frames), self._last - after)][::-1]
        return list(self._log.read(after))

    def came(self, after: int) -> list[Recorded]:
        """Return the kept frames after a sequence, those included that came before following failed; raises nothing."""
        with self._changed:
            return [recorded for recorded in self._frames if recorded.sequence > after]

    def wait_for(self, sequence: int) -> None:
        """Return when the frame of a sequence has come; raises as `since` does."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._last >= sequence or self._lost is not None, PATIENCE)
            self._check()
            if not came:
                raise LogLost(f"position {sequence} was acknowledged and did not arrive in {PATIENCE:g} s")

    def tick(self) -> None:
        """Wake everybody who listens, though nothing came."""
        self._tell()

    def stop(self) -> None:
        """End following; what has come stays."""
        self._follower.stop()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _follow(self) -> None:
        try:
            for recorded in self._follower:
                with self._changed:
                    self._frames.append(recorded)
                    self._last = recorded.sequence
                    self._changed.notify_all()
                self._tell()
        except Exception as error:  # noqa: BLE001 # whatever ends following is told to everybody who waits for a frame
            with self._changed:
                self._lost = error if isinstance(error, LogError) else LogLost(f"following the log failed: {error!r}")
                self._changed.notify_all()
            self._tell()

    def _tell(self) -> None:
        for callback in self._listeners:
            callback()
