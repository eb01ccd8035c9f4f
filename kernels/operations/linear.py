"""A linear map with its own weights in every lane."""

import torch
from torch import Tensor


def linear(
    x: Tensor,  # (E, ..., I)
    weight: Tensor,  # (E, I, O)
    bias: Tensor | None = None,  # (E, O)
) -> Tensor:  # (E, ..., O)
    """x W + b, one batched product over the lanes."""
    rows = x.reshape(x.shape[0], -1, x.shape[-1])
    mapped = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias[:, None], rows, weight)
    return mapped.view(*x.shape[:-1], weight.shape[-1])


def reference_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The same, lane by lane."""
    lanes = [lane @ matrix for lane, matrix in zip(x, weight, strict=True)]
    if bias is not None:
        lanes = [lane + offset for lane, offset in zip(lanes, bias, strict=True)]
    return torch.stack(lanes)
