"""The tape: every frame that came, kept as bytes: a log to read any moment from again, without asking the real one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from events import subjects
from events.envelope import Position
from events.log import Recorded
from replay.moments.chronology import Chronology


class Tape:
    """Frames in the order of the log, the n-th at sequence n.

    Attributes:
        campaign: the log's name.
        chronology: where each fact stands, and when it was said.
    """

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        self.chronology = Chronology()
        self._frames: list[Recorded] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def facts(self) -> int:
        """How many facts came."""
        return self.told(len(self))

    def extend(self, frames: Iterable[Recorded]) -> list[Recorded]:
        """Keep frames in the order of the log, and return those that were new; what is known already passes by."""
        known = len(self._frames)
        new = [recorded for recorded in frames if recorded.sequence > known]
        self.chronology.extend(new)
        self._frames += map(_fresh, new)
        return new

    def frame(self, sequence: int) -> Recorded:
        """Return a fresh copy of the frame at a sequence, from 1; raises IndexError beyond the end."""
        return _fresh(self._frames[sequence - 1])

    def last(self) -> int:
        """Return the last sequence, 0 for an empty tape."""
        return len(self._frames)

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means, through the last at the time of asking."""
        for sequence in range(after + 1, len(self) + 1):
            if subject == ">" or subjects.matches(subject, self._frames[sequence - 1].subject):
                yield self.frame(sequence)

    def close(self) -> None:
        """Nothing to give back: a tape is memory."""

    def told(self, through: int) -> int:
        """Return how many facts there are through a sequence."""
        return self.chronology.told(min(through, len(self)))

    def position(self, number: int) -> Position:
        """Return where the fact with this number, from 1, stands."""
        return self.chronology.position(number)

    def until(self, at: int) -> int:
        """Return the last sequence before the first fact later than a time (microseconds by the authors' clocks)."""
        return min(self.chronology.until(at), len(self))

    def time(self, sequence: int) -> int:
        """Return the latest time that was told through a sequence, 0 before the first."""
        return self.chronology.time(min(sequence, len(self)))

    def naming(self, names: Sequence[str], *, after: int = 0, through: int) -> list[int]:
        """Return the sequences after one, through another, of frames in which one of the names stands in quotes."""
        wanted = re.compile(b"|".join(f'"{re.escape(name)}"'.encode() for name in names))
        return [r.sequence for r in self._frames[after:through] if wanted.search(r.payload)]

    def passing(self, after: int, through: int, words: tuple[str, ...]) -> Iterator[Recorded]:
        """Yield the frames after a sequence through another that may hold every word, whatever the case."""
        wanted = [word.encode() for word in words]
        for recorded in self._frames[after:through]:
            low = recorded.payload.lower()
            if all(word in low or word in recorded.subject.lower().encode() for word in wanted):
                yield recorded


def _fresh(recorded: Recorded) -> Recorded:
    """Return the frame without its decoded facts: those of a long campaign would fill the memory."""
    return Recorded(recorded.sequence, recorded.subject, recorded.id, recorded.payload)


def holding(recorded: Recorded, words: tuple[str, ...]) -> list[tuple[int, Any]]:
    """Return those of a frame's facts, as plain data with their index, that hold every word, or whose subject does."""
    found = []
    for index, fact in enumerate(msgspec.json.decode(recorded.payload)):
        text = f"{recorded.subject} {msgspec.json.encode(fact).decode()}".lower()
        if all(word in text for word in words):
            found.append((index, fact))
    return found
