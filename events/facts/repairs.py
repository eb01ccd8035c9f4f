"""Facts of a repair: what broke, and what is done about it."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact
from events.facts.experiments import Execution, FailureKind


class DiagnosisMade(Fact, frozen=True, kw_only=True, tag="DiagnosisMade"):
    """The fixer says what broke one attempt of an experiment."""

    repair: str
    experiment: str
    attempt: int
    kind: FailureKind
    diagnosis: str


class RemedyProposed(Fact, frozen=True, kw_only=True, tag="RemedyProposed"):
    """The fixer says what it will do about it, before it does it.

    Attributes:
        remedy: micro_batches and patience change the execution alone; extract makes features; retry changes
            nothing; child is a new idea with another configuration; none gives the experiment up.
    """

    repair: str
    experiment: str
    remedy: Literal["micro_batches", "patience", "extract", "retry", "child", "none"]
    execution: Execution | None = None
    child: str | None = None


class RemedyApplied(Fact, frozen=True, kw_only=True, tag="RemedyApplied"):
    """The remedy is in place; what follows is the scheduler's."""

    repair: str
    experiment: str


class RemedyRefused(Fact, frozen=True, kw_only=True, tag="RemedyRefused"):
    """The remedy could not be put in place, and why."""

    repair: str
    experiment: str
    reason: str
