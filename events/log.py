"""The port that every log fits: append, read, follow; what differs between adapters is where the bytes lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import msgspec

from events import codec, subjects
from events.envelope import Fact, Position
from events.errors import FrameRefused

_IDENTITY = re.compile(r"[A-Za-z0-9_-]{1,64}:[0-9]{1,16}")


class Frame(NamedTuple):
    """One decision about to be written.

    Attributes:
        id: `author:n`, n the author's own frame number; the log keeps one frame an id.
    """

    subject: str
    id: str
    facts: tuple[Fact, ...]

    @property
    def author(self) -> str:
        """The last token of the subject."""
        return subjects.author_of(self.subject)

    @property
    def payload(self) -> bytes:
        """The canonical bytes; raises what `codec.encode` raises."""
        return codec.encode(self.facts, self.author)


class Fence(NamedTuple):
    """What an append expects: the last sequence among the subjects that the filter means, 0 for none."""

    filter: str
    last: int


def prepare(frame: Frame, campaign: str, expecting: Fence | None = None) -> bytes:
    """Return the bytes to write, after every check that needs no log.

    Raises:
        FrameRefused: a subject of another campaign, an id that is not one, a fence that does not hold the frame's own
            subject (it would not move when the frame is written), or what `Frame.payload` refuses.
        AuthorForbidden: a fact that is not the author's to write.
    """
    if not subjects.is_frame(campaign, frame.subject):
        raise FrameRefused(f"{frame.subject} is not a subject of campaign {campaign}")
    if not _IDENTITY.fullmatch(frame.id):
        raise FrameRefused(f"a frame's id is author:n, not {frame.id!r}")
    if expecting is not None and not subjects.matches(expecting.filter, frame.subject):
        raise FrameRefused(f"the fence {expecting.filter} does not hold {frame.subject}")
    return frame.payload


class Appended(NamedTuple):
    """Where a frame stands; `duplicate` when its id was there before: fold what is recorded, discard yours."""

    sequence: int
    duplicate: bool = False


class Recorded(msgspec.Struct, eq=False, gc=False):
    """One frame as the log holds it; its facts are decoded when first asked for."""

    sequence: int
    subject: str
    id: str
    payload: bytes
    _facts: tuple[Fact, ...] | None = None
    _place: tuple[str, str] | None = None

    @property
    def author(self) -> str:
        """The last token of the subject."""
        return subjects.author_of(self.subject)

    @property
    def source(self) -> str:
        """What the frame is about: aggregate and id, such as `cycle.c-tpe-3`."""
        if self._place is None:
            self._place = subjects.place_of(self.subject)
        return self._place[0]

    @property
    def about(self) -> str:
        """The id alone: of the cycle, pack, repair ... that the frame is about."""
        if self._place is None:
            self._place = subjects.place_of(self.subject)
        return self._place[1]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts, upcast and checked against the author's role; raises what `codec.decode` raises.

        None are in a message without its author's id. No author wrote that: a server sends its answers to whatever
        subject they are asked to, and a campaign must outlive it; the audit tells of such messages.
        """
        if self._facts is None:
            author = subjects.author_of(self.subject)
            signed = self.id.startswith(f"{author}:")
            self._facts = codec.decode(self.payload, self.sequence, author) if signed else ()
        return self._facts

    def restated(self, facts: tuple[Fact, ...]) -> Recorded:
        """Return a frame that says other facts than the payload, which stays as it was recorded."""
        return Recorded(self.sequence, self.subject, self.id, self.payload, facts)

    def positions(self) -> Iterator[tuple[Position, Fact]]:
        """Yield each fact with its position."""
        for index, fact in enumerate(self.facts):
            yield Position(self.sequence, index), fact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recorded) and self._key() == other._key()

    def __ne__(self, other: object) -> bool:  # a struct's own would compare identities
        return not self == other

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Recorded({self.sequence}, {self.subject!r}, {self.id!r}, {len(self.payload)} bytes)"

    def _key(self) -> tuple[int, str, str, bytes]:
        return self.sequence, self.subject, self.id, self.payload


class Follower(Protocol):
    """Frames as they come: iterating waits for the next one; `stop`, from any thread, ends the iteration."""

    def __iter__(self) -> Iterator[Recorded]: ...

    def stop(self) -> None:
        """End the iteration after what has already arrived."""


class LogReader(Protocol):
    """A campaign's facts, to read: an archive is one too."""

    @property
    def campaign(self) -> str:
        """The campaign's name."""

    def last(self) -> int:
        """Return the last sequence, 0 for an empty log."""

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means, through the last at the time of asking.

        Raises:
            GapFound: a sequence is missing.
            LogLost: the connection broke.
        """

    def close(self) -> None:
        """Give back connections and files."""


class EventLog(LogReader, Protocol):
    """A campaign's facts, to read and to write."""

    @property
    def author(self) -> str | None:
        """In whose name alone frames may be written, None where that is not said."""

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        """Write one frame and wait until it is on the disk.

        Raises:
            Conflict: somebody wrote under the fence first, and it was not this very frame.
            FrameRefused, AuthorForbidden: the frame may not be written; nothing was.
            LogLost: the connection broke; whether the frame was written is unknown.
        """

    def submit(self, frame: Frame, *, expecting: Fence | None = None) -> Future[Appended]:
        """Write one frame without waiting; blocks while the window is full. The future raises what `append` raises."""

    def follow(self, after: int = 0, subject: str = ">") -> Follower:
        """Yield the frames after a sequence, then each new one as it comes; raises what `read` raises."""
