"""Eras: stretches of a log under one instrument, as facts open them, and which of them each run belongs to.

A log whose facts open none has one era for each instrument that its runs name, in the order of their first runs; such
an era is inferred, and says so. A run under an instrument that no era has belongs to none: nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from events.envelope import Position
from events.facts import EraOpened, Started
from events.log import Recorded

INFERRED = "inferred: runs name this instrument, and no fact opens an era for it"


class Era(msgspec.Struct, frozen=True, kw_only=True):
    """One era.

    Attributes:
        number: from 1; where facts open eras after runs had begun without one, what was before counts down from there.
        opened: where it was opened; of an inferred one, its first run.
        at: microseconds since 1970 UTC, by the clock of who opened it.
        declared: whether a fact opens it.
    """

    number: int
    instrument: str
    reason: str
    opened: Position
    at: int
    declared: bool


class Eras(msgspec.Struct, kw_only=True):
    """All eras of a log, and what they hold.

    Attributes:
        all: in the order in which they were opened.
        of: by experiment, the era of its last run; one that is not here belongs to none.
        since: by experiment, the sequence at which its last run started.
    """

    all: list[Era] = []
    of: dict[str, int] = {}
    since: dict[str, int] = {}

    @property
    def current(self) -> Era | None:
        """The era that was opened last, None before the first."""
        return self.all[-1] if self.all else None

    def numbered(self, number: int) -> Era | None:
        """Return an era by its number."""
        return next((era for era in self.all if era.number == number), None)

    def exact(self) -> tuple[Any, ...] | None:
        """Return what a digest covers: the eras that facts opened, and each run's; None where they opened none."""
        declared = [(era.number, era.instrument, era.reason) for era in self.all if era.declared]
        return ("eras", declared, sorted(self.of.items())) if declared else None

    def open(self, fact: EraOpened, recorded: Recorded, index: int) -> None:
        """Take in that an era was opened."""
        self._count_down(fact)
        inferred = bool(self.all) and not self.all[-1].declared and self.all[-1].instrument == fact.instrument
        since = self.all.pop() if inferred else None
        self.all.append(
            Era(
                number=fact.era,
                instrument=fact.instrument,
                reason=fact.reason,
                opened=since.opened if since is not None else Position(recorded.sequence, index),
                at=since.at if since is not None else fact.at,
                declared=True,
            )
        )

    def start(self, fact: Started, recorded: Recorded, index: int) -> None:
        """Take in that a run started."""
        self.since[fact.experiment] = recorded.sequence
        found = self._under(fact.instrument)
        if found is None and not any(era.declared for era in self.all):
            found = Era(
                number=len(self.all) + 1,
                instrument=fact.instrument,
                reason=INFERRED,
                opened=Position(recorded.sequence, index),
                at=fact.at,
                declared=False,
            )
            self.all.append(found)
        if found is None:
            self.of.pop(fact.experiment, None)
        else:
            self.of[fact.experiment] = found.number

    def _under(self, instrument: str) -> Era | None:
        """Return the latest era of an instrument; nearly always it is the one that was opened last."""
        if self.all and self.all[-1].instrument == instrument:
            return self.all[-1]
        return next((era for era in reversed(self.all) if era.instrument == instrument), None)

    def _count_down(self, fact: EraOpened) -> None:
        """Number what was inferred so far so that the era which a fact opens may have the number that it says."""
        if not self.all or any(era.declared for era in self.all):
            return
        last = fact.era if self.all[-1].instrument == fact.instrument else fact.era - 1
        by = last - self.all[-1].number
        self.all = [msgspec.structs.replace(era, number=era.number + by) for era in self.all]
        self.of = {name: number + by for name, number in self.of.items()}


def names(eras: Iterable[Era]) -> str:
    """Return the numbers of eras as words: "1, 2 and 3"."""
    numbers = [str(era.number) for era in eras]
    return " and ".join([", ".join(numbers[:-1]), numbers[-1]] if len(numbers) > 1 else numbers)
