"""Which records of a ledger facts may have changed: what is digested again, where a digest was made before."""

from __future__ import annotations

from events.facts import LeaseRevoked
from events.log import Recorded
from replay.folds import told
from replay.ledger import Ledger


class Changes:
    """Names of records, in the order in which facts spoke of them; more may be named than have changed.

    Attributes:
        ideas, experiments: as keys; some may be of records that the ledger does not have.
    """

    def __init__(self) -> None:
        self.ideas: dict[str, None] = {}
        self.experiments: dict[str, None] = {}

    def note(self, ledger: Ledger, recorded: Recorded) -> None:
        """Note whom a frame speaks of; the ledger is as it was before or after."""
        for _, fact in told(recorded):
            if (idea := getattr(fact, "idea", None)) is not None:
                self.ideas[idea] = None
            if (experiment := getattr(fact, "experiment", None)) is not None:
                self.experiments[experiment] = None
            if isinstance(fact, LeaseRevoked):
                self.experiments |= dict.fromkeys(ledger.leases.get(fact.pack, ()))
