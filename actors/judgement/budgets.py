"""Budgets: what a campaign may spend, what is spent or reserved, and so whether it may begin something or must end."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from events.facts import Execution
from replay.champions import challenger, missing
from replay.ledger import Attempt, Experiment, Ledger, Status
from replay.repairs import Repairs

LIVE: tuple[Status, ...] = ("assigned", "running")

SLOWER, START = 4.0, 60.0
"""Times a run's recorded device time that a repeat of it may take, and seconds more, for its bench to start."""

CHECKING = 600.0
"""Seconds that the canaries of a patch's copy may take."""

PATIENCE = 2.0
"""How much longer a run that was too slow may take, once."""


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a campaign; None is no limit.

    Attributes:
        experiments: completed ones.
        gpu_hours: device time of every attempt and of every trial of a patch, reserved at its worst before it starts.
        hours: wall time since the campaign opened; an attempt begins only where its time-out ends within it.
        timeout: seconds after which an attempt is killed.
        attempts: spoiled ones after which an experiment is abandoned; see `spoiled`.
        fruitless: experiments abandoned in a row, each begun after the last completion, after which the campaign ends.
        usd: US dollars for calls of models, reserved at their worst case before they begin.
    """

    experiments: int | None = None
    gpu_hours: float | None = None
    hours: float | None = None
    timeout: float = 600.0
    attempts: int = 3
    fruitless: int = 25
    usd: float | None = None


def spent(ledger: Ledger) -> float:
    """Return device seconds spent, counting each live attempt, and each lost one, at its time-out; of what was made
    again too.
    """
    attempts = (attempt for experiment in ledger.experiments.values() for attempt in experiment.attempts)
    unknown = (None, "lost", "retired", "cancelled")
    ran = sum(a.execution.timeout if a.failure in unknown and not a.gpu_seconds else a.gpu_seconds for a in attempts)
    return ran + ledger.repeats.spent


def allowance(budget: Budget, attempt: Attempt) -> float:
    """Return device seconds that one repeat of a run may take, by what the run itself took."""
    return min(budget.timeout, SLOWER * attempt.gpu_seconds + START)


def kept_back(budget: Budget, ledger: Ledger) -> float:
    """Return device seconds that no attempt may have: those that the repeats of whoever leads now may take."""
    if not ledger.repeats.gate or budget.gpu_hours is None or (row := challenger(ledger)) is None:
        return 0.0
    return missing(ledger, row) * allowance(budget, ledger.experiments[row.experiment].attempts[-1])


def trial(budget: Budget) -> float:
    """Return the device seconds that a trial of a patch is reserved at: its canaries, and a run that was slow once."""
    return CHECKING + PATIENCE * budget.timeout


def used(budget: Budget, ledger: Ledger, repairs: Repairs | None) -> float:
    """Return device seconds of attempts and of trials, those under way or interrupted as they were reserved."""
    trials = repairs.tried_seconds + repairs.untold * trial(budget) if repairs is not None else 0.0
    return spent(ledger) + trials


class Room(NamedTuple):
    """What may still begin; infinite without a limit.

    Attributes:
        attempts: so many, and
        seconds: that their time-outs may add up to; `wall` that any one of them may take.
    """

    attempts: float
    seconds: float
    wall: float


def room(budget: Budget, ledger: Ledger, now: int, repairs: Repairs | None = None) -> Room:
    """Return what may begin beside what is live: the attempts that could complete, and the device time not reserved.

    Args:
        repairs: whose trials took device time; None where none did.
    """
    if overdue(budget, ledger, now) or ledger.fruitless >= budget.fruitless:
        return Room(0, 0.0, 0.0)
    attempts = seconds = math.inf
    if budget.experiments is not None:
        live = len(ledger.standing(*LIVE))
        attempts = budget.experiments - len(ledger.completed) - live
    if budget.gpu_hours is not None:
        seconds = budget.gpu_hours * 3600 - used(budget, ledger, repairs) - kept_back(budget, ledger)
    return Room(attempts, seconds, left(budget, ledger, now))


def left(budget: Budget, ledger: Ledger, now: int) -> float:
    """Return the seconds of wall time that are left, infinite without a limit."""
    return math.inf if budget.hours is None else budget.hours * 3600 - (now - ledger.opened_at) / 1e6


def overdue(budget: Budget, ledger: Ledger, now: int) -> bool:
    """Say whether an attempt that begins now could end after the wall time."""
    return left(budget, ledger, now) < budget.timeout


def exhausted(budget: Budget, ledger: Ledger, now: int, repairs: Repairs | None = None) -> str | None:
    """Say which budget ends the campaign, or None; anything still running is waited for by the caller."""
    if budget.experiments is not None and len(ledger.completed) >= budget.experiments:
        return f"{len(ledger.completed)} experiments completed, as the budget allows"
    if ledger.fruitless >= budget.fruitless:
        return f"{ledger.fruitless} experiments in a row were given up and none completed, as budget.fruitless allows"
    if budget.gpu_hours is not None:
        kept = kept_back(budget, ledger)
        if used(budget, ledger, repairs) + kept + budget.timeout > budget.gpu_hours * 3600:
            beside = f" beside {kept:.0f} s for the repeats of who leads" if kept else ""
            return f"the budget of {budget.gpu_hours:g} GPU-hours has no room for another attempt{beside}"
    if overdue(budget, ledger, now):
        return f"the budget of {budget.hours:g} hours of wall time has no room for another attempt"
    return None


def spoiled(experiment: Experiment, following: Execution | None = None) -> int:
    """Count the attempts that speak against an experiment: it broke, or its worker was lost while it ran.

    One that ran out of memory speaks against its slicing, so it counts only where none finer came after it: `following`
    is how the coming attempt would be carried out, None when none comes.
    """
    after = [*(attempt.execution for attempt in experiment.attempts[1:]), following]
    return sum(_is_spoiled(*pair) for pair in zip(experiment.attempts, after, strict=False))


def _is_spoiled(attempt: Attempt, following: Execution | None) -> bool:
    if attempt.failure == "out_of_memory" and following is not None:
        return following.micro_batches <= attempt.execution.micro_batches
    return attempt.broken or (attempt.failure == "lost" and attempt.started_at is not None)
