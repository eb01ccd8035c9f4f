"""Repeats of leaders: which are begun when a search has ended, within the budget, and what is said of them.

The analyst decides and its bench trains, as for the controls: a repeat proposes nothing, so it is no idea, no
experiment and no lease, and no measure of the search counts it. What it may take is reserved before it begins.
"""

from __future__ import annotations

from actors.benches.scrutiny import Again, Repeat, Repeated
from actors.judgement import budgets
from actors.judgement.budgets import Budget
from actors.orders import Refused
from actors.role import Decision, News
from actors.seeds import seed_of
from events.facts import RepeatsBegun, RepeatsForgone, SeedsRepeated
from replay.champions import challenger, missing
from replay.fleet import Fleet
from replay.leaderboard import Row
from replay.ledger import Ledger
from replay.repeats import Begun


def step(ledger: Ledger, fleet: Fleet, budget: Budget, news: News) -> Decision | None:
    """Return the analyst's next word about repeats: an end, a beginning, or that there will be none; None otherwise."""
    under_way = ledger.repeats.open
    if under_way is not None and (result := news.results.get(_name(under_way))) is not None:
        return _ended(ledger, under_way, result)
    if awaited(ledger, news) or news.stopping or (row := challenger(ledger)) is None:
        return None
    if (why := _forgone(ledger, fleet, budget, row)) is not None:
        # a process that died over its repeats may have used all that it had reserved
        lost = under_way.reserved if under_way is not None else 0.0
        return _decision(RepeatsForgone(cause=ledger.closing, experiment=row.experiment, reason=why, gpu_seconds=lost))
    return _begun(ledger, fleet, budget, row)


def awaited(ledger: Ledger, news: News) -> bool:
    """Say whether the bench is at a repeat whose end is to come."""
    return ledger.repeats.open is not None and _name(ledger.repeats.open) in news.underway


def seeds(ledger: Ledger, experiment: str, many: int) -> list[int]:
    """Return the seeds that make so many repeats known, those that are known left out."""
    attempt = ledger.experiments[experiment].attempts[-1]
    told = ledger.repeats.known(experiment, attempt.instrument)
    drawn = (seed_of(ledger.seed, experiment, f"again {number}") for number in range(1, many + 1))
    return [seed for seed in drawn if seed not in told and seed != attempt.seed]


def _begun(ledger: Ledger, fleet: Fleet, budget: Budget, row: Row) -> Decision:
    attempt = ledger.experiments[row.experiment].attempts[-1]
    wanted = _next(ledger, fleet, row)
    timeout = budgets.allowance(budget, attempt)
    number = ledger.repeats.begun.get(row.experiment, 0) + 1
    begun = RepeatsBegun(cause=ledger.closing, experiment=row.experiment, seeds=wanted, timeout=timeout)
    order = Repeat(
        id=_name(Begun(experiment=row.experiment, number=number, seeds=wanted, timeout=timeout)),
        experiment=row.experiment,
        configuration=row.configuration,
        seeds=wanted,
        instrument=attempt.instrument or "",
        timeout=timeout,
        micro_batches=attempt.execution.micro_batches,
    )
    return Decision("analysis", "repeats", (begun,), orders=(order,))


def _next(ledger: Ledger, fleet: Fleet, row: Row) -> tuple[int, ...]:
    """Return the seeds of one order: as many as train side by side where the leader did."""
    worker = fleet.workers.get(ledger.experiments[row.experiment].attempts[-1].worker)
    # more are drawn than are wanted: the leader's own seed may be among them, and those that are known already
    known = ledger.repeats.known(row.experiment, ledger.experiments[row.experiment].attempts[-1].instrument)
    drawn = seeds(ledger, row.experiment, (ledger.repeats.gate or 0) + len(known) + 1)
    return tuple(drawn[: min(missing(ledger, row), worker.lanes if worker is not None else 1)])


def _forgone(ledger: Ledger, fleet: Fleet, budget: Budget, row: Row) -> str | None:
    """Return why a leader will not be repeated, None where it will."""
    died = ledger.repeats.open is not None and ledger.repeats.open.experiment == row.experiment
    if (lost := ledger.repeats.lost.get(row.experiment, 0) + died) >= budget.attempts:
        return f"its repeats were begun {lost} times, and no end of them came"
    attempt = ledger.experiments[row.experiment].attempts[-1]
    needed = len(_next(ledger, fleet, row)) * budgets.allowance(budget, attempt)
    if budget.gpu_hours is not None and budgets.spent(ledger) + needed > budget.gpu_hours * 3600:
        return f"the budget of {budget.gpu_hours:g} GPU-hours has no room for {needed:.0f} s more"
    return None


def _ended(ledger: Ledger, begun: Begun, result: object) -> Decision:
    name, cause = begun.experiment, ledger.closing
    if not isinstance(result, Repeated):
        why = result.reason if isinstance(result, Refused) else "the bench gave no answer"
        lost = RepeatsForgone(cause=cause, experiment=name, reason=_short(why), gpu_seconds=begun.reserved)
        return _decision(lost, settles=_name(begun))
    done = [run for run in result.runs if run.validation is not None]
    broken = next((run for run in result.runs if run.validation is None), None)
    facts: list[SeedsRepeated | RepeatsForgone] = []
    if done:
        facts.append(
            SeedsRepeated(
                cause=cause,
                experiment=name,
                seeds=tuple(run.seed for run in done),
                validation=tuple(run.validation for run in done if run.validation is not None),
                instrument=result.instrument,
                platform=result.platform,
                gpu_seconds=sum(run.gpu_seconds for run in done),
            )
        )
    if broken is not None:
        why = f"seed {broken.seed} did not train: {_short(str(broken.problem))}"
        seconds = sum(run.gpu_seconds for run in result.runs if run.validation is None)
        facts.append(RepeatsForgone(cause=cause, experiment=name, reason=why, gpu_seconds=seconds))
    return _decision(*facts, settles=_name(begun))


def implied(begun: Begun, repeated: SeedsRepeated | None, forgone: RepeatsForgone | None) -> Repeated | Refused:
    """Return what a bench must have answered for these facts to be said of repeats."""
    if repeated is None and forgone is not None and not forgone.reason.startswith("seed "):
        return Refused(id=_name(begun), reason=forgone.reason)
    told = dict(zip(repeated.seeds, repeated.validation, strict=True)) if repeated is not None else {}
    why = forgone.reason.partition(" did not train: ")[2] if forgone is not None else None
    # only sums are on the log: the first of each kind took all of it
    took = {True: repeated.gpu_seconds if repeated else 0.0, False: forgone.gpu_seconds if forgone else 0.0}
    runs = [
        Again(seed, told.get(seed), took.pop(seed in told, 0.0), None if seed in told else why) for seed in begun.seeds
    ]
    platform, instrument = (dict(repeated.platform), repeated.instrument) if repeated is not None else ({}, "")
    return Repeated(id=_name(begun), instrument=instrument, platform=platform, runs=tuple(runs))


def _decision(*facts: SeedsRepeated | RepeatsForgone, settles: str | None = None) -> Decision:
    return Decision("analysis", "repeats", facts, settles=(settles,) if settles is not None else ())


def _name(begun: Begun) -> str:
    return f"repeat-{begun.experiment}-{begun.number}"


def _short(why: str) -> str:
    """Return the last line of a trace, which is the error itself, cut to what a sentence has room for."""
    return (why.strip().splitlines() or ["no reason was given"])[-1][:300]
