"""What comes of the orders of a small simulated campaign: instant answers, and runs whose ends their seeds decide."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from actors.agent import Plan
from actors.benches.scrutiny import Again, Control, Controlled, Repeat, Repeated
from actors.benches.vetting import Verify
from actors.chaos import models
from actors.chaos.instruments import Instruments
from actors.hands import PolicyHands
from actors.orders import (
    Answered,
    Breakdown,
    Extract,
    Extracted,
    Order,
    Propose,
    Refused,
    Result,
    Run,
    Score,
    Train,
    Trained,
)
from events.facts import Execution

BREAKS: tuple[Any, ...] = ("crashed", "diverged", "out_of_memory", "timeout", "missing_features")


class Doings:
    """Carries out whatever is ordered.

    Args:
        instruments: what the canaries look at.
        breaking: share of runs that break.
    """

    def __init__(self, seed: int, plans: dict[str, Plan], instruments: Instruments, *, breaking: float) -> None:
        self._seed = seed
        self._plans = plans
        self._instruments = instruments
        self._breaking = breaking

    def perform(self, author: str, order: Order) -> tuple[float, Result]:
        """Return the seconds that an order takes, and what comes of it."""
        match order:
            case Propose():
                return self._propose(self._plans[author], order)
            case Train():
                return self._train(order)
            case Repeat():
                return self._repeat(order)
            case Verify():
                return self._instruments.look(author, order)
            case _:
                return _spared(order)

    def hangs(self, order: Train) -> tuple[float, Result]:
        """Return what comes of a bench that is killed at its time-out."""
        whole = order.execution.timeout
        share = whole / len(order.runs)
        ends = tuple(Breakdown(run.experiment, "timeout", 0, "killed at its time-out", share) for run in order.runs)
        return whole, Trained(id=order.id, ends=ends)

    def _train(self, order: Train) -> tuple[float, Result]:
        ends = tuple(self._end(run, order.execution) for run in order.runs)
        return sum(end.gpu_seconds for end in ends), Trained(id=order.id, ends=ends)

    def _propose(self, plan: Plan, order: Propose) -> tuple[float, Result]:
        if order.question is not None:
            return models.answer(self._seed, plan, order, order.question)
        answer = PolicyHands(plan.policy, ideas=plan.ideas, sweep=plan.sweep).perform(order)
        return 3.0, msgspec.structs.replace(answer, seconds=3.0) if isinstance(answer, Answered) else answer

    def _repeat(self, order: Repeat) -> tuple[float, Result]:
        runs = tuple(self._again(order, seed) for seed in order.seeds)
        seconds = sum(run.gpu_seconds for run in runs)
        return seconds, Repeated(order.id, order.instrument, {"device": "cpu"}, runs)

    def _again(self, order: Repeat, seed: int) -> Again:
        draw = Random(f"{self._seed} {order.id} {seed}")  # noqa: S311 # a seeded draw, not a secret
        seconds = round(draw.uniform(1, order.timeout), 3)
        if draw.random() < self._breaking:
            return Again(seed, None, seconds, "it broke")
        return Again(seed, round(draw.random(), 6), seconds)

    def _end(self, run: Run, execution: Execution) -> Score | Breakdown:
        draw = Random(f"{self._seed} {run.seed} {run.attempt}")  # noqa: S311 # a seeded draw, not a secret
        room = execution.timeout
        if draw.random() < self._breaking:
            kind = draw.choice(BREAKS)
            seconds = room if kind == "timeout" else round(draw.uniform(0, room / 3), 3)
            return Breakdown(run.experiment, kind, 14, "a trace", seconds)
        value = round(draw.random(), 6)
        seconds = round(draw.uniform(1, room), 3)
        return Score(
            experiment=run.experiment,
            validation=value,
            test=round(value * 0.9, 6),
            noise=0.03,
            epoch=2,
            loss=(0.7, 0.5),
            curve=(round(value / 2, 6), value),
            learning_rate=(0.1, 0.1),
            gpu_seconds=seconds,
            peak_memory=1,
        )


def _spared(order: Order) -> tuple[float, Result]:
    """Return what comes of an order that a spare bench carries out."""
    if isinstance(order, Extract):
        return 5.0, Extracted(order.id, order.backbone, f"of {order.backbone}", 90, 8, reused=False, seconds=5.0)
    if isinstance(order, Control):
        return 9.0, Controlled(order.id, (0.5, 0.03), (0.6, 0.03))
    return 0.0, Refused(id=order.id, reason="nobody asks for this here")
