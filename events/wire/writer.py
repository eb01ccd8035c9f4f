"""Frames to a JetStream stream: a bounded window, one message id a frame, fences, and the doubtful answers settled."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any

import msgspec

from events.errors import Conflict, LogError, LogLost, NotJetStream, StoreFull
from events.log import Appended, Fence, Frame, Recorded, prepare
from events.wire.connection import Answer, Connection, Unanswered

WRONG_LAST = (10071, 10164)
"""The server's error codes for a fence that stands elsewhere."""

FULL = (10002, 10023, 10028, 10047, 10077)
"""The server's error codes for no room: of the account, the machine, memory, storage, and a store that cannot write."""

NAME = "Nats-Msg-Id"

Read = Callable[[int, str], Iterator[Recorded]]


class _Refusal(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Acknowledgement(msgspec.Struct):
    seq: int = 0
    duplicate: bool = False
    error: _Refusal | None = None


_decode = msgspec.json.Decoder(_Acknowledgement).decode


class _Append:
    __slots__ = ("fence", "future", "headers", "id", "payload", "subject")

    def __init__(self, subject: str, identity: str, payload: bytes, future: Future[Appended]) -> None:
        self.subject = subject
        self.id = identity
        self.payload = payload
        self.future = future
        self.headers = {NAME: identity}
        self.fence: Fence | None = None

    def expect(self, fence: Fence) -> None:
        self.fence = fence
        self.headers["Nats-Expected-Last-Subject-Sequence"] = str(fence.last)
        self.headers["Nats-Expected-Last-Subject-Sequence-Subject"] = fence.filter


class Writer:
    """Appends from any thread; at most `window` of them wait for the server, and one under each fence.

    Appends under one fence keep the order of their submission; others may overtake them.
    """

    def __init__(self, connection: Connection, campaign: str, read: Read, *, window: int) -> None:
        self._connection = connection
        self._campaign = campaign
        self._read = read
        self._window = threading.BoundedSemaphore(window)
        self._lock = threading.Lock()
        self._submitted: deque[_Append] = deque()
        self._awake = False
        self._behind: dict[str, deque[_Append]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        connection.on_lost.append(self._fail_behind)
        connection.on_ended.append(self._fail_submitted)

    def submit(self, frame: Frame, expecting: Fence | None) -> Future[Appended]:
        """See `EventLog.submit`; on the connection's thread a full window would wait for itself."""
        future = _future()
        try:
            append = _Append(frame.subject, frame.id, prepare(frame, self._campaign, expecting), future)
        except LogError as error:
            future.set_exception(error)
            return future
        if expecting is not None:
            append.expect(expecting)
        self._submit(append)
        return future

    def restore(self, recorded: Recorded) -> Future[Appended]:
        """Write a frame as another log recorded it, only where it stood there."""
        append = _Append(recorded.subject, recorded.id, recorded.payload, _future())
        append.headers["Nats-Expected-Last-Sequence"] = str(recorded.sequence - 1)
        self._submit(append)
        return append.future

    def _submit(self, append: _Append) -> None:
        self._window.acquire()
        with self._lock:
            self._submitted.append(append)
            wake, self._awake = not self._awake, True
        if wake:
            self._wake()

    def _wake(self) -> None:
        try:
            self._connection.loop.call_soon_threadsafe(self._spawn_sending)
        except RuntimeError:
            self._fail_submitted()

    def _fail_submitted(self) -> None:
        with self._lock:
            left, self._submitted, self._awake = self._submitted, deque(), False
        for append in left:
            self._settle(append, self._connection.lost or LogLost("the log is closed"))

    def _fail_behind(self, lost: LogLost) -> None:
        for behind in self._behind.values():
            while behind:
                self._settle(behind.popleft(), lost)

    def _spawn_sending(self) -> None:
        self._spawn(self._send_submitted())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._connection.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_submitted(self) -> None:
        while True:
            with self._lock:
                if not self._submitted:
                    self._awake = False
                    return
                append = self._submitted.popleft()
            if append.fence is None:
                await self._send(append)
            elif (behind := self._behind.get(append.fence.filter)) is not None:
                behind.append(append)
            else:
                self._behind[append.fence.filter] = deque()
                await self._send(append)

    async def _send(self, append: _Append) -> None:
        def answered(answer: Answer) -> None:
            self._answered(append, answer)

        await self._connection.ask(append.subject, append.payload, append.headers, answered)

    def _answered(self, append: _Append, answer: Answer) -> None:
        if isinstance(answer, Unanswered) and self._connection.clustered:
            self._finish(append, LogLost(f"no server of the cluster takes {append.subject} now: read the log again"))
        elif isinstance(answer, Unanswered):
            self._finish(append, NotJetStream(f"no stream of this server takes {append.subject}"))
        elif isinstance(answer, LogError):
            self._finish(append, answer)
        else:
            acknowledgement = _decode(answer)
            if acknowledgement.error is None:
                self._finish(append, Appended(acknowledgement.seq, acknowledgement.duplicate))
            elif append.fence is not None and acknowledgement.error.err_code in WRONG_LAST:
                self._spawn(self._resolve(append, append.fence, acknowledgement.error))
            else:
                self._finish(append, _refusal(append.id, acknowledgement.error))

    async def _resolve(self, append: _Append, fence: Fence, refusal: _Refusal) -> None:
        # A retry of a frame whose first acknowledgement was lost is refused by its own fence, since release 2.12 of
        # the server: only the log can say whether what stands there is mine (notes: retry with an expectation).
        try:
            outcome = await asyncio.to_thread(self._look_for, append.id, fence, refusal)
        except LogError as error:
            self._finish(append, error)
        except asyncio.CancelledError:
            self._finish(append, LogLost("the log is closed"))
            raise
        else:
            self._finish(append, outcome)

    def _look_for(self, identity: str, fence: Fence, refusal: _Refusal) -> Appended | Conflict:
        actual = int("".join(filter(str.isdigit, refusal.description)) or 0)
        for recorded in self._read(fence.last, fence.filter):
            if recorded.id == identity:
                return Appended(recorded.sequence, duplicate=True)
            actual = recorded.sequence
        return Conflict(fence.filter, fence.last, actual)

    def _finish(self, append: _Append, outcome: Appended | LogError) -> None:
        if append.fence is not None:
            behind = self._behind[append.fence.filter]
            if behind:
                self._spawn(self._send(behind.popleft()))
            else:
                del self._behind[append.fence.filter]
        self._settle(append, outcome)

    def _settle(self, append: _Append, outcome: Appended | LogError) -> None:
        self._window.release()
        if isinstance(outcome, LogError):
            append.future.set_exception(outcome)
        else:
            append.future.set_result(outcome)


def _future() -> Future[Appended]:
    # Nobody may cancel it: what was sent cannot be called back.
    future: Future[Appended] = Future()
    future.set_running_or_notify_cancel()
    return future


def _refusal(identity: str, refusal: _Refusal) -> LogError:
    if refusal.err_code in FULL:
        return StoreFull(f"the server has no room for {identity}: {refusal.description}")
    return LogError(f"the server refused {identity}: {refusal.description} ({refusal.err_code})")
