"""RetNet over time: retention with a fixed decay a head, and a gated feed-forward part, each normed and added.

Sun et al. 2023; microsoft/torchscale, retnet.py and multiscale_retention.py: rotary positions, values twice as wide as
keys, a norm without gain for each head's output, a swish gate.
"""

import torch
from torch import Tensor
from torch.nn.functional import silu

from kernels.forward import Forward, Size
from kernels.parameters import Blueprint

HEAD_EPSILON = 1e-5
NORM_EPSILON = 1e-6
EXPANSION = 2  # of the values, and of the feed-forward part


class RetNet:
    """Blocks with shapes (E, B, T, D)."""

    def __init__(self, blueprint: Blueprint, size: Size) -> None:
        self._blocks = [Block(blueprint, f"retnet.{n}", size.width, size.heads) for n in range(size.layers)]

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        for block in self._blocks:
            x = block.forward(x, mask, through)
        return x * mask[..., None]


class Block:
    """Retention and a gated feed-forward part, each normed before and added."""

    def __init__(self, blueprint: Blueprint, name: str, width: int, heads: int) -> None:
        self._name, self._width, self._heads, wide = name, width, heads, EXPANSION * width
        blueprint.declare(f"{name}.retention.gain", width, mean=1.0)
        _xavier(blueprint, f"{name}.retention.in", width, 2 * width + 2 * wide, gain=2**-0.5)
        _xavier(blueprint, f"{name}.retention.out", wide, width, gain=2**-1.0)
        blueprint.declare(f"{name}.forward.gain", width, mean=1.0)
        blueprint.weight(f"{name}.forward.in", width, 2 * wide)
        blueprint.weight(f"{name}.forward.out", wide, width)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        x = x + self._retain(x, mask, through)
        return x + self._feed(x, through)

    def _retain(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        wide = EXPANSION * self._width
        mapped = through.forms.linear(
            self._norm("retention", x, through), through.weights[f"{self._name}.retention.in"], None
        )
        q, k, v, gate = torch.split(mapped, [self._width, self._width, wide, wide], -1)
        q, k, v = (part.reshape(*x.shape[:3], self._heads, -1) for part in (q, k, v * mask[..., None]))
        mixed = through.forms.rms_norm(
            through.forms.retention(through.forms.rotate(q), through.forms.rotate(k), v), HEAD_EPSILON
        ).flatten(-2)
        return through.forms.linear(
            through.dropout(silu(gate) * mixed), through.weights[f"{self._name}.retention.out"], None
        )

    def _feed(self, x: Tensor, through: Forward) -> Tensor:
        mapped = through.forms.linear(
            self._norm("forward", x, through), through.weights[f"{self._name}.forward.in"], None
        )
        value, gate = mapped.chunk(2, -1)
        return through.forms.linear(
            through.dropout(silu(gate) * value), through.weights[f"{self._name}.forward.out"], None
        )

    def _norm(self, part: str, x: Tensor, through: Forward) -> Tensor:
        gain: Tensor = through.weights[f"{self._name}.{part}.gain"]
        return through.forms.rms_norm(x, NORM_EPSILON) * gain[:, None, None]


def _xavier(blueprint: Blueprint, name: str, inputs: int, outputs: int, gain: float) -> None:
    blueprint.declare(name, inputs, outputs, spread=gain * (2 / (inputs + outputs)) ** 0.5, decays=True)
