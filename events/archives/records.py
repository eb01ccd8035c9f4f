"""The bytes of an archive file: a magic line, then records chained by sha256, a manifest last.

A record is its kind (one byte), the length of its body (eight bytes, big-endian), the chain (32 bytes) and the body.
The chain is sha256 over the chain before it, kind, length and body; before the first record stands the sha256 of the
magic line. So no bit of a file can change, and nothing can be cut, moved or added, without the place being found.

    H  header      JSON: campaign, first sequence, and the last chain of the segment before it
    F  frames      first sequence (8 bytes), count (4 bytes), zlib of MessagePack [subjects, ids, payloads]
    B  blob        sha256 of the content (32 bytes), zlib of the content
    M  manifest    JSON: what the file holds; its presence means that the file is whole
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec
from isal import isal_zlib

from events.codec import KINDS
from events.errors import ArchiveDamaged, GapFound, LogError
from events.log import Recorded

FAMILY = b"myriad archive "
MAGIC = FAMILY + b"1\n"
BLOCK = 512
"""Frames of one block: enough for zlib to find what repeats (notes: 512-event blocks)."""

HEADER, FRAMES, BLOB, MANIFEST = b"H", b"F", b"B", b"M"

_HEAD = struct.Struct(">cQ32s")
_RANGE = struct.Struct(">QI")
_T = TypeVar("_T")


def is_archive(path: Path) -> bool:
    """Say whether a file begins as an archive of any Myriad does."""
    return path.is_file() and path.open("rb").read(len(FAMILY)) == FAMILY


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file continues.

    Attributes:
        first: sequence of its first frame.
        previous: the last chain, in hex, of the segment before it; empty for a file that stands alone.
    """

    campaign: str
    first: int
    previous: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds.

    Attributes:
        last: sequence of its last frame, `first - 1` when there is none.
        vocabulary: the types of facts that its writer knew.
    """

    campaign: str
    frames: int
    first: int
    last: int
    blobs: int
    vocabulary: tuple[str, ...] = tuple(sorted(KINDS))


class Block(NamedTuple):
    """Where frames `first` to `last` lie in a file, and the chain there, in hex, which vouches for all up to `last`."""

    first: int
    last: int
    body: memoryview
    chain: str


class Archived(NamedTuple):
    """A file that was verified from its first byte to its last.

    Attributes:
        blobs: digest to compressed content.
        chain: the last chain, in hex.
    """

    path: Path
    header: Header
    manifest: Manifest
    blocks: tuple[Block, ...]
    blobs: dict[str, memoryview]
    chain: str


class Torn(ArchiveDamaged):
    """A file ends before its manifest: its writer was killed, or it was cut.

    Attributes:
        sound: what stands before its end, verified like a whole file; None where that is not even its header.
    """

    def __init__(self, path: Path, byte: int, after: int, reason: str, sound: Archived | None = None) -> None:
        super().__init__(path, byte, after, reason)
        self.sound = sound


def write(
    path: Path, header: Header, frames: Iterable[Recorded], blobs: Iterable[tuple[str, bytes]] = ()
) -> tuple[Manifest, str]:
    """Write a file whole, or not at all; return its manifest and its last chain.

    Raises:
        GapFound: the frames do not follow one another from `header.first`.
        LogError: the disk is full, or refuses.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            written = _write(_Chained(file), header, frames, blobs)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise LogError(f"{path} cannot be written: {error.strerror or error}; what was there is unchanged") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return written


def verify(path: Path) -> Archived:
    """Read a file and check every byte of it.

    Raises:
        ArchiveDamaged: it is not what was written; `Torn` when it ends too early.
        LogError: it cannot be read.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    return _Scan(path, content).result()


def inflated(body: memoryview) -> bytes:
    """Return what zlib made small, in less than half of its own time; raises ValueError where it did not make this."""
    try:
        return isal_zlib.decompress(body)
    except isal_zlib.error as error:  # type: ignore[misc] # its stubs call the class an instance
        raise ValueError(str(error)) from error


def frames(block: Block) -> Iterator[Recorded]:
    """Return the frames of a verified block; raises ValueError where it holds something else."""
    subjects, ids, payloads = msgspec.msgpack.decode(inflated(block.body), type=_Columns)
    sequences = range(block.first, block.last + 1)
    if not len(subjects) == len(ids) == len(payloads) == len(sequences):
        raise ValueError(f"{len(sequences)} frames are promised, {len(payloads)} are there")
    return map(Recorded, sequences, subjects, ids, payloads)


_Columns = tuple[list[str], list[str], list[bytes]]


class _Chained:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.chain = sha256(MAGIC).digest()
        file.write(MAGIC)

    def put(self, kind: bytes, body: bytes) -> None:
        self.chain = _link(self.chain, kind, memoryview(body))
        self._file.write(_HEAD.pack(kind, len(body), self.chain))
        self._file.write(body)


def _write(
    chained: _Chained, header: Header, frames: Iterable[Recorded], blobs: Iterable[tuple[str, bytes]]
) -> tuple[Manifest, str]:
    chained.put(HEADER, msgspec.json.encode(header))
    following = header.first
    for block in _batches(frames, BLOCK):
        for nth, recorded in enumerate(block):
            if recorded.sequence != following + nth:
                raise GapFound(following + nth, recorded.sequence)
        columns = ([r.subject for r in block], [r.id for r in block], [r.payload for r in block])
        body = _RANGE.pack(following, len(block)) + zlib.compress(msgspec.msgpack.encode(columns))
        chained.put(FRAMES, body)
        following += len(block)
    kept = 0
    for digest, content in blobs:
        chained.put(BLOB, bytes.fromhex(digest) + zlib.compress(content))
        kept += 1
    held = following - header.first
    manifest = Manifest(campaign=header.campaign, frames=held, first=header.first, last=following - 1, blobs=kept)
    chained.put(MANIFEST, msgspec.json.encode(manifest))
    return manifest, chained.chain.hex()


class _Scan:
    def __init__(self, path: Path, content: memoryview) -> None:
        self._path = path
        self._content = content
        self._at = 0
        self._last = 0
        self._header: Header | None = None
        self._manifest: Manifest | None = None
        self._chain = b""
        self._blocks: list[Block] = []
        self._blobs: dict[str, memoryview] = {}

    def result(self) -> Archived:
        self._check_magic()
        chain = sha256(MAGIC).digest()
        self._at = len(MAGIC)
        while self._manifest is None:
            self._chain = chain
            kind, chain, body = self._record(chain)
            self._take(kind, body, chain)
            self._at += _HEAD.size + len(body)
        if self._at != len(self._content):
            raise self._damaged("something follows its manifest")
        if self._header is None:
            raise self._damaged("it has no header")
        return self._archived(self._header, self._manifest, chain)

    def _check_magic(self) -> None:
        start = bytes(self._content[: len(MAGIC)])
        if start == MAGIC:
            return
        if start == MAGIC[: len(start)]:
            raise Torn(self._path, len(start), 0, "it ends in its first line")
        if start.startswith(FAMILY):
            raise self._damaged(f"it calls itself {start!r}, which this Myriad does not know: update to read it")
        raise self._damaged("it does not begin as an archive does")

    def _record(self, chain: bytes) -> tuple[bytes, bytes, memoryview]:
        start = self._at + _HEAD.size
        if start > len(self._content):
            raise self._torn()
        kind, length, expected = _HEAD.unpack(self._content[self._at : start])
        if length > len(self._content) - start:
            raise self._torn()
        body = self._content[start : start + length]
        if _link(chain, kind, body) != expected:
            raise self._damaged("its checksum does not fit")
        return kind, expected, body

    def _take(self, kind: bytes, body: memoryview, chain: bytes) -> None:
        # The chain has vouched for the body: what does not fit from here on was written so.
        try:
            if kind == HEADER:
                self._header = msgspec.json.decode(body, type=Header)
                self._last = self._header.first - 1
            elif kind == FRAMES:
                self._take_frames(body, chain)
            elif kind == BLOB:
                self._blobs[bytes(body[:32]).hex()] = body[32:]
            elif kind == MANIFEST:
                self._take_manifest(msgspec.json.decode(body, type=Manifest))
            else:
                raise self._damaged(f"a record of kind {kind!r} is from a newer Myriad: update to read it")
        except (msgspec.MsgspecError, struct.error) as error:
            raise self._damaged(f"a record is not what its kind says: {error}") from error

    def _take_frames(self, body: memoryview, chain: bytes) -> None:
        first, count = _RANGE.unpack(body[: _RANGE.size])
        if first != self._last + 1:
            raise self._damaged(f"frame {first} does not follow frame {self._last}")
        self._last = first + count - 1
        self._blocks.append(Block(first, self._last, body[_RANGE.size :], chain.hex()))

    def _take_manifest(self, manifest: Manifest) -> None:
        if (manifest.last, manifest.blobs) != (self._last, len(self._blobs)):
            raise self._damaged(f"its manifest says frame {manifest.last} and {manifest.blobs} blobs")
        self._manifest = manifest

    def _damaged(self, reason: str) -> ArchiveDamaged:
        return ArchiveDamaged(self._path, self._at, self._last, reason)

    def _torn(self) -> Torn:
        reason, header, sound = "it ends before its manifest, or says a wrong length here", self._header, None
        if header is not None:
            held = self._last - header.first + 1
            manifest = Manifest(
                campaign=header.campaign, frames=held, first=header.first, last=self._last, blobs=len(self._blobs)
            )
            sound = self._archived(header, manifest, self._chain)
        return Torn(self._path, self._at, self._last, reason, sound)

    def _archived(self, header: Header, manifest: Manifest, chain: bytes) -> Archived:
        return Archived(self._path, header, manifest, tuple(self._blocks), self._blobs, chain.hex())


def _link(chain: bytes, kind: bytes, body: memoryview) -> bytes:
    digest = sha256(chain)
    digest.update(kind + len(body).to_bytes(8, "big"))
    digest.update(body)
    return digest.digest()


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
