"""nats-py's client, with three habits changed: no password without the TLS that was asked for, nothing left open, and
no server believed that said nothing; and what it means when there is no connection.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import nats.errors
from nats.aio import client

from events.errors import CredentialRefused, LogError, LogLost, NotAllowed, NotJetStream
from events.wire.credentials import Credential

UNANSWERED = (OSError, nats.errors.NoServersError, nats.errors.ConnectionClosedError, TimeoutError)
HUNG_UP = (ConnectionResetError, BrokenPipeError, nats.errors.ConnectionClosedError)


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

    async def greet(self, url: str, **options: Any) -> None:
        """Connect; nats-py takes a server that hangs up in the middle of it for one that let us in."""
        await self.connect(url, **options)
        transport: Any = self._transport
        if transport.at_eof():
            raise nats.errors.ConnectionClosedError

    async def hang_up(self) -> None:
        """Close what did not become a connection; nats-py leaves it open."""
        transport: Any = self._transport
        if transport is not None:
            transport.close()
            await asyncio.sleep(0)  # the loop closes the socket at its next turn


class InTheClear(Exception):
    """A server without TLS."""


def meaning(credential: Credential, url: str, error: Exception) -> LogError:
    """Return what to tell of a connection that did not come to be."""
    if isinstance(error, InTheClear):
        return CredentialRefused(str(error))
    if isinstance(error, UNANSWERED) and not isinstance(error, ssl.SSLError):
        return LogLost(f"no server answers at {url}: {error}")
    if "authorization" in str(error).lower():
        return NotAllowed(credential.user, f"{credential.url}: unknown user or wrong password")
    if isinstance(error, ssl.SSLError):
        return NotJetStream(f"{credential.url} cannot be trusted: {error}")
    return NotJetStream(f"{credential.url} is not a NATS server: {error}")
