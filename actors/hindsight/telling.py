"""A log that is being told beside a recorded one: frame by frame, each fact folded as it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from events import codec
from events.envelope import Fact
from events.facts import Completed, Failed, Queued
from events.log import Recorded
from events.memory import MemoryLog
from events.subjects import author_of
from replay.folds import Handler
from replay.ledger import Ledger, LedgerFold

HANDLERS: Mapping[type[Fact], Handler] = LedgerFold.handlers


class Telling:
    """Writes frames into a log in memory; a frame that says nothing is not written.

    Attributes:
        log: what was told.
        ledger: what it folds to, each fact of the open frame included.
        moved: what was said that moved an experiment on, until somebody takes it.
    """

    def __init__(self, campaign: str) -> None:
        self.log = MemoryLog(campaign)
        self.ledger = Ledger()
        self.moved: list[Fact] = []
        self._numbers: Counter[str] = Counter()
        self._open = Recorded(0, "", "", b"")
        self._facts: list[Fact] = []

    def begin(self, subject: str) -> None:
        """Open the next frame."""
        author = author_of(subject)
        number = self._numbers[author] + 1
        self._open = Recorded(self.log.last() + 1, subject, f"{author}:{number}", b"")
        self._facts = []

    def say(self, fact: Fact) -> None:
        """Add a fact to the open frame and fold it."""
        if (handler := HANDLERS.get(type(fact))) is not None:
            handler(self.ledger, fact, self._open, len(self._facts))
        self._facts.append(fact)
        if isinstance(fact, Queued | Completed | Failed):
            self.moved.append(fact)

    def end(self, recorded: Recorded | None = None) -> bool:
        """Write the open frame; say whether it is the recorded one, whose very bytes are then kept."""
        facts, here = tuple(self._facts), self._open
        alike = recorded is not None and (recorded.subject, recorded.facts) == (here.subject, facts)
        if facts:
            alike = alike and recorded is not None and recorded.id == here.id
            payload = recorded.payload if alike and recorded is not None else codec.encode(facts, here.author)
            self._numbers[here.author] += 1
            self.log.restore([Recorded(here.sequence, here.subject, here.id, payload)])
        return alike

    def take_moved(self) -> list[Fact]:
        """Return what has moved since the last time."""
        taken, self.moved = self.moved, []
        return taken
