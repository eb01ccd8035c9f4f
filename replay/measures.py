"""The exact measures of a search, in one place: the live analyst and every replay advance the same folds.

measurement = Measurement()
measurement.advance(log.read())          # or frame by frame, as they come; known ones pass by
measurement.values(), measurement.digest(), measurement.through
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    AgentJoined,
    CampaignOpened,
    Completed,
    Failed,
)
from events.log import Recorded
from replay.changes import Changes
from replay.counts import PAPER, Total
from replay.cycles import Cycles, CyclesFold
from replay.digest import SCHEME, Digester, digest
from replay.divergence import Divergence
from replay.diversity import Diversity, project, projections
from replay.folds import Fold, Handler, Pass
from replay.ledger import Ledger, LedgerFold
from replay.progress import Progress
from replay.repairs import Repairs, RepairsFold

Values = dict[str, float | int | str | None]


class Search(msgspec.Struct, kw_only=True):
    """The ledger and what is counted beside it while it grows.

    Attributes:
        compared: the dimensions over which agents are compared.
        failures: failed attempts by kind; leases that were taken back are not among them.
        completed: completions by agent.
        gpu_seconds: device time of all attempts that ended with a result or a failure.
    """

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    progress: Progress = msgspec.field(default_factory=Progress)
    diversity: Diversity = msgspec.field(default_factory=Diversity)
    divergence: Divergence = msgspec.field(default_factory=Divergence)
    compared: tuple[str, ...] = ()
    failures: dict[str, int] = {}
    completed: dict[str, int] = {}
    gpu_seconds: Total = msgspec.field(default_factory=Total)

    def exact(self) -> tuple[Any, ...]:
        """Return everything counted, exactly and in a fixed order."""
        tallies = [sorted(tally.items()) for tally in (self.ledger.declined, self.failures, self.completed)]
        steps = [(step.n, step.experiment, step.validation) for step in self.progress.improvements]
        return (tallies, steps, self.diversity.exact(), self.divergence.exact(), self.gpu_seconds.value())


def _opened(search: Search, fact: CampaignOpened, recorded: Recorded, index: int) -> None:
    parts = projections(fact.space)
    search.diversity.dimensions = parts
    search.compared = parts.get("author") or parts.get("whole", ())


def _joined(search: Search, fact: AgentJoined, recorded: Recorded, index: int) -> None:
    search.divergence.join(fact.agent)


def _failed(search: Search, fact: Failed, recorded: Recorded, index: int) -> None:
    if _is_void(search.ledger, recorded, index):
        return
    search.gpu_seconds.add(fact.gpu_seconds)
    _tally(search.failures, fact.kind)


def _completed(search: Search, fact: Completed, recorded: Recorded, index: int) -> None:
    if _is_void(search.ledger, recorded, index):
        return
    search.gpu_seconds.add(fact.gpu_seconds)
    search.progress.add(fact.experiment, fact.validation)
    idea = search.ledger.ideas[search.ledger.experiments[fact.experiment].idea]
    _tally(search.completed, idea.agent)
    search.diversity.add(idea.agent, idea.configuration)
    # the fixer mends, it does not search: it is compared only where it joined as an agent
    if search.compared and (idea.origin != "fixer" or idea.agent in search.divergence.ever):
        search.divergence.add(idea.agent, project(idea.configuration, search.compared))


def _is_void(ledger: Ledger, recorded: Recorded, index: int) -> bool:
    return bool(ledger.void) and ledger.void[-1] == Position(recorded.sequence, index)


def _tally(tally: dict[str, int], key: str) -> None:
    tally[key] = tally.get(key, 0) + 1


class SearchFold:
    """Folds a log into its search: the ledger first, then what is counted from the ledger's verdict on the fact."""

    parts: Mapping[str, Fold[Any, Any]] = {"ledger": LedgerFold()}
    handlers: Mapping[type[Fact], Handler] = {
        CampaignOpened: _opened,
        AgentJoined: _joined,
        Completed: _completed,
        Failed: _failed,
    }

    def initial(self) -> Search:
        """Return an empty search."""
        return Search()

    def result(self, state: Search) -> Search:
        """Return the search itself."""
        return state


MEASURES = (SearchFold(), CyclesFold(), RepairsFold())
"""The folds of the exact part."""

Results = tuple[Search, Cycles, Repairs]


def exact(results: Results) -> tuple[Any, ...]:
    """Return what the digest covers beside the ledger."""
    search, cycles, repairs = results
    agents = [(agent.agent, agent.policy, len(agent.cycles), agent.usd) for agent in cycles.agents.values()]
    mended = [(r.repair, r.experiment, r.attempt, r.kind, r.remedy, r.status) for r in repairs.repairs.values()]
    patches = [(p.patch, p.repair, p.instrument, p.validation, len(p.reasons)) for p in repairs.patches.values()]
    # said only where there are any, so that the logs from before there were patches, eras or defects keep their digests
    later = [(patches, repairs.adopted)] if patches else []
    ledger = search.ledger
    told = (ledger.eras.exact(), ledger.defects.exact(), ledger.repeats.exact())
    later += [known for known in told if known is not None]
    return (search.exact(), agents, mended, *later)


def measured(results: Results) -> Values:
    """Return the named values of this moment; None where observations are too few.

    validation: AP on the validation split; entropies: bits, over the last max(200, n // 10) completions; divergence:
    bits, over backbone x encoder x loss x pooling; gpu_seconds: device time; usd: US dollars, reservations included.
    """
    search, cycles, repairs = results
    ledger, best = search.ledger, search.progress.best()
    values: Values = {
        "proposed": len(ledger.ideas),
        "declined": sum(ledger.declined.values()),
        "queued": len(ledger.experiments),
        "completed": len(ledger.completed),
        "failed": sum(search.failures.values()),
        "void": len(ledger.void),
        "repairs": len(repairs.repairs),
        "best_validation": best.validation if best else None,
        "best_experiment": best.experiment if best else None,
        "best_agent": ledger.author(best.experiment) if best else None,
        "improvements": len(search.progress.improvements),
        "innovation_rate": search.progress.innovation(PAPER),
        "divergence": search.divergence.cumulative(),
        "divergence_windowed": search.divergence.windowed(),
        "cells_covered": search.diversity.covered(),
        "gpu_seconds": search.gpu_seconds.value(),
        "usd": sum(agent.usd for agent in cycles.agents.values()),
    }
    for part in ("whole", "architecture", "training", "backbone_encoder", "loss_pooling", "author"):
        values[f"entropy_{part}"] = search.diversity.entropy(part)
    values |= {f"declined.{reason}": many for reason, many in sorted(ledger.declined.items())}
    values |= {f"failed.{kind}": many for kind, many in sorted(search.failures.items())}
    values |= {f"completed.{agent}": many for agent, many in sorted(search.completed.items())}
    return values


class Measurement:
    """The exact measures of a log as far as it was read; values and digest depend on what was folded, not on when."""

    def __init__(self, *beside: Fold[Any, Any], passing: Pass[Any] | None = None) -> None:
        """Fold the measures and, in the same pass, whatever else is given beside them.

        Args:
            beside: folds of the caller's.
            passing: a pass of `MEASURES` and those folds, where it has begun elsewhere; from now on the measurement's.
        """
        self._pass: Pass[Any] = passing or Pass(*MEASURES, *beside)
        self._digester = Digester()
        self._changes: Changes | None = None  # since the last digest; before the first one all is new

    @property
    def through(self) -> int:
        """The last sequence that was folded, 0 before the first."""
        return self._pass.through

    @property
    def results(self) -> Results:
        """The states themselves, to read: search (with the ledger), cycles and repairs."""
        search, cycles, repairs = self._pass.results()[: len(MEASURES)]
        return search, cycles, repairs

    @property
    def beside(self) -> tuple[Any, ...]:
        """The results of the folds given beside, in their order."""
        return self._pass.results()[len(MEASURES) :]

    @property
    def ledger(self) -> Ledger:
        """The ledger, to read."""
        return self.results[0].ledger

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold the frames, in order; those up to `through` are known and pass by."""
        self._pass.advance(frames if self._changes is None else self._noted(frames, self._changes))

    def values(self) -> Values:
        """Return the named values of this moment; see `measured`."""
        return measured(self.results)

    def digest(self, scheme: str = SCHEME) -> str:
        """Return the digest of the exact part; cheap to ask often, since only what changed is hashed again.

        Args:
            scheme: one of `replay.digest.SCHEMES`; an older one is made afresh each time.
        """
        results = self.results
        if scheme != SCHEME:
            return digest(results[0].ledger, exact(results), scheme)
        made = self._digester.digest(results[0].ledger, self._changes or Changes(), exact(results))
        self._changes = Changes()
        return made

    def _noted(self, frames: Iterable[Recorded], changes: Changes) -> Iterator[Recorded]:
        for recorded in frames:
            changes.note(self.ledger, recorded)
            yield recorded
