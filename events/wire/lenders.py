"""Who lends the devices of an invited machine: one process at a time, so that none speaks in another's name.

Whoever begins claims the machine on a subject that its own account alone hears; whoever lends it already answers, and
the claim is given up. A process that is gone answers nothing, and keeps nobody away.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from events import subjects
from events.errors import CampaignHeld, LogError
from events.wire.connection import Connection, Message, Unsubscribe

PATIENCE = 1.0
"""Seconds in which whoever lends a machine answers a claim."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A process that would lend a machine's devices, or that does (`holds`)."""

    token: str
    process: str
    host: str
    since: str
    holds: bool = False


@contextlib.contextmanager
def lending(connection: Connection, campaign: str, user: str) -> Iterator[None]:
    """Be the one process that lends a machine's devices while the context lasts.

    Raises:
        CampaignHeld: another one does; it says which, where and since when.
        LogError: the log is lost.
    """
    subject, claimant = subjects.lent(campaign, user), _Claimant(connection, subjects.lent(campaign, user))
    unsubscribe = connection.run(connection.subscribe(subject, claimant.heard))
    try:
        claimant.claim(user)
        yield
    finally:
        with contextlib.suppress(LogError):
            connection.run(_ended(unsubscribe))


async def _ended(unsubscribe: Unsubscribe) -> None:
    await unsubscribe()


class _Claimant:
    def __init__(self, connection: Connection, subject: str) -> None:
        self._connection = connection
        self._subject = subject
        self._claim = Claim(
            token=secrets.token_hex(8),
            process=str(os.getpid()),
            host=socket.gethostname(),
            since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
        self._answered = threading.Event()
        self._holder: Claim | None = None

    async def heard(self, message: Message) -> None:
        """Answer a claim that comes too late, and take an answer to one's own."""
        try:
            other = msgspec.json.decode(message.data, type=Claim)
        except msgspec.MsgspecError:
            return
        if other.token == self._claim.token:
            return
        if other.holds:
            self._holder = other
            self._answered.set()
        elif self._claim.holds or self._claim.token < other.token:
            # Of two that begin in the same moment, one answers the other.
            await self._say(msgspec.structs.replace(self._claim, holds=True))

    def claim(self, user: str) -> None:
        """Claim the machine, or raise `CampaignHeld`."""
        self._connection.run(self._say(self._claim))
        self._answered.wait(PATIENCE)
        if (held := self._holder) is not None:
            raise CampaignHeld(f"the devices of {user} are being lent", held.process, held.host, held.since)
        self._claim = msgspec.structs.replace(self._claim, holds=True)

    async def _say(self, claim: Claim) -> None:
        await self._connection.publish(self._subject, msgspec.json.encode(claim))
