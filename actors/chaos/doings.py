"""What comes of the orders of a small simulated campaign: instant answers, and runs whose ends their seeds decide."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from actors.agent import Plan
from actors.benches.scrutiny import Control, Controlled
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
        breaking: share of runs that break.
    """

    def __init__(self, seed: int, plans: dict[str, Plan], *, breaking: float) -> None:
        self._seed = seed
        self._plans = plans
        self._breaking = breaking

    def perform(self, author: str, order: Order) -> tuple[float, Result]:
        """Return the seconds that an order takes, and what comes of it."""
        if isinstance(order, Propose):
            plan = self._plans[author]
            answer = PolicyHands(plan.policy, ideas=plan.ideas, sweep=plan.sweep).perform(order)
            return 3.0, msgspec.structs.replace(answer, seconds=3.0) if isinstance(answer, Answered) else answer
        if isinstance(order, Train):
            ends = tuple(self._end(run, order.execution) for run in order.runs)
            return sum(end.gpu_seconds for end in ends), Trained(id=order.id, ends=ends)
        if isinstance(order, Extract):
            return 5.0, Extracted(order.id, order.backbone, f"of {order.backbone}", 90, 8, reused=False, seconds=5.0)
        if isinstance(order, Control):
            return 9.0, Controlled(order.id, (0.5, 0.03), (0.6, 0.03))
        return 0.0, Refused(id=order.id, reason="nobody asks for this here")

    def hangs(self, order: Train) -> tuple[float, Result]:
        """Return what comes of a bench that is killed at its time-out."""
        whole = order.execution.timeout
        share = whole / len(order.runs)
        ends = tuple(Breakdown(run.experiment, "timeout", 0, "killed at its time-out", share) for run in order.runs)
        return whole, Trained(id=order.id, ends=ends)

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
