"""What is drawn follows its law, dropout reaches every layer, and clips are ranked as finely as they are scored."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kernels import draws, plans, precision
from kernels.canaries import made, textbook
from kernels.canaries.canary import EXACT, Canary, at_most
from kernels.encoders import ENCODERS
from kernels.forward import Forward, Size
from kernels.network import Dropout, Network
from kernels.optimizer import AdamW
from kernels.pooling import one_hot
from kernels.wiring import Run, wire

SIGMAS = 6.0  # standard errors that a drawn mean may lie off: once in 500 million
EPOCHS = 100


def canaries(seed: int, configuration: Mapping[str, Any], *, size: Size) -> Iterator[Canary]:
    """One canary for each law.

    Args:
        seed: of all that is drawn.
        configuration: of a run, of which some values are changed.
    """
    for alpha in (0.2, 0.4, 1.0):
        yield _mixing(seed, dict(configuration) | {"mixup": alpha, "epochs": EPOCHS})
    for rate in (0.1, 0.4):
        yield _dropping(seed, rate)
    yield _grain(seed)
    for encoder in ENCODERS:
        yield _reached(seed, encoder, size)
    yield _ranking(seed)
    yield _descent(seed, size)


def _mixing(seed: int, configuration: Mapping[str, Any]) -> Canary:
    """Shares are of the Beta law: mean 1/2, variance 1 / (4 (2 alpha + 1))."""
    lanes = wire([Run("canary", configuration, seed)], capacity=1).lanes
    shares = plans.make(lanes, np.arange(48) % 3 == 0, configuration["batch"]).shares.double().flatten()
    true = 1 / (4 * (2 * configuration["mixup"] + 1))
    squares = (shares - 0.5) ** 2
    off = max(_sigmas(shares, 0.5), _sigmas(squares, true))
    problem = f"the shares of mixup = {configuration['mixup']} are not of its Beta law"
    return at_most("law", "mixup", off, SIGMAS, problem)


def _dropping(seed: int, rate: float) -> Canary:
    """So many values are silenced, and the rest scaled up so that the mean stays."""
    kept = Dropout(torch.tensor([seed]), torch.tensor([rate]), torch.tensor(3), 0)(torch.ones(1, 50, 200))
    scale = torch.unique(kept[kept > 0])
    if len(scale) != 1 or abs(float(scale[0]) * (1 - rate) - 1) > 1e-4:
        return Canary("law", "dropout", float(kept.max()), 1 / (1 - rate), "what is kept is not scaled up as it should")
    return at_most(
        "law", "dropout", _sigmas((kept == 0).double(), rate), SIGMAS, f"not {rate} of the values are dropped"
    )


def _grain(seed: int) -> Canary:
    """The noise is standard normal, and another at each step and for each seed."""
    keys = [
        draws.keys(torch.tensor([one]), torch.tensor(step), 1) for one, step in ((seed, 0), (seed, 1), (seed + 1, 0))
    ]
    grains = [draws.normals(key, 20_000).double().flatten() for key in keys]
    off = max(max(_sigmas(grain, 0.0), _sigmas(grain**2, 1.0), _sigmas(grain**4, 3.0)) for grain in grains)
    off = max(off, *(_sigmas(grains[0] * other, 0.0) for other in grains[1:]))
    return at_most("law", "noise", off, SIGMAS, "the noise is not standard normal, or the same at two steps or seeds")


def _reached(seed: int, encoder: str, size: Size) -> Canary:
    """Every place where an encoder drops out changes the scores, and each layer has one beside that of the input."""
    network = Network(encoder, inputs=made.INPUTS, size=size)
    weights = network.blueprint.views(network.blueprint.initial([seed]))
    x = torch.randn(1, 2, 8, made.INPUTS, generator=torch.Generator().manual_seed(seed))
    plain, places = _silenced(network, weights, x, None)
    dead = [n for n in range(places) if torch.equal(_silenced(network, weights, x, n)[0], plain)]
    problem = None
    if places < size.layers + 1:
        problem = f"{encoder} of {size.layers} layers drops out at {places} places only"
    elif dead:
        problem = f"{encoder} drops out at place {dead[0]} without effect"
    return Canary("law", "dropout", float(places - len(dead)), float(size.layers + 1), problem)


@torch.no_grad()
def _silenced(network: Network, weights: Mapping[str, Tensor], x: Tensor, place: int | None) -> tuple[Tensor, int]:
    """Scores where one place of dropout halves all that goes through it, and the number of places."""
    count = 0

    def dropout(hidden: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return hidden * 0.5 if count - 1 == place else hidden

    through = Forward(weights, torch.ones(1), one_hot(["mean"]), dropout=dropout)
    mask = torch.ones(x.shape[:3], dtype=torch.bool)
    return network.forward(x, mask, through), count


def _ranking(seed: int) -> Canary:
    """Scores that differ in their last bits are ranked by them, equal ones enter together."""
    rng = made.generator(seed, made.STREAM + 31)
    scores = np.full(200, 9.0, np.float32)
    for n in range(1, 200):
        scores[n] = np.nextafter(scores[n - 1], np.float32(10)) if n % 10 else scores[n - 1]
    labels = rng.random(200) < 0.5
    order = rng.permutation(200)
    found = precision.average_precision(scores[order], labels[order])
    true = textbook.average_precision(scores.tolist(), labels.tolist())
    return at_most("law", "evaluation", abs(found - true), 1e-12, "clips are ranked less finely than they are scored")


def _descent(seed: int, size: Size) -> Canary:
    """Steps with gradients longer and shorter than the clip move parameters as AdamW says."""
    network, generator = Network("retnet", inputs=made.INPUTS, size=size), torch.Generator().manual_seed(seed)
    flat, true = network.blueprint.initial([seed]), network.blueprint.initial([seed])[0].double()
    gradient, error = torch.zeros_like(flat), 0.0
    optimizer, descent = AdamW(network.blueprint, flat, gradient, torch.tensor([0.1])), textbook.Descent(network, 0.1)
    for step, length in enumerate((30.0, 0.3, 3.0)):
        drawn = torch.randn(flat.shape, generator=generator)
        gradient.copy_(drawn * (length / drawn.norm()))
        true = descent.after(true, gradient[0], 0.01)
        optimizer.update(torch.tensor([0.01]), torch.tensor(step))
        error = max(error, float((flat[0] - true).abs().max()))
    return at_most("law", "update", error, EXACT, "parameters do not move as AdamW with a clipped gradient says")


def _sigmas(values: Tensor, mean: float) -> float:
    """How many standard errors the mean of values lies off."""
    return float((values.mean() - mean).abs() / (values.std() / len(values.flatten()) ** 0.5).clamp(min=1e-12))
