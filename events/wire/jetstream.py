"""A campaign's log on a JetStream server: one stream a campaign, one message a frame.

    with server.running(folder) as running:                       # or any server of release 2.12 or later
        jetstream.create(running.credential("owner"), folder.name).close()
        log = jetstream.connect(running.credential("person"), folder.name)
        log.append(frame, expecting=fence)

`create` makes the stream where it is not there yet and returns the log; `connect` takes it as it is. Both accept a
`Credential`, the path of a credential file, or `nats://user:password@host:port`.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from events import subjects
from events.codec import LIMIT
from events.errors import GapFound, LogError, LogLost, NotAllowed, NotJetStream
from events.log import Appended, Fence, Frame, Recorded
from events.wire import credentials
from events.wire.connection import Connection, Message, Unanswered
from events.wire.credentials import OBSERVERS, Credential, api_of
from events.wire.reader import SECOND, Pull, PullFollower, read
from events.wire.writer import Writer

WINDOW = 256
"""Frames that may wait for the server at once; more bring no more speed (notes: own window 64 to 1024)."""

FOREVER = 10 * 365 * 86400 * SECOND
"""Nanoseconds in which the server knows a frame's id: longer than any campaign, and cheap."""

NO_STREAM, OTHER_STREAM, NO_JETSTREAM = 10059, 10058, (10039, 10076)
"""The server's error codes for a stream that is not there, one that is not ours, and JetStream switched off."""

COPIES = 3
"""Copies of a log on a cluster: one server may be lost."""

UNREADY = (10008, 10004, 10009)
"""The server's error codes for a cluster that has no leader at the moment, or not enough servers that answer."""

HEADERS = 1024
"""Bytes that a message's headers may take beside its frame."""


class JetStreamLog:
    """An `EventLog` on a server; any number of threads may use it."""

    def __init__(self, connection: Connection, campaign: str, *, window: int = WINDOW) -> None:
        self._connection = connection
        self._campaign = campaign
        self._stream = stream_of(campaign)
        self._writer = Writer(connection, campaign, self.read, window=window)

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._campaign

    @property
    def author(self) -> str | None:
        """In whose name alone frames may be written, None where the credential does not say."""
        return self._connection.credential.author

    @property
    def connection(self) -> Connection:
        """The connection that carries the log."""
        return self._connection

    @property
    def replicas(self) -> int:
        """How many copies of the log its cluster keeps."""
        return _copies(self._connection, self._campaign) or 1

    def last(self) -> int:
        """Return the last sequence, 0 for an empty log."""
        return int(_stream(self._connection, self._campaign)["state"]["last_seq"])

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        """Write one frame and wait until it is on the disk; see `EventLog.append`."""
        return self._writer.submit(frame, expecting).result()

    def submit(self, frame: Frame, *, expecting: Fence | None = None) -> Future[Appended]:
        """Write one frame without waiting; the future's callbacks run on the connection's thread and may not submit."""
        return self._writer.submit(frame, expecting)

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means, through the last at the time of asking."""
        whole = subject in (">", subjects.everything(self._campaign))
        yield from read(self._pull(after, subject), after, self.last(), whole=whole)

    def follow(self, after: int = 0, subject: str = ">") -> PullFollower:
        """Yield the frames after a sequence, then each new one as it comes."""
        return PullFollower(self._pull(after, subject))

    def restore(self, frames: Iterable[Recorded]) -> None:
        """Write frames as another log recorded them, at their own sequences; the log must stand right before them.

        Raises:
            GapFound: a frame does not follow the last one.
            LogError: somebody else wrote, or the server refused a frame; those before it are there.
        """
        waiting: deque[tuple[int, Future[Appended]]] = deque()
        for following, recorded in enumerate(frames, start=self.last() + 1):
            if recorded.sequence != following:
                raise GapFound(following, recorded.sequence)
            waiting.append((recorded.sequence, self._writer.restore(recorded)))
            if len(waiting) >= WINDOW:
                _placed(*waiting.popleft())
        while waiting:
            _placed(*waiting.popleft())

    def publish_pulse(self, author: str, payload: bytes) -> None:
        """Send a sign of life to whoever listens now; nothing records it, and nobody says whether it came."""
        self._publish(subjects.pulse(self._campaign, author), payload)

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Have `heard(author, payload)` called for every pulse from now on, on the connection's thread, where it may
        not wait; return the function that ends it.
        """
        return self._subscribe(subjects.pulse(self._campaign, "*"), heard)

    def publish_call(self, payload: bytes) -> None:
        """Call machines that lend devices; nothing records it, and nobody says whether it came."""
        self._publish(subjects.call(self._campaign), payload)

    def subscribe_calls(self, heard: Callable[[bytes], None]) -> Callable[[], None]:
        """Have `heard(payload)` called for every call of the campaign's runner, as `subscribe_pulses` does."""
        return self._subscribe(subjects.call(self._campaign), lambda _, payload: heard(payload))

    def _publish(self, subject: str, payload: bytes) -> None:
        with contextlib.suppress(LogLost):
            self._connection.run(self._connection.publish(subject, payload))

    def _subscribe(self, subject: str, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        async def came(message: Message) -> None:
            heard(subjects.author_of(message.subject), message.data)

        unsubscribe = self._connection.run(self._connection.subscribe(subject, came))

        async def end() -> None:
            await unsubscribe()

        return lambda: self._connection.run(end())

    def close(self) -> None:
        """End the connection; what was pending fails with `LogLost`."""
        self._connection.close()

    def __enter__(self) -> JetStreamLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _pull(self, after: int, subject: str) -> Pull:
        return Pull(self._connection, self._campaign, self._stream, after, subject)


def connect(
    credential: Credential | str | Path, campaign: str, *, window: int = WINDOW, timeout: float = 30.0
) -> JetStreamLog:
    """Open a campaign's log that a server holds; an unanswered append is given up after `timeout` seconds.

    Raises:
        CredentialRefused: the credential is not one.
        LogLost: nobody answers at the address.
        NotAllowed: the user is unknown, or may not read this campaign.
        NotJetStream: what answers cannot hold a campaign, is too old, or does not hold this one.
    """
    connection = Connection(credentials.parse(credential), timeout=timeout)
    try:
        _find(connection, campaign)
        _check_size(connection)
    except LogError:
        connection.close()
        raise
    return JetStreamLog(connection, campaign, window=window)


def create(credential: Credential | str | Path, campaign: str, *, replicas: int | None = None) -> JetStreamLog:
    """Make a campaign's stream where it is not there yet, and open its log; raises as `connect`, and `LogError` for
    a stream of that name that is not a campaign's.

    Args:
        replicas: copies of a new stream; None for `COPIES` on a cluster of as many servers, else one. A stream that
            is there keeps those that it has.
    """
    connection = Connection(credentials.parse(credential))
    try:
        _check_size(connection)
        if (kept := _copies(connection, campaign)) is None:
            kept = replicas or (COPIES if connection.peers >= COPIES else 1)
        answer = made(connection, configuration(campaign, kept))
        if "error" in answer:
            raise _refused(connection, campaign, answer["error"])
    except LogError:
        connection.close()
        raise
    return JetStreamLog(connection, campaign)


def made(connection: Connection, stream: dict[str, Any]) -> dict[str, Any]:
    """Make a stream where it is not there yet, and return the answer; a cluster without a leader is asked again."""
    end = time.monotonic() + connection.timeout
    while True:
        answer = _api(connection, f"{connection.api}.STREAM.CREATE.{stream['name']}", stream)
        if answer.get("error", {}).get("err_code") not in UNREADY or time.monotonic() > end:
            return answer
        time.sleep(0.2)


def _copies(connection: Connection, campaign: str) -> int | None:
    """Return how many copies of a stream there are, None where there is no stream."""
    answer = _api(connection, f"{connection.api}.STREAM.INFO.{stream_of(campaign)}", None)
    return int(answer["config"].get("num_replicas", 1)) if "config" in answer else None


def _placed(sequence: int, answer: Future[Appended]) -> None:
    if (found := answer.result()).sequence != sequence:
        raise LogError(f"frame {sequence} came to stand at {found.sequence}: the log was not empty before it")


def stream_of(campaign: str) -> str:
    """Return the name of a campaign's stream."""
    return f"myriad-{subjects.token(campaign, what='campaign')}"


def configuration(campaign: str, replicas: int = 1) -> dict[str, Any]:
    """Return the stream that a campaign needs: a keeping one, packed, that knows every frame's id for ever."""
    stream = keeping(stream_of(campaign), [subjects.everything(campaign)], replicas)
    return stream | {"duplicate_window": FOREVER, "compression": "s2"}


def keeping(name: str, filters: list[str], replicas: int) -> dict[str, Any]:
    """Return a stream on files, without limits, from which nothing is ever taken away."""
    return {
        "name": name,
        "subjects": filters,
        "retention": "limits",
        "storage": "file",
        "num_replicas": replicas,
        "max_consumers": -1,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msg_size": -1,
        "discard": "new",
        "deny_delete": True,
        "deny_purge": True,
        "allow_direct": True,
    }


def campaigns(credential: Credential | str | Path) -> list[str]:
    """Name the campaigns that a server holds; raises as `connect` does."""
    connection = Connection(credentials.parse(credential))
    try:
        answer = _api(connection, f"{connection.api}.STREAM.NAMES", {"subject": "myriad.>"})
        if "error" in answer:
            raise _refused(connection, "", answer["error"])
        names = answer.get("streams") or []
        return sorted(name.removeprefix("myriad-") for name in names if name.startswith("myriad-"))
    finally:
        connection.close()


def _find(connection: Connection, campaign: str) -> None:
    try:
        _stream(connection, campaign)
    except NotAllowed:
        # a URL does not say whether it is an observer's, who asks elsewhere
        connection.api = api_of(OBSERVERS)
        _stream(connection, campaign)


def _stream(connection: Connection, campaign: str) -> dict[str, Any]:
    answer = _api(connection, f"{connection.api}.STREAM.INFO.{stream_of(campaign)}", None)
    if "error" in answer:
        raise _refused(connection, campaign, answer["error"])
    return answer


def _api(connection: Connection, subject: str, payload: dict[str, Any] | None) -> dict[str, Any]:
    try:
        return connection.repeated(subject, payload)
    except Unanswered:
        url = connection.credential.url
        if connection.clustered:
            raise LogLost(f"{url} is one of a cluster of which no server answers for JetStream now") from None
        raise NotJetStream(f"{url} is a NATS server without JetStream: start it with -js") from None


def _refused(connection: Connection, campaign: str, error: dict[str, Any]) -> LogError:
    url, code, words = connection.credential.url, error.get("err_code"), error.get("description", "")
    if code == NO_STREAM:
        return NotJetStream(f"{url} holds no campaign {campaign}")
    if code == OTHER_STREAM:
        return NotJetStream(f"{url} holds a stream {stream_of(campaign)} that is not set up as a campaign's: {words}")
    if code in NO_JETSTREAM:
        return NotJetStream(f"{url} is a NATS server without JetStream for this user: {words}")
    return LogError(f"{url} refused campaign {campaign}: {words} ({code})")


def _check_size(connection: Connection) -> None:
    if connection.largest < LIMIT + HEADERS:
        url, largest = connection.credential.url, connection.largest
        raise NotJetStream(f"{url} takes messages of {largest} bytes: set max_payload to {LIMIT + HEADERS} or more")
