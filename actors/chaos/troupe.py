"""Who plays in a small campaign that a seed decides: its budget, its agents, its workers, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.chaos import models
from actors.chaos.doings import Doings
from actors.chaos.faults import drawn
from actors.chaos.instruments import Instruments
from actors.chaos.people import Person
from actors.fixer import Fixer
from actors.judgement.banning import Banning
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
    person: type[Person] = Person


class Troupe:
    """The campaign of one seed.

    Attributes:
        budget, plans, bans: as its file says.
        repeats: other seeds under which leaders are run at the end, None where none are.
        workers: how many there are at first.
        instruments: with which they train.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self._seed = seed
        self._parts = parts
        self.budget = Budget(
            experiments=2 + self._draw("experiments") % 4,
            gpu_hours=(None, None, 0.12)[self._draw("hours") % 3],
            timeout=60.0,
            attempts=2 + self._draw("attempts") % 2,
            usd=models.cap(seed),
        )
        both = (Plan(name="one", policy="uniform", ideas=2, backlog=2), Plan(name="two", policy="uniform", sweep=1))
        self.plans = both[: 1 + self._draw("agents") % 2]
        if self.budget.usd is not None:
            self.plans = tuple(models.asking(seed, plan) for plan in self.plans)
        self.bans = Banning(after=self._draw("bans") % 3, cycles=2)
        self.instruments = Instruments(seed)
        self.repeats = (None, 2)[self._draw("repeats") % 2]
        self.workers = 1 + self._draw("workers") % 3

    @property
    def file(self) -> str:
        """The campaign file that the log keeps."""
        budget = self.budget
        limits = {
            "experiments": budget.experiments,
            "gpu_hours": budget.gpu_hours,
            "attempts": budget.attempts,
            "usd": budget.usd,
        }
        told = [f"{name} = {limit}" for name, limit in limits.items() if limit is not None]
        agents = [f'[[agent]]\nname = "{plan.name}"\nusd = {plan.usd}' for plan in self.plans if plan.usd is not None]
        return "\n".join([f"seed = {self._seed}", "[budget]", *told, *agents, ""])

    def doings(self) -> Doings:
        """Return what comes of everybody's orders."""
        plans = {f"agent-{plan.name}": plan for plan in self.plans}
        breaking = (0.0, 0.2, 0.5)[self._draw("luck") % 3]
        return Doings(self._seed, plans, self.instruments, breaking=breaking)

    def speakers(self) -> dict[str, Callable[[], Role]]:
        """Return how to make everybody but the workers, by name."""
        parts, budget = self._parts, self.budget
        makes: dict[str, Callable[[], Role]] = {f"agent-{plan.name}": self._agent(plan) for plan in self.plans}
        makes["scheduler"] = lambda: parts.scheduler(
            budget, agents=len(self.plans), silence=SILENCE, vetted=self.instruments.vetted, bans=self.bans
        )
        makes["fixer"] = lambda: parts.fixer(timeout=budget.timeout)
        makes["analyst"] = lambda: parts.analyst(every=2, controls=True, timeout=60.0, budget=budget)
        return makes

    def worker(self, name: str) -> Callable[[], Role]:
        """Return how to make a worker of this name."""
        lanes, blobs, instruments = 1 + self._draw("lanes") % 3, Blobs(Path("unused")), self.instruments
        instrument, platform = instruments.given(name), instruments.platform(name)
        return lambda: self._parts.worker(
            name,
            device=platform["device"],
            lanes=lanes,
            platform=platform,
            instrument=instrument,
            blobs=blobs,
            vetted=instruments.vetted,
        )

    def _agent(self, plan: Plan) -> Callable[[], Role]:
        if (usd := self.budget.usd) is None:
            return lambda: self._parts.agent(plan)
        return lambda: self._parts.agent(plan, desk=models.desk(plan, usd), blobs=models.BLOBS, budget=self.budget)

    def _draw(self, about: str) -> int:
        return drawn(self._seed, about)
