"""A pass as bytes: what its folds had seen through a position, under the digests of the log and of the code.

content = preserve(passing, log)         # to keep beside the archive; disposable
passing = resume(content, log, *folds)   # raises SnapshotRefused: then fold from the start, and preserve that
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, get_type_hints

import msgspec

import events
import replay
from events import sources
from events.archives.fingerprint import fingerprint
from events.log import LogReader
from replay.errors import ReplayError
from replay.folds import Fold, Pass

Difference = Literal["bytes", "code", "folds", "log"]


class SnapshotRefused(ReplayError):
    """A snapshot does not say what this code would fold this log to.

    Attributes:
        difference: what it does not fit: its own digest, the code, the folds that are asked for, or the log.
    """

    def __init__(self, difference: Difference, sentence: str) -> None:
        super().__init__(f"{sentence}: fold the log from its start")
        self.difference = difference


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the bytes hold.

    Attributes:
        code: digest of all of `events` and `replay`, and msgspec's version.
        log: see `events.archives.fingerprint`.
        folds: their names, in order.
        states: MessagePack of each fold's state.
        digest: sha256 of the states.
    """

    through: int
    code: str
    log: str
    folds: tuple[str, ...]
    states: tuple[bytes, ...]
    digest: str


def preserve(passing: Pass[Any], log: LogReader) -> bytes:
    """Return the snapshot of a pass over a log; raises what reading the log raises."""
    states = tuple(msgspec.msgpack.encode(state) for state in passing.states)
    return seal(states, tuple(map(_name, passing.folds)), log, passing.through)


def seal(states: tuple[bytes, ...], names: tuple[str, ...], log: LogReader, through: int) -> bytes:
    """Return what was made of a log through a position, under the digests of the log and of the code; `names` what."""
    snapshot = Snapshot(
        through=through,
        code=_code(),
        log=fingerprint(log, through),
        folds=names,
        states=states,
        digest=_digest(states),
    )
    return msgspec.msgpack.encode(snapshot)


def resume(content: bytes, log: LogReader, *folds: Fold[Any, Any]) -> Pass[Any]:
    """Return a pass that stands where the preserved one stood; raises what `unseal` raises."""
    snapshot = unseal(content, log, tuple(map(_name, folds)))
    states = [
        msgspec.msgpack.decode(state, type=state_of(fold)) for state, fold in zip(snapshot.states, folds, strict=True)
    ]
    return Pass(*folds, states=states, through=snapshot.through)


def unseal(content: bytes, log: LogReader, names: tuple[str, ...]) -> Snapshot:
    """Return what was sealed.

    Raises:
        SnapshotRefused: other code made it, of other folds, from another log, or its bytes were damaged.
        LogError: what reading the log raises.
    """
    try:
        snapshot = msgspec.msgpack.decode(content, type=Snapshot)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotRefused("bytes", f"this is no snapshot ({error})") from error
    if snapshot.code != _code():
        raise SnapshotRefused("code", "other code made this snapshot")
    if snapshot.folds != names:
        raise SnapshotRefused("folds", f"this snapshot is of {', '.join(snapshot.folds)}")
    if snapshot.through > log.last() or snapshot.log != fingerprint(log, snapshot.through):
        raise SnapshotRefused("log", f"this snapshot was made from another log than {log.campaign} is now")
    if snapshot.digest != _digest(snapshot.states):
        raise SnapshotRefused("bytes", "this snapshot was damaged")
    return snapshot


def state_of(fold: Fold[Any, Any]) -> Any:
    """Return the type of a fold's states, as its `initial` says."""
    return get_type_hints(type(fold).initial)["return"]


def _name(fold: Fold[Any, Any]) -> str:
    return f"{type(fold).__module__}.{type(fold).__qualname__}"


@lru_cache(maxsize=1)
def _code() -> str:
    return sources.code((*events.__path__, *replay.__path__))


def _digest(states: tuple[bytes, ...]) -> str:
    digest = sha256()
    for state in states:
        digest.update(len(state).to_bytes(8, "big") + state)
    return digest.hexdigest()
