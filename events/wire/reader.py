"""Frames from a JetStream stream: pull requests made by hand, a plain callback, and no sequence number missing.

nats-py's own iterators pay a timer a message, and its ordered consumer can lose messages without a word; neither is
used here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from queue import SimpleQueue
from typing import Any

from events import subjects
from events.errors import GapFound, LogError, LogLost
from events.log import Recorded
from events.wire.connection import Connection, Message, Unsubscribe
from events.wire.writer import NAME

BATCH = 500
"""Messages of a pull request; at most two requests are out or unread, which bounds the memory of a reader."""

SECOND = 1_000_000_000
HEARTBEAT, SILENCE = 5, 16
"""Seconds between the server's signs of life on an idle request, and without one before the request is made anew."""

Item = tuple[Recorded, int] | LogError | None
"""A frame with the number of those still to come, an error, or the end."""


class Pull:
    """One ephemeral consumer whose frames go into a queue, replaced whenever the server forgets it."""

    def __init__(
        self, connection: Connection, campaign: str, stream: str, after: int, subject: str, *, batch: int = BATCH
    ) -> None:
        self._batch = batch
        self._connection = connection
        self._campaign = campaign
        self._stream = stream
        self._whole = subject in (">", subjects.everything(campaign))
        self._subject = subjects.everything(campaign) if self._whole else subject
        self._last = after
        self._taken = 0
        self._given = 0
        self._asked = 0
        self._heard = 0.0
        self._ended = False
        self._renewing = False
        self._watch: asyncio.TimerHandle | None = None
        self._unsubscribe: Unsubscribe | None = None
        self.items: SimpleQueue[Item] = SimpleQueue()

    def start(self) -> int:
        """Create the consumer, ask for the first frames, and return how many there are to come."""
        return self._connection.run(self._start())

    def taken(self) -> None:
        """Note that a frame left the queue, so that more are asked for."""
        self._taken += 1
        if self._taken % (self._batch // 2) == 0:
            self._later(self._ask)

    def stop(self) -> None:
        """Give the consumer up."""
        self._ended = True
        self._later(self._stop)

    def _later(self, work: Callable[[], Awaitable[None]]) -> None:
        coroutine = _carried_out(work)
        try:
            asyncio.run_coroutine_threadsafe(coroutine, self._connection.loop)
        except RuntimeError:
            coroutine.close()
            self.items.put(self._connection.lost)

    async def _start(self) -> int:
        self._connection.on_lost.append(self._lose)
        try:
            pending = await self._create()
        except LogError:
            await self._stop()
            raise
        self._watch = self._connection.loop.call_later(HEARTBEAT, self._check)
        return pending

    async def _create(self) -> int:
        name = f"r{secrets.token_hex(8)}"
        self._inbox = self._connection.inbox()
        self._next = f"{self._connection.api}.CONSUMER.MSG.NEXT.{self._stream}.{name}"
        if self._unsubscribe is not None:
            await self._unsubscribe()
        inbox = self._inbox

        async def heard(message: Message) -> None:
            if inbox == self._inbox and not self._ended:
                await self._heard_of(message)

        self._unsubscribe = await self._connection.subscribe(self._inbox, heard)
        request = f"{self._connection.api}.CONSUMER.CREATE.{self._stream}.{name}.{self._subject}"
        answer = await self._connection.requested(request, self._configuration(name))
        if "error" in answer:
            raise LogError(f"the server refused to read {self._subject}: {answer['error'].get('description')}")
        self._asked = self._given
        self._heard = self._connection.loop.time()
        await self._ask()
        return int(answer.get("num_pending", 0))

    def _configuration(self, name: str) -> dict[str, Any]:
        config = {
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self._last + 1,
            "ack_policy": "none",
            "replay_policy": "instant",
            "filter_subject": self._subject,
            "inactive_threshold": 2 * SILENCE * SECOND,
            "num_replicas": 1,
            "mem_storage": True,
        }
        return {"stream_name": self._stream, "config": config, "action": "create"}

    async def _ask(self) -> None:
        while not self._ended and self._asked - self._taken <= self._batch:
            self._asked += self._batch
            wish = b'{"batch":%d,"expires":%d,"idle_heartbeat":%d}' % (self._batch, 30 * SECOND, HEARTBEAT * SECOND)
            await self._connection.publish(self._next, wish, reply=self._inbox)

    async def _heard_of(self, message: Message) -> None:
        self._heard = self._connection.loop.time()
        if not message.reply.startswith("$JS.ACK."):
            await self._told(message.headers or {})
            return
        sequence, pending = _numbers(message.reply)
        if self._whole and sequence != self._last + 1:
            self._fail(GapFound(self._last + 1, sequence))
            return
        self._last = sequence
        self._given += 1
        identity = (message.headers or {}).get(NAME, "")
        self.items.put((Recorded(sequence, message.subject, identity, message.data), pending))

    async def _told(self, headers: dict[str, str]) -> None:
        # 408: the request's time is over. Anything else ends the consumer, or comes from where there is none.
        status = headers.get("Status", "")
        if status == "100":
            return
        if status == "408":
            self._asked -= int(headers.get("Nats-Pending-Messages", "0"))
            await self._ask()
        else:
            self._renew()

    def _renew(self) -> None:
        # Not awaited by its caller, who may be the callback that is ended here.
        if not self._renewing:
            self._renewing = True
            self._later(self._create_again)

    async def _create_again(self) -> None:
        try:
            if not self._ended:
                await self._create()
        except LogError as error:
            self._fail(error)
        finally:
            self._renewing = False

    def _check(self) -> None:
        if self._ended:
            return
        loop = self._connection.loop
        self._watch = loop.call_later(HEARTBEAT, self._check)
        if self._asked > self._given and loop.time() - self._heard > SILENCE:
            self._heard = loop.time()
            self._renew()

    def _lose(self, lost: LogLost) -> None:
        self._fail(lost)

    def _fail(self, error: LogError) -> None:
        self._ended = True
        self.items.put(error)

    async def _stop(self) -> None:
        self._ended = True
        if self._watch is not None:
            self._watch.cancel()
        if self._lose in self._connection.on_lost:
            self._connection.on_lost.remove(self._lose)
        if self._unsubscribe is not None:
            await self._unsubscribe()


def read(pull: Pull, after: int, last: int, *, whole: bool) -> Iterator[Recorded]:
    """Yield the frames through `last`, all of them when the pull is of the whole log; raises what the pull meets."""
    if last <= after:
        return
    pending = pull.start()
    reached = after
    try:
        while pending and reached < last:
            item = pull.items.get()
            if not isinstance(item, tuple):
                raise item or LogLost("the log is closed")
            pull.taken()
            recorded, pending = item
            reached = recorded.sequence
            if reached <= last:
                yield recorded
    finally:
        pull.stop()
    if whole and reached < last:
        raise GapFound(reached + 1, last + 1)


class PullFollower:
    """See `events.log.Follower`."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull

    def __iter__(self) -> Iterator[Recorded]:
        self._pull.start()
        try:
            while (item := self._pull.items.get()) is not None:
                if isinstance(item, LogError):
                    raise item
                self._pull.taken()
                yield item[0]
        finally:
            self._pull.stop()

    def stop(self) -> None:
        """End the iteration after what has already arrived."""
        self._pull.items.put(None)


async def _carried_out(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _numbers(reply: str) -> tuple[int, int]:
    # $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<nth>.<time>.<pending>; a domain and a hash may come first.
    tokens = reply.split(".")
    shift = 0 if len(tokens) == 9 else 2
    return int(tokens[5 + shift]), int(tokens[8 + shift])
