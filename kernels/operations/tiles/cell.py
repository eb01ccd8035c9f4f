"""The sLSTM's recurrence, a program for one head of one lane over some clips, from the first step to the last.

Cells, norms and scales stay in registers from step to step. The weights' gradient, to which all clips and steps add, is
one batched product afterwards.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from kernels.operations import recurrence
from kernels.operations.tiles.functions import hyperbolic, log_sigmoid, sigmoid

BLOCK = 16  # clips of a program: the least that a product of tiles takes
PART = 16  # of a head's channels, taken at a time: a whole head's weights would not fit
WARPS = (4, 16)  # of a program, one for eight channels of a head; up to 64 of them spill no register on sm_90
PRECISION = "tf32x3"  # of the products: three of tensor cores, whose sum has float32's digits


def slstm(gates: Tensor, recurrent: Tensor, mask: Tensor) -> Tensor:
    """`operations.recurrence.reference_slstm`, computed in float32."""
    ready = (recurrence.closed(gates.float(), mask).contiguous(), recurrent.float().contiguous())
    y: Tensor = _Cell.apply(*ready)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y.to(gates.dtype)


class _Cell(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gates: Tensor, recurrent: Tensor) -> Tensor:
        *kept, y = run(gates, recurrent)
        ctx.save_for_backward(recurrent, y, *kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor]:
        recurrent, y, *kept = ctx.saved_tensors
        dgates = gradients(recurrent, upstream, *kept)
        return dgates, recurrence.recurrent_gradient(y, dgates, recurrent.shape[-1] // 4)


def run(gates: Tensor, recurrent: Tensor) -> tuple[Tensor, ...]:
    """Gates with the recurrent part (E, B, T, 4, D), and cells, norms, scales and outputs (E, B, T, D) of every step.

    Args:
        gates: (E, B, T, 4, D) float32, dense, closed where a clip has not begun.
        recurrent: (E, D, 4 K) float32, dense.
    """
    ready = torch.empty_like(gates)
    cells, norms, scales, y = (torch.empty_like(gates[:, :, :, 0]) for _ in range(4))
    forward[grid(gates, recurrent)](
        gates, recurrent, ready, cells, norms, scales, y, *sizes(gates, recurrent), **shape(recurrent)
    )
    return ready, cells, norms, scales, y


def gradients(recurrent: Tensor, upstream: Tensor, *kept: Tensor) -> Tensor:
    """The gates' gradient, (E, B, T, 4, D), from what `run` gave but for the outputs."""
    ready = kept[0]
    dgates = torch.empty_like(ready)
    backward[grid(ready, recurrent)](
        *kept, recurrent, upstream.contiguous(), dgates, *sizes(ready, recurrent), **shape(recurrent)
    )
    return dgates


def grid(gates: Tensor, recurrent: Tensor) -> tuple[int, int]:
    """Heads of all lanes, blocks of clips."""
    heads = gates.shape[-1] // (recurrent.shape[-1] // 4)
    return gates.shape[0] * heads, triton.cdiv(gates.shape[1], BLOCK)


def sizes(gates: Tensor, recurrent: Tensor) -> tuple[int, int, int, int]:
    """Clips, steps, channels and channels of a head."""
    return gates.shape[1], gates.shape[2], gates.shape[-1], recurrent.shape[-1] // 4


def shape(recurrent: Tensor) -> dict[str, Any]:
    """What a kernel is compiled for."""
    head = max(PART, triton.next_power_of_2(recurrent.shape[-1] // 4))
    return {
        "BLOCK": BLOCK,
        "HEAD": head,
        "PART": PART,
        "PRECISION": PRECISION,
        "num_warps": min(max(WARPS[0], head // 8), WARPS[1]),
    }


def warps(head: int) -> int:
    """Warps of a program for a head of so many channels."""
    return min(max(WARPS[0], head // 8), WARPS[1])


@triton.jit
def forward(
    gates, recurrent, ready, cells, norms, scales, y, clips, steps, channels, size,
    BLOCK: tl.constexpr, HEAD: tl.constexpr, PART: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """m' = max(i, log f + m), c' = keep c + enter tanh z, n' = keep n + enter, y = sigmoid(o) c' / n'."""
    heads = channels // size
    lane, head = (tl.program_id(0) // heads).to(tl.int64), tl.program_id(0) % heads
    clip, k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, HEAD)
    real, known = clip < clips, k < size
    here = real[:, None] & known[None, :]
    first = recurrent + (lane * channels + head * size) * 4 * size
    c = tl.full([BLOCK, HEAD], 0.0, tl.float32)
    n = tl.full([BLOCK, HEAD], 0.0, tl.float32)
    m = tl.full([BLOCK, HEAD], -float("inf"), tl.float32)
    for t in range(steps):
        row = ((lane * clips + clip) * steps + t)[:, None]
        place = row * channels + head * size + k[None, :]
        wide = row * 4 * channels + head * size + k[None, :]
        i = tl.load(gates + wide, mask=here, other=0.0)
        f = tl.load(gates + wide + channels, mask=here, other=0.0)
        z = tl.load(gates + wide + 2 * channels, mask=here, other=0.0)
        o = tl.load(gates + wide + 3 * channels, mask=here, other=0.0)
        for start in range(0, size, PART):
            j = start + tl.arange(0, PART)
            before = real[:, None] & (j < size)[None, :] & (t > 0)
            last = tl.load(y + (row - 1) * channels + head * size + j[None, :], mask=before, other=0.0)
            weights, square = first + j[:, None] * 4 * size + k[None, :], (j < size)[:, None] & known[None, :]
            i = tl.dot(last, tl.load(weights, mask=square, other=0.0), i, input_precision=PRECISION)
            f = tl.dot(last, tl.load(weights + size, mask=square, other=0.0), f, input_precision=PRECISION)
            z = tl.dot(last, tl.load(weights + 2 * size, mask=square, other=0.0), z, input_precision=PRECISION)
            o = tl.dot(last, tl.load(weights + 3 * size, mask=square, other=0.0), o, input_precision=PRECISION)
        remembered = log_sigmoid(f) + m
        m = tl.maximum(i, remembered)
        enter, keep = tl.exp(i - m), tl.exp(remembered - m)
        c = keep * c + enter * hyperbolic(z)
        n = keep * n + enter
        tl.store(ready + wide, i, mask=here)
        tl.store(ready + wide + channels, f, mask=here)
        tl.store(ready + wide + 2 * channels, z, mask=here)
        tl.store(ready + wide + 3 * channels, o, mask=here)
        tl.store(cells + place, c, mask=here)
        tl.store(norms + place, n, mask=here)
        tl.store(scales + place, m, mask=here)
        tl.store(y + place, sigmoid(o) * c / n, mask=here)
        # The next step reads this one's outputs in parts, each thread what others wrote.
        tl.debug_barrier()


@triton.jit
def backward(
    ready, cells, norms, scales, recurrent, up, dgates, clips, steps, channels, size,
    BLOCK: tl.constexpr, HEAD: tl.constexpr, PART: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """The gates' gradients, from the last step to the first; no gradient flows through the scale m."""
    heads = channels // size
    lane, head = (tl.program_id(0) // heads).to(tl.int64), tl.program_id(0) % heads
    clip, k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, HEAD)
    real, known = clip < clips, k < size
    here = real[:, None] & known[None, :]
    first = recurrent + (lane * channels + head * size) * 4 * size
    dc = tl.full([BLOCK, HEAD], 0.0, tl.float32)
    dn = tl.full([BLOCK, HEAD], 0.0, tl.float32)
    for turn in range(steps):
        t = steps - 1 - turn
        row = ((lane * clips + clip) * steps + t)[:, None]
        place = row * channels + head * size + k[None, :]
        wide = row * 4 * channels + head * size + k[None, :]
        above = tl.load(up + place, mask=here, other=0.0)
        for which in range(4):
            for start in range(0, size, PART):
                j = start + tl.arange(0, PART)
                after = real[:, None] & (j < size)[None, :] & (turn > 0)
                later = (row + 1) * 4 * channels + which * channels + head * size + j[None, :]
                sent = tl.load(dgates + later, mask=after, other=0.0)
                weights, square = first + k[None, :] * 4 * size + which * size + j[:, None], (j < size)[:, None]
                turned = tl.load(weights, mask=square & known[None, :], other=0.0)
                above = tl.dot(sent, turned, above, input_precision=PRECISION)
        before = here & (t > 0)
        i = tl.load(ready + wide, mask=here, other=0.0)
        f = tl.load(ready + wide + channels, mask=here, other=0.0)
        z = hyperbolic(tl.load(ready + wide + 2 * channels, mask=here, other=0.0))
        o = sigmoid(tl.load(ready + wide + 3 * channels, mask=here, other=0.0))
        c, n = tl.load(cells + place, mask=here, other=0.0), tl.load(norms + place, mask=here, other=1.0)
        m = tl.load(scales + place, mask=here, other=0.0)
        last = tl.load(scales + place - channels, mask=before, other=-float("inf"))
        enter, keep = tl.exp(i - m), tl.exp(log_sigmoid(f) + last - m)
        ratio, part = c / n, above * o / n
        dc += part
        dn -= part * ratio
        dkeep = dc * tl.load(cells + place - channels, mask=before, other=0.0)
        dkeep += dn * tl.load(norms + place - channels, mask=before, other=0.0)
        tl.store(dgates + wide, (dc * z + dn) * enter, mask=here)
        tl.store(dgates + wide + channels, dkeep * keep * sigmoid(-f), mask=here)
        tl.store(dgates + wide + 2 * channels, dc * enter * (1 - z * z), mask=here)
        tl.store(dgates + wide + 3 * channels, above * ratio * o * (1 - o), mask=here)
        dc *= keep
        dn *= keep
        tl.debug_barrier()
