"""What a champion must beat: its own configuration on shuffled labels, and a linear model that sees no order."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels import precision, training
from kernels.datasets import Dataset, Part
from kernels.outcomes import Completed
from kernels.wiring import Run, wire

SHUFFLE_STREAM = 0x5BFF1E
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)  # ridges per clip that the linear model chooses from, by validation

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Control:
    """A control's average precision on the same split by the same rule as every run's."""

    name: str
    validation: float
    test: float
    noise: float


def shuffled(
    run: Run, data: Dataset, *, device: str, capacity: int, width: int, layers: int, heads: int
) -> Control | None:
    """The run trained on training labels in random order, judged on the true ones; None if that diverges.

    The order is keyed by the run's seed.
    """
    rng = np.random.Generator(np.random.Philox(key=np.array([run.seed, SHUFFLE_STREAM], np.uint64)))
    mistaught = replace(data, train=replace(data.train, labels=rng.permutation(data.train.labels)))
    pack = wire([run], capacity=capacity)
    for end in training.train(pack, mistaught, device=device, width=width, layers=layers, heads=heads):
        if isinstance(end, Completed):
            return Control("shuffled labels", end.validation, end.test, end.noise)
    return None


def linear(data: Dataset, *, length: int) -> Control:
    """Logistic regression on each clip's mean over its last `length` steps; of four ridges the best by validation."""
    fits = [_fit(_means(data.train, length), data.train.labels, penalty) for penalty in PENALTIES]
    judged = [
        precision.average_precision(_scores(fit, data.validation, length), data.validation.labels) for fit in fits
    ]
    best = int(np.argmax(judged))
    scores = _scores(fits[best], data.validation, length)
    test = precision.average_precision(_scores(fits[best], data.test, length), data.test.labels)
    return Control("linear on means", judged[best], test, precision.noise(scores, data.validation.labels))


def _means(part: Part, length: int) -> Doubles:
    """Each clip's mean step and a constant, [clips, width + 1]."""
    means = part.values[:, -length:].mean(1, dtype=np.float64)
    return np.concatenate([means, np.ones((len(means), 1))], 1)


def _scores(fit: Doubles, part: Part, length: int) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = (_means(part, length) @ fit).astype(np.float32)
    return scores


def _fit(x: Doubles, labels: NDArray[np.bool_], penalty: float) -> Doubles:
    """Weights of a logistic regression with a ridge on all but the constant, by Newton's method."""
    ridge = np.full(x.shape[1], penalty * len(x))
    ridge[-1] = 0.0
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (chance - labels) + ridge * weights
        curvature = (x * (chance * (1 - chance))[:, None]).T @ x + np.diag(ridge) + 1e-9 * np.eye(len(weights))
        change = np.linalg.solve(curvature, slope)
        weights -= change
        if np.abs(change).max() < 1e-9:
            break
    return weights
