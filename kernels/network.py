"""The whole classifier over lanes: features to hidden steps, an encoder, a pooling, one logit a clip."""

import torch
from torch import Tensor

from kernels import draws, encoders
from kernels.forward import Forward, Size
from kernels.parameters import Blueprint
from kernels.pooling import pool
from kernels.wiring import LONGEST

FINAL_EPSILON = 1e-6
PLACE_SPREAD = 1.0  # of the learned place of each step, counted back from the clip's end, where clips end together


class Dropout:
    """Dropout of one step: each call is a new site, each lane has its own rate and its own experiment's draws."""

    def __init__(
        self,
        seeds: Tensor,  # (E,) int64
        rates: Tensor,  # (E,)
        step: Tensor,  # () int64
        first_clip: int,  # place in the whole batch of the first clip seen here, when the batch comes in parts
    ) -> None:
        self._key, self._first = draws.step_keys(seeds, step), first_clip
        self._threshold = (rates * 65536).round().to(torch.int32)
        self._factor = 1 / (1 - self._threshold / 65536)
        self._site = 0

    def __call__(self, x: Tensor) -> Tensor:
        """Zeroes each value of x (E, B, ...) with its lane's rate and scales the rest up by as much."""
        self._site += 1
        inner = x[0, 0].numel()
        key = draws.keys_at(self._key, self._site)
        kept = draws.dice(key, self._threshold, self._factor, x.shape[1] * inner, self._first * inner)
        return x * kept.view(x.shape).to(x.dtype)


class Network:
    """A classifier of one shape; its parameters live elsewhere (`blueprint`)."""

    def __init__(self, encoder: str, *, inputs: int, size: Size) -> None:
        """Declares the parameters of a network that takes `inputs` channels a step."""
        self.size, self.blueprint, width = size, Blueprint(), size.width
        self.blueprint.weight("stem.weight", inputs, width)
        self.blueprint.declare("stem.bias", width)
        self.blueprint.declare("stem.place", LONGEST, width, spread=PLACE_SPREAD)
        self.encoder = encoders.build(encoder, self.blueprint, size)
        self.blueprint.declare("final.gain", width, mean=1.0)
        self.blueprint.declare("pooling.query", width, spread=width**-0.5)
        self.blueprint.weight("head.weight", width, 1, gain=0.3)
        self.blueprint.declare("head.bias", 1)

    def forward(
        self,
        x: Tensor,  # (E, B, T, C)
        mask: Tensor,  # (E, B, T) bool
        through: Forward,
    ) -> Tensor:  # (E, B)
        """The logit of each clip of each lane."""
        weights, forms = through.weights, through.forms
        hidden = forms.linear(x, weights["stem.weight"], weights["stem.bias"])
        hidden = hidden + weights["stem.place"][:, None, -x.shape[2] :]
        hidden = self.encoder.forward(through.dropout(hidden), mask, through)
        hidden = forms.rms_norm(hidden, FINAL_EPSILON) * weights["final.gain"][:, None, None]
        pooled = pool(hidden, mask, weights["pooling.query"], through.poolings)
        return forms.linear(pooled, weights["head.weight"], weights["head.bias"])[..., 0]
