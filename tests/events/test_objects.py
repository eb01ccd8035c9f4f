"""The object store: put once, whole or not there, verified on arrival, and read by a client that is not ours."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from events.errors import LogLost, ObjectDamaged, ObjectMissing
from events.wire.connection import Connection
from events.wire.objects import CHUNK, WINDOW, Objects
from events.wire.server import Running
from tests.events.proxy import Proxy

CONTENT = bytes(range(256)) * (CHUNK // 256) * 3 + b"the last chunk is shorter"
NAME = sha256(CONTENT).hexdigest()

_numbers = itertools.count(1)


@pytest.fixture
def connection(server: Running) -> Iterator[Connection]:
    connection = Connection(server.credential("owner"))
    yield connection
    connection.close()


@pytest.fixture
def objects(connection: Connection) -> Objects:
    bucket = Objects(connection, f"myriad-files-o{next(_numbers)}")
    bucket.create()
    return bucket


def messages(objects: Objects) -> int:
    return int(objects._state()["messages"])


def test_what_was_put_comes_back_under_its_digest_and_is_put_once(objects: Objects, tmp_path: Path) -> None:
    file = tmp_path / "features.npy"
    file.write_bytes(CONTENT)
    assert objects.put(file) == NAME
    stored = messages(objects)
    assert stored == 4 + 1
    assert objects.put(CONTENT) == NAME
    assert messages(objects) == stored
    objects.get(NAME, tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy"]


def test_nothing_at_all_is_an_object_too(objects: Objects, tmp_path: Path) -> None:
    objects.get(objects.put(b""), tmp_path / "empty")
    assert (tmp_path / "empty").read_bytes() == b""


def test_more_chunks_than_may_be_under_way_come_back_in_their_order(objects: Objects, tmp_path: Path) -> None:
    content = os.urandom(CHUNK * (3 * WINDOW + 1) + 7)
    objects.get(objects.put(content), tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == content


def test_the_clients_own_object_store_reads_it(objects: Objects, server: Running) -> None:
    objects.put(CONTENT)

    async def theirs() -> bytes:
        import nats

        credential = server.credential("owner")
        client = await nats.connect(credential.url, user=credential.user, password=credential.password)
        try:
            store = await client.jetstream().object_store(objects.bucket)
            return (await store.get(NAME)).data or b""
        finally:
            await client.close()

    assert asyncio.run(theirs()) == CONTENT


def test_what_is_not_there_is_missing_in_a_bucket_and_where_there_is_none(
    objects: Objects, connection: Connection, tmp_path: Path
) -> None:
    nowhere = Objects(connection, "myriad-files-nowhere")
    for bucket in (objects, nowhere):
        assert not bucket.has(NAME)
        with pytest.raises(ObjectMissing, match=NAME):
            bucket.get(NAME, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


class Breaking(BytesIO):
    """A file whose reader loses its server half way."""

    def __init__(self, content: bytes, breaks: Callable[[], None]) -> None:
        super().__init__(content)
        self._half = len(content) // 2
        self._breaks = breaks

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > self._half:
            self._breaks()
        return super().read(size)


def test_a_put_that_was_torn_is_no_object_and_is_made_again(objects: Objects, server: Running) -> None:
    proxy, content = Proxy(server.credential("owner")), os.urandom(CHUNK * WINDOW * 3)
    name, torn = sha256(content).hexdigest(), Connection(proxy.credential, timeout=2)
    with pytest.raises(LogLost):
        Objects(torn, objects.bucket)._put(name, Breaking(content, proxy.cut))
    torn.close()
    assert messages(objects) > 0
    assert not objects.has(name)
    assert objects.put(content) == name
    assert objects.has(name)


def test_a_transfer_that_was_changed_on_the_way_is_found_and_made_again(
    objects: Objects, server: Running, tmp_path: Path
) -> None:
    objects.put(CONTENT)
    proxy = Proxy(server.credential("owner"), changing=(b"the last chunk", b"the lost chunk"))
    far = Connection(proxy.credential)
    Objects(far, objects.bucket).get(NAME, tmp_path / "copy")
    far.close()
    assert proxy.changed == 1
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_a_transfer_whose_connection_breaks_puts_nothing_in_place(
    objects: Objects, server: Running, tmp_path: Path
) -> None:
    objects.put(CONTENT)
    proxy = Proxy(server.credential("owner"), cutting=b"the last chunk")
    far = Connection(proxy.credential)
    with pytest.raises(LogLost):
        Objects(far, objects.bucket).get(NAME, tmp_path / "copy")
    far.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_where_it_lies_is_told_from_what_came_damaged_and_can_be_put_again(
    objects: Objects, connection: Connection, tmp_path: Path
) -> None:
    wrong = Objects(connection, objects.bucket)
    wrong._put(NAME, BytesIO(b"something else"))
    with pytest.raises(ObjectDamaged, match="must be put there again"):
        objects.get(NAME, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
    objects._put(NAME, BytesIO(CONTENT))
    objects.get(NAME, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_nobody_who_may_write_can_pass_other_bytes_off_for_what_was_put_first_or_later(
    objects: Objects, connection: Connection, tmp_path: Path
) -> None:
    objects.put(CONTENT)
    objects._put(NAME, BytesIO(b"a hostile machine's"))
    connection.asked(objects._about(NAME), b"no description").result()
    lying = {"name": NAME, "bucket": objects.bucket, "nuid": "nowhere", "size": 1, "chunks": 1, "digest": "SHA-256="}
    connection.asked(objects._about(NAME), msgspec.json.encode(lying)).result()
    objects.get(NAME, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT
