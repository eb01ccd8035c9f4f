"""Facts as lines of JSON, as they were recorded: types that this Myriad does not know pass through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast

import msgspec

from events.envelope import Position
from events.errors import FrameUnreadable, LogError
from events.log import Follower, LogReader, Recorded

WHOLE = 2**53
"""An index beyond every frame's: SEQUENCE alone means the whole frame."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What `at` counts microseconds from."""


class Said(NamedTuple):
    """One fact as it was recorded, where it stands, and the subject and id of its frame."""

    position: Position
    subject: str
    id: str
    fact: dict[str, Any]


class Wanted(NamedTuple):
    """Which facts to pass on.

    Attributes:
        types: these alone; all where it is empty.
        entity: facts about this alone: their subject has the name in it, or a field of theirs is or lists it.
        since: microseconds since 1970 UTC; begin with the first fact whose author's clock said so much.
    """

    types: tuple[str, ...] = ()
    entity: str | None = None
    since: int | None = None


ALL = Wanted()
"""Every fact."""


class _Followable(Protocol):
    def follow(self, after: int = 0, subject: str = ">") -> Follower: ...


def position(text: str) -> Position:
    """Read SEQUENCE or SEQUENCE.INDEX.

    Raises:
        LogError: it is neither.
    """
    sequence, dot, index = text.partition(".")
    if not sequence.isdecimal() or (dot and not index.isdecimal()):
        raise LogError(f"--after {text}: a position is SEQUENCE or SEQUENCE.INDEX, as in 1204.2")
    return Position(int(sequence), int(index) if dot else WHOLE)


def moment(text: str) -> int:
    """Read a time of ISO 8601, of UTC where it says no zone, in microseconds since 1970 UTC.

    Raises:
        LogError: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise LogError(f"--since {text}: a time is ISO 8601, as in 2026-11-23T16:30 (of UTC), or with +01:00") from None
    aware = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def frames(log: LogReader, after: Position, subject: str, *, follow: bool) -> Iterable[Recorded]:
    """Yield the frames in which facts after a position may be, the position's own frame included.

    Raises:
        LogError: the log cannot be followed.
    """
    start = max(0, after.sequence - 1)
    wanted = subject if subject == ">" or subject.startswith("myriad.") else f"myriad.{log.campaign}.{subject}"
    if not follow:
        return log.read(start, wanted)
    if not hasattr(log, "follow"):
        raise LogError(f"{log.campaign} is an archive: there is nothing to follow")
    return cast("_Followable", log).follow(start, wanted)


def said(frames: Iterable[Recorded], after: Position, wanted: Wanted = ALL) -> Iterator[Said]:
    """Yield the facts after a position that are wanted, in their order."""
    begun = wanted.since is None
    for recorded in frames:
        for index, fact in enumerate(_facts(recorded)):
            here = Position(recorded.sequence, index)
            begun = begun or _at(fact) >= cast("int", wanted.since)
            if begun and here > after and _is_wanted(fact, recorded.subject, wanted):
                yield Said(here, recorded.subject, recorded.id, fact)


def line(said: Said) -> str:
    """Return the line of a fact: position, subject and the frame's id, then the fact's own fields."""
    told = {"position": str(said.position), "subject": said.subject, "id": said.id, **said.fact}
    return msgspec.json.encode(told).decode()


def _is_wanted(fact: dict[str, Any], subject: str, wanted: Wanted) -> bool:
    if wanted.types and fact.get("type") not in wanted.types:
        return False
    if wanted.entity is None or wanted.entity in subject.split(".")[3:]:
        return True
    return any(
        wanted.entity == value or (isinstance(value, list) and wanted.entity in value) for value in fact.values()
    )


def _at(fact: dict[str, Any]) -> int:
    at = fact.get("at", 0)
    return at if isinstance(at, int) else 0


def _facts(recorded: Recorded) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(recorded.payload, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        sentence = f"position {recorded.sequence} is not a frame: {error}"
        raise FrameUnreadable(sentence, sequence=recorded.sequence) from error
