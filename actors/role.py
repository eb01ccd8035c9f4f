"""What a role is: state folded from the log, and one decision at a time; no effects, no clock, no chance.

A role is level-triggered: `decide` looks at what is, never at what has just happened, so that a role which died between
deciding and acting decides the same again, and one that finds its work done decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from actors.orders import Order, Result
from events.envelope import Fact
from events.log import Recorded
from events.subjects import Aggregate
from replay.cycles import Cycles, CyclesFold
from replay.fleet import Fleet, FleetFold
from replay.folds import Pass
from replay.instruments import Instruments, InstrumentsFold
from replay.ledger import Ledger, LedgerFold
from replay.repairs import Repairs, RepairsFold


class News(NamedTuple):
    """What is not on the log.

    Attributes:
        results: what the role's hands have finished, by the order's id; each stays until a decision settles it.
        underway: ids of the orders that the hands are carrying out.
        silences: seconds since each worker was last heard; empty for roles that do not watch.
        unheard: workers of whom there was no sign of life yet; nothing is entrusted to them.
        stopping: a person asked for a clean end; begin nothing new.
        leaving: the grace for what still runs is over; leave it.
    """

    results: Mapping[str, Result] = {}
    underway: frozenset[str] = frozenset()
    silences: Mapping[str, float] = {}
    unheard: frozenset[str] = frozenset()
    stopping: bool = False
    leaving: bool = False


class Decision(NamedTuple):
    """One frame, and what to do once it is on the log.

    Attributes:
        orders: effects, begun only after the frame is acknowledged: the intent comes first.
        settles: ids of results that this frame records.
        lease: the pack whose fence the frame must pass; None for the author's own fence.
        under: the aggregate whose fence the frame must pass instead: nobody wrote in it since what was folded.
    """

    aggregate: Aggregate
    identity: str
    facts: tuple[Fact, ...]
    orders: tuple[Order, ...] = ()
    settles: tuple[str, ...] = ()
    lease: str | None = None
    under: Aggregate | None = None


class Known:
    """What a role knows: the folds of the log that it decides from, advanced together.

    Attributes:
        through: the last sequence folded.
    """

    def __init__(self) -> None:
        self._folds: Pass[Any] = Pass(LedgerFold(), FleetFold(), CyclesFold(), RepairsFold(), InstrumentsFold())
        self.ledger: Ledger
        self.fleet: Fleet
        self.cycles: Cycles
        self.repairs: Repairs
        self.instruments: Instruments
        self.ledger, self.fleet, self.cycles, self.repairs, self.instruments = self._folds.results()

    @property
    def through(self) -> int:
        """The last sequence folded, 0 before the first."""
        return self._folds.through

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""
        self._folds.advance(frames)


class Folded(Protocol):
    """Any state that is folded from the log."""

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""


class Role(Protocol):
    """One of the five; `author` is its name on the log."""

    @property
    def author(self) -> str:
        """The last token of every subject that it writes."""

    def initial(self) -> Folded:
        """Return what it knows before the first fact."""

    def decide(self, known: Any, now: int, news: News) -> Decision | None:
        """Return the next frame to write, or None when there is nothing to say.

        Args:
            known: what `initial` returned, advanced through the log.
            now: the author's clock, microseconds since 1970 UTC; virtual under simulation.
            news: what is not on the log.
        """


@runtime_checkable
class Choosy(Protocol):
    """A role that says which of its orders under way came to nothing, so that its hands need not finish them."""

    def obsolete(self, known: Any, underway: frozenset[str]) -> frozenset[str]:
        """Return the ids of those whose results nobody waits for."""
