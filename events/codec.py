"""Frames to bytes and back: a JSON array of tagged facts in canonical field order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Union

import msgspec

from events import authors, facts
from events.envelope import Fact
from events.errors import FrameRefused, FrameUnreadable
from events.upcasters import upcast

LIMIT = 256 * 1024
"""Bytes of the largest frame; longer texts lie in the campaign's blobs."""

LARGEST = 2**53
"""Integers beyond this are not exact in every JSON reader."""

KINDS: dict[str, type[Fact]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc] # every fact's tag is a string that we chose
    for kind in vars(facts).values()
    if isinstance(kind, type) and issubclass(kind, Fact) and kind is not Fact
}

Decoder = msgspec.json.Decoder[tuple[Fact, ...]]


def _frame_of(kinds: Iterable[type[Fact]]) -> Any:
    """Return the type of a frame of these facts."""
    return tuple[Union[*kinds], ...]  # type: ignore[valid-type] # the kinds are known when this runs


_FRAME = _frame_of(KINDS.values())
_decoder: Decoder = msgspec.json.Decoder(_FRAME)
_own: dict[str, Decoder] = {role: msgspec.json.Decoder(_frame_of(kinds)) for role, kinds in authors.WRITES.items()}
_nobodys: Decoder = msgspec.json.Decoder(tuple[()])
_encoder = msgspec.json.Encoder()


def encode(frame: tuple[Fact, ...], author: str) -> bytes:
    """Return the canonical bytes of one decision.

    Raises:
        FrameRefused: empty, over 256 KiB, a number that JSON cannot carry, or a field of the wrong type.
        AuthorForbidden: a fact that is not the author's to write.
    """
    if not frame:
        raise FrameRefused("a frame needs at least one fact")
    authors.check(author, frame)
    for fact in frame:
        _refuse_inexact(fact, type(fact).__name__)
    payload = _encoder.encode(frame)
    if len(payload) > LIMIT:
        size = f"{len(payload)} bytes is over the limit of {LIMIT}"
        raise FrameRefused(f"a frame of {size}: long texts belong in the blobs")
    try:
        _decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise FrameRefused(f"a fact does not fit its type: {error}") from error
    return payload


def decode(payload: bytes, sequence: int = 0, author: str | None = None) -> tuple[Fact, ...]:
    """Return the facts of recorded bytes, older vocabularies carried to today's.

    Raises:
        FrameUnreadable: malformed bytes, or a type that only a newer Myriad knows.
        AuthorForbidden: `author` is given and the frame holds a type that is not its to write.
    """
    try:
        return _decoder_of(author).decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        frame = _decode_any(payload, sequence)
    if author is not None:
        authors.check(author, frame, sequence=sequence)
    return frame


@lru_cache(maxsize=4096)
def _decoder_of(author: str | None) -> Decoder:
    """Return what reads the facts that an author may write, and no others: then nothing is left to check."""
    return _decoder if author is None else _own.get(authors.role_of(author), _nobodys)


def _decode_any(payload: bytes, sequence: int) -> tuple[Fact, ...]:
    """Return the facts of whatever author and vocabulary."""
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decode_older(payload, sequence)


def _decode_older(payload: bytes, sequence: int) -> tuple[Fact, ...]:
    where = f"position {sequence}" if sequence else "the frame"
    try:
        recorded = msgspec.json.decode(payload, type=list[dict[str, Any]])
        if not all(isinstance(fact.get("type"), str) for fact in recorded):
            raise FrameUnreadable(f"{where} is not a frame: a fact has no type", sequence=sequence)
        mappings = [upcast(fact) for fact in recorded]
        unknown = next((m["type"] for m in mappings if m["type"] not in KINDS), None)
        if unknown is not None:
            sentence = f"{where} holds a {unknown}, written by a newer Myriad: update to read on"
            raise FrameUnreadable(sentence, sequence=sequence, unknown=unknown)
        frame: tuple[Fact, ...] = msgspec.convert(mappings, _FRAME)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise FrameUnreadable(f"{where} is not a frame: {error}", sequence=sequence) from error
    return frame


def _refuse_inexact(value: object, path: str) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FrameRefused(f"{path} = {value}: a fact holds finite numbers, or None")
    elif isinstance(value, int):
        if abs(value) >= LARGEST:
            raise FrameRefused(f"{path} = {value}: integers on the log stay below 2^53")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _refuse_inexact(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_inexact(item, f"{path}.{key}")
    elif isinstance(value, tuple | list):
        for item in value:
            _refuse_inexact(item, path)
