"""A TCP proxy before the server that can swallow what the server says, or break: a network's two ways to fail."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit

import msgspec

from events.wire.credentials import Credential


class Proxy:
    """Carries connections to a server until it is muted or cut.

    Args:
        changing: bytes of what the server says, and the equally many that are heard instead, the first time.
        cutting: bytes of what the server says at which everything breaks.
        deaf: how many connections end as soon as the client says something.

    Attributes:
        changed: how often something was changed.
        deaf: how many connections are still to end so.
    """

    def __init__(
        self,
        server: Credential,
        *,
        changing: tuple[bytes, bytes] | None = None,
        cutting: bytes | None = None,
        deaf: int = 0,
    ) -> None:
        self._server = server
        self._changing = changing
        self._cutting = cutting
        self.deaf = deaf
        self.changed = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._speaking = threading.Event()
        self._speaking.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def credential(self) -> Credential:
        """The server's credential, through the proxy."""
        return msgspec.structs.replace(self._server, url=f"nats://127.0.0.1:{self._listener.getsockname()[1]}")

    def mute(self) -> None:
        """Hold back everything that the server says from now on."""
        self._speaking.clear()

    def unmute(self) -> None:
        """Let the server be heard again, what it said meanwhile first."""
        self._speaking.set()

    def cut(self) -> None:
        """Break every connection, what was held back lost."""
        self._listener.close()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._speaking.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                parts = urlsplit(self._server.url)
                server = socket.create_connection((str(parts.hostname), parts.port or 0))
                self._sockets += [client, server]
                threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, held: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if held:
                    self._speaking.wait()
                    data = self._on_the_way(data)
                elif self.deaf:
                    self.deaf -= 1
                    source.close()
                    break
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _on_the_way(self, data: bytes) -> bytes:
        if self._cutting is not None and self._cutting in data:
            self.cut()
        if self._changing is not None and not self.changed and self._changing[0] in data:
            self.changed += 1
            return data.replace(*self._changing)
        return data
