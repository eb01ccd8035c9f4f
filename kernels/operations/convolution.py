"""Depthwise convolution over time, in the layout (E, B, T, D) that everything else has."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad


def reference_depthwise(
    x: Tensor,  # (E, B, T, D)
    kernel: Tensor,  # (E, K, D)
    back: int,  # steps that are reached back, 0 to K - 1; K - 1 - back are reached ahead
) -> Tensor:  # (E, B, T, D)
    """y[t] = sum_k kernel[k] * x[t + k - back], zero outside the clip: one sum at a time."""
    steps, taps = x.shape[2], kernel.shape[1]
    rows = []
    for t in range(steps):
        reached = [(k, t + k - back) for k in range(taps) if 0 <= t + k - back < steps]
        rows.append(sum((x[:, :, s] * kernel[:, k, None] for k, s in reached), torch.zeros_like(x[:, :, 0])))
    return torch.stack(rows, 2)


def depthwise(x: Tensor, kernel: Tensor, back: int) -> Tensor:
    """`reference_depthwise` as K shifted products; autograd through the shifts would fill K zero tensors."""
    y: Tensor = _Depthwise.apply(x, kernel, back)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, back: int) -> Tensor:
        wide = pad(x, (0, 0, back, kernel.shape[1] - 1 - back))
        ctx.back = back
        ctx.save_for_backward(wide, kernel)
        return _shifted_sum(wide, kernel, x.shape[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        wide, kernel = ctx.saved_tensors
        steps = upstream.shape[2]
        taps = [(wide[:, :, k : k + steps] * upstream).sum((1, 2)) for k in range(kernel.shape[1])]
        mirrored = pad(upstream, (0, 0, kernel.shape[1] - 1 - ctx.back, ctx.back))
        return _shifted_sum(mirrored, kernel.flip(1), steps), torch.stack(taps, 1), None


def _shifted_sum(wide: Tensor, kernel: Tensor, steps: int) -> Tensor:
    total = wide[:, :, :steps] * kernel[:, None, None, 0]
    for k in range(1, kernel.shape[1]):
        total.addcmul_(wide[:, :, k : k + steps], kernel[:, None, None, k])
    return total
