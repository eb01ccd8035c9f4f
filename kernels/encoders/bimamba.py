"""BiMamba over time: two selective state spaces, one reading forwards and one backwards, averaged and added.

Gu and Dao 2023; state-spaces/mamba, mamba_simple.py: channels doubled, a causal convolution of 4 taps, a step size from
a map of low rank; the two directions have weights of their own and are averaged as in the paper's appendix D.3.
"""

from math import erf, log

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import silu, softplus

from kernels.forward import Forward, Size
from kernels.operations.scan import Direction, Side
from kernels.parameters import Blueprint, Floats

NORM_EPSILON = 1e-6
EXPANSION = 2
STATES = 16
TAPS = 4
RANK = 16  # channels of the network for each one of the step size's map
STEP = (1e-3, 1e-1)  # first step sizes lie between, evenly in their logarithm
LEAST_STEP = 1e-4
DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")


class BiMamba:
    """Blocks with shapes (E, B, T, D)."""

    def __init__(self, blueprint: Blueprint, size: Size) -> None:
        self._blocks = [Block(blueprint, f"bimamba.{n}", size.width) for n in range(size.layers)]

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        for block in self._blocks:
            x = block.forward(x, mask, through)
        return x * mask[..., None]


class Block:
    """Norm, both directions, and what came in added."""

    def __init__(self, blueprint: Blueprint, name: str, width: int) -> None:
        self._name, self._inner, self._rank = name, EXPANSION * width, -(-width // RANK)
        blueprint.declare(f"{name}.gain", width, mean=1.0)
        blueprint.weight(f"{name}.in", width, 4 * self._inner)
        for direction in DIRECTIONS:
            self._declare(blueprint, f"{name}.{direction}")
        # Each direction's own map out, one above the other: their product with both halves is the sum.
        blueprint.declare(f"{name}.out", 2 * self._inner, width, spread=self._inner**-0.5, decays=True)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        gain: Tensor = through.weights[f"{self._name}.gain"]
        normed = through.forms.rms_norm(x, NORM_EPSILON) * gain[:, None, None]
        # Nothing is biased before the convolution, so its reach into padding is closed here.
        mapped = through.forms.linear(normed * mask[..., None], through.weights[f"{self._name}.in"], None)
        parts = mapped.split(self._inner, -1)  # type: ignore[no-untyped-call] # torch leaves it untyped
        sides = [self._select(parts[n], mask, through, direction) for n, direction in enumerate(DIRECTIONS)]
        scanned = through.forms.scan(*sides)
        gated = [self._gate(scanned[n], sides[n][0], parts[2 + n], through, DIRECTIONS[n]) for n in range(2)]
        both = through.dropout(torch.cat(gated, -1))
        return x + 0.5 * through.forms.linear(both, through.weights[f"{self._name}.out"], None)

    def _declare(self, blueprint: Blueprint, name: str) -> None:
        blueprint.declare(f"{name}.kernel", TAPS, self._inner, spread=(3 * TAPS) ** -0.5)
        blueprint.declare(f"{name}.kernel.bias", self._inner)
        blueprint.weight(f"{name}.select", self._inner, self._rank + 2 * STATES)
        blueprint.weight(f"{name}.step", self._rank, self._inner, gain=3**-0.5)
        blueprint.declare(f"{name}.step.bias", self._inner, law=first_steps)
        blueprint.declare(f"{name}.rate", STATES, self._inner, law=first_rates)
        blueprint.declare(f"{name}.skip", self._inner, mean=1.0)

    def _select(self, x: Tensor, mask: Tensor, through: Forward, direction: Direction) -> Side:
        """What is scanned: inputs, step sizes, rates, and what is let in and out, chosen by the inputs themselves."""
        name, weights = f"{self._name}.{direction}", through.weights
        back = TAPS - 1 if direction == "forward" else 0
        filtered = through.forms.depthwise(x, weights[f"{name}.kernel"], back)
        u = silu(filtered + weights[f"{name}.kernel.bias"][:, None, None]) * mask[..., None]
        chosen = through.forms.linear(u, weights[f"{name}.select"], None)
        low, b, c = torch.split(chosen, [self._rank, STATES, STATES], -1)
        step = through.forms.linear(low, weights[f"{name}.step"], weights[f"{name}.step.bias"])
        rate = -torch.exp(weights[f"{name}.rate"])
        return u, softplus(step), rate, b, c

    def _gate(self, y: Tensor, u: Tensor, gate: Tensor, through: Forward, direction: Direction) -> Tensor:
        skip: Tensor = through.weights[f"{self._name}.{direction}.skip"]
        return (y + u * skip[:, None, None]) * silu(gate)


def first_steps(normal: Floats) -> Floats:
    """Biases whose softplus is spread evenly over the logarithms of `STEP`."""
    low, high = map(log, STEP)
    even = np.array([(1 + erf(value / 2**0.5)) / 2 for value in normal.ravel()]).reshape(normal.shape)
    step = np.exp(low + (high - low) * even).clip(LEAST_STEP)
    biases: Floats = (step + np.log(-np.expm1(-step))).astype(np.float32)
    return biases


def first_rates(normal: Floats) -> Floats:
    """Logarithms of 1 to N, state by state, the same in every channel (S4D-Real)."""
    first: Floats = np.zeros_like(normal) + np.log(np.arange(1, len(normal) + 1, dtype=np.float32))[:, None]
    return first
