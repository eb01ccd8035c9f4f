"""The voices of a campaign: each author writes over a connection that lets it speak in its own name alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

from events.log import EventLog
from events.wire import jetstream
from events.wire.credentials import Credential


class Voices(Protocol):
    """Where authors find the log that they write to."""

    def of(self, author: str) -> EventLog:
        """Return the log as this author may write to it."""


class Choir(contextlib.ExitStack):
    """A connection for each author who has a credential; the others share one.

    Args:
        shared: the log of whoever has none, such as everybody on a server whose users are not ours to make.
        credentials: by author.
    """

    def __init__(self, shared: jetstream.JetStreamLog, credentials: Mapping[str, Credential]) -> None:
        super().__init__()
        self._shared = shared
        self._credentials = credentials
        self._logs: dict[str, jetstream.JetStreamLog] = {}
        self._lock = Lock()

    def of(self, author: str) -> jetstream.JetStreamLog:
        """Return an author's log, connected when it is first asked for; raises what `jetstream.connect` raises."""
        with self._lock:
            if author not in self._credentials:
                return self._shared
            if author not in self._logs:
                log = jetstream.connect(self._credentials[author], self._shared.campaign)
                self._logs[author] = self.enter_context(log)
            return self._logs[author]

    def publish_pulse(self, author: str, payload: bytes) -> None:
        """Send an author's sign of life, over its own connection."""
        self.of(author).publish_pulse(author, payload)

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Have `heard(author, payload)` called for every pulse; return the function that ends it."""
        return self._shared.subscribe_pulses(heard)
