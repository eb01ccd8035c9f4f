"""The sLSTM's recurrence: memory cells with exponential gates, stabilised, whose heads feed back on themselves.

Beck et al. 2024, equations 8 to 18; NX-AI/xlstm, slstm/src/vanilla/slstm.py. With gates i, f, z, o = w x + R y[t-1],
all four before their functions, and log f = log sigmoid(f):

    m' = max(i, log f + m)      enter = exp(i - m')      keep = exp(log f + m - m')
    c' = keep c + enter tanh z      n' = keep n + enter      y = sigmoid(o) c' / n'

m only scales c and n, whose ratio it leaves alone, so no gradient flows through it.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

from kernels.operations import compiled, tiled

CLOSED = -1e30  # of an input gate before a clip's first step: whatever came before is forgotten whole there


def reference_slstm(
    gates: Tensor,  # (E, B, T, 4, D): w x + bias for i, f, z, o
    recurrent: Tensor,  # (E, D, 4 K): from each channel to the K channels of its own head, gate by gate
    mask: Tensor,  # (E, B, T) bool, true where valid
) -> Tensor:  # (E, B, T, D), zero where not valid
    """The recurrence itself, step by step; a step that is not valid leaves everything as it was."""
    size = recurrent.shape[-1] // 4
    y, c, n = (torch.zeros_like(gates[:, :, 0, 0]) for _ in range(3))
    m = torch.full_like(y, -torch.inf)
    outputs: list[Tensor] = []
    for t in range(gates.shape[2]):
        valid = mask[:, :, t, None]
        i, f, z, o = (gates[:, :, t] + _feedback(y, recurrent, size)).unbind(2)
        scale = torch.maximum(i, logsigmoid(f) + m).detach()
        enter, keep = torch.exp(i - scale), torch.exp(logsigmoid(f) + m - scale)
        c, n = torch.where(valid, keep * c + enter * torch.tanh(z), c), torch.where(valid, keep * n + enter, n)
        m = torch.where(valid, scale, m)
        y = torch.where(valid, torch.sigmoid(o) * c / torch.where(valid, n, 1), y)
        outputs.append(y)
    return torch.stack(outputs, 2)


def slstm(gates: Tensor, recurrent: Tensor, mask: Tensor) -> Tensor:
    """`reference_slstm` by tiles or the compiled loop, whichever there is for such tensors, else by the lean loop."""
    if tiled.usable(gates, recurrent):
        return tiled_slstm(gates, recurrent, mask)
    form = compiled_slstm if compiled.usable(gates, recurrent) else lean_slstm
    return form(gates, recurrent, mask)


def lean_slstm(gates: Tensor, recurrent: Tensor, mask: Tensor) -> Tensor:
    """`reference_slstm` with its gradient written out, one batched product over lanes and heads a step.

    The state is in float32 at least, whatever the inputs are in.
    """
    wide = [x if x.dtype == torch.float64 else x.float() for x in (closed(gates, mask), recurrent)]
    y: Tensor = _LeanCell.apply(*wide)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y.to(gates.dtype)


def compiled_slstm(gates: Tensor, recurrent: Tensor, mask: Tensor) -> Tensor:
    """`reference_slstm` by the loop in recurrences.c."""
    y: Tensor = _CompiledCell.apply(closed(gates, mask), recurrent.contiguous())  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y


def tiled_slstm(gates: Tensor, recurrent: Tensor, mask: Tensor) -> Tensor:
    """`reference_slstm` by tiles on a GPU, or by Triton's interpreter."""
    from kernels.operations.tiles import cell  # noqa: PLC0415 - imports Triton, which is optional

    return cell.slstm(gates, recurrent, mask)


def closed(gates: Tensor, mask: Tensor) -> Tensor:
    """Gates that keep the cell empty before a clip's first step: nothing is written there, so its output is zero."""
    return torch.where(mask[..., None, None], gates, _nothing(gates.dtype, gates.device))


@lru_cache(maxsize=8)
def _nothing(dtype: torch.dtype, device: torch.device) -> Tensor:
    """The gates of a step that is closed, (4, 1)."""
    return torch.tensor([CLOSED, 0.0, 0.0, 0.0], dtype=dtype, device=device)[:, None]


def _feedback(y: Tensor, recurrent: Tensor, size: int) -> Tensor:
    """R y for one step: (E, B, D) to (E, B, 4, D), head by head."""
    lanes, clips, channels = y.shape
    heads = y.view(lanes, clips, -1, size).transpose(1, 2)
    fed = heads @ recurrent.view(lanes, -1, size, 4 * size)
    return fed.view(lanes, -1, clips, 4, size).permute(0, 2, 3, 1, 4).reshape(lanes, clips, 4, channels)


def recurrent_gradient(y: Tensor, dgates: Tensor, size: int) -> Tensor:
    """Sum over clips and steps of each output times the gates' gradients one step later, (E, D, 4 K)."""
    lanes, channels = y.shape[0], y.shape[-1]
    heads = channels // size
    before = y[:, :, :-1].reshape(lanes, -1, heads, size).permute(0, 2, 3, 1)
    after = dgates[:, :, 1:].reshape(lanes, -1, 4, heads, size).permute(0, 3, 1, 2, 4)
    return (before @ after.reshape(lanes, heads, -1, 4 * size)).view(lanes, channels, 4 * size)


class _CompiledCell(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, recurrent: Tensor) -> Tensor:
        lanes, clips, steps, _, channels = gates.shape
        ctx.sizes = (lanes, clips, steps, channels, recurrent.shape[-1] // 4)
        ready = gates.clone(memory_format=torch.contiguous_format)
        cells, norms, scales, y = (torch.empty_like(ready[:, :, :, 0]) for _ in range(4))
        compiled.call("cell", ctx.sizes, ready, recurrent, cells, norms, scales, y)
        ctx.save_for_backward(ready, recurrent, cells, norms, scales, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor]:
        ready, recurrent, cells, norms, scales, y = ctx.saved_tensors
        lanes, size = ctx.sizes[0], ctx.sizes[-1]
        transposed = recurrent.view(lanes, -1, size, 4, size).permute(0, 1, 3, 4, 2).contiguous()
        dgates = torch.empty_like(ready)
        compiled.call(
            "cell_gradients", ctx.sizes, ready, transposed, cells, norms, scales, upstream.contiguous(), dgates
        )
        return dgates, recurrent_gradient(y, dgates, size)


class _LeanCell(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, recurrent: Tensor) -> Tensor:
        ctx.size = recurrent.shape[-1] // 4
        y, c, n = (torch.zeros_like(gates[:, :, 0, 0]) for _ in range(3))
        m = torch.full_like(y, -torch.inf)
        outputs, kept = [], [torch.stack([c, n])]
        shares: list[Tensor] = []
        for t in range(gates.shape[2]):
            i, f, z, o = (gates[:, :, t] + _feedback(y, recurrent, ctx.size)).unbind(2)
            remembered = logsigmoid(f) + m
            m = torch.maximum(i, remembered)
            enter, keep = torch.exp(i - m), torch.exp(remembered - m)
            z, o = torch.tanh(z), torch.sigmoid(o)
            c, n = keep * c + enter * z, keep * n + enter
            y = o * c / n
            outputs.append(y)
            kept.append(torch.stack([c, n]))
            shares.append(torch.stack([enter, keep, torch.sigmoid(-f), z, o]))
        ctx.steps, together = gates.shape[2], torch.stack(outputs, 2)
        ctx.save_for_backward(recurrent, together, *kept, *shares)
        return together

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor]:
        recurrent, y, *saved = ctx.saved_tensors
        kept, shares = saved[: ctx.steps + 1], saved[ctx.steps + 1 :]
        dgates: list[Tensor] = []
        back, dc, dn = (torch.zeros_like(y[:, :, 0]) for _ in range(3))
        for t in reversed(range(ctx.steps)):
            (enter, keep, forget, z, o), (c, n) = shares[t], kept[t + 1]
            up, ratio = upstream[:, :, t] + back, c / n
            part = up * o / n
            dc, dn = dc + part, dn - part * ratio
            dkeep = (dc * kept[t][0] + dn * kept[t][1]) * keep * forget
            dgate = [(dc * z + dn) * enter, dkeep, dc * enter * (1 - z * z), up * ratio * o * (1 - o)]
            dgates.append(torch.stack(dgate, 2))
            dc, dn = dc * keep, dn * keep
            back = _fed_back(dgates[-1], recurrent, ctx.size)
        together = torch.stack(dgates[::-1], 2)
        return together, recurrent_gradient(y, together, ctx.size)


def _fed_back(dgates: Tensor, recurrent: Tensor, size: int) -> Tensor:
    """The gradient of `_feedback` by y: (E, B, 4, D) to (E, B, D)."""
    lanes, clips, _, channels = dgates.shape
    heads = dgates.view(lanes, clips, 4, -1, size).permute(0, 3, 1, 2, 4).reshape(lanes, -1, clips, 4 * size)
    fed = heads @ recurrent.view(lanes, -1, size, 4 * size).transpose(2, 3)
    return fed.transpose(1, 2).reshape(lanes, clips, channels)
