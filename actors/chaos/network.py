"""A log and its readers as a bad day has them: acknowledgements that get lost, full disks, frames that come twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from actors.chaos.faults import Kind
from events.errors import LogLost, StoreFull
from events.log import Appended, Fence, Frame, Recorded
from events.memory import MemoryLog


class Wire:
    """The only log there is, with what can go wrong on the way to it.

    Attributes:
        acknowledged: what each writer was told is on the log: sequence, id.
        full: how many of the next frames find no room.
        losing: authors whose next acknowledgement is lost.
    """

    author: str | None = None
    """Anybody may write."""

    def __init__(self, campaign: str, struck: Counter[Kind]) -> None:
        self._log = MemoryLog(campaign)
        self._struck = struck
        self.acknowledged: list[tuple[int, str]] = []
        self.full = 0
        self.losing: set[str] = set()

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._log.campaign

    def last(self) -> int:
        """Return the last sequence."""
        return self._log.last()

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence."""
        return self._log.read(after, subject)

    def close(self) -> None:
        """Nothing is held."""

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        """Write one frame, unless there is no room; tell the writer, unless that gets lost."""
        if self.full:
            self.full -= 1
            self._struck["disk_full"] += 1
            raise StoreFull(f"no room for {frame.id}")
        appended = self._log.append(frame, expecting=expecting)
        if frame.author in self.losing:
            self.losing.discard(frame.author)
            self._struck["acknowledgement_lost"] += 1
            raise LogLost("the connection broke before the answer came")
        if not appended.duplicate:
            self.acknowledged.append((appended.sequence, frame.id))
        return appended


class Voice:
    """The log as one person's command reaches it: read a little too early, and only then written to.

    Attributes:
        author: the person, as their credential says.
    """

    def __init__(self, wire: Wire, author: str) -> None:
        self.author = author
        self._wire = wire
        self._read: int | None = None

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._wire.campaign

    def lags(self, frames: int) -> None:
        """Let so many of the latest frames be missing from what is read before the next word."""
        self._read = self._wire.last() - frames

    def last(self) -> int:
        """Return the last sequence."""
        return self._wire.last()

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence, as far as they have come."""
        frames, until = self._wire.read(after, subject), self._read
        return frames if until is None else (recorded for recorded in frames if recorded.sequence <= until)

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        """Write one frame; whatever comes of it, everything has come by then."""
        self._read = None
        return self._wire.append(frame, expecting=expecting)

    def close(self) -> None:
        """Nothing is held."""


class View:
    """The feed of one reader.

    Attributes:
        blocked: until when nothing new comes, microseconds; a frame that it waits for comes all the same.
        twice, late: the next frames come once more after themselves, or the first of them comes after the second.
    """

    def __init__(self, wire: Wire, struck: Counter[Kind]) -> None:
        self._wire = wire
        self._struck = struck
        self._arrived = 0
        self._refreshed = self._noted = True
        self.blocked = 0
        self.twice = self.late = False

    def opens(self, now: int, *, current: bool) -> bool:
        """Let the time pass for this reader; say whether it now sees everything, which it does not while it lags."""
        self._refreshed = current and self.blocked <= now
        return self._refreshed

    def blocks(self, until: int) -> None:
        """Let nothing new come for a while."""
        self.blocked, self._noted = until, False

    def since(self, after: int) -> list[Recorded]:
        """Return what has come."""
        if self._refreshed:
            self._arrived = self._wire.last()
        elif self._wire.last() > self._arrived and not self._noted:
            self._noted = True
            self._struck["slow_reader"] += 1
        if self._arrived <= after:
            return []
        frames = [recorded for recorded in self._wire.read(after) if recorded.sequence <= self._arrived]
        if self.twice:
            self.twice = False
            self._struck["frame_delivered_twice"] += 1
            return [*frames, *frames]
        if self.late and len(frames) > 1:
            self.late = False
            self._struck["frame_delivered_late"] += 1
            return [frames[1], frames[0], *frames[2:]]
        return frames

    def wait_for(self, sequence: int) -> None:
        """What a reader waits for comes, and everything before it."""
        self._arrived = max(self._arrived, sequence)
