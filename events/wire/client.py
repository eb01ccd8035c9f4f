"""nats-py's client, with two habits changed: no password without the TLS that was asked for, nothing left open."""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio import client


class Client(client.Client):
    """A client that says nothing, its password least of all, to a server that lacks the TLS which was asked for.

    nats-py takes a server's word for it that there is no TLS, whatever the address and the certificates say; whoever
    stands in between could say so too.
    """

    demanded: str | None = None

    def _connect_command(self) -> bytes:
        if self.demanded is not None and not self._server_info.get("tls_required", False):
            raise InTheClear(self.demanded)
        command: bytes = super()._connect_command()
        return command

    async def hang_up(self) -> None:
        """Close what did not become a connection; nats-py leaves it open."""
        transport: Any = self._transport
        if transport is not None:
            transport.close()
            await asyncio.sleep(0)  # the loop closes the socket at its next turn


class InTheClear(Exception):
    """A server without TLS."""
