"""What is learned: nothing from shuffled labels, and a planted signal from true ones, both by exact permutation."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.canaries import made, tracing
from kernels.canaries.canary import Canary
from kernels.canaries.tracing import Subject
from kernels.encoders import ENCODERS
from kernels.forward import Size
from kernels.outcomes import Failed

THRESHOLD = 1e-4
AT_ONCE = 16_384  # ways that are judged together: a bench may have little memory
CONFIGURATION: Mapping[str, Any] = {
    "backbone": made.BACKBONES[0],
    "pooling": "attention",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": 16,
    "length": made.STEPS,
    "epochs": 4,
    "learning_rate": 1e-2,
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "oversampling": 1.0,
    "mixup": 0.0,
    "noise": 0.1,
}


def canaries(seed: int, *, size: Size, device: str) -> Iterator[Canary]:
    """Shuffled labels at chance, under one encoder, since no encoder leaks; a planted signal learned, under each."""
    encoders = tuple(ENCODERS)
    yield _taught(seed, encoders[seed % len(encoders)], size, device=device, shuffled=True)
    for encoder in encoders:
        yield _taught(seed, encoder, size, device=device, shuffled=False)


def _taught(seed: int, encoder: str, size: Size, *, device: str, shuffled: bool) -> Canary:
    name = "shuffled_labels" if shuffled else "planted_signal"
    data = made.planted(seed, shuffled=shuffled)
    seen = tracing.trace(Subject({**CONFIGURATION, "encoder": encoder}, seed, size), data, device=device)
    if isinstance(seen.outcome, Failed):
        return Canary(name, encoder, None, THRESHOLD, f"the run {seen.outcome.kind}: {seen.outcome.detail}")
    chances = {
        part: chance(seen.made[part][-1]["scores"].numpy(), getattr(data, part).labels)
        for part in ("validation", "test")
    }
    part = min(chances, key=lambda part: chances[part]) if shuffled else max(chances, key=lambda part: chances[part])
    p = chances[part]
    problem = None
    if shuffled and p < THRESHOLD:
        problem = f"taught shuffled labels, it knows the true ones of {part} (p = {p:.1e})"
    elif not shuffled and not p < THRESHOLD:
        problem = f"a planted signal is not learned, by {part} (p = {p:.1e})"
    return Canary(name, encoder, p, THRESHOLD, problem)


def chance(scores: NDArray[np.float32], labels: NDArray[np.bool_]) -> float:
    """The share of all ways to give out as many positive labels that rank at least as well by average precision.

    The exact one-sided permutation p; at most 20 clips, 10 of them positive, make 184,756 ways.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
    own = _precision(labels[order][None].astype(np.int8), ends)[0]
    ways, better = _ways(len(labels), int(labels.sum())), 0
    for start in range(0, len(ways), AT_ONCE):
        places = ways[start : start + AT_ONCE].astype(np.int64)
        hits = np.zeros((len(places), len(labels)), np.int8)
        np.put_along_axis(hits, places, 1, 1)
        better += int((_precision(hits, ends) >= own - 1e-12).sum())
    return better / len(ways)


@cache
def _ways(clips: int, positive: int) -> NDArray[np.int8]:
    """Every choice of `positive` places of `clips`, [ways, positive]."""
    places = chain.from_iterable(combinations(range(clips), positive))
    return np.fromiter(places, np.int8).reshape(-1, positive)


def _precision(hits: NDArray[np.int8], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average precision of each row of ranked labels [ways, clips], clips of one score entering together."""
    reached = np.cumsum(hits, 1, dtype=np.int8)[:, ends]
    gained = np.diff(reached, prepend=0, axis=1)
    found: NDArray[np.float64] = (reached / (ends + 1) * gained).sum(1) / reached[:, -1]
    return found
