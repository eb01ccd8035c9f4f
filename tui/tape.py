"""The tape: every frame that came, kept as bytes: a log to read any moment from again, without asking the real one."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from events import subjects
from events.envelope import Fact, Position
from events.errors import LogError
from events.facts import EraOpened, Started
from events.log import Recorded
from tui.telling import TROUBLE


class Tape:
    """Frames in the order of the log, the n-th at sequence n.

    Attributes:
        campaign: the log's name.
        troubles: sequences of frames that tell of failures and repairs.
        borders: sequences at which another instrument measures, from the second one on.
    """

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        self._frames: list[Recorded] = []
        self._counts = array("q", [0])
        self._latest = array("q", [0])
        self._instrument: str | None = None
        self.troubles = array("q")
        self.borders: list[int] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def facts(self) -> int:
        """How many facts the tape holds."""
        return self._counts[-1]

    def add(self, recorded: Recorded) -> bool:
        """Keep a frame, and say whether it was new; one that is known already passes by."""
        if recorded.sequence <= len(self._frames):
            return False
        facts: tuple[Fact, ...] = ()
        with suppress(LogError):  # whoever folds it says so; here it counts as one fact that nobody can read
            facts = recorded.facts
        at = facts[-1].at if facts else 0
        self._counts.append(self._counts[-1] + max(1, len(facts)))
        self._latest.append(max(self._latest[-1], at))
        self._note(recorded.sequence, facts)
        # a fresh one: decoded facts of a long campaign would fill the memory
        self._frames.append(Recorded(recorded.sequence, recorded.subject, recorded.id, recorded.payload))
        return True

    def frame(self, sequence: int) -> Recorded:
        """Return a fresh copy of the frame at a sequence, from 1; raises IndexError beyond the end."""
        kept = self._frames[sequence - 1]
        return Recorded(kept.sequence, kept.subject, kept.id, kept.payload)

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
        return self._counts[min(through, len(self))]

    def position(self, number: int) -> Position:
        """Return where the fact with this number, from 1, stands."""
        before = bisect_right(self._counts, number - 1) - 1
        return Position(before + 1, number - 1 - self._counts[before])

    def until(self, at: int) -> int:
        """Return the last sequence before the first fact later than a time (microseconds by the authors' clocks)."""
        return bisect_right(self._latest, at) - 1

    def time(self, sequence: int) -> int:
        """Return the latest time that was told through a sequence, 0 before the first."""
        return self._latest[min(sequence, len(self))]

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

    def _note(self, sequence: int, facts: tuple[Fact, ...]) -> None:
        kinds = set(map(type, facts))
        if not kinds.isdisjoint(TROUBLE):
            self.troubles.append(sequence)
        if EraOpened not in kinds and Started not in kinds:
            return
        started = next((fact.instrument for fact in facts if isinstance(fact, Started | EraOpened)), None)
        if started != self._instrument and self._instrument is not None:
            self.borders.append(sequence)
        self._instrument = started


def holding(recorded: Recorded, words: tuple[str, ...]) -> list[tuple[int, Any]]:
    """Return those of a frame's facts, as plain data with their index, that hold every word, or whose subject does."""
    found = []
    for index, fact in enumerate(msgspec.json.decode(recorded.payload)):
        text = f"{recorded.subject} {msgspec.json.encode(fact).decode()}".lower()
        if all(word in text for word in words):
            found.append((index, fact))
    return found
