"""What a part of the network is told in a pass, and what an encoder is: shared by the network and its encoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from kernels.operations.forms import FAST, Forms


def unchanged(x: Tensor) -> Tensor:
    """The dropout of evaluation: none."""
    return x


@dataclass(frozen=True)
class Forward:
    """What one pass through the network needs beside its input: parameters (E, ...), progress, poolings and dropout.

    `progress` (E,) is the share of each lane's training that has been done, 0 to 1: Zipformer's bypass opens with it,
    and a trained network is scored at the progress it was kept at. `poolings` (E, 4) is one-hot over `wiring.POOLINGS`.
    """

    weights: Mapping[str, Tensor]
    progress: Tensor
    poolings: Tensor
    dropout: Callable[[Tensor], Tensor] = unchanged
    forms: Forms = FAST


@dataclass(frozen=True)
class Size:
    """How large a network is: channels of a step, layers, and heads of each layer."""

    width: int
    layers: int
    heads: int


class Encoder(Protocol):
    """Mixes each clip's steps."""

    def forward(self, x: Tensor, mask: Tensor, through: Forward) -> Tensor:
        """x (E, B, T, D) with mask (E, B, T), true where valid, to (E, B, T, D).

        What x holds where it is not valid is left open, and must change no valid step.
        """
