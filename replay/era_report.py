"""What each era was: when and why it began, under which instrument, how many runs, and the best of it on each scale."""

from __future__ import annotations

import msgspec

from events.envelope import Position
from replay.eras import Era
from replay.leaderboard import beats
from replay.ledger import Experiment, Ledger


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best sound result of an era by validation AP; `test` is its own, and nothing was ever selected on it."""

    experiment: str
    agent: str
    validation: float
    noise: float | None
    test: float | None


class EraRow(msgspec.Struct, frozen=True, kw_only=True):
    """One era.

    Attributes:
        number: None for the runs that belong to no era, whose instrument no fact speaks of.
        opened, at: where and when it began; None without an era.
        declared: whether a fact opened it; else it is inferred from what runs name.
        runs: experiments whose last run is of this era; `completed` and `failed` those that ended so.
        touched: completed ones that a defect touches; they are never the best.
        gpu_seconds: device time of these experiments, all attempts.
    """

    number: int | None
    instrument: str
    reason: str
    opened: Position | None
    at: int | None
    declared: bool
    runs: int
    completed: int
    failed: int
    touched: int
    gpu_seconds: float
    best: Best | None


class EraReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME eras --json` prints; `current` is the number of the last era."""

    campaign: str
    current: int | None
    eras: list[EraRow]


def era_report(ledger: Ledger) -> EraReport:
    """Return the eras of a ledger, in their order; runs of no era come last."""
    members: dict[int | None, list[Experiment]] = {}
    for experiment in ledger.experiments.values():
        if experiment.experiment in ledger.eras.since:
            members.setdefault(ledger.eras.of.get(experiment.experiment), []).append(experiment)
    rows = [_row(ledger, era, members.get(era.number, [])) for era in ledger.eras.all]
    if None in members:
        rows.append(_row(ledger, None, members[None]))
    current = ledger.eras.current
    return EraReport(campaign=ledger.campaign, current=current.number if current else None, eras=rows)


def _row(ledger: Ledger, era: Era | None, members: list[Experiment]) -> EraRow:
    touched = ledger.defects.touched
    others = dict.fromkeys(one.attempts[-1].instrument or "none stated" for one in members)
    return EraRow(
        number=era.number if era else None,
        instrument=era.instrument if era else ", ".join(others),
        reason=era.reason if era else "no fact opens an era for what these runs name",
        opened=era.opened if era else None,
        at=era.at if era else None,
        declared=era.declared if era else False,
        runs=len(members),
        completed=sum(one.outcome is not None for one in members),
        failed=sum(one.status in ("failed", "abandoned") for one in members),
        touched=sum(one.experiment in touched for one in members),
        gpu_seconds=sum(one.gpu_seconds for one in members),
        best=_best(ledger, [one for one in members if one.experiment not in touched]),
    )


def _best(ledger: Ledger, members: list[Experiment]) -> Best | None:
    completed = [one for one in members if one.outcome is not None]
    if not completed:
        return None
    best = min(completed, key=beats)
    outcome = best.outcome
    assert outcome is not None  # noqa: S101 # those without one were left out above
    return Best(
        experiment=best.experiment,
        agent=ledger.author(best.experiment),
        validation=outcome.validation,
        noise=outcome.noise,
        test=outcome.test,
    )
