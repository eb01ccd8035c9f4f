"""Linear maps with their own weights in every lane: whole, or in blocks of neighbouring channels."""

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


def blockwise(
    x: Tensor,  # (E, ..., D)
    weight: Tensor,  # (E, D, K): from each channel to the K channels of its own block
) -> Tensor:  # (E, ..., D)
    """x W with W zero outside its K by K blocks; written out with its zeros, it is one product."""
    channels, size = weight.shape[1:]
    place = torch.arange(channels, device=x.device) // size
    return linear(x, weight.repeat(1, 1, channels // size) * (place[:, None] == place))


def reference_blockwise(x: Tensor, weight: Tensor) -> Tensor:
    """The same, block by block."""
    size = weight.shape[2]
    blocks = zip(torch.split(x, size, -1), torch.split(weight, size, 1), strict=True)
    return torch.cat([reference_linear(part, block) for part, block in blocks], -1)
