"""A trial of another program's study, told as the facts that a run of ours leaves, so that every fold reads it.

What the study does not say stays unknown: its author is `unknown`, and there is no test score, noise or memory. Its
device time is how long the trial took on the study's own clock, 0 where that is not said.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.envelope import Fact
from events.facts import (
    Abandoned,
    Assigned,
    Completed,
    Curves,
    Execution,
    IdeaProposed,
    Queued,
    Started,
    TrialImported,
)

UNKNOWN = "unknown"
"""Whoever proposed, and the instrument that measured, where a study does not say."""


def history(fact: TrialImported, author: str) -> Iterator[Fact]:
    """Yield what a run of ours would have left; `author` is the person who imported it."""
    name, began = fact.experiment, fact.began or fact.at
    idea, pack = f"i-{name}", f"p-{name}"
    yield IdeaProposed(
        idea=idea,
        agent=fact.agent or UNKNOWN,
        configuration=fact.configuration,
        rationale="",
        origin="agent",
        at=began,
    )
    yield Queued(experiment=name, idea=idea, priority=0.0, terms={}, at=began)
    yield Assigned(
        experiment=name, attempt=1, pack=pack, lane=0, worker=author, seed=0, execution=Execution(), at=began
    )
    yield Started(
        experiment=name,
        attempt=1,
        pack=pack,
        lane=0,
        worker=author,
        seed=0,
        instrument=UNKNOWN,
        platform={},
        at=began,
    )
    yield _end(fact, began)


def _end(fact: TrialImported, began: int) -> Fact:
    ended = fact.ended or began
    if fact.state != "completed" or fact.value is None:
        steps = f" at step {fact.values[-1][0]}" if fact.values else ""
        return Abandoned(experiment=fact.experiment, reason=f"{fact.state} in its study{steps}", at=ended)
    sign = 1.0 if fact.direction == "maximize" else -1.0
    curve = tuple(sign * value for _, value in fact.values)
    return Completed(
        experiment=fact.experiment,
        attempt=1,
        validation=sign * fact.value,
        test=None,
        noise=None,
        epoch=max(range(len(curve)), key=curve.__getitem__) + 1 if curve else 0,
        curves=Curves(loss=(), validation=curve),
        gpu_seconds=max(0, ended - began) / 1e6,
        peak_memory=None,
        at=ended,
    )
