"""An author's pen: numbers its frames, knows the fences that they must pass, and stamps the envelope."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from actors.feed import Feed
from actors.role import Decision
from events import subjects
from events.errors import Conflict, GapFound
from events.log import EventLog, Fence, Frame, Recorded

Clock = Callable[[], int]


def wall_clock() -> int:
    """Return microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Pen:
    """Writes one author's decisions; everything it knows it read from the log.

    Attributes:
        through: the last sequence that it has seen.
    """

    def __init__(self, log: EventLog, feed: Feed, author: str, clock: Clock) -> None:
        self._log = log
        self._feed = feed
        self._clock = clock
        self._author = author
        self._number = 0
        self._last = 0
        self._packs: dict[str, int] = {}
        self._aggregates: dict[str, int] = {}
        self.through = 0

    def catch_up(self) -> list[Recorded]:
        """Return the frames that have come since the last time, each once.

        Raises:
            GapFound: a frame came before the one that it follows; what this pen knows is not the log any more.
        """
        return [recorded for recorded in self._feed.since(self.through) if self._is_next(recorded)]

    def write(self, decision: Decision) -> int | None:
        """Append a decision as one frame, wait until it has come back, and return its sequence.

        None means that somebody spoke first: fold what is recorded and decide anew.

        Raises:
            LogLost: whether it was written is unknown.
            FrameRefused, AuthorForbidden: it may not be written.
        """
        at = self._clock()
        facts = tuple(msgspec.structs.replace(fact, at=at, through=self.through) for fact in decision.facts)
        subject = subjects.subject(self._log.campaign, decision.aggregate, decision.identity, self._author)
        frame = Frame(subject, f"{self._author}:{self._number + 1}", facts)
        try:
            appended = self._log.append(frame, expecting=self._fence(decision))
        except Conflict as conflict:
            self._feed.wait_for(conflict.actual)
            return None
        self._feed.wait_for(appended.sequence)
        return None if appended.duplicate else appended.sequence

    def _fence(self, decision: Decision) -> Fence:
        if decision.lease is not None:
            return Fence(subjects.pack(self._log.campaign, decision.lease), self._packs.get(decision.lease, 0))
        if decision.under is not None:
            everyone = subjects.all_of(self._log.campaign, decision.under)
            return Fence(everyone, self._aggregates.get(decision.under, 0))
        return Fence(subjects.own(self._log.campaign, self._author), self._last)

    def _is_next(self, recorded: Recorded) -> bool:
        if recorded.sequence <= self.through:
            return False
        if recorded.sequence != self.through + 1:
            raise GapFound(self.through + 1, recorded.sequence)
        self._see(recorded)
        return True

    def _see(self, recorded: Recorded) -> None:
        self.through = recorded.sequence
        _, _, aggregate, identity, author = recorded.subject.split(".")
        self._aggregates[aggregate] = recorded.sequence
        if aggregate == "pack":
            self._packs[identity] = recorded.sequence
        if author == self._author:
            self._number += 1
            self._last = recorded.sequence
