"""A log read otherwise than it was written: the same frames with some of their facts left out or replaced.

Nothing of the record changes: this is a view, for questions such as "of this era alone" or "had scores been others".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from events.envelope import Fact
from events.log import LogReader, Recorded

Rewrite = Callable[[Recorded], tuple[Fact, ...]]
"""Returns the facts that a frame shall have: its own, others, or none."""


class Rewritten:
    """A `LogReader` whose frames are rewritten as they are read; a frame that is left without facts is not there."""

    def __init__(self, log: LogReader, rewrite: Rewrite) -> None:
        self._log = log
        self._rewrite = rewrite

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._log.campaign

    def last(self) -> int:
        """Return the last sequence of the log behind it."""
        return self._log.last()

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames that are left, at their own sequences."""
        for recorded in self._log.read(after, subject):
            facts = self._rewrite(recorded)
            if facts == recorded.facts:
                yield recorded
            elif facts:
                yield recorded.restated(facts)

    def close(self) -> None:
        """Close the log behind it."""
        self._log.close()
