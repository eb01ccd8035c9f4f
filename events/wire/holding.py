"""Who runs a campaign on a server that serves many: one process at a time, by a consumer that ends with its connection.

On a server of our own the locked store keeps a second run away. Elsewhere the server itself does: a run creates a
consumer of one name that delivers, to nobody else than this run, what nobody ever writes. While the run's connection
lives, no other run can create it; when the connection is gone, the server forgets the consumer within seconds.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from events import subjects
from events.errors import CampaignHeld, LogError
from events.wire.connection import Connection, Message, Unsubscribe
from events.wire.jetstream import stream_of
from events.wire.reader import SECOND

NAME = "run"
"""The consumer's name."""

GONE = 3
"""Seconds after which the server forgets the consumer of a connection that is gone."""

PATIENCE = 60.0
"""Seconds in which a consumer whose connection is gone must be forgotten."""

TAKEN, UNKNOWN = 10148, 10014
"""The server's error codes for a consumer of that name that is there, and for one that is not."""


@contextlib.contextmanager
def held(connection: Connection, campaign: str) -> Iterator[None]:
    """Be the one run of a campaign for as long as the connection lives, or the context lasts.

    Raises:
        CampaignHeld: another run is; it says which process, where and since when.
        LogError: the server refuses the consumer.
    """
    inbox, deadline = connection.inbox(), time.monotonic() + PATIENCE
    unsubscribe = connection.run(connection.subscribe(inbox, _hear))
    try:
        while not _taken(connection, campaign, inbox):
            if (other := _holder(connection, campaign)) is not None:
                if other.get("push_bound", False) or time.monotonic() > deadline:
                    raise _held(campaign, other["config"].get("metadata", {}))
                time.sleep(0.1)
        yield
    finally:
        with contextlib.suppress(LogError):
            connection.run(_ended(unsubscribe))


async def _ended(unsubscribe: Unsubscribe) -> None:
    await unsubscribe()


async def _hear(message: Message) -> None:
    """Nothing is ever delivered: the subject that the consumer filters has no author."""


def _taken(connection: Connection, campaign: str, inbox: str) -> bool:
    stream, nobody = stream_of(campaign), subjects.everything(campaign).replace(">", "nobody")
    config = {
        "name": NAME,
        "deliver_subject": inbox,
        "deliver_policy": "new",
        "ack_policy": "none",
        "filter_subject": nobody,
        "inactive_threshold": GONE * SECOND,
        "mem_storage": True,
        "metadata": {
            "process": str(os.getpid()),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "token": secrets.token_hex(8),
        },
    }
    request = {"stream_name": stream, "config": config, "action": "create"}
    return "error" not in _asked(connection, f"$JS.API.CONSUMER.CREATE.{stream}.{NAME}.{nobody}", request, TAKEN)


def _holder(connection: Connection, campaign: str) -> dict[str, Any] | None:
    answer = _asked(connection, f"$JS.API.CONSUMER.INFO.{stream_of(campaign)}.{NAME}", None, UNKNOWN)
    return None if "error" in answer else answer


def _asked(connection: Connection, subject: str, payload: dict[str, Any] | None, expected: int) -> dict[str, Any]:
    answer = connection.repeated(subject, payload)
    if "error" in answer and answer["error"].get("err_code") != expected:
        raise LogError(f"the server refused to say who runs the campaign: {answer['error'].get('description')}")
    return answer


def _held(campaign: str, told: dict[str, str]) -> CampaignHeld:
    return CampaignHeld(
        f"campaign {campaign} is being run", told.get("process", "?"), told.get("host", "?"), told.get("since", "?")
    )
