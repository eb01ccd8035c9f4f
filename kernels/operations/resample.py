"""Fewer steps and back: groups of steps become one weighted mean, and each mean is repeated (Zipformer's Down and Up).

Groups are counted back from the clip's end, where clips end together, so padding before a clip never shifts them.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad


def reference_downsample(
    x: Tensor,  # (E, B, T, D)
    logits: Tensor,  # (E, R): of each place in a group
    mask: Tensor,  # (E, B, T) bool
) -> tuple[Tensor, Tensor]:  # (E, B, ceil(T / R), D), (E, B, ceil(T / R)) bool
    """Each group's mean over its valid steps, weighted by softmax(logits) among them; group by group."""
    steps, size = x.shape[2], logits.shape[1]
    means: list[Tensor] = []
    valid: list[Tensor] = []
    for stop in range(steps, 0, -size):
        start = max(stop - size, 0)
        weights = logits[:, size - (stop - start) :].exp()[:, None] * mask[:, :, start:stop]
        total = weights.sum(-1, keepdim=True)
        means.insert(0, (weights[..., None] * x[:, :, start:stop]).sum(2) / torch.where(total > 0, total, 1))
        valid.insert(0, mask[:, :, start:stop].any(-1))
    return torch.stack(means, 2), torch.stack(valid, 2)


def downsample(x: Tensor, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """`reference_downsample` over all groups at once."""
    size = logits.shape[1]
    missing = -x.shape[2] % size
    groups = pad(x, (0, 0, missing, 0)).view(*x.shape[:2], -1, size, x.shape[3])
    inside = pad(mask, (missing, 0)).view(*mask.shape[:2], -1, size)
    valid = inside.any(-1)
    # A group of padding alone takes plain weights, since a softmax over nothing is not a number.
    closed = ~(inside | ~valid[..., None])
    weights = torch.softmax(logits[:, None, None].masked_fill(closed, -torch.inf), -1) * valid[..., None]
    return (weights[..., None] * groups).sum(3), valid


def upsample(x: Tensor, size: int, steps: int) -> Tensor:
    """Repeats each step of x (E, B, ceil(steps / size), D) `size` times and keeps the last `steps`."""
    return x.repeat_interleave(size, 2)[:, :, x.shape[2] * size - steps :]


def reference_upsample(x: Tensor, size: int, steps: int) -> Tensor:
    """`upsample`, step by step."""
    groups = x.shape[2]
    return torch.stack([x[:, :, groups - 1 - (steps - 1 - t) // size] for t in range(steps)], 2)
