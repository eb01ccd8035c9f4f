"""Campaigns whose runs score and cost what a seed has planted, played by the real agent and scheduler in virtual time.

What each value of a dimension is worth, and how long an epoch of each shape takes, is drawn once a seed; agents draw
their ideas uniformly and wish for them by a noisy look at what they are worth. Nobody but the bench knows the truth.
"""

from __future__ import annotations

import contextlib
import heapq
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from actors.agent import Agent, Plan
from actors.fixer import Fixer
from actors.judgement import priority
from actors.judgement.budgets import Budget
from actors.orders import Answered, Order, Propose, Refused, Result, Run, Score, Suggestion, Train, Trained
from actors.policies.uniform import draw
from actors.role import Decision, Known
from actors.scheduler import Scheduler
from actors.virtual.simulation import Simulation
from actors.worker import Worker
from events.blobs import Blobs
from events.envelope import Text
from events.facts import CampaignOpened
from events.memory import MemoryLog
from events.space import Configuration, Space
from events.spaces import PAPER
from replay import prospects, turns
from replay.ledger import Experiment

START = 1_750_000_000_000_000
TIMEOUT = 3600.0

Rule = Callable[[Known, "Ordering"], Iterator[Experiment]]


class Ordering(Scheduler):
    """The scheduler, its queue in the order of a rule of the benchmark's own."""

    def __init__(self, budget: Budget, rule: Rule | None, *, agents: int) -> None:
        super().__init__(budget, agents=agents, silence=86_400.0)
        self._rule = rule

    def _waiting(self, known: Known) -> Iterator[Experiment]:
        return super()._waiting(known) if self._rule is None else self._rule(known, self)


def first_come(known: Known, scheduler: Ordering) -> Iterator[Experiment]:
    """Order a queue by age alone."""
    return iter(known.ledger.standing("queued"))


@contextlib.contextmanager
def without(term: str) -> Iterator[None]:
    """Take one term out of the order: one of `TERMS`."""
    module, name, nothing = TERMS[term]
    before = getattr(module, name)
    setattr(module, name, nothing)
    try:
        yield
    finally:
        setattr(module, name, before)


def _by_value(heads: list[tuple[int, int, str, Iterator[tuple[Any, str]]]]) -> Iterator[turns.Turn]:
    """Order the experiments of all agents as if they were one agent's."""
    queues = ([(waiting.key, agent, waiting, rule) for waiting, rule in picks] for _, _, agent, picks in heads)
    for _, agent, waiting, rule in heapq.merge(*queues):
        yield turns._turn(waiting, agent, 0, rule)


TERMS: dict[str, tuple[Any, str, Any]] = {
    "wish": (priority, "WISH", 0.0),
    "novelty": (priority, "NOVELTY", 0.0),
    "worth": (turns, "WORTH", 0.0),
    "cost": (prospects.Prospect, "rate", property(lambda prospect: prospect.gain)),
    "oldest": (turns, "OLDEST", 2**30),
    "turns": (turns, "_taken_in_turn", _by_value),
}
"""The terms of the order: where each is said, and what stands there when it is taken out."""


class Truth:
    """What a seed has planted in a space."""

    def __init__(self, seed: int, space: Space) -> None:
        self._seed = seed
        draws = Random(f"truth {seed}")
        self._worth = {(c.name, v): draws.gauss(0, 0.02) for c in space.choices for v in c.values}
        self._time = {(c.name, v): draws.gauss(0, 0.45) for c in space.choices[:2] for v in c.values}

    def worth(self, configuration: Configuration) -> float:
        """Return the validation AP that a configuration has on average."""
        known = sum(self._worth.get(pair, 0.0) for pair in configuration.items())
        return 0.6 + known + 0.01 * math.log(float(configuration["epochs"]) / 5)

    def seconds(self, configuration: Configuration) -> float:
        """Return the GPU-seconds that it takes: an epoch by its backbone, encoder, length and batch."""
        shape = math.exp(sum(self._time.get(pair, 0.0) for pair in configuration.items()))
        length, batch = float(configuration["length"]), float(configuration["batch"])
        return float(configuration["epochs"]) * shape * (length / 16) * (32 / batch) ** 0.5

    def score(self, run: Run) -> Score:
        """Return how a run ends."""
        draws = Random(f"{self._seed} {run.seed}")
        value = min(0.999, max(0.001, self.worth(run.configuration) + draws.gauss(0, 0.02)))
        seconds = self.seconds(run.configuration) * draws.uniform(0.9, 1.1)
        return Score(run.experiment, value, value, 0.03, 1, (0.5,), (value,), (0.1,), seconds, 1)


class Asked:
    """An agent's hands: uniform draws, wished for by a noisy look at the truth."""

    def __init__(self, truth: Truth, ideas: int) -> None:
        self._truth = truth
        self._ideas = ideas

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return ideas at once."""
        if not isinstance(order, Propose):
            return 0.0, Refused(order.id, "an agent only proposes")
        random = Random(order.key)
        points = [draw(order.history.space, random) for _ in range(self._ideas)]
        looks = [(self._truth.worth(point) - 0.6) / 0.06 + random.gauss(0, 1) for point in points]
        wishes = [1 / (1 + math.exp(-look)) for look in looks]
        ideas = tuple(Suggestion(point, "", priority=wish) for point, wish in zip(points, wishes, strict=True))
        return 1.0, Answered(id=order.id, text="", model="planted", ideas=ideas, seconds=1.0)


class Bench:
    """A worker's hands: what the seed has planted."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return the ends of a pack after the time that they take together."""
        if not isinstance(order, Train):
            return 0.0, Refused(order.id, "a worker only trains")
        ends = tuple(self._truth.score(run) for run in order.runs)
        return sum(end.gpu_seconds for end in ends), Trained(order.id, ends)


class End(NamedTuple):
    """One completion: the GPU-seconds that all runs had taken by then, this one among them, and its validation AP."""

    experiment: str
    spent: float
    validation: float


def played(
    seed: int, rule: Rule | None = None, *, budget: Budget, space: Space = PAPER, agents: int = 2, devices: int = 2
) -> list[End]:
    """Play one campaign to its end and return its completions, in order; by the scheduler's own rule where none is."""
    log, truth = MemoryLog("planted"), Truth(seed, space)
    simulation = Simulation(log, START)
    person = simulation.pen("person-planted")
    person.catch_up()
    opened = CampaignOpened(campaign="planted", file=Text(head=""), space=space, seed=seed)
    person.write(Decision("campaign", "opening", (opened,)))
    for number in range(agents):
        plan = Plan(name=f"agent{number}", policy="uniform", ideas=12, backlog=40)
        simulation.joins(Agent(plan), Asked(truth, plan.ideas))
    simulation.joins(Ordering(budget, rule, agents=agents), Bench(truth))
    simulation.joins(Fixer(timeout=budget.timeout), Bench(truth))
    for number in range(devices):
        name = f"worker-planted{number}"
        device = Worker(name, device="none", lanes=1, platform={}, instrument="planted", blobs=Blobs(Path("unused")))
        simulation.joins(device, Bench(truth))
    simulation.run()
    return ends(simulation.known)


def ends(known: Known) -> list[End]:
    """Return the completions of a campaign."""
    found, spent = list[End](), 0.0
    for name in known.ledger.completed:
        experiment = known.ledger.experiments[name]
        spent += experiment.gpu_seconds
        assert experiment.outcome is not None
        found.append(End(name, spent, experiment.outcome.validation))
    return found


def best(completions: list[End]) -> float:
    """Return the best validation AP."""
    return max(end.validation for end in completions)


def until(completions: list[End], target: float) -> float | None:
    """Return the GPU-seconds after which a value was reached, None where it never was."""
    return next((end.spent for end in completions if end.validation >= target), None)
