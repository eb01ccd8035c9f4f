"""Retention, RetNet's attention with exponential decay in place of a softmax, and its rotary positions."""

from functools import lru_cache
from math import log2

import torch
from torch import Tensor


def decays(heads: int) -> list[float]:
    """Decay of each head, 1 - 2^-(5 + h) (Sun et al. 2023; microsoft/torchscale, RetNetRelPos)."""
    return [1 - 2.0 ** -(5 + head) for head in range(heads)]


def reference_retention(
    q: Tensor,  # (E, B, T, H, K)
    k: Tensor,  # (E, B, T, H, K)
    v: Tensor,  # (E, B, T, H, V)
) -> Tensor:  # (E, B, T, H, V)
    """S[t] = gamma S[t-1] + k[t] v[t]^T, o[t] = q[t] S[t] / sqrt(K): the recurrence itself, step by step."""
    gamma = torch.tensor(decays(q.shape[3]), dtype=q.dtype, device=q.device)[:, None, None]
    state = torch.zeros(*q.shape[:2], *q.shape[3:], v.shape[-1], dtype=q.dtype, device=q.device)
    outputs = []
    for t in range(q.shape[2]):
        state = gamma * state + k[:, :, t, :, :, None] * v[:, :, t, :, None, :]
        outputs.append((q[:, :, t, :, :, None] * state).sum(-2) * q.shape[-1] ** -0.5)
    return torch.stack(outputs, 2)


def retention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`reference_retention` in its quadratic form, (Q K^T / sqrt K) * D V with D[n, m] = gamma^(n - m) for n >= m.

    The fastest form for clips of up to 64 steps: the recurrence is some sixty times slower there.
    """
    lanes, clips, steps, heads, size = q.shape
    flat = (lanes * clips * heads, steps)
    queries, keys, values = (x.transpose(2, 3).reshape(*flat, x.shape[-1]) for x in (q, k, v))
    scores = torch.bmm(queries, keys.transpose(1, 2)).view(lanes * clips, heads, steps, steps)
    weights = scores * _decay_matrix(heads, steps, size, q.dtype, q.device)
    mixed = torch.bmm(weights.view(*flat, steps), values)
    return mixed.view(lanes, clips, heads, steps, -1).transpose(2, 3)


@lru_cache(maxsize=64)
def _decay_matrix(heads: int, steps: int, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """gamma^(n - m) / sqrt(size) for n >= m, else 0: (H, T, T)."""
    exact = torch.promote_types(dtype, torch.float32)
    place = torch.arange(steps, device=device, dtype=exact)
    apart = place[:, None] - place
    rate = torch.tensor([log2(gamma) for gamma in decays(heads)], device=device, dtype=exact)
    decay: Tensor = torch.exp2(rate[:, None, None] * apart).masked_fill(apart < 0, 0.0) * size**-0.5
    return decay.to(dtype)


def reference_rotate(
    x: Tensor,  # (E, B, T, H, K), K even
) -> Tensor:  # (E, B, T, H, K)
    """Turns each pair of neighbouring channels by its angle times the position, counted back from the clip's end.

    Angles 10000^-linspace(0, 1, K / 2), as in torchscale; a product of two turned vectors depends on their distance.
    """
    turn = _turn(x.shape[2], x.shape[-1] // 2, x.device)
    cos, sin = torch.cos(turn).to(x.dtype), torch.sin(turn).to(x.dtype)
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack([first * cos - second * sin, first * sin + second * cos], -1).flatten(-2)


def rotate(x: Tensor) -> Tensor:
    """`reference_rotate` as one product of complex numbers, in float32 at least."""
    exact = torch.promote_types(x.dtype, torch.float32)
    pairs = torch.view_as_complex(x.to(exact).reshape(*x.shape[:-1], -1, 2))
    turn = _turn(x.shape[2], x.shape[-1] // 2, x.device).to(exact)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(turn), turn)).flatten(-2).to(x.dtype)


def _turn(steps: int, pairs: int, device: torch.device) -> Tensor:
    """The angle of each step and pair, (T, 1, K / 2), in double precision."""
    angle = 10000 ** -torch.linspace(0, 1, pairs, dtype=torch.float64, device=device)
    return torch.arange(1 - steps, 1, dtype=torch.float64, device=device)[:, None, None] * angle
