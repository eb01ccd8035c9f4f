"""The mLSTM's matrix memory: attention whose weights decay by learned gates, stabilised.

Beck et al. 2024, equations 19 to 27. Reference: its recurrence; fast: its parallel form (NX-AI/xlstm,
mlstm/backends.py), quadratic in the steps. The scale m only keeps numbers in range: no gradient flows
through it.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

EPSILON = 1e-6


def reference_mlstm(
    q: Tensor,  # (E, B, T, H, K)
    k: Tensor,  # (E, B, T, H, K)
    v: Tensor,  # (E, B, T, H, V)
    gates: Tensor,  # (E, B, T, 2, H): log of the input gate, and the forget gate before its sigmoid
    mask: Tensor,  # (E, B, T) bool, true where valid
) -> Tensor:  # (E, B, T, H, V), zero where not valid
    """The recurrence itself, step by step; a step that is not valid leaves everything as it was."""
    enter, forget = gates.unbind(3)
    memory = torch.zeros_like(k[:, :, 0, :, :, None] * v[:, :, 0, :, None])
    norm, m = torch.zeros_like(k[:, :, 0]), torch.full_like(enter[:, :, 0], -torch.inf)
    outputs: list[Tensor] = []
    for t in range(q.shape[2]):
        valid = mask[:, :, t, None]
        remembered = logsigmoid(forget[:, :, t]) + m
        scale = torch.maximum(remembered, enter[:, :, t]).detach()
        keep, write = (torch.exp(gate - scale)[..., None] for gate in (remembered, enter[:, :, t]))
        key = k[:, :, t] * k.shape[-1] ** -0.5
        written = keep[..., None] * memory + (write * key)[..., None] * v[:, :, t, :, None]
        memory = torch.where(valid[..., None, None], written, memory)
        norm = torch.where(valid[..., None], keep * norm + write * key, norm)
        m = torch.where(valid, scale, m)
        size = torch.maximum((norm * q[:, :, t]).sum(-1).abs(), torch.exp(-scale)) + EPSILON
        read = (memory * q[:, :, t, ..., None]).sum(-2) / size[..., None]
        outputs.append(torch.where(valid[..., None], read, torch.zeros_like(read)))
    return torch.stack(outputs, 2)


def mlstm(q: Tensor, k: Tensor, v: Tensor, gates: Tensor, mask: Tensor) -> Tensor:
    """`reference_mlstm` in parallel over all pairs of steps, its gradient written out; in float32 at least."""
    wide = [x if x.dtype == torch.float64 else x.float() for x in (q, k, v, gates)]
    read: Tensor = _Parallel.apply(*wide, mask)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return read.to(q.dtype)


class _Parallel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        q, k, v, gates, mask = inputs
        queries, keys, values = (x.transpose(2, 3).contiguous() for x in (q, k, v))
        decay, scale = _decay(gates, mask)
        weights = _products(queries, keys).mul_(decay).mul_(q.shape[-1] ** -0.5)
        sums, least = weights.sum(-1), torch.exp(-scale)
        size = torch.maximum(sums.abs(), least).add_(EPSILON)
        read = (weights.flatten(0, 2) @ values.flatten(0, 2)).view_as(values).div_(size[..., None])
        slope = torch.where(sums.abs() >= least, sums.sign(), 0)
        ctx.save_for_backward(queries, keys, values, decay, weights, size, slope, read, gates[:, :, :, 1])
        return read.transpose(2, 3)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, decay, weights, size, slope, read, forget = ctx.saved_tensors
        dread = upstream.transpose(2, 3) / size[..., None]
        dsums = (dread * read).sum(-1).neg_().mul_(slope)
        dweights = _products(dread, values).add_(dsums[..., None])
        dvalues = (weights.flatten(0, 2).mT @ dread.flatten(0, 2)).view_as(values)
        dlog = dweights * weights
        dscores = dweights.mul_(decay).mul_(queries.shape[-1] ** -0.5).flatten(0, 2)
        dqueries = (dscores @ keys.flatten(0, 2)).view_as(queries)
        dkeys = (dscores.mT @ queries.flatten(0, 2)).view_as(keys)
        # A forget gate at step j decays the pairs that reach across it: later queries, earlier keys.
        across = dlog.tril(-1)
        dforget = (across.sum(-1) - across.sum(-2)).flip(-1).cumsum(-1).flip(-1) * torch.sigmoid(
            -forget.transpose(2, 3)
        )
        return (
            *(x.transpose(2, 3) for x in (dqueries, dkeys, dvalues)),
            torch.stack([dlog.sum(-2), dforget], 2).permute(0, 1, 4, 2, 3),
            None,
        )


def _products(rows: Tensor, columns: Tensor) -> Tensor:
    """All scalar products of two sequences' vectors: (E, B, H, T, K) twice to (E, B, H, T, T)."""
    steps = rows.shape[-2]
    return torch.bmm(rows.flatten(0, 2), columns.flatten(0, 2).mT).view(*rows.shape[:3], steps, steps)


def _decay(gates: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Each pair's weight exp(sum of log f between + i - m), (E, B, H, T, T), and the scale m, (E, B, H, T).

    The sums are differences of running sums, so they are taken in double precision.
    """
    enter, forget = gates.unbind(3)
    running = logsigmoid(forget).double().cumsum(2).transpose(2, 3)
    logs = (running[..., None] - (running - enter.transpose(2, 3))[..., None, :]).to(enter.dtype)
    steps = torch.arange(enter.shape[2], device=enter.device)
    pairs = (steps[:, None] >= steps) & mask[:, :, None, :, None] & mask[:, :, None, None]
    logs = logs.masked_fill(~pairs, -torch.inf)
    scale = logs.amax(-1)
    scale = scale.masked_fill(~mask[:, :, None], 0)
    return torch.exp(logs.sub_(scale[..., None])), scale
