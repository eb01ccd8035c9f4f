"""Hybrid retention-Mamba over time: blocks of RetNet at even layers, of BiMamba at odd ones."""

from torch import Tensor

from kernels.encoders import bimamba, retnet
from kernels.forward import Encoder, Forward, Size
from kernels.parameters import Blueprint


class Hybrid:
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
        name = f"hybrid.{layer}"
        if layer % 2:
            return bimamba.Block(blueprint, name, size.width)
        return retnet.Block(blueprint, name, size.width, size.heads)
