"""Self-attention with a learned bias for each distance in time."""

from functools import lru_cache

import torch
from torch import Tensor


def reference_attention(
    q: Tensor,  # (E, B, T, H, K)
    k: Tensor,  # (E, B, T, H, K)
    v: Tensor,  # (E, B, T, H, V)
    bias: Tensor,  # (E, H, 2 R - 1): of distances 1 - R to R - 1
    mask: Tensor,  # (E, B, T) bool
) -> Tensor:  # (E, B, T, H, V)
    """Each query's softmax over the valid steps of q k / sqrt(K) + bias[key - query], one query at a time."""
    middle = bias.shape[-1] // 2
    outputs = []
    for t in range(q.shape[2]):
        scores = (q[:, :, t, None] * k).sum(-1) * q.shape[-1] ** -0.5
        apart = torch.arange(q.shape[2], device=q.device) - t + middle
        scores = scores + bias[:, :, apart].transpose(1, 2)[:, None]
        weights = torch.softmax(scores.masked_fill(~mask[..., None], -torch.inf), 2)
        outputs.append((weights[..., None] * v).sum(2))
    return torch.stack(outputs, 2)


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
    """`reference_attention` as two batched products.

    The bias reaches its (T, T) places by a product with zeros and ones: the gradient of a gather would add up in no
    fixed order on a GPU.
    """
    lanes, clips, steps, heads, size = q.shape
    flat = (lanes * clips * heads, steps)
    queries, keys, values = (x.transpose(2, 3).reshape(*flat, x.shape[-1]) for x in (q, k, v))
    scores = torch.bmm(queries, keys.transpose(1, 2)).view(lanes, clips, heads, steps, steps)
    places = _places(bias.shape[-1], steps, bias.dtype, bias.device)
    scores = scores * size**-0.5 + (bias @ places).view(lanes, 1, heads, steps, steps)
    weights = torch.softmax(scores.masked_fill(~mask[:, :, None, None], -torch.inf), -1)
    return torch.bmm(weights.view(*flat, steps), values).view(lanes, clips, heads, steps, -1).transpose(2, 3)


@lru_cache(maxsize=64)
def _places(distances: int, steps: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One where a distance (row) is that of a (query, key) pair (column), (distances, steps * steps)."""
    step = torch.arange(steps, device=device)
    apart = (step - step[:, None] + distances // 2).flatten()
    return (torch.arange(distances, device=device)[:, None] == apart).to(dtype)
