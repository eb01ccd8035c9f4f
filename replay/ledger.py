"""The ledger: every idea and every experiment, what became of it, by whom, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    Assigned,
    CampaignClosed,
    CampaignOpened,
    Completed,
    EraOpened,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.log import Recorded
from events.space import Configuration, Space, Value
from replay import acts, dead_ends, defects, ranking, repeats
from replay.defects import Defects
from replay.entries import Attempt, Ban, Experiment, Idea, Outcome, Status
from replay.eras import Eras
from replay.errors import HistoryBroken
from replay.folds import Handler
from replay.repeats import Repeats

__all__ = ["Attempt", "Experiment", "Idea", "Ledger", "LedgerFold", "Outcome", "Status"]

_number = attrgetter("number")


class Ledger(msgspec.Struct, kw_only=True):
    """All of them, in the order in which they came.

    Attributes:
        completed: experiments in the order of completion.
        declined: how many ideas were refused, by the reason.
        void: positions of facts spoken under no valid lease, or about what is settled; they changed nothing.
        unjudged: sources of ideas that still wait for a verdict, each with its ideas.
        leases: every pack with its experiments, in the order of lanes.
        states: names of experiments by where they stand, so that nobody needs to look at all of them.
        served: by agent, how many of its experiments were ever assigned.
        turns, waiting: by agent, its turn and its queued experiments; `turn` is that served last; see `replay.turns`.
        scores, foremost: validation AP in the order of completion, and the best results; see `replay.ranking`.
        opening, closing: positions of the facts that opened and closed the campaign.
        moved: position of the last fact that moved an experiment.
        paused: why a person asked for a pause, None while nobody does; `pausing` and `reopening` say where.
        cancelled: experiments that a person wants not to run and that have not ended, each with where that was said.
        bans: in force, by name.
        dead_ends: by shape, the experiments given up since the last one that completed or the last ban; see there.
        asked: cycles that have ended; widened: values that the space was widened by, with their dimensions.
        fruitless: experiments abandoned in a row, each begun after the last completion.
        eras: and which run belongs to which.
        defects: and which results they touch; repeats: results of leaders under other seeds.
        imported: from which study its runs were brought in, and what is not known of them.
    """

    campaign: str = ""
    space: Space | None = None
    seed: int = 0
    opened_at: int = 0
    closed: str | None = None
    ideas: dict[str, Idea] = {}
    experiments: dict[str, Experiment] = {}
    completed: list[str] = []
    declined: dict[str, int] = {}
    unjudged: dict[str, list[str]] = {}
    void: list[Position] = []
    leases: dict[str, tuple[str, ...]] = {}
    states: dict[str, dict[str, None]] = {}
    served: dict[str, int] = {}
    turn: int = 0
    turns: dict[str, int] = {}
    waiting: dict[str, int] = {}
    scores: list[float] = []
    foremost: list[tuple[float, int]] = []
    opening: Position | None = None
    closing: Position | None = None
    moved: Position | None = None
    fruitless: int = 0
    paused: str | None = None
    pausing: Position | None = None
    reopening: Position | None = None
    cancelled: dict[str, Position] = {}
    bans: dict[str, Ban] = {}
    dead_ends: dict[str, list[str]] = {}
    asked: int = 0
    widened: list[tuple[str, Value]] = []
    eras: Eras = msgspec.field(default_factory=Eras)
    defects: Defects = msgspec.field(default_factory=Defects)
    repeats: Repeats = msgspec.field(default_factory=Repeats)
    imported: str | None = None

    def standing(self, *statuses: Status) -> list[Experiment]:
        """Return the experiments that stand at one of these, in the order in which they were queued."""
        found = [self.experiments[name] for status in statuses for name in self.states.get(status, ())]
        return sorted(found, key=_number)

    def configuration(self, experiment: str) -> Configuration:
        """Return what an experiment ran."""
        return self.ideas[self.experiments[experiment].idea].configuration

    def author(self, experiment: str) -> str:
        """Return the agent whose idea it was."""
        return self.ideas[self.experiments[experiment].idea].agent


def _opened(ledger: Ledger, fact: CampaignOpened, recorded: Recorded, index: int) -> None:
    ledger.campaign, ledger.space, ledger.seed, ledger.opened_at = fact.campaign, fact.space, fact.seed, fact.at
    ledger.opening, ledger.repeats.gate = Position(recorded.sequence, index), fact.repeats


def _closed(ledger: Ledger, fact: CampaignClosed, recorded: Recorded, index: int) -> None:
    ledger.closed, ledger.closing, ledger.reopening = fact.reason, Position(recorded.sequence, index), None


def _proposed(ledger: Ledger, fact: IdeaProposed, recorded: Recorded, index: int) -> None:
    ledger.ideas[fact.idea] = Idea(
        idea=fact.idea,
        agent=fact.agent,
        configuration=fact.configuration,
        rationale=fact.rationale,
        origin=fact.origin,
        parents=fact.parents,
        priority=fact.priority,
        proposed=Position(recorded.sequence, index),
        at=fact.at,
        source=recorded.source,
    )
    ledger.unjudged.setdefault(recorded.source, []).append(fact.idea)


def _declined(ledger: Ledger, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    idea = _idea(ledger, fact.idea, recorded, index)
    ledger.declined[fact.reason] = ledger.declined.get(fact.reason, 0) + 1
    _judged(ledger, replace(idea, declined=fact.reason, twin=fact.twin))


def _queued(ledger: Ledger, fact: Queued, recorded: Recorded, index: int) -> None:
    idea = _idea(ledger, fact.idea, recorded, index)
    if fact.experiment in ledger.experiments:
        ledger.void.append(Position(recorded.sequence, index))
        return
    _judged(ledger, replace(idea, experiment=fact.experiment))
    ledger.moved = here = Position(recorded.sequence, index)
    ledger.experiments[fact.experiment] = Experiment(
        experiment=fact.experiment,
        idea=idea.idea,
        priority=fact.priority,
        terms=fact.terms,
        queued_at=fact.at,
        number=len(ledger.experiments) + 1,
        moved=here,
    )
    ledger.states.setdefault("queued", {})[fact.experiment] = None
    acts.waits(ledger, idea.agent)


def _assigned(ledger: Ledger, fact: Assigned, recorded: Recorded, index: int) -> None:
    if (experiment := _unfinished(ledger, fact, recorded, index)) is None:
        return
    acts.served(ledger, experiment, fact.lane)
    ledger.leases[fact.pack] = (*ledger.leases.get(fact.pack, ()), experiment.experiment)
    here = Position(recorded.sequence, index)
    attempt = Attempt(
        attempt=fact.attempt,
        pack=fact.pack,
        lane=fact.lane,
        worker=fact.worker,
        seed=fact.seed,
        execution=fact.execution,
        assigned_at=fact.at,
        leased=here,
    )
    attempts = (*experiment.attempts, attempt)
    _move(ledger, experiment, replace(experiment, status="assigned", moved=here, attempts=attempts))


def _started(ledger: Ledger, fact: Started, recorded: Recorded, index: int) -> None:
    if (experiment := _leased(ledger, fact, recorded, index)) is None:
        return
    here = Position(recorded.sequence, index)
    begun = _last(experiment, started_at=fact.at, instrument=fact.instrument, platform=fact.platform)
    _move(ledger, experiment, replace(experiment, status="running", moved=here, attempts=begun))
    ledger.eras.start(fact, recorded, index)


def _completed(ledger: Ledger, fact: Completed, recorded: Recorded, index: int) -> None:
    if (experiment := _leased(ledger, fact, recorded, index)) is None:
        return
    ledger.completed.append(experiment.experiment)
    ranking.enter(ledger, fact.validation)
    ledger.fruitless = 0
    outcome = Outcome(
        validation=fact.validation,
        test=fact.test,
        noise=fact.noise,
        epoch=fact.epoch,
        curves=fact.curves,
        peak_memory=fact.peak_memory,
        checkpoint=fact.checkpoint,
    )
    here, place = Position(recorded.sequence, index), len(ledger.completed)
    done = _last(experiment, ended_at=fact.at, gpu_seconds=fact.gpu_seconds)
    after = replace(
        experiment, status="completed", moved=here, attempts=done, outcome=outcome, completion=place, ended=here
    )
    _move(ledger, experiment, after)
    dead_ends.completed(ledger, after)
    defects.judge(ledger, experiment.experiment)


def _era_opened(ledger: Ledger, fact: EraOpened, recorded: Recorded, index: int) -> None:
    ledger.eras.open(fact, recorded, index)


def _failed(ledger: Ledger, fact: Failed, recorded: Recorded, index: int) -> None:
    if (experiment := _leased(ledger, fact, recorded, index)) is None:
        return
    broken = _last(experiment, ended_at=fact.at, failure=fact.kind, step=fact.step, gpu_seconds=fact.gpu_seconds)
    here = Position(recorded.sequence, index)
    _move(ledger, experiment, replace(experiment, status="failed", moved=here, attempts=broken))


def _revoked(ledger: Ledger, fact: LeaseRevoked, recorded: Recorded, index: int) -> None:
    for experiment in (ledger.experiments[name] for name in ledger.leases.get(fact.pack, ())):
        if experiment.status in ("assigned", "running") and experiment.attempts[-1].pack == fact.pack:
            taken = _last(experiment, failure=fact.reason, ended_at=fact.at)
            here = Position(recorded.sequence, index)
            _move(ledger, experiment, replace(experiment, status="failed", moved=here, attempts=taken))


def _requeued(ledger: Ledger, fact: Requeued, recorded: Recorded, index: int) -> None:
    here, experiment = Position(recorded.sequence, index), _unfinished(ledger, fact, recorded, index)
    if experiment is not None:
        after = replace(experiment, status="queued", moved=here, execution=fact.execution, abandoned=None)
        _move(ledger, experiment, after)


def _abandoned(ledger: Ledger, fact: Abandoned, recorded: Recorded, index: int) -> None:
    if (experiment := _unfinished(ledger, fact, recorded, index)) is not None:
        here = Position(recorded.sequence, index)
        _move(ledger, experiment, replace(experiment, status="abandoned", moved=here, abandoned=fact.reason))
        ledger.fruitless += dead_ends.is_fruitless(ledger, experiment)
        dead_ends.given_up(ledger, experiment)


def _move(ledger: Ledger, before: Experiment, after: Experiment) -> None:
    """Put in the place of an experiment what it is now that it stands elsewhere."""
    name, status = after.experiment, after.status
    del ledger.states[before.status][name]
    ledger.states.setdefault(status, {})[name] = None
    if before.status == "queued":
        ledger.waiting[ledger.ideas[before.idea].agent] -= 1
    if status == "queued":
        acts.waits(ledger, ledger.ideas[before.idea].agent)
    elif status in ("completed", "abandoned"):
        ledger.cancelled.pop(name, None)
    ledger.moved = after.moved
    ledger.experiments[name] = after


def _last(experiment: Experiment, **changes: Any) -> tuple[Attempt, ...]:
    """Return the attempts with changes to the last one."""
    return (*experiment.attempts[:-1], replace(experiment.attempts[-1], **changes))


def _judged(ledger: Ledger, idea: Idea) -> None:
    ledger.ideas[idea.idea] = idea
    waiting = ledger.unjudged.get(idea.source)
    if waiting is not None and idea.idea in waiting:
        waiting.remove(idea.idea)
        if not waiting:
            del ledger.unjudged[idea.source]


def _leased(ledger: Ledger, fact: Started | Completed | Failed, recorded: Recorded, index: int) -> Experiment | None:
    """Return the experiment of which a worker may speak; a fact under no lease of its author's is noted as void."""
    experiment = _experiment(ledger, fact.experiment, recorded, index)
    last = experiment.attempts[-1] if experiment.attempts else None
    if last is None or last.ended_at is not None or (last.attempt, last.worker) != (fact.attempt, recorded.author):
        ledger.void.append(Position(recorded.sequence, index))
        return None
    return experiment


def _unfinished(
    ledger: Ledger, fact: Assigned | Requeued | Abandoned, recorded: Recorded, index: int
) -> Experiment | None:
    """Return the experiment; a fact about one that has its result is noted as void: nothing completes twice."""
    experiment = _experiment(ledger, fact.experiment, recorded, index)
    if experiment.outcome is not None:
        ledger.void.append(Position(recorded.sequence, index))
        return None
    return experiment


def _idea(ledger: Ledger, name: str, recorded: Recorded, index: int) -> Idea:
    if (idea := ledger.ideas.get(name)) is None:
        raise HistoryBroken(Position(recorded.sequence, index), f"idea {name} was never proposed")
    return idea


def _experiment(ledger: Ledger, name: str, recorded: Recorded, index: int) -> Experiment:
    if (experiment := ledger.experiments.get(name)) is None:
        raise HistoryBroken(Position(recorded.sequence, index), f"experiment {name} was never queued")
    return experiment


class LedgerFold:
    """Folds a log into its ledger."""

    handlers: Mapping[type[Fact], Handler] = {
        CampaignOpened: _opened,
        CampaignClosed: _closed,
        IdeaProposed: _proposed,
        IdeaDeclined: _declined,
        Queued: _queued,
        Assigned: _assigned,
        Started: _started,
        Completed: _completed,
        Failed: _failed,
        LeaseRevoked: _revoked,
        Requeued: _requeued,
        Abandoned: _abandoned,
        EraOpened: _era_opened,
        **defects.HANDLERS,
        **acts.HANDLERS,
        **repeats.HANDLERS,
    }

    def initial(self) -> Ledger:
        """Return an empty ledger."""
        return Ledger()

    def result(self, state: Ledger) -> Ledger:
        """Return the ledger itself."""
        return state
