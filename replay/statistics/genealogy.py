"""How ideas descend from ideas: generations, families, and whether a child beats its parents.

The author's file has 5,175 of 42,052 ideas with a parent, depths of 0 to 3, and not one of 40 scored children above
its parent. A parent was chosen because it did well, so that most runs fall short of it by chance alone: the null
beside every rate is how often any run of the campaign would beat the same parents.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from replay.ledger import Idea, Ledger
from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.statistics.costs import wilson
from replay.statistics.estimates import made
from replay.statistics.ranks import Rank, rank

EVERY = "all"


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """Ideas of one depth: 0 has no parent, others are one deeper than their deepest parent.

    Attributes:
        parents: ideas of it that have a child.
        mean, best: validation AP of its completed ones, None where none completed.
    """

    depth: int
    ideas: int
    parents: int
    completed: int
    mean: float | None
    best: float | None


class Descent(msgspec.Struct, frozen=True, kw_only=True):
    """Children against their parents, by the child's origin; only where both have a score, of one era.

    Attributes:
        improved: children above the best of their scored parents; rate with its 95% interval (Wilson 1927).
        beyond_noise: of these, those whose gain is more than the noise of both.
        by_chance: mean share of all completed runs that beat the same parents: the null.
        gain: mean of child less best parent, AP.
    """

    origin: str
    pairs: int
    improved: int
    beyond_noise: int
    rate: float
    low: float
    high: float
    by_chance: float
    gain: float


class _Pair(NamedTuple):
    origin: str
    gain: float
    noise: float
    chance: float


def depths(ledger: Ledger) -> dict[str, int]:
    """Return each idea's depth; parents that the log does not know before the idea count as none."""
    found: dict[str, int] = {}
    for idea in ledger.ideas.values():
        known = [found[parent] for parent in idea.parents if parent in found]
        found[idea.idea] = 1 + max(known) if known else 0
    return found


def generations(ledger: Ledger) -> list[Generation]:
    """Return the generations, the first ideas first."""
    deep = depths(ledger)
    having = {parent for idea in ledger.ideas.values() for parent in idea.parents}
    rows: dict[int, list[Idea]] = {}
    for idea in ledger.ideas.values():
        rows.setdefault(deep[idea.idea], []).append(idea)
    return [_generation(ledger, depth, rows[depth], having) for depth in sorted(rows)]


def descents(ledger: Ledger) -> list[Descent]:
    """Return how children did against their parents: of all origins, then of each."""
    pairs = _pairs(ledger)
    origins = Counter(pair.origin for pair in pairs)
    wanted = [(EVERY, pairs)] if pairs else []
    wanted += [(origin, [pair for pair in pairs if pair.origin == origin]) for origin in sorted(origins)]
    return [_descent(origin, of) for origin, of in wanted]


def depth_and_score(ledger: Ledger) -> Rank | None:
    """Correlate the ranks of depth and validation AP over the completed runs."""
    deep = depths(ledger)
    scored = [(deep[ledger.experiments[name].idea], _score(ledger, name)) for name in ledger.completed]
    kept = [(float(depth), score[0]) for depth, score in scored if score is not None]
    return rank([depth for depth, _ in kept], [score for _, score in kept], group="depth and validation")


def _generation(ledger: Ledger, depth: int, ideas: Sequence[Idea], having: set[str]) -> Generation:
    scores = [score[0] for idea in ideas if (score := _score(ledger, idea.experiment)) is not None]
    return Generation(
        depth=depth,
        ideas=len(ideas),
        parents=sum(idea.idea in having for idea in ideas),
        completed=len(scores),
        mean=math.fsum(scores) / len(scores) if scores else None,
        best=max(scores, default=None),
    )


def _pairs(ledger: Ledger) -> list[_Pair]:
    found, everybody = [], sorted(ledger.scores)
    for idea in ledger.ideas.values():
        own = _score(ledger, idea.experiment)
        era = ledger.eras.of.get(idea.experiment or "")
        parents = [ledger.ideas[parent].experiment or "" for parent in idea.parents if parent in ledger.ideas]
        alike = [parent for parent in parents if ledger.eras.of.get(parent) == era]
        scored = [score for parent in alike if (score := _score(ledger, parent)) is not None]
        if own is None or not scored:
            continue
        best = max(scored)
        above = len(everybody) - bisect_right(everybody, best[0])
        found.append(_Pair(idea.origin, own[0] - best[0], math.hypot(own[1], best[1]), above / len(everybody)))
    return found


def _descent(origin: str, pairs: Sequence[_Pair]) -> Descent:
    improved = sum(pair.gain > 0 for pair in pairs)
    low, high = wilson(improved, len(pairs))
    return Descent(
        origin=origin,
        pairs=len(pairs),
        improved=improved,
        beyond_noise=sum(pair.gain > pair.noise for pair in pairs),
        rate=improved / len(pairs),
        low=low,
        high=high,
        by_chance=math.fsum(pair.chance for pair in pairs) / len(pairs),
        gain=math.fsum(pair.gain for pair in pairs) / len(pairs),
    )


def _score(ledger: Ledger, experiment: str | None) -> tuple[float, float] | None:
    """Return an experiment's validation AP and noise (0 where it is not known), None without a result."""
    one = ledger.experiments.get(experiment or "")
    return (one.outcome.validation, one.outcome.noise or 0.0) if one is not None and one.outcome is not None else None


def _genealogy(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    rows, found = descents(ledger), depth_and_score(ledger)
    born = sum(bool(idea.parents) for idea in ledger.ideas.values())
    return made(
        "genealogy",
        f"how ideas descend from ideas: {born} of {len(ledger.ideas)} name a parent; then children against the best of "
        "their parents, by origin, and the rank correlation of depth and score; the value is the share of children "
        "that beat their parents (the author's data: 0 of 40)",
        [*generations(ledger), *rows, *([found] if found else [])],
        rows[0].rate if rows else None,
        n=len(ledger.completed),
        unit="share of children",
        note=f"{TOO_FEW}: a child and a parent with a score each are needed",
    )


GENEALOGY: dict[str, Callable[[Measurement], Metric]] = {"genealogy": _genealogy}
