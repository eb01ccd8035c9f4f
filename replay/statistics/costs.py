"""What the search cost: dollars and device hours by improvement and by agent, what devices did, repairs right at once.

The paper has no formula for these; section 4 names 3,227 GPU-hours, 31% utilisation, about 2,000 USD of model calls,
and 64 repairs of which 52 were right at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from replay.agents import AgentRow, agents
from replay.ledger import Attempt, Experiment, Ledger
from replay.measures import Measurement, Results
from replay.metrics import TOO_FEW, Metric, Series
from replay.occupancy import Shift, Shifts
from replay.repairs import Repair
from replay.statistics.estimates import made
from replay.statistics.tails import quantile


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent, or everybody together (`all`), spent for what it found; None where there is nothing to divide by.

    Attributes:
        usd: US dollars of model calls, open reservations included; gpu_hours: device time of all attempts.
        improvements: completions that beat all before them, whoever ran those; the first completion is one.
    """

    agent: str
    usd: float
    gpu_hours: float
    completed: int
    improvements: int
    usd_per_improvement: float | None
    gpu_hours_per_improvement: float | None
    usd_per_completion: float | None
    gpu_minutes_per_completion: float | None


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What devices did for how long; `share` of the time that they were present, None for silence (see `Cause`)."""

    what: str
    hours: float
    share: float | None


class WorkerUse(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: hours present and training, and the share of these."""

    worker: str
    device: str
    present: float
    training: float
    utilisation: float | None


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """Repairs by remedy.

    Attributes:
        tried: remedies that were put in place or could not be; `none`, which gives up, is no try.
        open: of these, those whose next run has not ended.
        right: the next run completed; attempts whose worker left say nothing, and the one after counts.
        rate: right over those that ended; low and high are its 95% interval (Wilson 1927).
    """

    remedy: str
    tried: int
    open: int
    right: int
    rate: float | None
    low: float | None
    high: float | None


def costs(results: Results) -> list[Cost]:
    """Return what everybody together spent, then each agent."""
    rows = agents(results)
    whole = AgentRow(
        agent="all",
        usd=math.fsum(row.usd for row in rows),
        gpu_seconds=math.fsum(row.gpu_seconds for row in rows),
        completed=sum(row.completed for row in rows),
        improvements=sum(row.improvements for row in rows),
    )
    return [_cost(row) for row in (whole, *rows)] if rows else []


def spending(results: Results) -> list[tuple[float | int | None, ...]]:
    """Return (n, best validation, US dollars, GPU-hours) at each improvement: all that had ended by then, by `at`."""
    search, cycles, _ = results
    ledger = search.ledger
    paid = sorted((cycle.ended_at or cycle.at, cycle.spent) for cycle in cycles.cycles.values())
    used = sorted((a.ended_at, a.gpu_seconds) for e in ledger.experiments.values() for a in e.attempts if a.ended_at)
    found: list[tuple[float | int | None, ...]] = []
    for step in search.progress.improvements:
        at = ledger.experiments[step.experiment].attempts[-1].ended_at or 0
        usd = math.fsum(spent for ended, spent in paid if ended <= at)
        hours = math.fsum(seconds for ended, seconds in used if ended <= at) / 3600
        found.append((step.n, step.validation, usd, hours))
    return found


def mended(results: Results) -> list[Mended]:
    """Return the repairs of all remedies together, then of each."""
    search, _, repairs = results
    ends = {r.repair: _ended(search.ledger, r) for r in repairs.repairs.values() if r.remedy != "none"}
    remedies = {repair.repair: repair.remedy for repair in repairs.repairs.values()}
    kinds = sorted({remedies[name] for name in ends})
    together = [_mended("all", list(ends.values()))] if ends else []
    return together + [_mended(kind, [end for name, end in ends.items() if remedies[name] == kind]) for kind in kinds]


def used(shifts: dict[str, Shift]) -> list[Use]:
    """Return what all devices did, training first; nothing where none was there."""
    hours: Counter[str] = Counter()
    for shift in shifts.values():
        hours.update(shift.spent)
    present = sum(shift.present() for shift in shifts.values())
    if not present:
        return []
    named = [("training", "training"), ("starting", "starting")]
    named += [
        (what, f"idle: {what}") for what in sorted(hours) if what not in ("training", "starting", "silent", "closed")
    ]
    named += [(what, what) for what in ("silent", "closed") if hours[what]]
    return [
        Use(
            what=label,
            hours=hours[what] / 3.6e9,
            share=hours[what] / present if what not in ("silent", "closed") else None,
        )
        for what, label in named
    ]


def _cost(row: AgentRow) -> Cost:
    hours = row.gpu_seconds / 3600
    return Cost(
        agent=row.agent,
        usd=row.usd,
        gpu_hours=hours,
        completed=row.completed,
        improvements=row.improvements,
        usd_per_improvement=_each(row.usd, row.improvements),
        gpu_hours_per_improvement=_each(hours, row.improvements),
        usd_per_completion=_each(row.usd, row.completed),
        gpu_minutes_per_completion=_each(hours * 60, row.completed),
    )


def _each(spent: float, many: int) -> float | None:
    return spent / many if many else None


def _ended(ledger: Ledger, repair: Repair) -> bool | None:
    """Say whether the run after a repair completed; None where it has not ended."""
    if repair.reason:
        return False  # its first remedy was refused, whatever came after
    if repair.child is not None:
        idea = ledger.ideas.get(repair.child)
        return _first_end(ledger.experiments.get(idea.experiment or "") if idea is not None else None, 0)
    return _first_end(ledger.experiments.get(repair.experiment), repair.attempt)


def _first_end(experiment: Experiment | None, after: int) -> bool | None:
    if experiment is None:
        return None
    later: Sequence[Attempt] = [a for a in experiment.attempts if a.attempt > after and a.ended_at is not None]
    told = next((attempt for attempt in later if attempt.failure not in ("lost", "retired")), None)
    if told is None:
        return False if experiment.status == "abandoned" else None
    return told.failure is None


def _mended(remedy: str, ends: Sequence[bool | None]) -> Mended:
    right, ended = sum(end is True for end in ends), sum(end is not None for end in ends)
    low, high = wilson(right, ended) if ended else (None, None)
    return Mended(
        remedy=remedy,
        tried=len(ends),
        open=len(ends) - ended,
        right=right,
        rate=right / ended if ended else None,
        low=low,
        high=high,
    )


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95% score interval of a share of n (Wilson 1927)."""
    z, share = quantile(0.975), right / n
    middle, reach = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - reach) / (1 + z * z / n)), min(1.0, (middle + reach) / (1 + z * z / n))


def shifts_of(measurement: Measurement) -> dict[str, Shift] | None:
    """Return what `replay.occupancy` folded beside the measures, None where it was not asked to."""
    return next((each.workers for each in measurement.beside if isinstance(each, Shifts)), None)


def _costs(measurement: Measurement) -> Metric:
    rows = costs(measurement.results)
    found = made(
        "cost",
        "US dollars of model calls and GPU-hours of all attempts, by improvement and by completion, of all agents and "
        "of each one; the series is what had been spent at each improvement; the value is GPU-hours an improvement",
        rows,
        rows[0].gpu_hours_per_improvement if rows else None,
        n=len(measurement.ledger.completed),
        unit="GPU-hours",
        scale=None,
    )
    series = {
        "spent at each improvement": Series(
            columns=("n", "best", "usd", "gpu_hours"), rows=spending(measurement.results)
        )
    }
    return msgspec.structs.replace(found, series=series if rows else {})


def _utilisation(measurement: Measurement) -> Metric:
    shifts = shifts_of(measurement) or {}
    present = sum(shift.present() for shift in shifts.values())
    training = sum(shift.spent.get("training", 0) for shift in shifts.values())
    workers = [
        WorkerUse(
            worker=shift.worker,
            device=shift.device,
            present=shift.present() / 3.6e9,
            training=shift.spent.get("training", 0) / 3.6e9,
            utilisation=shift.spent.get("training", 0) / shift.present() if shift.present() else None,
        )
        for shift in shifts.values()
    ]
    return made(
        "utilisation",
        "share of the devices' time, from joining to leaving or to the close, in which a pack trained; then why they "
        "were idle: dispatch: queued and not leased; judging: ideas without a verdict; answers: an agent waits for its "
        "policy; repairs: failed runs alone are left; nothing: nobody was asked. Time is the authors' clocks'",
        [*used(shifts), *workers],
        training / present if present else None,
        n=len(measurement.ledger.completed),
        unit="share of device time",
        scale=None,
        note=f"{TOO_FEW}: no device was present, or one era was asked, which does not bound their time",
    )


def _mendings(measurement: Measurement) -> Metric:
    rows = mended(measurement.results)
    return made(
        "mended",
        "remedies after which the very next run completed (paper: 52 of 64), by remedy, with Wilson's interval; the "
        "value is the rate of all that have ended",
        rows,
        rows[0].rate if rows else None,
        n=len(measurement.ledger.completed),
        unit="share of repairs",
        scale=None,
        note=f"{TOO_FEW}: no repair has ended",
    )


COSTS: dict[str, Callable[[Measurement], Metric]] = {
    "cost": _costs,
    "utilisation": _utilisation,
    "mended": _mendings,
}
