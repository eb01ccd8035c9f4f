"""Budgets: what a campaign may spend, what is spent or reserved, and so whether it may begin something or must end."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from replay.ledger import Ledger, Status

LIVE: tuple[Status, ...] = ("assigned", "running")


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a campaign; None is no limit.

    Attributes:
        experiments: completed ones.
        gpu_hours: device time of every attempt, reserved at its time-out before it starts.
        hours: wall time since the campaign opened; it stops new work only.
        timeout: seconds after which an attempt is killed.
        attempts: after which an experiment is abandoned.
        usd: US dollars for calls of models, reserved at their worst case before they begin.
    """

    experiments: int | None = None
    gpu_hours: float | None = None
    hours: float | None = None
    timeout: float = 600.0
    attempts: int = 3
    usd: float | None = None


def spent(ledger: Ledger) -> float:
    """Return device seconds spent, counting each live attempt, and each lost one, at its time-out."""
    attempts = (attempt for experiment in ledger.experiments.values() for attempt in experiment.attempts)
    unknown = (None, "lost", "retired")
    return sum(a.execution.timeout if a.failure in unknown and not a.gpu_seconds else a.gpu_seconds for a in attempts)


class Room(NamedTuple):
    """What may still begin: so many attempts, whose time-outs add up to so many seconds; infinite without a limit."""

    attempts: float
    seconds: float


def room(budget: Budget, ledger: Ledger, now: int) -> Room:
    """Return what may begin beside what is live: the attempts that could complete, and the device time not reserved."""
    if overdue(budget, ledger, now):
        return Room(0, 0.0)
    attempts = seconds = math.inf
    if budget.experiments is not None:
        live = len(ledger.standing(*LIVE))
        attempts = budget.experiments - len(ledger.completed) - live
    if budget.gpu_hours is not None:
        seconds = budget.gpu_hours * 3600 - spent(ledger)
    return Room(attempts, seconds)


def overdue(budget: Budget, ledger: Ledger, now: int) -> bool:
    """Say whether the wall time is over."""
    return budget.hours is not None and now - ledger.opened_at > budget.hours * 3600e6


def exhausted(budget: Budget, ledger: Ledger, now: int) -> str | None:
    """Say which budget ends the campaign, or None; anything still running is waited for by the caller."""
    if budget.experiments is not None and len(ledger.completed) >= budget.experiments:
        return f"{len(ledger.completed)} experiments completed, as the budget allows"
    if budget.gpu_hours is not None and spent(ledger) + budget.timeout > budget.gpu_hours * 3600:
        return f"the budget of {budget.gpu_hours:g} GPU-hours has no room for another attempt"
    if overdue(budget, ledger, now):
        return f"the budget of {budget.hours:g} hours of wall time is over"
    return None
