"""SwooshL and SwooshR, Zipformer's activations (paper, appendix D; k2-fsa/icefall, zipformer/scaling.py)."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SLOPE = 0.08


def reference_swoosh_l(x: Tensor) -> Tensor:
    """log(1 + exp(x - 4)) - 0.08 x - 0.035."""
    return torch.log1p(torch.exp(x - 4)) - SLOPE * x - 0.035


def reference_swoosh_r(x: Tensor) -> Tensor:
    """log(1 + exp(x - 1)) - 0.08 x - 0.313261687, which is zero at zero."""
    return torch.log1p(torch.exp(x - 1)) - SLOPE * x - 0.313261687


def swoosh_l(x: Tensor) -> Tensor:
    """`reference_swoosh_l` that keeps only x for the gradient and does not overflow."""
    y: Tensor = _Swoosh.apply(x, 4.0, 0.035)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y


def swoosh_r(x: Tensor) -> Tensor:
    """`reference_swoosh_r` that keeps only x for the gradient and does not overflow."""
    y: Tensor = _Swoosh.apply(x, 1.0, 0.313261687)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y


class _Swoosh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, shift: float, offset: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.shift = shift
        return torch.nn.functional.softplus(x - shift).add_(x, alpha=-SLOPE).sub_(offset)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return (x - ctx.shift).sigmoid_().sub_(SLOPE).mul_(upstream), None, None
