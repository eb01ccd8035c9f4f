"""The repairs: what broke which attempt, what was done about it, whether that is in place, and who trains with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from events.envelope import Fact, Position, Text
from events.facts import (
    Abandoned,
    DiagnosisMade,
    Execution,
    FailureKind,
    PatchAdopted,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    Requeued,
)
from events.log import Recorded
from replay.folds import Handler


class Patch(msgspec.Struct, kw_only=True):
    """A change to what trains, as a model proposed it for one site, and what came of its trials.

    Attributes:
        instrument: of the copy in which it held, None where it has not.
        validation: of the broken run, made again in that copy.
        reasons: why its trials ended otherwise, oldest first.
        adopted: position of the fact by which everybody trains with it.
    """

    patch: str
    repair: str
    site: str | None
    base: str | None
    diff: Text
    files: tuple[str, ...]
    explanation: Text | None = None
    instrument: str | None = None
    validation: float | None = None
    reasons: list[str] = []
    adopted: Position | None = None


class Repair(msgspec.Struct, kw_only=True):
    """One failed attempt under the fixer's care.

    Attributes:
        status: diagnosed (the fixer's turn), proposed (being put in place), applied or refused (the scheduler's turn),
            settled.
        site: where what trains broke, None for what has a typed remedy.
        patch: the latest patch that was tried for it.
        spoken: position of the fixer's last word, the cause of what is done next.
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
    site: str | None = None
    patch: str | None = None
    spoken: Position = Position(0)


class Repairs(msgspec.Struct, kw_only=True):
    """Repairs by id, the latest of each experiment, patches by digest, and the one that everybody trains with.

    Attributes:
        turns: by experiment, its place in the order in which experiments first broke.
        unsettled: experiments whose latest repair is not settled, so that nobody needs to look at all of them.
        tried_seconds: that trials of patches took; `untold` how many ended without saying so, or have not ended.
    """

    repairs: dict[str, Repair] = {}
    latest: dict[str, str] = {}
    turns: dict[str, int] = {}
    unsettled: dict[str, None] = {}
    patches: dict[str, Patch] = {}
    adopted: str | None = None
    tried_seconds: float = 0.0
    untold: int = 0

    @property
    def instrument(self) -> str | None:
        """The instrument that everybody shall train with, None while no patch is adopted."""
        return self.patches[self.adopted].instrument if self.adopted is not None else None

    @property
    def adoption(self) -> Position | None:
        """Where the latest adoption stands on the log."""
        return self.patches[self.adopted].adopted if self.adopted is not None else None

    def tried(self, site: str) -> list[Patch]:
        """Return the patches for what breaks at one site, oldest first."""
        return [patch for patch in self.patches.values() if patch.site == site]

    def of(self, experiment: str, attempt: int) -> Repair | None:
        """Return the repair of this very attempt."""
        repair = self.repairs.get(self.latest.get(experiment, ""))
        return repair if repair is not None and repair.attempt == attempt else None

    def with_status(self, *statuses: str) -> list[Repair]:
        """Return the unsettled repairs that stand at one of these, in the order in which experiments first broke."""
        latest = (self.repairs[self.latest[name]] for name in sorted(self.unsettled, key=self.turns.__getitem__))
        return [repair for repair in latest if repair.status in statuses]


def _diagnosed(repairs: Repairs, fact: DiagnosisMade, recorded: Recorded, index: int) -> None:
    repairs.latest[fact.experiment] = fact.repair
    repairs.turns.setdefault(fact.experiment, len(repairs.turns))
    repairs.unsettled[fact.experiment] = None
    repairs.repairs[fact.repair] = Repair(
        repair=fact.repair,
        experiment=fact.experiment,
        attempt=fact.attempt,
        kind=fact.kind,
        diagnosis=fact.diagnosis,
        site=fact.site,
        spoken=Position(recorded.sequence, index),
    )


def _proposed(repairs: Repairs, fact: RemedyProposed, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    repair.status, repair.remedy = "proposed", fact.remedy
    repair.execution, repair.child, repair.patch = fact.execution, fact.child, fact.patch
    repair.spoken = Position(recorded.sequence, index)
    repairs.untold += fact.patch is not None
    if fact.patch is not None and fact.diff is not None and fact.patch not in repairs.patches:
        repairs.patches[fact.patch] = Patch(
            patch=fact.patch,
            repair=fact.repair,
            site=repair.site,
            base=fact.base,
            diff=fact.diff,
            files=fact.files,
            explanation=fact.explanation,
        )


def _applied(repairs: Repairs, fact: RemedyApplied, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    repair.status, repair.spoken = "applied", Position(recorded.sequence, index)
    if repair.patch is not None:
        _took(repairs, fact.seconds)
        patch = repairs.patches[repair.patch]
        patch.instrument, patch.validation = fact.instrument, fact.validation


def _refused(repairs: Repairs, fact: RemedyRefused, recorded: Recorded, index: int) -> None:
    repair = repairs.repairs[fact.repair]
    if repair.status == "proposed" and repair.patch is not None:
        repairs.patches[repair.patch].reasons.append(fact.reason)
        _took(repairs, fact.seconds)
    repair.status, repair.reason = "diagnosed" if fact.again else "refused", fact.reason
    repair.spoken = Position(recorded.sequence, index)


def _took(repairs: Repairs, seconds: float) -> None:
    """Count what a trial took; one that was interrupted says nothing of it."""
    repairs.tried_seconds += seconds
    repairs.untold -= seconds > 0


def _adopted(repairs: Repairs, fact: PatchAdopted, recorded: Recorded, index: int) -> None:
    if (patch := repairs.patches.get(fact.patch)) is not None:
        patch.instrument, patch.adopted = fact.instrument, Position(recorded.sequence, index)
        repairs.adopted = fact.patch


def _settled(repairs: Repairs, fact: Requeued | Abandoned, recorded: Recorded, index: int) -> None:
    if (name := repairs.latest.get(fact.experiment)) is not None:
        repairs.repairs[name].status = "settled"
        repairs.unsettled.pop(fact.experiment, None)


class RepairsFold:
    """Folds a log into its repairs."""

    handlers: Mapping[type[Fact], Handler] = {
        DiagnosisMade: _diagnosed,
        RemedyProposed: _proposed,
        RemedyApplied: _applied,
        RemedyRefused: _refused,
        PatchAdopted: _adopted,
        Requeued: _settled,
        Abandoned: _settled,
    }

    def initial(self) -> Repairs:
        """Return no repairs."""
        return Repairs()

    def result(self, state: Repairs) -> Repairs:
        """Return the repairs themselves."""
        return state
