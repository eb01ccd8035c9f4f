"""Files by their digest in JetStream's object store: put once, found again by anybody, verified on arrival.

The layout is the object store's own, so that any NATS client reads it: chunks on `$O.<bucket>.C.<nuid>`, then a
description on `$O.<bucket>.M.<name>`, which says that they are whole. An object's name is the sha256 of its bytes in
hexadecimal. Nothing is ever replaced: who puts a name again adds a description, and whoever gets it takes the first
whose bytes are those that the name promises, so that nobody who may write here can pass other bytes off for them.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from events import subjects
from events.errors import LogError, ObjectDamaged, ObjectMissing
from events.wire.connection import Answer, Connection
from events.wire.jetstream import keeping, made
from events.wire.reader import Pull, read

CHUNK = 128 * 1024
"""Bytes of a chunk, the object store's own default."""

WINDOW = 32
"""Chunks that may be under way at once, to a server or from it."""

TRIES = 3
"""Times that an object is fetched before it counts as damaged where it lies."""

NO_STREAM = 10059
"""The server's error code for a bucket that is not there."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What the object store says of an object; `digest` is `SHA-256=` and base64, as its other clients write it."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str
    mtime: str = ""
    options: dict[str, int] = msgspec.field(default_factory=lambda: {"max_chunk_size": CHUNK})


class Objects:
    """One bucket.

    Args:
        bucket: its name; letters, digits, `-` and `_`.
    """

    def __init__(self, connection: Connection, bucket: str) -> None:
        self._connection = connection
        self.bucket = bucket
        self._stream = subjects.kept(bucket)

    def create(self, replicas: int = 1) -> None:
        """Make the bucket where it is not there yet; raises `LogError` where the server refuses."""
        answer = made(self._connection, configuration(self.bucket, replicas))
        if "error" in answer:
            raise LogError(f"the server refused bucket {self.bucket}: {answer['error'].get('description')}")

    def put(self, content: Path | bytes) -> str:
        """Put a file's bytes, unless they are there and whole, and return their digest.

        Raises:
            OSError: the file cannot be read.
            LogError: the server refused a chunk, or broke off; what was put by then is no object.
        """
        with _opened(content) as source:
            name = _digest(source)
            if not self.has(name):
                source.seek(0)
                self._put(name, source)
        return name

    def has(self, name: str) -> bool:
        """Say whether the bucket holds an object, and as many chunks of it as its description says."""
        return any(self._chunks(found.nuid) == found.chunks for found in self._described(name))

    def get(self, name: str, to: Path) -> None:
        """Put an object's bytes in a file's place, whole; a transfer that came torn or changed is made again.

        Raises:
            ObjectMissing: the bucket does not hold it.
            ObjectDamaged: what it holds is not what the name promises, however often it is fetched.
            LogLost: the connection broke; nothing was put in place.
        """
        if not (found := self._described(name)):
            raise ObjectMissing(name, self.bucket)
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f".{to.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            for described in found * TRIES:
                if self._fetched(described, partial) == name:
                    partial.replace(to)
                    return
        finally:
            partial.unlink(missing_ok=True)
        raise ObjectDamaged(name, self.bucket)

    def _put(self, name: str, source: BinaryIO) -> None:
        nuid, size, chunks = secrets.token_hex(11), 0, 0
        waiting: deque[Future[Answer]] = deque()
        while chunk := source.read(CHUNK):
            waiting.append(self._connection.asked(f"$O.{self.bucket}.C.{nuid}", chunk))
            size, chunks = size + len(chunk), chunks + 1
            if len(waiting) >= WINDOW:
                _acknowledged(waiting.popleft())
        while waiting:
            _acknowledged(waiting.popleft())
        described = Description(
            name=name,
            bucket=self.bucket,
            nuid=nuid,
            size=size,
            chunks=chunks,
            digest=f"SHA-256={base64.urlsafe_b64encode(bytes.fromhex(name)).decode()}",
            mtime=datetime.now(UTC).isoformat(),
        )
        _acknowledged(self._connection.asked(self._about(name), msgspec.json.encode(described)))

    def _fetched(self, described: Description, to: Path) -> str:
        """Write what an object's chunks hold into a file, and return its digest."""
        found = sha256()
        with to.open("wb") as file:
            for chunk in self._messages(f"$O.{self.bucket}.C.{described.nuid}"):
                found.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return found.hexdigest()

    def _described(self, name: str) -> list[Description]:
        """Return the descriptions under a name, the first first; one that cannot be read is nobody's."""
        found = []
        for message in self._messages(self._about(name)):
            try:
                found.append(msgspec.json.decode(message, type=Description))
            except msgspec.MsgspecError:
                continue
        return found

    def _messages(self, subject: str) -> Iterator[bytes]:
        pull = Pull(self._connection, self.bucket, self._stream, 0, subject, batch=WINDOW)
        for recorded in read(pull, 0, self._state().get("last_seq", 0), whole=False):
            yield recorded.payload

    def _chunks(self, nuid: str) -> int:
        subject = f"$O.{self.bucket}.C.{nuid}"
        counted: dict[str, int] = self._state({"subjects_filter": subject}).get("subjects") or {}
        return counted.get(subject, 0)

    def _state(self, wish: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._connection.request(f"{self._connection.api}.STREAM.INFO.{self._stream}", wish)
        if "error" in answer:
            if answer["error"].get("err_code") == NO_STREAM:
                return {}
            raise LogError(f"the server refused bucket {self.bucket}: {answer['error'].get('description')}")
        state: dict[str, Any] = answer["state"]
        return state

    def _about(self, name: str) -> str:
        return f"$O.{self.bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def configuration(bucket: str, replicas: int = 1) -> dict[str, Any]:
    """Return the stream of a bucket from which nothing is ever taken."""
    return keeping(subjects.kept(bucket), [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"], replicas)


def _opened(content: Path | bytes) -> BinaryIO:
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _digest(source: BinaryIO) -> str:
    found = sha256()
    while block := source.read(2**20):
        found.update(block)
    return found.hexdigest()


def _acknowledged(answer: Future[Answer]) -> None:
    said = answer.result()
    if isinstance(said, LogError):
        raise said
    told = msgspec.json.decode(said, type=dict[str, Any])
    if "error" in told:
        raise LogError(f"the server refused a chunk: {told['error'].get('description')}")
