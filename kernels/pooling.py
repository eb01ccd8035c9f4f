"""From a clip's steps to one vector: attention, mean, last or max, chosen lane by lane."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kernels.wiring import POOLINGS


def one_hot(names: Sequence[str]) -> Tensor:
    """The choice of each lane as rows over `wiring.POOLINGS`, (E, 4)."""
    return torch.tensor([[float(name == choice) for choice in POOLINGS] for name in names])


def pool(
    x: Tensor,  # (E, B, T, D)
    mask: Tensor,  # (E, B, T) bool: at least one valid step a clip
    query: Tensor,  # (E, D)
    chosen: Tensor,  # (E, 4): one-hot over wiring.POOLINGS
) -> Tensor:  # (E, B, D)
    """Each lane's pooling of the valid steps.

    Attention is z = sum_t a_t h_t with a = softmax_t(w h_t) (paper, appendix D). Three of the four are weighted sums,
    so a lane picks its weights and all lanes share one product; the maximum is taken beside it.
    """
    scores = (x @ query[:, None, :, None])[..., 0].masked_fill(~mask, -torch.inf)
    mean = mask.to(x.dtype) / mask.sum(-1, keepdim=True)
    place = torch.arange(1, mask.shape[-1] + 1, device=x.device)
    last = place - 1 == (mask * place).argmax(-1)[..., None]
    sums = torch.stack([torch.softmax(scores, -1), mean, last.to(x.dtype)], -1)
    weights = (sums * chosen[:, None, None, :3]).sum(-1)
    greatest = x.masked_fill(~mask[..., None], -torch.inf).amax(2)
    return (weights[..., None, :] @ x)[..., 0, :] + greatest * chosen[:, None, 3:]


def reference_pool(x: Tensor, mask: Tensor, query: Tensor, names: Sequence[str]) -> Tensor:
    """`pool`, clip by clip over its valid steps alone."""
    lanes = []
    for lane, name in enumerate(names):
        clips = zip(x[lane], mask[lane], strict=True)
        lanes.append(torch.stack([_reference_clip(clip[valid], query[lane], name) for clip, valid in clips]))
    return torch.stack(lanes)


def _reference_clip(steps: Tensor, query: Tensor, name: str) -> Tensor:
    if name == "attention":
        return torch.softmax(steps @ query, 0) @ steps
    if name == "max":
        return steps.max(0).values
    return steps.mean(0) if name == "mean" else steps[-1]
