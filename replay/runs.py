"""The completed runs as rows, in the order of completion: what every statistic of the room is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.space import Configuration, Space
from replay.diversity import projections
from replay.ledger import Ledger

Floats = NDArray[np.float64]

PAPER_LEAST = 10
"""Runs that a group needs to take part in an analysis of variance (paper, section 5.4)."""

SMALL_LEAST = 3
"""The same for campaigns of fewer than 400 runs, where ten a group would leave nearly none; ours."""


class Run(NamedTuple):
    """One completed experiment.

    Attributes:
        n: its place in the order of completion, from 1.
        origin: agent, sweep or fixer.
        validation, test: average precision; only the first is ever selected on.
        noise: bootstrap standard deviation of `validation`.
        instrument: what measured it, "" where that was not said.
        seconds: device time of all its attempts.
        era: number of its era, None where it belongs to none; see `replay.eras`.
    """

    n: int
    experiment: str
    agent: str
    origin: str
    configuration: Configuration
    validation: float
    test: float | None
    noise: float | None
    instrument: str
    seconds: float
    era: int | None = None


def runs(ledger: Ledger) -> list[Run]:
    """Return the completed experiments, in the order of completion."""
    found = []
    for n, name in enumerate(ledger.completed, start=1):
        experiment = ledger.experiments[name]
        idea, outcome = ledger.ideas[experiment.idea], experiment.outcome
        if outcome is None:
            continue
        found.append(
            Run(
                n=n,
                experiment=name,
                agent=idea.agent,
                origin=idea.origin,
                configuration=idea.configuration,
                validation=outcome.validation,
                test=outcome.test,
                noise=outcome.noise,
                instrument=experiment.attempts[-1].instrument or "",
                seconds=experiment.gpu_seconds,
                era=ledger.eras.of.get(name),
            )
        )
    return found


def scores(of: Iterable[Run]) -> Floats:
    """Return validation AP, in order."""
    return np.array([run.validation for run in of], dtype=np.float64)


def grouped(of: Iterable[Run], key: Callable[[Run], str]) -> dict[str, list[Run]]:
    """Return the runs by key, keys sorted, runs in order."""
    groups: dict[str, list[Run]] = {}
    for run in of:
        groups.setdefault(key(run), []).append(run)
    return dict(sorted(groups.items()))


def by_dimensions(of: Iterable[Run], dimensions: Sequence[str]) -> dict[str, list[Run]]:
    """Return the runs by their values of categorical dimensions, joined as `motion+zipformer`."""
    return grouped(of, lambda run: joined(run.configuration, dimensions))


def joined(configuration: Mapping[str, object], dimensions: Sequence[str]) -> str:
    """Return a configuration's values of these dimensions as one word."""
    return "+".join(str(configuration[name]) for name in dimensions)


def architecture(space: Space | None) -> tuple[str, ...]:
    """Name the dimensions of the paper's groups: backbone x encoder where the space has them, else its architecture."""
    parts = projections(space) if space is not None else {}
    return parts.get("backbone_encoder") or parts.get("architecture") or parts.get("whole", ())


def least(n: int) -> int:
    """Return how many runs a group needs in a campaign of n: the paper's ten from 400 on."""
    return PAPER_LEAST if n >= 400 else SMALL_LEAST
