"""When two configurations are the same idea: equal cells, and every active continuous value in the same bin.

The paper compares cells by Jaccard similarity; with eight dimensions any threshold above 7/9 means "the same cell",
which would refuse every sweep variant. The bins of `events.space.Interval` keep those apart.
"""

from __future__ import annotations

from itertools import islice

from events.space import Cell, Configuration, Space
from replay.ledger import Idea, Ledger

Identity = tuple[Cell, tuple[tuple[str, int], ...]]

RULE = "the same cell, and every continuous value in the same bin"


def identity(space: Space, configuration: Configuration) -> Identity:
    """Return what two configurations share when they are the same idea."""
    return space.cell(configuration), space.bins(configuration)


class Known:
    """Every accepted idea by its identity; fed from the ledger, in the order of its experiments."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._first: dict[Identity, str] = {}
        self._seen = 0
        self._judged: dict[str, Identity] = {}

    def update(self, ledger: Ledger) -> list[Configuration]:
        """Take in the experiments that were queued since the last time, and return their configurations."""
        # from the end, so that it takes no walk over all that was seen before
        latest = islice(reversed(ledger.experiments.values()), len(ledger.experiments) - self._seen)
        fresh = [ledger.ideas[e.idea] for e in latest][::-1]
        self._seen = len(ledger.experiments)
        for idea in fresh:
            self._first.setdefault(self._judged.get(idea.idea) or self._identity(idea), idea.idea)
        self._judged.clear()
        return [idea.configuration for idea in fresh]

    def add(self, configuration: Configuration, idea: str) -> None:
        """Remember an accepted idea; the first of its identity stays the twin of all later ones."""
        self._first.setdefault(identity(self._space, configuration), idea)

    def twin(self, configuration: Configuration) -> str | None:
        """Return the accepted idea that this configuration repeats, or None."""
        return self._first.get(identity(self._space, configuration))

    def of(self, idea: Idea) -> tuple[Identity, str | None]:
        """Return an idea's identity, remembered until the next update, and the accepted idea that it repeats."""
        mine = self._judged[idea.idea] = self._identity(idea)
        return mine, self._first.get(mine)

    def _identity(self, idea: Idea) -> Identity:
        return identity(self._space, idea.configuration)
