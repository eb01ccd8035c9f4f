"""What is said of an idea's priority when it is queued: the proposer's wish, and how new its architecture is."""

from __future__ import annotations

from events.space import Configuration
from replay.ledger import Experiment, Ledger

WISH, NOVELTY = 0.5, 0.5


def architecture(configuration: Configuration) -> tuple[object, ...]:
    """Return the part of a cell that novelty counts."""
    return tuple(configuration.get(name) for name in ("backbone", "encoder", "pooling"))


def priority(wish: float, known: int) -> tuple[float, dict[str, float]]:
    """Return an idea's place in its agent's queue, in (0, 1], and the terms that it was made of.

    Args:
        wish: the proposer's, 0 to 1.
        known: experiments of the same architecture that were accepted before.
    """
    terms = {"wish": wish, "novelty": 1 / (1 + known)}
    return WISH * terms["wish"] + NOVELTY * terms["novelty"], terms


def order(ledger: Ledger) -> list[Experiment]:
    """Return the queued experiments in the order that was in force before `replay.turns`; what-if still asks for it.

    The agent whose experiments were assigned least often goes first; within an agent, higher priority, then age.
    """
    lanes: dict[str, list[Experiment]] = {}
    for experiment in sorted(ledger.standing("queued"), key=lambda e: -e.priority):
        lanes.setdefault(ledger.author(experiment.experiment), []).append(experiment)
    turns = [
        ((ledger.served.get(agent, 0) + turn, agent), experiment)
        for agent, mine in lanes.items()
        for turn, experiment in enumerate(mine)
    ]
    return [experiment for _, experiment in sorted(turns, key=lambda pair: pair[0])]
