"""Facts as lines of JSON, as they were recorded: types that this Myriad does not know pass through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, cast

import msgspec

from events.envelope import Position
from events.errors import FrameUnreadable, LogError
from events.log import Follower, LogReader, Recorded

WHOLE = 2**53
"""An index beyond every frame's: SEQUENCE alone means the whole frame."""


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


def lines(frames: Iterable[Recorded], after: Position, types: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield one line a fact: position, subject and the frame's id, then the fact's own fields."""
    for recorded in frames:
        for index, fact in enumerate(_facts(recorded)):
            here = Position(recorded.sequence, index)
            if here > after and (not types or fact.get("type") in types):
                line = {"position": str(here), "subject": recorded.subject, "id": recorded.id, **fact}
                yield msgspec.json.encode(line).decode()


def _facts(recorded: Recorded) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(recorded.payload, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        sentence = f"position {recorded.sequence} is not a frame: {error}"
        raise FrameUnreadable(sentence, sequence=recorded.sequence) from error
