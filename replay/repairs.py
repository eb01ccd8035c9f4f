"""The repairs: what broke which attempt, what was done about it, and whether that is in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    DiagnosisMade,
    Execution,
    FailureKind,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    Requeued,
)
from events.log import Recorded
from replay.folds import Handler


class Repair(msgspec.Struct, kw_only=True):
    """One failed attempt under the fixer's care.

    Attributes:
        status: diagnosed, proposed (being put in place), applied or refused (the scheduler's turn), settled.
        spoken: position of the fixer's last word, the cause of what the scheduler does next.
    """

    repair: str
    experiment: str
    attempt: int
    kind: FailureKind
    diagnosis: str
    status: Literal["diagnosed", "proposed", "applied", "refused", "settled"] = "diagnosed"
    remedy: str = "none"
    execution: Execution | None = None
    child: str | None = None
    reason: str = ""
    spoken: Position = Position(0)


class Repairs(msgspec.Struct, kw_only=True):
    """Repairs by id, and the latest repair of each experiment."""

    repairs: dict[str, Repair] = {}
    latest: dict[str, str] = {}

    def of(self, experiment: str, attempt: int) -> Repair | None:
        """Return the repair of this very attempt."""
        repair = self.repairs.get(self.latest.get(experiment, ""))
        return repair if repair is not None and repair.attempt == attempt else None

    def with_status(self, *statuses: str) -> list[Repair]:
        """Return the repairs that stand at one of these, oldest first."""
        latest = (self.repairs[name] for name in self.latest.values())
        return [repair for repair in latest if repair.status in statuses]


def _diagnosed(repairs: Repairs, fact: DiagnosisMade, recorded: Recorded, index: int) -> None:
    repairs.latest[fact.experiment] = fact.repair
    repairs.repairs[fact.repair] = Repair(
        repair=fact.repair,
        experiment=fact.experiment,
        attempt=fact.attempt,
        kind=fact.kind,
        diagnosis=fact.diagnosis,
        spoken=Position(recorded.sequence, index),
    )


def _proposed(repairs: Repairs, fact: RemedyProposed, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    repair.status, repair.remedy = "proposed", fact.remedy
    repair.execution, repair.child = fact.execution, fact.child
    repair.spoken = Position(recorded.sequence, index)


def _applied(repairs: Repairs, fact: RemedyApplied, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    repair.status, repair.spoken = "applied", Position(recorded.sequence, index)


def _refused(repairs: Repairs, fact: RemedyRefused, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    repair.status, repair.reason = "refused", fact.reason
    repair.spoken = Position(recorded.sequence, index)


def _settled(repairs: Repairs, fact: Requeued | Abandoned, recorded: Recorded, index: int) -> None:
    if (name := repairs.latest.get(fact.experiment)) is not None:
        repairs.repairs[name].status = "settled"


class RepairsFold:
    """Folds a log into its repairs."""

    handlers: Mapping[type[Fact], Handler] = {
        DiagnosisMade: _diagnosed,
        RemedyProposed: _proposed,
        RemedyApplied: _applied,
        RemedyRefused: _refused,
        Requeued: _settled,
        Abandoned: _settled,
    }

    def initial(self) -> Repairs:
        """Return no repairs."""
        return Repairs()

    def result(self, state: Repairs) -> Repairs:
        """Return the repairs themselves."""
        return state
