"""Zipformer over time: blocks of attention, convolution and feed-forward behind bypasses, at several rates of steps.

The block is the paper's equation 6; layers take turns at full, half, quarter and half rate: its stacks, a layer each.
"""

import torch
from torch import Tensor

from kernels.forward import Forward, Size
from kernels.parameters import Blueprint

RATES = (1, 2, 4, 2)  # steps that become one, layer by layer
TAPS = 7  # of the convolution: clips have tens of steps, not the thousands of speech
REACH = 64  # steps that attention tells apart
EXPANSION = 3  # of the feed-forward part
OPENING = 0.4  # share of the training over which the bypass is let go; 20,000 steps in the original, a few hundred here
CLOSED, OPEN = 0.9, 0.2  # least bypass scale before and after


class Zipformer:
    """Blocks with shapes (E, B, T, D)."""

    def __init__(self, blueprint: Blueprint, size: Size) -> None:
        self._layers = [_Layer(blueprint, f"zipformer.{n}", size, RATES[n % 4]) for n in range(size.layers)]

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        for layer in self._layers:
            x = layer.forward(x, mask, through)
        return x * mask[..., None]


class _Layer:
    """One block, at its own rate of steps."""

    def __init__(self, blueprint: Blueprint, name: str, size: Size, rate: int) -> None:
        self._rate = rate
        self._block = _Block(blueprint, name, size.width, size.heads)
        if rate > 1:
            self._group = blueprint.declare(f"{name}.group", rate)
            self._bypass = _declare_bypass(blueprint, f"{name}.rate", size.width)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        if self._rate == 1:
            return self._block.forward(x, mask, through)
        slow, slow_mask = through.forms.downsample(x, through.weights[self._group], mask)
        slow = self._block.forward(slow, slow_mask, through)
        return x + _scale(self._bypass, through) * (through.forms.upsample(slow, self._rate, x.shape[2]) - x)


class _Block:
    """Attention, convolution and feed-forward, each normed before and bypassed after."""

    def __init__(self, blueprint: Blueprint, name: str, width: int, heads: int) -> None:
        self._name, self._heads, inner = name, heads, EXPANSION * width
        for part in ("attention", "convolution", "forward"):
            blueprint.declare(f"{name}.{part}.norm", width, spread=1e-4)
            blueprint.declare(f"{name}.{part}.scale", 1, mean=1.0, bounds=(-1.5, 1.5))
            _declare_bypass(blueprint, f"{name}.{part}", width)
        sizes = {"attention": (3 * width, width), "convolution": (2 * width, width), "forward": (inner, inner)}
        for part, (outputs, last) in sizes.items():
            blueprint.weight(f"{name}.{part}.in", width, outputs)
            blueprint.declare(f"{name}.{part}.in.bias", outputs)
            blueprint.weight(f"{name}.{part}.out", last, width, gain=0.3)
            blueprint.declare(f"{name}.{part}.out.bias", width)
        blueprint.declare(f"{name}.attention.bias", heads, 2 * REACH - 1)
        blueprint.declare(f"{name}.convolution.kernel", TAPS, width, spread=TAPS**-0.5)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        for part, inside in (("attention", self._attend), ("convolution", self._convolve), ("forward", self._feed)):
            prefix = f"{self._name}.{part}"
            normed = through.forms.bias_norm(x, through.weights[f"{prefix}.norm"], through.weights[f"{prefix}.scale"])
            hidden = through.forms.linear(normed, through.weights[f"{prefix}.in"], through.weights[f"{prefix}.in.bias"])
            hidden = through.dropout(inside(hidden, mask, through))
            added = through.forms.linear(
                hidden, through.weights[f"{prefix}.out"], through.weights[f"{prefix}.out.bias"]
            )
            x = x + _scale(f"{prefix}.bypass", through) * added
        return x

    def _attend(self, hidden: Tensor, mask: Tensor, through: Forward) -> Tensor:
        q, k, v = hidden.view(*hidden.shape[:3], 3, self._heads, -1).unbind(-3)
        return through.forms.attention(q, k, v, through.weights[f"{self._name}.attention.bias"], mask).flatten(-2)

    def _convolve(self, hidden: Tensor, mask: Tensor, through: Forward) -> Tensor:
        value, gate = hidden.chunk(2, -1)
        gated = value * torch.sigmoid(gate) * mask[..., None]
        kernel = through.weights[f"{self._name}.convolution.kernel"]
        return through.forms.swoosh_r(through.forms.depthwise(gated, kernel, TAPS // 2))

    def _feed(self, hidden: Tensor, mask: Tensor, through: Forward) -> Tensor:
        return through.forms.swoosh_l(hidden)


def _declare_bypass(blueprint: Blueprint, name: str, width: int) -> str:
    return blueprint.declare(f"{name}.bypass", width, mean=0.5, bounds=(0.0, 1.0))


def _scale(name: str, through: Forward) -> Tensor:
    """The bypass scale c (E, 1, 1, D), how much of a part is let in: held above a bound that falls early on."""
    bound = CLOSED - (CLOSED - OPEN) * (through.progress / OPENING).clamp(max=1)
    return torch.maximum(through.weights[name], bound[:, None])[:, None, None]
