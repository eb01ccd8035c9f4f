"""The selective scan over both directions in one launch, a program for some channels of one clip of one direction.

A state for each channel and place lives in registers. On the way forwards it is written down once every `CHUNK` steps;
on the way back each chunk is lived through again from there, so nothing of the size of all states is ever kept. What
several programs add to (the gradients by a, b and c) is written apart and summed afterwards in a fixed order, never by
atomic additions, which would change last bits from run to run.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from kernels.operations.tiles.functions import less_one

CHUNK = 4  # steps between two written states
BLOCK = 8  # channels of a program; twice as many spill registers on sm_90
WARPS = 1  # so that no sum crosses warps


def both(discretization: str, *inputs: Tensor) -> tuple[Tensor, Tensor]:
    """`operations.scan.both`, of u, delta, a, b, c of the one side and then of the other; computed in float32."""
    ready = [x.float().contiguous() for x in inputs]
    forward, backward = _Both.apply(discretization == "zoh", *ready)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return forward.to(inputs[0].dtype), backward.to(inputs[0].dtype)


class _Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, held: bool, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        u, a = inputs[0], inputs[2]
        lanes, clips, steps, channels = u.shape
        ctx.chunks, ctx.held = triton.cdiv(steps, CHUNK), held
        marks = u.new_empty(2, lanes * clips, ctx.chunks, a.shape[1], channels)
        y = torch.empty_like(u), torch.empty_like(u)
        live[grid(u)](*inputs, *y, *marks, *sizes(u, a), ctx.chunks, **shape(a, held))
        ctx.save_for_backward(*inputs, marks)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, marks = ctx.saved_tensors
        u, a = inputs[0], inputs[2]
        lanes, clips, steps, channels = u.shape
        states, blocks = a.shape[1], triton.cdiv(channels, BLOCK)
        du, ddelta = (u.new_empty(2, *u.shape) for _ in range(2))
        da = u.new_empty(2, lanes, clips, states, channels)
        db, dc = (u.new_empty(2, blocks, lanes, clips, steps, states) for _ in range(2))
        relive[grid(u)](
            *inputs,
            *(up.contiguous() for up in upstream),
            *marks,
            *(side for both in (du, ddelta, da, db, dc) for side in both),
            *sizes(u, a),
            ctx.chunks,
            **shape(a, ctx.held),
        )
        summed = [(du[n], ddelta[n], da[n].sum(1), db[n].sum(0), dc[n].sum(0)) for n in range(2)]
        return None, *summed[0], *summed[1]


def grid(u: Tensor) -> tuple[int, int, int]:
    """Clips of all lanes, blocks of channels, directions."""
    return u.shape[0] * u.shape[1], triton.cdiv(u.shape[3], BLOCK), 2


def sizes(u: Tensor, a: Tensor) -> tuple[int, int, int, int]:
    """Clips, steps, channels and states."""
    return u.shape[1], u.shape[2], u.shape[3], a.shape[1]


def shape(a: Tensor, held: bool) -> dict[str, Any]:
    """What a kernel is compiled for."""
    return {
        "HELD": held,
        "CHUNK": CHUNK,
        "BLOCK": BLOCK,
        "STATES": triton.next_power_of_2(a.shape[1]),
        "num_warps": WARPS,
    }


@triton.jit
def live(
    u0, delta0, a0, b0, c0, u1, delta1, a1, b1, c1, y0, y1, marks0, marks1, clips, steps, channels, states, chunks,
    HELD: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr,
):  # fmt: skip
    """Every step's output, and the state before each chunk."""
    if tl.program_id(2) == 0:
        _live(u0, delta0, a0, b0, c0, y0, marks0, clips, steps, channels, states, chunks,
              False, HELD, CHUNK, BLOCK, STATES)  # fmt: skip
    else:
        _live(u1, delta1, a1, b1, c1, y1, marks1, clips, steps, channels, states, chunks,
              True, HELD, CHUNK, BLOCK, STATES)  # fmt: skip


@triton.jit
def _live(
    u, delta, a, b, c, y, marks, clips, steps, channels, states, chunks,
    TURNED: tl.constexpr, HELD: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr,
):  # fmt: skip
    clip = tl.program_id(0).to(tl.int64)
    d, n = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, STATES)
    real, known = d < channels, n < states
    whole, tile = known[:, None] & real[None, :], n[:, None] * channels + d[None, :]
    rate = tl.load(a + clip // clips * states * channels + tile, mask=whole, other=-1.0)
    state = tl.full([STATES, BLOCK], 0.0, tl.float32)
    for chunk in range(chunks):
        tl.store(marks + (clip * chunks + chunk) * states * channels + tile, state, mask=whole)
        for s in range(CHUNK):
            step = chunk * CHUNK + s
            taken = step < steps
            row = clip * steps + (steps - 1 - step if TURNED else step)
            here = real & taken
            width = tl.load(delta + row * channels + d, mask=here, other=0.0)
            fed = _fed(u, b, row, d, n, channels, states, here, known & taken)
            keep, gain = _keep(width, rate, HELD)
            state = keep * state + gain * fed
            into = tl.load(c + row * states + n, mask=known & taken, other=0.0)
            tl.store(y + row * channels + d, tl.sum(into[:, None] * state, 0), mask=here)


@triton.jit
def relive(
    u0, delta0, a0, b0, c0, u1, delta1, a1, b1, c1, up0, up1, marks0, marks1,
    du0, du1, ddelta0, ddelta1, da0, da1, db0, db1, dc0, dc1, clips, steps, channels, states, chunks,
    HELD: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr,
):  # fmt: skip
    """Every gradient: by u and delta whole, by a for each clip, by b and c for each block of channels."""
    if tl.program_id(2) == 0:
        _relive(u0, delta0, a0, b0, c0, up0, marks0, du0, ddelta0, da0, db0, dc0, clips, steps, channels, states,
                chunks, False, HELD, CHUNK, BLOCK, STATES)  # fmt: skip
    else:
        _relive(u1, delta1, a1, b1, c1, up1, marks1, du1, ddelta1, da1, db1, dc1, clips, steps, channels, states,
                chunks, True, HELD, CHUNK, BLOCK, STATES)  # fmt: skip


@triton.jit
def _relive(
    u, delta, a, b, c, up, marks, du, ddelta, da, db, dc, clips, steps, channels, states, chunks,
    TURNED: tl.constexpr, HELD: tl.constexpr, CHUNK: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr,
):  # fmt: skip
    clip = tl.program_id(0).to(tl.int64)
    d, n = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, STATES)
    real, known = d < channels, n < states
    whole, tile = known[:, None] & real[None, :], n[:, None] * channels + d[None, :]
    rate = tl.load(a + clip // clips * states * channels + tile, mask=whole, other=-1.0)
    pull = tl.full([STATES, BLOCK], 0.0, tl.float32)
    drate = tl.full([STATES, BLOCK], 0.0, tl.float32)
    apart = (tl.program_id(1) * tl.num_programs(0) + clip) * steps  # rows of the block's own part of db and dc
    for turn in range(chunks):
        chunk = chunks - 1 - turn
        state = tl.load(marks + (clip * chunks + chunk) * states * channels + tile, mask=whole, other=0.0)
        past = (state,)
        for s in tl.static_range(CHUNK):
            step = chunk * CHUNK + s
            taken = step < steps
            row = clip * steps + (steps - 1 - step if TURNED else step)
            width = tl.load(delta + row * channels + d, mask=real & taken, other=0.0)
            keep, gain = _keep(width, rate, HELD)
            state = keep * state + gain * _fed(u, b, row, d, n, channels, states, real & taken, known & taken)
            past = past + (state,)  # type: ignore[assignment] # it grows while the compiler unrolls
        for back in tl.static_range(CHUNK):
            step = chunk * CHUNK + CHUNK - 1 - back
            taken = step < steps
            t = steps - 1 - step if TURNED else step
            row = clip * steps + t
            here, there = real & taken, known & taken
            value = tl.load(u + row * channels + d, mask=here, other=0.0)
            width = tl.load(delta + row * channels + d, mask=here, other=0.0)
            above = tl.load(up + row * channels + d, mask=here, other=0.0)
            into = tl.load(b + row * states + n, mask=there, other=0.0)
            out = tl.load(c + row * states + n, mask=there, other=0.0)
            keep, gain = _keep(width, rate, HELD)
            tl.store(dc + (apart + t) * states + n, tl.sum(past[CHUNK - back] * above[None, :], 1), mask=there)
            pull += out[:, None] * above[None, :]
            fed, kept, entered = into[:, None] * value[None, :], keep * past[CHUNK - 1 - back], pull * gain
            tl.store(du + row * channels + d, tl.sum(into[:, None] * entered, 0), mask=here)
            tl.store(db + (apart + t) * states + n, tl.sum(entered * value[None, :], 1), mask=there)
            slope = pull * ((keep * fed if HELD else fed) + kept * rate)
            tl.store(ddelta + row * channels + d, tl.sum(slope, 0), mask=here)
            drate += pull * (kept * width[None, :] + fed * _bend(width, rate, keep, gain, HELD))
            pull = pull * keep
    tl.store(da + clip * states * channels + tile, drate, mask=whole)


@triton.jit
def _fed(u, b, row, d, n, channels, states, here, there):
    """b u of one step, (STATES, BLOCK)."""
    value = tl.load(u + row * channels + d, mask=here, other=0.0)
    into = tl.load(b + row * states + n, mask=there, other=0.0)
    return into[:, None] * value[None, :]


@triton.jit
def _keep(width, rate, HELD: tl.constexpr):
    """exp(delta a), and how much of b u enters; a step of no width keeps all and takes in nothing."""
    x = width[None, :] * rate
    keep = tl.exp(x)
    return keep, less_one(x, keep) / rate if HELD else width[None, :] + 0.0 * rate


@triton.jit
def _bend(width, rate, keep, gain, HELD: tl.constexpr):
    """d gain / d a = (delta exp(delta a) - gain) / a, near zero from its series (see `operations.scan`)."""
    x = width[None, :] * rate
    near = tl.maximum(x, -0.1)
    series = (((near * (1 / 144) + 1 / 30) * near + 1 / 8) * near + 1 / 3) * near + 1 / 2
    far = (width[None, :] * keep - gain) / rate
    bend = tl.where(x > -0.1, series * width[None, :] * width[None, :], far)
    return bend if HELD else 0.0 * bend
