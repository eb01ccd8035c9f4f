"""Where a campaign's server is on this machine, as its folder says it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import msgspec

PATIENCE = 10.0
"""Seconds in which a machine says whether somebody listens at a port of its own; it nearly always knows at once."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What `server.json` holds: where the server is, its process, the process that started it, and where it listens."""

    url: str
    pid: int
    run: int
    host: str = "127.0.0.1"

    def listens(self) -> bool:
        """Say whether somebody listens there; a server that was killed holds its store a while longer than its port."""
        place = urlsplit(self.url)
        try:
            socket.create_connection((place.hostname, place.port or 0), timeout=PATIENCE).close()
        except OSError:
            return False
        return True
