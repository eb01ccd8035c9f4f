"""Campaigns that tests of the room share, each told verb by verb."""

from __future__ import annotations

import random

from replay.measures import Measurement
from tests.chronicle import SPACE, Chronicle

AGENTS = ("tpe", "uniform")


def busy(n: int = 40, *, seed: int = 0, agents: tuple[str, ...] = AGENTS) -> Chronicle:
    """A campaign with everything in it: sweeps, twins, failures, repairs, a lost worker, a child, n experiments."""
    chance, c = random.Random(seed), Chronicle()
    c.opened(seed=seed)
    for agent in agents:
        c.joins(agent)
    for turn in range(n):
        agent = agents[turn % len(agents)]
        drawn = {choice.name: chance.choice(choice.values) for choice in SPACE.choices}
        kept, twin = c.cycle(agent, drawn, drawn, origin="sweep" if turn % 5 == 4 else "agent", usd=0.01)
        experiment = c.queues(kept)
        c.declines(twin, "twin", twin=kept)
        _carry(c, experiment, turn, 0.5 + 0.4 * chance.random())
        if turn % 13 == 6:
            child = c.mends(experiment, parent=kept, batch=16)
            c.runs(c.queues(child), on="worker-cpu1-a", validation=0.5 + 0.4 * chance.random())
    return c


def _carry(c: Chronicle, experiment: str, turn: int, validation: float) -> None:
    worker = f"worker-cpu{turn % 2}-a"
    if turn % 7 == 3:
        c.assigns(experiment, on=worker)
        c.starts(experiment)
        c.fails(experiment, "out_of_memory" if turn % 2 else "diverged")
        c.repairs(experiment, "micro_batches")
        c.requeues(experiment, micro_batches=2)
    if turn % 11 == 5:
        c.assigns(experiment, on=worker)
        c.revokes(experiment)
        c.requeues(experiment)
    if turn % 17 == 16:
        c.abandons(experiment)
    else:
        c.runs(experiment, on=worker, validation=validation)


def one(validation: float = 0.7) -> Chronicle:
    """One agent, one experiment."""
    c = Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), validation=validation)
    return c


def failed(n: int = 5) -> Chronicle:
    """Nothing ever completes."""
    c = Chronicle()
    c.opened()
    for _ in range(n):
        experiment = c.queues(c.proposes("tpe"))
        c.assigns(experiment)
        c.starts(experiment)
        c.fails(experiment)
        c.abandons(experiment)
    return c


def equal(n: int = 30) -> Chronicle:
    """Two agents run one configuration and always score the same."""
    c = Chronicle()
    c.opened()
    for turn in range(n):
        c.runs(c.queues(c.proposes(AGENTS[turn % 2])), validation=0.5)
    return c


def unopened() -> Chronicle:
    """Not a single fact."""
    return Chronicle()


def measured(c: Chronicle) -> Measurement:
    """What the whole chronicle folds to."""
    measurement = Measurement()
    measurement.advance(c.log.read())
    return measurement
