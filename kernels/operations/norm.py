"""Normalisations over the last axis: BiasNorm (Zipformer), root mean square (RetNet) and layer norm, without gain."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-8  # inside the mean: rows of padding are all zero, and the original has none


def reference_bias_norm(
    x: Tensor,  # (E, B, T, D)
    bias: Tensor,  # (E, D)
    log_scale: Tensor,  # (E, 1)
) -> Tensor:  # (E, B, T, D)
    """x / RMS(x - b) * exp(g): paper, appendix D; k2-fsa/icefall, zipformer/scaling.py, BiasNorm."""
    centred = x - bias[:, None, None]
    return x * (centred.square().mean(-1, keepdim=True) + EPSILON) ** -0.5 * log_scale[:, None, None].exp()


def bias_norm(x: Tensor, bias: Tensor, log_scale: Tensor) -> Tensor:
    """`reference_bias_norm` with its gradient written out, so that only x and one scale a row are kept."""
    normed: Tensor = _BiasNorm.apply(x, bias[:, None, None], log_scale[:, None, None])  # type: ignore[no-untyped-call] # torch leaves it untyped
    return normed


class _BiasNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, log_scale: Tensor) -> Tensor:
        inverse = (x - bias).square().mean(-1, keepdim=True).add_(EPSILON).rsqrt_()
        gain = log_scale.exp()
        ctx.save_for_backward(x, bias, inverse, gain)
        return x * (inverse * gain)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, bias, inverse, gain = ctx.saved_tensors
        scale = inverse * gain
        along = (upstream * x).sum(-1, keepdim=True)
        pull = (x - bias).mul_(along * scale * inverse.square() / x.shape[-1])
        return upstream * scale - pull, pull.sum((1, 2), keepdim=True), (along * scale).sum((1, 2), keepdim=True)


def reference_rms_norm(x: Tensor, epsilon: float) -> Tensor:
    """x / sqrt(mean(x^2) + epsilon) over the last axis, without gain."""
    return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()


def rms_norm(x: Tensor, epsilon: float) -> Tensor:
    """`reference_rms_norm` with its gradient written out."""
    normed: Tensor = _RmsNorm.apply(x, epsilon)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return normed


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        inverse = x.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        normed = x * inverse
        ctx.save_for_backward(normed, inverse)
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        normed, inverse = ctx.saved_tensors
        along = (upstream * normed).mean(-1, keepdim=True)
        return (upstream - normed * along) * inverse, None


def reference_layer_norm(x: Tensor, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) over the last axis, without gain."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + epsilon).sqrt()


def layer_norm(x: Tensor, epsilon: float) -> Tensor:
    """`reference_layer_norm` by torch's own."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=epsilon)
