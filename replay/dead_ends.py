"""Dead ends: shapes whose experiments break again and again until they are given up, while none of them completes.

A shape is what the experiments of one pack share. It is what decides whether a run fits its device, which code it goes
through and how long it takes, so that what breaks there breaks for all of it. A run that diverged says nothing of its
shape: its learning rate was too high, and a cooler child goes on for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from events.conditions import Comparison, Joined
from events.space import Configuration
from replay.entries import SHAPE, Experiment

if TYPE_CHECKING:
    from replay.ledger import Ledger

BROKE = ("crashed", "out_of_memory", "timeout", "missing_features", "lost")
"""Ends of a last attempt that speak against the shape."""


def where(configuration: Configuration) -> str:
    """Return the predicate that describes a configuration's shape; its whole cell in a space without any of `SHAPE`."""
    names = [name for name in SHAPE if name in configuration]
    names = names or [name for name, value in configuration.items() if not isinstance(value, float)]
    parts = tuple(Comparison(name, "==", configuration[name]) for name in names)
    return str(Joined("and", parts)) if len(parts) > 1 else "".join(map(str, parts)) or "everything"


def given_up(ledger: Ledger, experiment: Experiment) -> None:
    """Count an experiment that was given up against its shape, if it broke there."""
    if experiment.cancelled is not None or not experiment.attempts or experiment.attempts[-1].failure not in BROKE:
        return
    given = ledger.dead_ends.setdefault(where(ledger.ideas[experiment.idea].configuration), [])
    if experiment.experiment not in given:
        given.append(experiment.experiment)


def is_fruitless(ledger: Ledger, experiment: Experiment) -> bool:
    """Say whether an experiment was tried last after the last completion, so that the two say nothing of each other."""
    leased = experiment.attempts[-1].leased if experiment.attempts else None
    last = ledger.experiments[ledger.completed[-1]].ended if ledger.completed else None
    return leased is not None and (last is None or leased > last)


def completed(ledger: Ledger, experiment: Experiment) -> None:
    """Take in that a shape is none, or no longer."""
    if not ledger.dead_ends and not ledger.bans:
        return
    ruled = [ban for ban in ledger.bans.values() if ban.ruled]
    shape = where(ledger.ideas[experiment.idea].configuration)
    ledger.dead_ends.pop(shape, None)
    for ban in ruled:
        if ban.where == shape and ban.refuted is None:
            ledger.bans[ban.ban] = msgspec.structs.replace(ban, refuted=experiment.experiment)
