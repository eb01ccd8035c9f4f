"""The ledger: every idea and every experiment, what became of it, by whom, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    Assigned,
    CampaignClosed,
    CampaignOpened,
    Completed,
    Curves,
    Execution,
    Failed,
    FailureKind,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.log import Recorded
from events.space import Configuration, Space
from replay.errors import HistoryBroken
from replay.folds import Handler

Status = Literal["queued", "assigned", "running", "completed", "failed", "abandoned"]


# records hold plain values and no cycles: the collector need not walk fifty thousand of them again and again (gc=False)
class Idea(msgspec.Struct, kw_only=True, gc=False):
    """A proposed configuration and the scheduler's verdict on it.

    Attributes:
        source: aggregate and id of the frame that proposed it, such as `cycle.c-tpe-3`.
        experiment: what it became, None while unjudged or when declined.
        declined: the reason, None while unjudged or when accepted.
    """

    idea: str
    agent: str
    configuration: Configuration
    rationale: str
    origin: str
    parents: tuple[str, ...]
    priority: float
    proposed: Position
    at: int
    source: str
    experiment: str | None = None
    declined: str | None = None
    twin: str | None = None


class Attempt(msgspec.Struct, kw_only=True, gc=False):
    """One lease of an experiment and how it ended."""

    attempt: int
    pack: str
    lane: int
    worker: str
    seed: int
    execution: Execution
    assigned_at: int
    started_at: int | None = None
    ended_at: int | None = None
    instrument: str | None = None
    platform: dict[str, str] = {}
    failure: FailureKind | Literal["lost", "retired"] | None = None
    step: int | None = None
    gpu_seconds: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether the run itself failed; a lease that was taken back is not the run's fault."""
        return self.failure not in (None, "lost", "retired")


class Outcome(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What a completed experiment scored; see `events.facts.Completed`."""

    validation: float
    test: float
    noise: float
    epoch: int
    curves: Curves
    peak_memory: int
    checkpoint: str | None


class Experiment(msgspec.Struct, kw_only=True, gc=False):
    """An accepted idea and its attempts.

    Attributes:
        completion: its place in the order of completions, from 1; None before.
        ended: position of the fact that completed it.
    """

    experiment: str
    idea: str
    priority: float
    terms: dict[str, float]
    status: Status = "queued"
    queued_at: int = 0
    execution: Execution | None = None
    attempts: list[Attempt] = []
    outcome: Outcome | None = None
    completion: int | None = None
    ended: Position | None = None
    abandoned: str | None = None

    @property
    def why(self) -> str:
        """What the priority was made of, in words."""
        return ", ".join(f"{name} {value:.2f}" for name, value in self.terms.items())

    @property
    def gpu_seconds(self) -> float:
        """Device time of all attempts."""
        return sum(attempt.gpu_seconds for attempt in self.attempts)


class Ledger(msgspec.Struct, kw_only=True):
    """All of them, in the order in which they came.

    Attributes:
        completed: experiments in the order of completion.
        void: positions of facts spoken under no valid lease, or about what is settled; they changed nothing.
        unjudged: sources of ideas that still wait for a verdict, each with its ideas.
        leases: every pack with its experiments, in the order of lanes.
    """

    campaign: str = ""
    space: Space | None = None
    seed: int = 0
    opened_at: int = 0
    closed: str | None = None
    ideas: dict[str, Idea] = {}
    experiments: dict[str, Experiment] = {}
    completed: list[str] = []
    unjudged: dict[str, list[str]] = {}
    void: list[Position] = []
    leases: dict[str, list[str]] = {}

    def configuration(self, experiment: str) -> Configuration:
        """Return what an experiment ran."""
        return self.ideas[self.experiments[experiment].idea].configuration

    def author(self, experiment: str) -> str:
        """Return the agent whose idea it was."""
        return self.ideas[self.experiments[experiment].idea].agent


def _opened(ledger: Ledger, fact: CampaignOpened, recorded: Recorded, index: int) -> None:
    ledger.campaign, ledger.space, ledger.seed, ledger.opened_at = fact.campaign, fact.space, fact.seed, fact.at


def _closed(ledger: Ledger, fact: CampaignClosed, recorded: Recorded, index: int) -> None:
    ledger.closed = fact.reason


def _proposed(ledger: Ledger, fact: IdeaProposed, recorded: Recorded, index: int) -> None:
    source = ".".join(recorded.subject.split(".")[2:4])
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
        source=source,
    )
    ledger.unjudged.setdefault(source, []).append(fact.idea)


def _declined(ledger: Ledger, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    idea = _idea(ledger, fact.idea, recorded, index)
    idea.declined, idea.twin = fact.reason, fact.twin
    _judged(ledger, idea)


def _queued(ledger: Ledger, fact: Queued, recorded: Recorded, index: int) -> None:
    idea = _idea(ledger, fact.idea, recorded, index)
    if fact.experiment in ledger.experiments:
        ledger.void.append(Position(recorded.sequence, index))
        return
    idea.experiment = fact.experiment
    _judged(ledger, idea)
    ledger.experiments[fact.experiment] = Experiment(
        experiment=fact.experiment, idea=fact.idea, priority=fact.priority, terms=fact.terms, queued_at=fact.at
    )


def _assigned(ledger: Ledger, fact: Assigned, recorded: Recorded, index: int) -> None:
    if (experiment := _unfinished(ledger, fact, recorded, index)) is None:
        return
    experiment.status = "assigned"
    ledger.leases.setdefault(fact.pack, []).append(fact.experiment)
    experiment.attempts.append(
        Attempt(
            attempt=fact.attempt,
            pack=fact.pack,
            lane=fact.lane,
            worker=fact.worker,
            seed=fact.seed,
            execution=fact.execution,
            assigned_at=fact.at,
        )
    )


def _started(ledger: Ledger, fact: Started, recorded: Recorded, index: int) -> None:
    if (attempt := _leased(ledger, fact, recorded, index)) is None:
        return
    ledger.experiments[fact.experiment].status = "running"
    attempt.started_at, attempt.instrument, attempt.platform = fact.at, fact.instrument, fact.platform


def _completed(ledger: Ledger, fact: Completed, recorded: Recorded, index: int) -> None:
    if (attempt := _leased(ledger, fact, recorded, index)) is None:
        return
    experiment = ledger.experiments[fact.experiment]
    attempt.ended_at, attempt.gpu_seconds = fact.at, fact.gpu_seconds
    experiment.status = "completed"
    experiment.outcome = Outcome(
        validation=fact.validation,
        test=fact.test,
        noise=fact.noise,
        epoch=fact.epoch,
        curves=fact.curves,
        peak_memory=fact.peak_memory,
        checkpoint=fact.checkpoint,
    )
    ledger.completed.append(fact.experiment)
    experiment.completion, experiment.ended = len(ledger.completed), Position(recorded.sequence, index)


def _failed(ledger: Ledger, fact: Failed, recorded: Recorded, index: int) -> None:
    if (attempt := _leased(ledger, fact, recorded, index)) is None:
        return
    attempt.ended_at, attempt.failure = fact.at, fact.kind
    attempt.step, attempt.gpu_seconds = fact.step, fact.gpu_seconds
    ledger.experiments[fact.experiment].status = "failed"


def _revoked(ledger: Ledger, fact: LeaseRevoked, recorded: Recorded, index: int) -> None:
    for experiment in (ledger.experiments[name] for name in ledger.leases.get(fact.pack, ())):
        if experiment.status in ("assigned", "running") and experiment.attempts[-1].pack == fact.pack:
            experiment.attempts[-1].failure, experiment.attempts[-1].ended_at = fact.reason, fact.at
            experiment.status = "failed"


def _requeued(ledger: Ledger, fact: Requeued, recorded: Recorded, index: int) -> None:
    if (experiment := _unfinished(ledger, fact, recorded, index)) is not None:
        experiment.status, experiment.execution = "queued", fact.execution


def _abandoned(ledger: Ledger, fact: Abandoned, recorded: Recorded, index: int) -> None:
    if (experiment := _unfinished(ledger, fact, recorded, index)) is not None:
        experiment.status, experiment.abandoned = "abandoned", fact.reason


def _judged(ledger: Ledger, idea: Idea) -> None:
    waiting = ledger.unjudged.get(idea.source, [])
    if idea.idea in waiting:
        waiting.remove(idea.idea)
    if not waiting:
        ledger.unjudged.pop(idea.source, None)


def _leased(ledger: Ledger, fact: Started | Completed | Failed, recorded: Recorded, index: int) -> Attempt | None:
    """Return the attempt that a worker may speak about; a fact under no lease of its author's is noted as void."""
    experiment = _experiment(ledger, fact.experiment, recorded, index)
    last = experiment.attempts[-1] if experiment.attempts else None
    if last is None or last.ended_at is not None or (last.attempt, last.worker) != (fact.attempt, recorded.author):
        ledger.void.append(Position(recorded.sequence, index))
        return None
    return last


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
    }

    def initial(self) -> Ledger:
        """Return an empty ledger."""
        return Ledger()

    def result(self, state: Ledger) -> Ledger:
        """Return the ledger itself."""
        return state
