"""One era of a log: a view with its runs, the ideas that they came from, and what else happened in its stretch.

An experiment is of the era of its last run; one that never ran, and an idea that became none, is of the era in whose
stretch it was proposed. The analyst's own measures are left out: they are of the whole.
"""

from __future__ import annotations

from typing import Any

from events.envelope import Fact, Position
from events.facts import CampaignOpened, EraOpened, IdeaProposed, LogSealed, MetricsMeasured, PatchAdopted
from events.log import LogReader, Recorded
from replay.cycles import Cycles, CyclesFold
from replay.eras import Era
from replay.errors import QuestionUnknown
from replay.folds import run
from replay.ledger import Ledger, LedgerFold
from replay.repairs import Repairs, RepairsFold
from replay.rewriting import Rewritten

ALL, CURRENT = "all", "current"
"""Words that `--era` takes beside a number."""

ACROSS = ("piecewise", "era_gains", "utilisation")
"""Measures that compare eras, or read the time of devices, which no era bounds; they are asked of all."""


def wanted(metric: str, asked: str | None) -> str:
    """Return the era that a measure is asked of: the one given, else the current one, or all for what compares them."""
    return asked or (ALL if metric in ACROSS else CURRENT)


def of_era(log: LogReader, asked: str = CURRENT) -> tuple[LogReader, str]:
    """Return a view of one era of a log, and what it is of in words.

    Args:
        asked: the number of an era, `CURRENT` for the last one, `ALL` for the log itself.

    Raises:
        QuestionUnknown: there is no such era; it names those that there are.
    """
    if asked == ALL:
        return log, "all eras"
    ledger, cycles, repairs = run(log, LedgerFold(), CyclesFold(), RepairsFold())
    eras = ledger.eras.all
    if asked == CURRENT and len(eras) <= 1:
        return log, "the only era" if eras else "no era"
    era = eras[-1] if asked == CURRENT else _numbered(eras, asked)
    members = _Members(ledger, cycles, repairs, era)
    return Rewritten(log, members.kept), f"era {era.number} of {len(eras)}; --era all for the whole"


def _numbered(eras: list[Era], asked: str) -> Era:
    found = next((era for era in eras if str(era.number) == asked), None)
    if found is None:
        known = ", ".join(str(era.number) for era in eras) or "none"
        raise QuestionUnknown(f"there is no era {asked}; there are {known}, and the words {CURRENT} and {ALL}")
    return found


class _Members:
    """Names of what belongs to an era."""

    def __init__(self, ledger: Ledger, cycles: Cycles, repairs: Repairs, era: Era) -> None:
        later = [other.opened for other in ledger.eras.all if other.opened > era.opened]
        # eras are inferred from runs that the view leaves out: it says them, so that they keep their numbers
        self._inferred = [
            EraOpened(era=other.number, instrument=other.instrument, reason=other.reason, at=other.at)
            for other in ledger.eras.all
            if not other.declared
        ]
        self._first, self._end = era.opened, min(later, default=Position(2**53))
        # what was proposed before the first era opened waited for it
        self._earliest = not any(other.opened < era.opened for other in ledger.eras.all)
        self._experiments = {name for name in ledger.experiments if self._is_member(ledger, name, era)}
        self._ideas = {
            idea.idea
            for idea in ledger.ideas.values()
            if (idea.experiment in self._experiments if idea.experiment is not None else self._holds(idea.proposed))
        }
        sources = {ledger.ideas[name].source.partition(".")[2] for name in self._ideas}
        self._cycles = {one.cycle for one in cycles.cycles.values() if self._holds(one.started) or one.cycle in sources}
        self._patches = {
            patch.patch
            for patch in repairs.patches.values()
            if repairs.repairs[patch.repair].experiment in self._experiments
        }

    def kept(self, recorded: Recorded) -> tuple[Fact, ...]:
        """Return the facts of a frame that belong to the era."""
        kept = [fact for fact in recorded.facts if self._keeps(fact)]
        if any(isinstance(fact, CampaignOpened) for fact in kept):
            kept += self._inferred
        return tuple(kept)

    def _keeps(self, fact: Any) -> bool:
        match fact:
            case MetricsMeasured() | LogSealed():
                return False
            case PatchAdopted():
                return fact.patch in self._patches
            case IdeaProposed():
                return fact.idea in self._ideas
        if (experiment := getattr(fact, "experiment", None)) is not None:
            return experiment in self._experiments
        if (idea := getattr(fact, "idea", None)) is not None:
            return idea in self._ideas
        cycle = getattr(fact, "cycle", None)
        return cycle is None or cycle in self._cycles

    def _is_member(self, ledger: Ledger, name: str, era: Era) -> bool:
        if name in ledger.eras.since:
            return ledger.eras.of.get(name) == era.number
        return self._holds(ledger.ideas[ledger.experiments[name].idea].proposed)

    def _holds(self, position: Position) -> bool:
        return (self._earliest or position >= self._first) and position < self._end
