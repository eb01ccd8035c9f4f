"""Simulated logs whose truth is known: every share, exponent, correlation and divergence was put there by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from itertools import product
from statistics import NormalDist

from replay.measures import Measurement
from tests.chronicle import SPACE, Chronicle

CELLS = tuple(product(*(choice.values for choice in SPACE.choices if choice.name in ("backbone", "encoder"))))
EFFECT = {cell: 0.5 + 0.03 * (place % 5) - 0.02 * (place // 5) for place, cell in enumerate(CELLS)}
NOISE = 0.05
POOLINGS = next(choice.values for choice in SPACE.choices if choice.name == "pooling")
RHO = 0.7
"""Correlation of validation and test on the scale of normal scores."""

SWEPT, OFTEN, SELDOM = 10, 0.6, 0.2
"""A run is a sweep's with the second chance in the best tenth, with the third elsewhere."""

HABITS = {"tpe": (0.7, 0.1, 0.1, 0.1), "uniform": (0.25, 0.25, 0.25, 0.25)}
"""How often each agent chooses each pooling; all else that agents are compared by is drawn alike."""

ALPHA, K = 0.5, 0.6
"""An improvement comes at time t with chance K t^-ALPHA."""

EXPONENT = 0.5
"""The expected shortfall of a running best after N runs is 0.3 N^-EXPONENT."""


def told(rows: Iterable[tuple[str, dict[str, object], float, float, str]]) -> Measurement:
    """Write a log of runs (agent, choices, validation, test, origin), and fold it."""
    c = Chronicle("planted")
    c.opened()
    for agent, choices, validation, test, origin in rows:
        (idea,) = c.cycle(agent, choices, origin="sweep" if origin == "sweep" else "agent")
        c.runs(c.queues(idea), validation=validation, test=test)
    measurement = Measurement()
    measurement.advance(c.log.read())
    return measurement


def search(seed: int, *, each: int = 15) -> Measurement:
    """Runs of every architecture alike often, agents with habits, sweeps among the best, a test that half agrees."""
    chance = random.Random(seed)
    cells = [cell for cell in CELLS for _ in range(each)]
    chance.shuffle(cells)
    scores = [EFFECT[cell] + chance.gauss(0, NOISE) for cell in cells]
    best = set(sorted(range(len(scores)), key=lambda nth: -scores[nth])[: len(scores) // SWEPT])
    rows = []
    for nth, (cell, score) in enumerate(zip(cells, scores, strict=True)):
        agent = chance.choice(tuple(HABITS))
        choices = dict(zip(("backbone", "encoder"), cell, strict=True)) | {
            "pooling": chance.choices(POOLINGS, HABITS[agent])[0]
        }
        normal = RHO * NormalDist().inv_cdf(among(score)) + math.sqrt(1 - RHO**2) * chance.gauss(0, 1)
        origin = "sweep" if chance.random() < (OFTEN if nth in best else SELDOM) else "agent"
        rows.append((agent, choices, score, 0.5 + 0.08 * normal, origin))
    return told(rows)


def among(score: float) -> float:
    """Return the share of all scores of such a search below one."""
    return math.fsum(NormalDist(mean, NOISE).cdf(score) for mean in EFFECT.values()) / len(EFFECT)


def scored(scores: Sequence[float]) -> Measurement:
    """Fold a log of runs with these scores, one choice and one agent."""
    return told(("tpe", {}, score, score, "agent") for score in scores)


def improving(seed: int, *, n: int = 300) -> Measurement:
    """Runs that improve with chance K t^-ALPHA."""
    chance, best, scores = random.Random(seed), 0.1, []
    for t in range(1, n + 1):
        better = t == 1 or chance.random() < K * t**-ALPHA
        best += 0.001 * better
        scores.append(best if better else 0.05)
    return scored(scores)


def climbing(seed: int, *, n: int = 300) -> Measurement:
    """Independent runs whose running best is expected to fall short of 1 by 0.3 N^-EXPONENT."""
    chance = random.Random(seed)
    return scored([1 - 0.3 * chance.random() ** EXPONENT / math.gamma(1 + EXPONENT) for _ in range(n)])


def share() -> float:
    """Return the share of variance that architectures have in the population."""
    mean = math.fsum(EFFECT.values()) / len(EFFECT)
    between = math.fsum((effect - mean) ** 2 for effect in EFFECT.values()) / len(EFFECT)
    return between / (between + NOISE**2)


def encoders() -> float:
    """Return the share of variance that encoders have over the space, backbones and noise having the rest."""
    effects = [0.03 * place for place in range(5)]
    mean = math.fsum(effects) / 5
    own = math.fsum((effect - mean) ** 2 for effect in effects) / 5
    return own / (own + 0.01**2 + NOISE**2)


def spearman() -> float:
    """Return the rank correlation of two normals of correlation RHO (Pearson 1907)."""
    return 6 / math.pi * math.asin(RHO / 2)


def enriched() -> float:
    """Return how much more often a sweep is among the best tenth than among all."""
    part = 1 / SWEPT
    return OFTEN / (part * OFTEN + (1 - part) * SELDOM)


def divergence() -> float:
    """Return the Jensen-Shannon divergence of the two habits, in bits."""
    pairs = list(zip(*HABITS.values(), strict=True))
    mean = [sum(pair) / 2 for pair in pairs]
    terms = (share / 2 * math.log2(share / m) for pair, m in zip(pairs, mean, strict=True) for share in pair)
    return math.fsum(terms)


def turning(seed: int, *, each: int = 800, habits: Sequence[int] = (16, 2, 16)) -> Measurement:
    """A search that draws from so many cells in turn, each for `each` runs."""
    chance = random.Random(seed)
    points = list(product(CELLS, POOLINGS))[: max(habits)]
    rows = []
    for many in habits:
        for _ in range(each):
            (backbone, encoder), pooling = chance.choice(points[:many])
            choices = {"backbone": backbone, "encoder": encoder, "pooling": pooling}
            rows.append(("tpe", choices, chance.random(), 0.5, "agent"))
    return told(rows)
