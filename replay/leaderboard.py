"""The leaderboard: completed experiments by validation AP, and which leads are more than noise.

A result that a defect touches is left out: its number means other than it says. `left_out` says of how many that is so.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Literal

import msgspec

from events.space import Configuration
from replay.ledger import Experiment, Ledger
from replay.ranking import best

NOISE = {True: "within noise", False: "beyond noise", None: "noise unknown"}
"""What is said of a lead."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One completed experiment in its place.

    Attributes:
        completion: its place in the order of completion, from 1; the earlier stands higher among equals.
        noise: bootstrap standard deviation of `validation`, None where nobody measured it.
        lead: validation minus that of the next in order, in AP; None for the last of all.
        within_noise: the lead is at most hypot(own noise, the next one's), as if the two were drawn independently. They
            share their clips, so this errs towards calling a lead noise.
        test: AP on the test split, only where it was asked for; the order never depends on it.
        standing: whether a leader is champion; see `replay.champions.stood`, None where nobody looked.
    """

    rank: int
    experiment: str
    agent: str
    origin: str
    configuration: Configuration
    completion: int
    validation: float
    noise: float | None
    lead: float | None
    within_noise: bool | None
    test: float | None = None
    standing: Literal["champion", "candidate", "repeated"] | None = None


def leaderboard(ledger: Ledger, *, top: int | None = None, with_test: bool = False) -> list[Row]:
    """Return the best by validation AP, earlier completions first among equals; all of them where `top` is None."""
    many = len(ledger.completed) if top is None else top
    # one more than shown: the last row's lead needs it
    leaders = [ledger.experiments[name] for name in best(ledger, many + 1)]
    following: list[Experiment | None] = [*leaders[1:], *[None] * bool(leaders)]
    rows = [
        _row(ledger, rank, experiment, after, with_test=with_test)
        for rank, (experiment, after) in enumerate(zip(leaders, following, strict=True), start=1)
    ]
    return rows[:many]


def left_out(ledger: Ledger) -> str | None:
    """Say how many results are not on the leaderboard and which defects touch them; None where none is left out."""
    touched = ledger.defects.touched
    if not touched:
        return None
    found = {*chain.from_iterable(touched.values())}
    verb = "is" if len(touched) == 1 else "are"
    return f"{len(touched)} of {len(ledger.completed)} results, touched by {', '.join(sorted(found))}, {verb} left out"


def beats(experiment: Experiment) -> tuple[float, int]:
    """Return the key by which experiments are ranked: validation AP, the highest first, then order of completion."""
    outcome, completion = experiment.outcome, experiment.completion
    return (-outcome.validation if outcome else math.inf, completion or 0)


def within(change: float | None, one: float | None, other: float | None) -> bool | None:
    """Say whether a difference is at most hypot of two noises; None where one of the three is not known."""
    return abs(change) <= math.hypot(one, other) if None not in (change, one, other) else None  # type: ignore[arg-type] # none is None


def _row(ledger: Ledger, rank: int, experiment: Experiment, after: Experiment | None, *, with_test: bool) -> Row:
    idea, outcome = ledger.ideas[experiment.idea], experiment.outcome
    assert outcome is not None  # noqa: S101 # the ledger lists nothing as completed that has no outcome
    rival = after.outcome if after is not None else None
    lead = outcome.validation - rival.validation if rival is not None else None
    return Row(
        rank=rank,
        experiment=experiment.experiment,
        agent=idea.agent,
        origin=idea.origin,
        configuration=idea.configuration,
        completion=experiment.completion or 0,
        validation=outcome.validation,
        noise=outcome.noise,
        lead=lead,
        within_noise=within(lead, outcome.noise, rival.noise) if rival is not None else None,
        test=outcome.test if with_test else None,
    )
