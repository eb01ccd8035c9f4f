"""A log in memory: the executable specification of the port, and the log of simulations and tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from events import subjects
from events.errors import Conflict, GapFound
from events.log import Appended, Fence, Frame, Recorded, prepare


class MemoryLog:
    """Frames in a list; one lock, so that any thread may append, read and follow."""

    author: str | None = None
    """Anybody may write."""

    def __init__(self, campaign: str) -> None:
        self._campaign = campaign
        self._frames: list[Recorded] = []
        self._ids: dict[str, int] = {}
        self._latest: dict[tuple[int, str], int] = {}
        self._changed = threading.Condition()

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._campaign

    def last(self) -> int:
        """Return the last sequence, 0 for an empty log."""
        return len(self._frames)

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        """Write one frame; see `EventLog.append`."""
        payload = prepare(frame, self._campaign, expecting)
        with self._changed:
            known = self._ids.get(frame.id)
            if expecting is not None and (actual := self._last_of(expecting.filter)) != expecting.last:
                if known is not None and self._under(expecting, known):
                    return Appended(known, duplicate=True)
                raise Conflict(expecting.filter, expecting.last, actual)
            if known is not None:
                return Appended(known, duplicate=True)
            return self._write(frame, payload)

    def submit(self, frame: Frame, *, expecting: Fence | None = None) -> Future[Appended]:
        """Write one frame; the future is done when this returns."""
        future: Future[Appended] = Future()
        try:
            future.set_result(self.append(frame, expecting=expecting))
        except Exception as error:  # noqa: BLE001 # whatever append raises is the future's to tell
            future.set_exception(error)
        return future

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence, through the last at the time of asking."""
        frames = self._frames[after : self.last()]
        yield from frames if subject == ">" else (r for r in frames if subjects.matches(subject, r.subject))

    def follow(self, after: int = 0, subject: str = ">") -> MemoryFollower:
        """Yield the frames after a sequence, then each new one as it comes."""
        return MemoryFollower(self, self._changed, after, subject)

    def restore(self, frames: Iterable[Recorded]) -> None:
        """Write frames as another log recorded them, at their own sequences.

        Raises:
            GapFound: a frame does not follow the last one.
        """
        with self._changed:
            for recorded in frames:
                if recorded.sequence != self.last() + 1:
                    raise GapFound(self.last() + 1, recorded.sequence)
                self._add(recorded)

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, frame: Frame, payload: bytes) -> Appended:
        recorded = Recorded(len(self._frames) + 1, frame.subject, frame.id, payload)
        self._add(recorded)
        return Appended(recorded.sequence)

    def _add(self, recorded: Recorded) -> None:
        self._frames.append(recorded)
        self._ids[recorded.id] = recorded.sequence
        for place in enumerate(recorded.subject.split(".")):
            self._latest[place] = recorded.sequence
        self._changed.notify_all()

    def _last_of(self, wanted: str) -> int:
        # no frame under the filter lies after the last one that has each of its fixed tokens in its place
        fixed = [place for place in enumerate(wanted.split(".")) if place[1] not in ("*", ">")]
        start = min((self._latest.get(place, 0) for place in fixed), default=len(self._frames))
        back = (self._frames[number - 1] for number in range(start, 0, -1))
        return next((recorded.sequence for recorded in back if subjects.matches(wanted, recorded.subject)), 0)

    def _under(self, fence: Fence, sequence: int) -> bool:
        return sequence > fence.last and subjects.matches(fence.filter, self._frames[sequence - 1].subject)


class MemoryFollower:
    """See `events.log.Follower`."""

    def __init__(self, log: MemoryLog, changed: threading.Condition, after: int, subject: str) -> None:
        self._log = log
        self._changed = changed
        self._after = after
        self._subject = subject
        self._stopped = False

    def __iter__(self) -> Iterator[Recorded]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._log.last() > self._after)
            through = self._log.last()
            yield from self._log.read(self._after, self._subject)
            if self._stopped and through == self._after:
                return
            self._after = through

    def stop(self) -> None:
        """End the iteration after what has already arrived."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
