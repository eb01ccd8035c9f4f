"""What each choice gave: best, mean of its fifty best, shares of the top and the bottom, heat map, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from replay.ledger import Ledger
from replay.runs import Floats, Run, by_dimensions, joined, scores
from replay.statistics.draws import draws

TOP = 50
"""Runs of a value whose mean is compared (paper, "Component ablation")."""

CELL_LEAST = 5
"""Runs that a cell of the heat map needs (paper, Figure 5)."""

REPLICATES = 1_000


class Ablation(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one dimension, over validation AP.

    Attributes:
        mean_top: mean of its fifty best, of all where it has fewer; more runs make it larger, so compare counts too.
        low, high: 95% percentile interval of `mean_top`, drawing the value's runs again; None below two runs.
    """

    dimension: str
    value: str
    n: int
    best: float
    mean_top: float
    low: float | None
    high: float | None
    median: float
    mean: float
    std: float


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the best and of the worst k runs has one value; k is 100 in the paper's Table 1 text."""

    dimension: str
    value: str
    k: int
    overall: float
    top: float
    bottom: float


class HeatCell(msgspec.Struct, frozen=True, kw_only=True):
    """One backbone x encoder cell (Figure 5); scores are None below five runs."""

    row: str
    column: str
    n: int
    mean: float | None
    best: float | None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the space was tried; `cells` counts the whole product of the categorical dimensions."""

    part: str
    cells: int
    proposed: int
    completed: int
    share: float


class Leader(msgspec.Struct, frozen=True, kw_only=True):
    """One of the best runs, with where it came from (Table 1)."""

    rank: int
    experiment: str
    agent: str
    origin: str
    architecture: str
    validation: float


class FirstUse(msgspec.Struct, frozen=True, kw_only=True):
    """When an agent first completed a run with a value; `n` counts all agents' completions, `own` its own."""

    agent: str
    dimension: str
    value: str
    n: int
    own: int
    runs: int
    best: float


def ablations(done: Sequence[Run], dimensions: Sequence[str]) -> list[Ablation]:
    """Compare the values of each dimension, the best first."""
    found = []
    for name in dimensions:
        rows = [_ablation(name, value, scores(group)) for value, group in by_dimensions(done, (name,)).items()]
        found += sorted(rows, key=lambda row: -row.best)
    return found


def shares(done: Sequence[Run], dimensions: Sequence[str], k: int) -> list[Share]:
    """Return every value's share of all runs, of the k best and of the k worst; none where k is 0."""
    if k < 1 or not done:
        return []
    ordered = ranked(done)
    found = []
    for name in dimensions:
        overall, top, bottom = (
            Counter(joined(run.configuration, (name,)) for run in part) for part in (ordered, ordered[:k], ordered[-k:])
        )
        found += [
            Share(
                dimension=name,
                value=value,
                k=k,
                overall=many / len(ordered),
                top=top[value] / k,
                bottom=bottom[value] / k,
            )
            for value, many in sorted(overall.items())
        ]
    return found


def heat_map(done: Sequence[Run], row: str, column: str) -> list[HeatCell]:
    """Return every cell that was run, sorted; a cell with fewer than five runs keeps its count alone."""
    found = []
    for group in by_dimensions(done, (row, column)).values():
        y, point = scores(group), group[0].configuration
        enough = len(y) >= CELL_LEAST
        found.append(
            HeatCell(
                row=str(point[row]),
                column=str(point[column]),
                n=len(y),
                mean=float(y.mean()) if enough else None,
                best=float(y.max()) if enough else None,
            )
        )
    return found


def coverage(ledger: Ledger, done: Sequence[Run], parts: Mapping[str, Sequence[str]]) -> list[Coverage]:
    """Count the cells of each part that were proposed and completed at least once."""
    if ledger.space is None:
        return []
    sizes = {choice.name: len(choice.values) for choice in ledger.space.choices}
    ideas = [idea.configuration for idea in ledger.ideas.values()]
    found = []
    for part, names in parts.items():
        cells = int(np.prod([sizes[name] for name in names], dtype=object))
        completed = len({joined(run.configuration, names) for run in done})
        proposed = {joined(point, names) for point in ideas if all(name in point for name in names)}
        found.append(
            Coverage(part=part, cells=cells, proposed=len(proposed), completed=completed, share=completed / cells)
        )
    return found


def leaders(done: Sequence[Run], architecture: Sequence[str], k: int) -> list[Leader]:
    """Return the k best with their origin, selected on validation; the paper's Table 1 selects on test."""
    return [
        Leader(
            rank=rank,
            experiment=run.experiment,
            agent=run.agent,
            origin=run.origin,
            architecture=joined(run.configuration, architecture),
            validation=run.validation,
        )
        for rank, run in enumerate(ranked(done)[:k], start=1)
    ]


def first_uses(done: Sequence[Run], dimension: str) -> list[FirstUse]:
    """Return when each agent first used each value of a dimension, by agent and then in that order."""
    own: Counter[str] = Counter()
    first: dict[tuple[str, str], tuple[int, int]] = {}
    best: dict[tuple[str, str], float] = {}
    many: Counter[tuple[str, str]] = Counter()
    for run in done:
        key = (run.agent, joined(run.configuration, (dimension,)))
        own[run.agent] += 1
        first.setdefault(key, (run.n, own[run.agent]))
        best[key] = max(run.validation, best.get(key, run.validation))
        many[key] += 1
    return [
        FirstUse(
            agent=agent,
            dimension=dimension,
            value=value,
            n=n,
            own=mine,
            runs=many[agent, value],
            best=best[agent, value],
        )
        for (agent, value), (n, mine) in sorted(first.items(), key=lambda item: (item[0][0], item[1]))
    ]


def ranked(done: Sequence[Run]) -> list[Run]:
    """Return the runs by validation AP, the earlier first among equals."""
    return sorted(done, key=lambda run: (-run.validation, run.n))


def _ablation(dimension: str, value: str, y: Floats) -> Ablation:
    low, high = _interval(y, f"{dimension}={value}")
    return Ablation(
        dimension=dimension,
        value=value,
        n=len(y),
        best=float(y.max()),
        mean_top=float(np.sort(y)[-TOP:].mean()),
        low=low,
        high=high,
        median=float(np.median(y)),
        mean=float(y.mean()),
        std=float(y.std()),
    )


def _interval(y: Floats, purpose: str) -> tuple[float | None, float | None]:
    if len(y) < 2:
        return None, None
    chance, means = draws(f"mean of the top, {purpose}"), []
    for turns in np.array_split(np.arange(REPLICATES), max(1, REPLICATES * len(y) // 1_000_000)):
        again = y[chance.integers(0, len(y), size=(len(turns), len(y)))]
        kept = min(TOP, len(y))
        means.append(np.partition(again, len(y) - kept, axis=1)[:, len(y) - kept :].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return float(low), float(high)
