"""The sweep: variants of promising bases, one continuous dimension moved at a time, the cell kept."""

from __future__ import annotations

from random import Random

from actors.orders import History, Suggestion, Trial
from events.space import Interval, is_active

BASES = 3
"""How many of the best completed trials are expanded."""

STEPS = (-2, -1, 1, 2)
"""Bins by which a variant moves from its base."""


def expand(history: History, key: int, count: int) -> tuple[Suggestion, ...]:
    """Return up to `count` variants of the best trials, none of which is known; none before the first result."""
    space = history.space
    scored = [(trial.validation, trial) for trial in history.ended if trial.validation is not None]
    best = [trial for _, trial in sorted(scored, key=lambda pair: -pair[0])[:BASES]]
    known = {_identity(history, trial) for trial in (*history.ended, *history.open)}
    moves = ((base, d) for base in best for d in space.intervals if is_active(d, base.configuration))
    variants = [variant for base, dimension in moves for variant in _moved(base, dimension)]
    Random(key).shuffle(variants)  # noqa: S311 # a seeded draw of a search, not a secret
    fresh: dict[object, Suggestion] = {}
    for variant in variants:
        identity = (space.cell(variant.configuration), space.bins(variant.configuration))
        if identity not in known:
            fresh.setdefault(identity, variant)
    return tuple(fresh.values())[:count]


def _identity(history: History, trial: Trial) -> tuple[object, object]:
    return history.space.cell(trial.configuration), history.space.bins(trial.configuration)


def _moved(base: Trial, dimension: Interval) -> list[Suggestion]:
    here = dimension.bin(float(base.configuration[dimension.name]))
    moved = []
    for there in (here + step for step in STEPS):
        if 0 <= there < dimension.bins:
            value = dimension.at((there + 0.5) / dimension.bins)
            moved.append(
                Suggestion(
                    configuration={**base.configuration, dimension.name: value},
                    rationale=f"{dimension.name} moved to {value:.3g}, all else as in {base.idea}",
                    origin="sweep",
                    parents=(base.idea,),
                )
            )
    return moved
