"""When two configurations are the same idea: equal cells, and every active continuous value in the same bin.

The paper compares cells by Jaccard similarity; with eight dimensions any threshold above 7/9 means "the same cell",
which would refuse every sweep variant. The bins of `events.space.Interval` keep those apart.
"""

from __future__ import annotations

from itertools import islice

from events.space import Cell, Configuration, Space
from replay.ledger import Ledger

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

    def update(self, ledger: Ledger) -> list[Configuration]:
        """Take in the experiments that were queued since the last time, and return their configurations."""
        fresh = [ledger.ideas[e.idea] for e in islice(ledger.experiments.values(), self._seen, None)]
        self._seen = len(ledger.experiments)
        for idea in fresh:
            self.add(idea.configuration, idea.idea)
        return [idea.configuration for idea in fresh]

    def add(self, configuration: Configuration, idea: str) -> None:
        """Remember an accepted idea; the first of its identity stays the twin of all later ones."""
        self._first.setdefault(identity(self._space, configuration), idea)

    def twin(self, configuration: Configuration) -> str | None:
        """Return the accepted idea that this configuration repeats, or None."""
        return self.first(identity(self._space, configuration))

    def first(self, identity: Identity) -> str | None:
        """Return the first accepted idea of an identity, or None."""
        return self._first.get(identity)
