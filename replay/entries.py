"""The ledger's records: an idea, an experiment, its attempts and what it scored."""

from __future__ import annotations

from typing import Literal

import msgspec

from events.envelope import Position
from events.facts import Curves, Execution, FailureKind
from events.space import Configuration
from replay.folds import Given

Status = Literal["queued", "assigned", "running", "completed", "failed", "abandoned"]

SHAPE = ("backbone", "encoder", "batch", "length")
"""Dimensions in which the experiments of one pack agree, and which say how long an epoch takes."""


# Records are never changed, a fold puts another in their place: so states may share them, and keeping a state copies
# none. They hold plain values and no cycles, and the collector need not walk fifty thousand of them (gc=False).
class Idea(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A proposed configuration and the scheduler's verdict on it.

    Attributes:
        source: aggregate and id of the frame that proposed it, such as `cycle.c-tpe-3`.
        experiment: what it became, None while unjudged or when declined.
        declined: the reason, None while unjudged or when accepted.
    """

    idea: str
    agent: str
    configuration: Given[Configuration]
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


class Ban(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A predicate over configurations that no idea may fulfil for now.

    Attributes:
        until: the number of ended cycles at which it is lifted, None while only a person may lift it.
        ruled: whether it is the scheduler's own.
        refuted: the experiment that completed although it is one of those that a ban by rule describes.
    """

    ban: str
    where: str
    reason: str
    until: int | None
    declared: Position
    ruled: bool = False
    refuted: str | None = None


class Attempt(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One lease of an experiment and how it ended; `leased` is the position of its assignment."""

    attempt: int
    pack: str
    lane: int
    worker: str
    seed: int
    execution: Execution
    assigned_at: int
    leased: Position | None = None
    started_at: int | None = None
    ended_at: int | None = None
    instrument: str | None = None
    platform: Given[dict[str, str]] = {}
    failure: FailureKind | Literal["lost", "retired", "cancelled"] | None = None
    step: int | None = None
    gpu_seconds: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether the run itself failed; a lease that was taken back is not the run's fault."""
        return self.failure not in (None, "lost", "retired", "cancelled")


class Outcome(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What a completed experiment scored; see `events.facts.Completed`."""

    validation: float
    test: float | None
    noise: float | None
    epoch: int
    curves: Curves
    peak_memory: int | None
    checkpoint: str | None


class Experiment(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """An accepted idea and its attempts.

    Attributes:
        number: its place in the order in which experiments were queued, from 1.
        completion: its place in the order of completions, from 1; None before.
        ended: position of the fact that completed it.
        moved: position of the fact that brought it where it stands: the cause of what is done with it next.
        boost: what a person has added to its priority.
        cancelled: why a person wants it not to run, None where nobody does.
    """

    experiment: str
    idea: str
    priority: float
    terms: Given[dict[str, float]]
    status: Status = "queued"
    queued_at: int = 0
    execution: Execution | None = None
    attempts: tuple[Attempt, ...] = ()
    outcome: Outcome | None = None
    completion: int | None = None
    ended: Position | None = None
    moved: Position | None = None
    boost: float = 0.0
    cancelled: str | None = None
    abandoned: str | None = None
    number: int = 0

    @property
    def why(self) -> str:
        """What the priority was made of, in words."""
        return ", ".join(f"{name} {value:.2f}" for name, value in self.terms.items())

    @property
    def gpu_seconds(self) -> float:
        """Device time of all attempts."""
        return sum(attempt.gpu_seconds for attempt in self.attempts)
