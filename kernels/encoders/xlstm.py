"""xLSTM over time: blocks with a matrix memory (mLSTM) at even layers, with memory cells (sLSTM) at odd ones.

Beck et al. 2024, figures 10 and 11; NX-AI/xlstm, blocks/mlstm/layer.py, blocks/slstm/layer.py and feedforward.py.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import gelu, silu

from kernels.forward import Encoder, Forward, Size
from kernels.parameters import Blueprint, Floats, Law

EPSILON = 1e-5
TAPS = 4
EXPANSION = 2  # of the mLSTM's inside
BLOCK = 4  # channels that the mLSTM's queries, keys and values are mapped in
FEED = 1.3  # times the width inside the sLSTM's feed-forward part, rounded up
FEED_MULTIPLE = 8
FORGET = (3.0, 6.0)  # first biases of the mLSTM's forget gates, from the first head to the last
CELL_FORGET = (5.0, 12.0)  # those of the sLSTM's: a - b x^p over a head's channels, x from 0 to 1
SMALL = 0.4**0.5  # gain of maps in: small initialisation (Nguyen and Salazar 2019)
CELL_POWERS = (0.3, 1.6)  # p in the first layer and in the last


class XLSTM:
    """Blocks with shapes (E, B, T, D)."""

    def __init__(self, blueprint: Blueprint, size: Size) -> None:
        self._blocks = [self._build(blueprint, size, n) for n in range(size.layers)]

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        for block in self._blocks:
            x = block.forward(x, mask, through)
        return x * mask[..., None]

    @staticmethod
    def _build(blueprint: Blueprint, size: Size, layer: int) -> Encoder:
        if layer % 2 == 0:
            return _MatrixBlock(blueprint, f"xlstm.{layer}", size)
        return _CellBlock(blueprint, f"xlstm.{layer}", size, depth=layer / max(1, size.layers - 1))


class _MatrixBlock:
    """The mLSTM between a map up and a map down, gated."""

    def __init__(self, blueprint: Blueprint, name: str, size: Size) -> None:
        self._name, self._heads, self._inner = name, size.heads, EXPANSION * size.width
        block = BLOCK if self._inner % BLOCK == 0 else 2
        blueprint.declare(f"{name}.gain", size.width, mean=1.0)
        blueprint.weight(f"{name}.in", size.width, 2 * self._inner, gain=SMALL)
        _declare_kernel(blueprint, name, self._inner)
        for part in ("query", "key", "value"):
            blueprint.declare(f"{name}.{part}", self._inner, block, spread=_small(block), decays=True)
        blueprint.declare(f"{name}.gates", 3 * self._inner, 2 * size.heads, decays=True)
        blueprint.declare(f"{name}.gates.bias", 2, size.heads, law=_first_gates)
        blueprint.declare(f"{name}.head", self._inner, mean=1.0)
        blueprint.declare(f"{name}.skip", self._inner, mean=1.0)
        blueprint.weight(f"{name}.out", self._inner, size.width)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        name, weights, forms = self._name, through.weights, through.forms
        mapped = forms.linear(_normed(x, name, through) * mask[..., None], weights[f"{name}.in"], None)
        inside, gate = mapped.chunk(2, -1)
        filtered = _filtered(inside, name, through)
        parts = [forms.blockwise(filtered, weights[f"{name}.{part}"]) for part in ("query", "key")]
        parts.append(forms.blockwise(inside, weights[f"{name}.value"]))
        bias = weights[f"{name}.gates.bias"].flatten(1)
        gates = forms.linear(torch.cat(parts, -1), weights[f"{name}.gates"], bias)
        q, k, v = (part.reshape(*x.shape[:3], self._heads, -1) for part in parts)
        read = forms.mlstm(q, k, v, gates.view(*x.shape[:3], 2, self._heads), mask)
        read = forms.layer_norm(read, EPSILON).flatten(-2) * weights[f"{name}.head"][:, None, None]
        read = (read + weights[f"{name}.skip"][:, None, None] * filtered) * silu(gate)
        return x + forms.linear(through.dropout(read), weights[f"{name}.out"], None)


class _CellBlock:
    """The sLSTM, then a gated feed-forward part, each normed before and added."""

    def __init__(self, blueprint: Blueprint, name: str, size: Size, depth: float) -> None:
        self._name, self._width, self._heads = name, size.width, size.heads
        channels = size.width // size.heads
        wide = -(-int(FEED * size.width) // FEED_MULTIPLE) * FEED_MULTIPLE
        blueprint.declare(f"{name}.gain", size.width, mean=1.0)
        _declare_kernel(blueprint, name, size.width)
        for part in ("enter", "forget", "cell", "output"):
            blueprint.declare(f"{name}.{part}", size.width, channels, spread=_small(channels), decays=True)
        blueprint.declare(f"{name}.recurrent", size.width, 4 * channels, decays=True)
        blueprint.declare(f"{name}.gates.bias", 4, size.heads, channels, law=_first_cells(depth))
        blueprint.declare(f"{name}.head", size.width, mean=1.0)
        blueprint.declare(f"{name}.forward.gain", size.width, mean=1.0)
        blueprint.weight(f"{name}.forward.in", size.width, 2 * wide, gain=SMALL)
        blueprint.weight(f"{name}.forward.out", wide, size.width)

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """As `forward.Encoder`."""
        x = x + self._remember(x, mask, through)
        return x + self._feed(x, through)

    def _remember(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        name, weights, forms = self._name, through.weights, through.forms
        normed = _normed(x, name, through) * mask[..., None]
        filtered = _filtered(normed, name, through)
        sources = {"enter": filtered, "forget": filtered, "cell": normed, "output": normed}
        parts = [forms.blockwise(source, weights[f"{name}.{part}"]) for part, source in sources.items()]
        bias = weights[f"{name}.gates.bias"].flatten(2)
        read = forms.slstm(torch.stack(parts, 3) + bias[:, None, None], weights[f"{name}.recurrent"], mask)
        heads = read.view(*x.shape[:3], self._heads, -1)
        mixed = forms.layer_norm(heads, EPSILON).flatten(-2) * weights[f"{name}.head"][:, None, None]
        return through.dropout(mixed)

    def _feed(self, x: Tensor, through: Forward) -> Tensor:
        name, weights, forms = f"{self._name}.forward", through.weights, through.forms
        gate, value = forms.linear(_normed(x, name, through), weights[f"{name}.in"], None).chunk(2, -1)
        return forms.linear(through.dropout(gelu(gate) * value), weights[f"{name}.out"], None)


def _declare_kernel(blueprint: Blueprint, name: str, width: int) -> None:
    blueprint.declare(f"{name}.kernel", TAPS, width, spread=(3 * TAPS) ** -0.5)
    blueprint.declare(f"{name}.kernel.bias", width)


def _filtered(x: Tensor, name: str, through: Forward) -> Tensor:
    """A convolution over the last steps, and a swish."""
    bias: Tensor = through.weights[f"{name}.kernel.bias"]
    return silu(through.forms.depthwise(x, through.weights[f"{name}.kernel"], TAPS - 1) + bias[:, None, None])


def _normed(x: Tensor, name: str, through: Forward) -> Tensor:
    gain: Tensor = through.weights[f"{name}.gain"]
    return through.forms.layer_norm(x, EPSILON) * gain[:, None, None]


def _small(inputs: int) -> float:
    return float(SMALL * inputs**-0.5)


def _first_gates(normal: Floats) -> Floats:
    """The mLSTM's first biases (2, H): small ones to enter, larger ones to forget from head to head."""
    return np.stack([0.1 * normal[0], np.linspace(*FORGET, normal.shape[1], dtype=np.float32)])


def _first_cells(depth: float) -> Law:
    """The law of the sLSTM's first biases (4, H, K): those to forget fall along a head by a power of the place."""
    power = CELL_POWERS[0] + (CELL_POWERS[1] - CELL_POWERS[0]) * depth

    def law(normal: Floats) -> Floats:
        first = np.zeros_like(normal)
        place = np.arange(normal.shape[2]) / max(1, normal.shape[2] - 1)
        first[1] = CELL_FORGET[0] - CELL_FORGET[1] * place**power
        return first

    return law
