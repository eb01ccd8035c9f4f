"""What canaries see of a surrogate: dimensions that must act, parts that must be apart, one clip judged twice.

They look, as the canaries of a real instrument do (`kernels/canaries`), and are told nothing of what was planted. That
the real ones refuse the same four bugs in real code is shown by `tests/kernels/test_mutants.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from actors.virtual.surrogate import Surrogate
from events.facts import Canary
from events.space import Configuration

SECONDS = 60.0
"""What looking takes, seconds of a device; ours, and several times what the real canaries take on one CPU core."""

SEED = 1
BASE: Configuration = {
    "backbone": "dinov3_l",
    "encoder": "retnet",
    "pooling": "mean",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": 32,
    "length": 16,
    "epochs": 20,
    "learning_rate": 3e-4,
    "weight_decay": 0.01,
    "dropout": 0.2,
    "oversampling": 2.0,
    "mixup": 0.2,
    "noise": 0.05,
}
CHANGES: dict[str, Configuration] = {
    "backbone": {"backbone": "siglip2"},
    "encoder": {"encoder": "bimamba"},
    "pooling": {"pooling": "attention"},
    "loss": {"loss": "focal", "focal_gamma": 2.0, "focal_alpha": 0.25},
    "scheduler": {"scheduler": "linear"},
    "batch": {"batch": 64},
    "length": {"length": 8},
    "epochs": {"epochs": 10},
    "learning_rate": {"learning_rate": 1e-3},
    "weight_decay": {"weight_decay": 0.001},
    "dropout": {"dropout": 0.4},
    "oversampling": {"oversampling": 3.0},
    "mixup": {"mixup": 0.6},
    "noise": {"noise": 0.1},
}
"""From the base, each dimension changed alone, with what the changed one needs."""


def look(surrogate: Surrogate) -> tuple[Canary, ...]:
    """Return what every canary saw."""
    return (*_dimensions(surrogate), *_splits(surrogate), _padding(surrogate))


def _dimensions(surrogate: Surrogate) -> Iterator[Canary]:
    before = surrogate.truth(BASE, SEED)
    for name, change in CHANGES.items():
        moved = abs(surrogate.truth({**BASE, **change}, SEED)[1] - before[1])
        problem = f"changing {name} alone changes no score" if moved == 0 else None
        yield Canary(name="dimension", subject=name, seen=moved, allowed=None, problem=problem)


def _splits(surrogate: Surrogate) -> Iterator[Canary]:
    for (one, clips), (other, others) in combinations(surrogate.parts().items(), 2):
        shared = len(clips & others)
        problem = f"{shared} clips lie in {one} and in {other}" if shared else None
        yield Canary(name="split", subject=f"{one}, {other}", seen=shared, allowed=0, problem=problem)


def _padding(surrogate: Surrogate) -> Canary:
    apart = abs(surrogate.judged(BASE, SEED, padded=True) - surrogate.judged(BASE, SEED, padded=False))
    problem = "a clip scores otherwise behind padding" if apart else None
    return Canary(name="sameness", subject="evaluation", seen=apart, allowed=0, problem=problem)
