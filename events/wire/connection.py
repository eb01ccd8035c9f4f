"""One connection to a NATS server and the thread that owns it: requests, publications with answers, subscriptions.

Beside `events.wire.client` the only module that imports nats. There is no reconnecting: what was pending on a broken
connection is unknown, and its owner must reread the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec
import nats.errors

from events.errors import LogError, LogLost, NotAllowed, NotJetStream
from events.wire.binary import OLDEST
from events.wire.client import HUNG_UP, Client, meaning
from events.wire.credentials import Credential, is_loopback, trusting

AGAIN = 2.0
"""Seconds after which what may be said twice is said again."""

GREETINGS = 3
"""How often a server is greeted that hangs up: one that reads its users anew does so to whoever is not in yet."""

T = TypeVar("T")
_REFUSED = re.compile(r'permissions violation for (?:publish|subscription) to "([^"]+)"', re.IGNORECASE)


class Message(Protocol):
    """What a subscription delivers."""

    subject: str
    reply: str
    data: bytes

    @property
    def headers(self) -> dict[str, str] | None:
        """The headers, a status line among them."""


class Unanswered(LogError):
    """Nobody listens on a subject."""


Heard = Callable[[Message], Awaitable[None]]
"""Takes a message, on the connection's thread."""

Unsubscribe = Callable[[], Awaitable[None]]
"""Ends a subscription, on the connection's thread."""

Answer = bytes | LogError
"""What came back: the answer's bytes, or why there is none."""


class _Pending(NamedTuple):
    subject: str
    deadline: float
    done: Callable[[Answer], None]


class Connection:
    """A connection that any thread may use; methods marked (loop) belong to the connection's own thread.

    Raises:
        LogLost: nobody answers at the address.
        NotAllowed: the user or the password is wrong.
        NotJetStream: something else answers, or a server that is too old.
    """

    def __init__(self, credential: Credential, *, timeout: float = 30.0) -> None:
        self.credential = credential
        self.api = credential.api
        self.timeout = timeout
        self.lost: LogLost | None = None
        self.on_lost: list[Callable[[LogLost], None]] = []
        self.on_ended: list[Callable[[], None]] = []
        self._pending: dict[str, _Pending] = {}
        self._asked = 0
        self._inbox = ""
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="log", daemon=True)
        self._thread.start()
        opened.result()

    @property
    def version(self) -> str:
        """The server's release."""
        told = self._client.connected_server_version
        return f"{told.major}.{told.minor}.{told.patch}"

    @property
    def largest(self) -> int:
        """Bytes of the largest message that the server takes, headers included."""
        return int(self._client.max_payload)

    @property
    def peers(self) -> int:
        """How many servers of a cluster the server knows of, itself among them; 1 where there is no cluster."""
        told = self._client._server_info  # nats-py keeps it, and shows only parts of it
        return max(1, len(told.get("connect_urls") or ())) if self.clustered else 1

    @property
    def clustered(self) -> bool:
        """Whether the server is one of a cluster, where nobody answers while a leader is chosen."""
        return bool(self._client._server_info.get("cluster"))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out work on the connection's thread and return its result; raises `LogLost` once that has ended."""
        try:
            result = asyncio.run_coroutine_threadsafe(work, self.loop)
        except RuntimeError:
            work.close()
            raise self.lost or LogLost("the log is closed") from None
        while not wait((result,), timeout=1.0).done:
            if not self._thread.is_alive():
                raise self.lost or LogLost("the log is closed")
        try:
            return result.result()
        except CancelledError:  # somebody closed the log while the work was under way
            raise self.lost or LogLost("the log is closed") from None

    def request(self, subject: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the server's API and return its answer, errors in it included; raises as `ask` answers."""
        return self.run(self.requested(subject, payload))

    async def requested(self, subject: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what `request` does (loop)."""
        answered: asyncio.Future[Answer] = self.loop.create_future()
        content = msgspec.json.encode(payload) if payload is not None else b""

        def done(answer: Answer) -> None:
            if not answered.done():
                answered.set_result(answer)

        key = await self.ask(subject, content, None, done)
        try:
            answer = await answered
        finally:
            self._pending.pop(key, None)  # whoever was called off waits no longer, and loses nobody the connection
        if isinstance(answer, LogError):
            raise answer
        return msgspec.json.decode(answer, type=dict[str, Any])

    def repeated(self, subject: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what `request` does, with what may be said twice: it is said again until somebody answers.

        A cluster that has lost the leader of its JetStream lets some questions fall, and answers them when asked later.
        """
        return self.run(self._repeated(subject, payload))

    async def _repeated(self, subject: str, payload: dict[str, Any] | None) -> dict[str, Any]:
        asked: list[asyncio.Task[dict[str, Any]]] = []
        try:
            while True:
                asked.append(asyncio.create_task(self.requested(subject, payload)))
                answered, _ = await asyncio.wait(asked, timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED)
                if answered:
                    return answered.pop().result()
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def ask(
        self, subject: str, content: bytes, headers: dict[str, str] | None, done: Callable[[Answer], None]
    ) -> str:
        """Publish and have `done` called once with the answer, on the connection's thread; return its key (loop)."""
        if self.lost is not None:
            done(self.lost)
            return ""
        self._asked += 1
        key = str(self._asked)
        self._pending[key] = _Pending(subject, self.loop.time() + self.timeout, done)
        try:
            await self._client.publish(subject, content, reply=f"{self._inbox}.{key}", headers=headers)
        except (nats.errors.Error, OSError) as error:
            if self._pending.pop(key, None) is not None:
                done(self.lost or LogLost(f"the log did not take a message: {error}"))
        return key

    def asked(self, subject: str, content: bytes, headers: dict[str, str] | None = None) -> Future[Answer]:
        """Do what `ask` does, from any thread, and return what the answer will be in."""
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        work = self.ask(subject, content, headers, future.set_result)
        try:
            asyncio.run_coroutine_threadsafe(work, self.loop)
        except RuntimeError:
            work.close()
            future.set_result(self.lost or LogLost("the log is closed"))
        return future

    async def publish(self, subject: str, content: bytes, reply: str = "") -> None:
        """Publish without waiting for anything (loop)."""
        if self.lost is None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._client.publish(subject, content, reply=reply)

    async def subscribe(self, subject: str, heard: Heard) -> Unsubscribe:
        """Have `heard` called for every message, without a limit on those that wait; return how to end it (loop)."""
        if self.lost is not None:
            raise self.lost
        subscription = await self._client.subscribe(subject, cb=heard, pending_msgs_limit=0, pending_bytes_limit=0)

        async def unsubscribe() -> None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

        return unsubscribe

    def inbox(self) -> str:
        """Return a subject that nobody else listens on."""
        return str(self._client.new_inbox())

    def lose(self, reason: str) -> None:
        """Give the connection up: everything that waits on it fails (loop)."""
        if self.lost is None:
            self.lost = LogLost(reason)
            for pending in self._take_pending():
                pending.done(self.lost)
            for told in tuple(self.on_lost):
                told(self.lost)

    def close(self) -> None:
        """End the connection and its thread; what was pending fails."""
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _run(self, opened: Future[None]) -> None:
        asyncio.run(self._live(opened))
        for told in self.on_ended:
            told()

    async def _live(self, opened: Future[None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        try:
            await self._open()
        except BaseException as error:  # noqa: BLE001 # the thread that waits for `opened` raises it
            opened.set_exception(error)
            return
        opened.set_result(None)
        while not self._ended.is_set():
            await self._watch()
        self.lose("the log is closed")
        await self._client.close()

    async def _watch(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), 1.0)
        if any(pending.deadline < self.loop.time() for pending in self._pending.values()):
            self.lose(f"the server did not answer within {self.timeout:g} seconds")

    async def _open(self) -> None:
        *others, last = self.credential.servers
        for url in others:
            with contextlib.suppress(LogLost):
                await self._connect(url)
                break
        else:
            await self._connect(last)
        version = self._client.connected_server_version
        if (version.major, version.minor) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            await self._client.close()
            raise NotJetStream(
                f"{self.credential.url} is nats-server {self.version}; a campaign needs {oldest} or later"
            )
        self._inbox = str(self._client.new_inbox())
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered, pending_msgs_limit=0, pending_bytes_limit=0)

    async def _connect(self, url: str) -> None:
        for left in reversed(range(GREETINGS)):
            self._client = Client()
            if self.credential.tls:
                clear = f"{url} does not offer TLS, which the credential asks for: nothing was said to it"
                self._client.demanded = clear
            elif self.credential.password is not None and not is_loopback(urlsplit(url).hostname or ""):
                self._client.demanded = f"{url} does not offer TLS: a password would cross the network in the clear"
            try:
                return await self._client.greet(url, **self._options())
            except Exception as error:
                await self._client.hang_up()
                if not left or not isinstance(error, HUNG_UP):
                    raise meaning(self.credential, url, error) from error
        return None

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0,
            "connect_timeout": 5,
            "ping_interval": 10,
            "max_outstanding_pings": 2,
            "pending_size": 64 * 1024 * 1024,
            "error_cb": self._erred,
            "closed_cb": self._closed,
        }
        if self.credential.user is not None:
            options |= {"user": self.credential.user, "password": self.credential.password or ""}
        if self.credential.ca is not None:
            options["tls"] = trusting(self.credential.ca)
        return options

    async def _answered(self, message: Message) -> None:
        pending = self._pending.pop(message.subject.rpartition(".")[2], None)
        if pending is None:
            return
        if not message.data and (message.headers or {}).get("Status") == "503":
            pending.done(Unanswered(f"nobody answers on {pending.subject}"))
        else:
            pending.done(message.data)

    async def _erred(self, error: Exception) -> None:
        # nats-py hands the server's words on in lower case.
        if refused := _REFUSED.search(str(error)):
            for pending in self._take_pending(refused[1].lower()):
                pending.done(NotAllowed(self.credential.user, pending.subject))

    async def _closed(self) -> None:
        if self._inbox:  # who was never let in is told so by what let nobody in
            self.lose(f"the connection to {self.credential.url} broke: what was pending is unknown, read the log again")

    def _take_pending(self, subject: str | None = None) -> list[_Pending]:
        taken = [key for key, pending in self._pending.items() if subject in (None, pending.subject.lower())]
        return [self._pending.pop(key) for key in taken]
