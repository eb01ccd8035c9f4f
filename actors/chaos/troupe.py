"""Who plays in a small campaign that a seed decides: its budget, its agents, its workers, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.chaos.doings import Doings
from actors.chaos.faults import drawn
from actors.fixer import Fixer
from actors.judgement.budgets import Budget
from actors.pen import Pen
from actors.role import Role
from actors.scheduler import Scheduler
from actors.worker import Worker
from events.blobs import Blobs

SILENCE = 10.0
"""Seconds after which a worker that is not heard is lost."""


class Parts(NamedTuple):
    """What a campaign is made of; tests put broken ones in."""

    pen: type[Pen] = Pen
    agent: type[Agent] = Agent
    scheduler: type[Scheduler] = Scheduler
    worker: type[Worker] = Worker
    fixer: type[Fixer] = Fixer
    analyst: type[Analyst] = Analyst


class Troupe:
    """The campaign of one seed.

    Attributes:
        budget, plans: as its file says.
        workers: how many there are at first.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self._seed = seed
        self._parts = parts
        self.budget = Budget(
            experiments=2 + self._draw("experiments") % 4,
            gpu_hours=(None, None, 0.12)[self._draw("hours") % 3],
            timeout=60.0,
            attempts=2 + self._draw("attempts") % 2,
        )
        both = (Plan(name="one", policy="uniform", ideas=2, backlog=2), Plan(name="two", policy="uniform", sweep=1))
        self.plans = both[: 1 + self._draw("agents") % 2]
        self.workers = 1 + self._draw("workers") % 3

    @property
    def file(self) -> str:
        """The campaign file that the log keeps."""
        budget = self.budget
        hours = f"gpu_hours = {budget.gpu_hours}\n" if budget.gpu_hours is not None else ""
        limits = f"experiments = {budget.experiments}\n{hours}attempts = {budget.attempts}\n"
        return f"seed = {self._seed}\n[budget]\n{limits}"

    def doings(self) -> Doings:
        """Return what comes of everybody's orders."""
        plans = {f"agent-{plan.name}": plan for plan in self.plans}
        return Doings(self._seed, plans, breaking=(0.0, 0.2, 0.5)[self._draw("luck") % 3])

    def speakers(self) -> dict[str, Callable[[], Role]]:
        """Return how to make everybody but the workers, by name."""
        parts, budget = self._parts, self.budget
        makes: dict[str, Callable[[], Role]] = {f"agent-{plan.name}": self._agent(plan) for plan in self.plans}
        makes["scheduler"] = lambda: parts.scheduler(budget, agents=len(self.plans), silence=SILENCE)
        makes["fixer"] = lambda: parts.fixer(timeout=budget.timeout)
        makes["analyst"] = lambda: parts.analyst(every=2, controls=True, timeout=60.0)
        return makes

    def worker(self, name: str) -> Callable[[], Role]:
        """Return how to make a worker of this name."""
        parts, lanes, blobs = self._parts, 1 + self._draw("lanes") % 3, Blobs(Path("unused"))
        return lambda: parts.worker(name, device="none", lanes=lanes, platform={}, instrument="ordeal", blobs=blobs)

    def _agent(self, plan: Plan) -> Callable[[], Role]:
        return lambda: self._parts.agent(plan)

    def _draw(self, about: str) -> int:
        return drawn(self._seed, about)
