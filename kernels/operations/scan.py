"""The selective scan of a diagonal state space (Mamba): reference, lean loop, compiled loop, and tiles for both ways.

h[t] = exp(delta a) h[t-1] + gain b[t] u[t] and y[t] = c[t] h[t], for every channel d and state n, where delta, u belong
to a channel and b, c to a state. By zero-order hold gain = (exp(delta a) - 1) / a (paper, appendix D.3; Gu and Dao
2023); by Euler's rule, that of the published implementation, gain = delta (state-spaces/mamba, selective_scan_ref).
"""

from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from kernels.operations import compiled, tiled

Direction = Literal["forward", "backward"]
Discretization = Literal["zoh", "euler"]


class Scan(Protocol):
    """The signature of every form."""

    def __call__(
        self,
        u: Tensor,
        delta: Tensor,
        a: Tensor,
        b: Tensor,
        c: Tensor,
        *,
        direction: Direction = "forward",
        discretization: Discretization = "zoh",
    ) -> Tensor:
        """As `reference_scan`."""


Side = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""u, delta, a, b, c of one direction."""


class Both(Protocol):
    """The signature of every form of a scan in both directions."""

    def __call__(
        self, forwards: Side, backwards: Side, *, discretization: Discretization = "zoh"
    ) -> tuple[Tensor, Tensor]:
        """As `reference_both`."""


NEAR = 0.1  # |delta a| below which a difference of close numbers is taken from its series instead
# Of x in (x exp(x) - exp(x) + 1) / x^2 = sum (k + 1) / (k + 2)! x^k.
SERIES = (1 / 2, 1 / 3, 1 / 8, 1 / 30, 1 / 144)


def reference_scan(
    u: Tensor,  # (E, B, T, D)
    delta: Tensor,  # (E, B, T, D), positive
    a: Tensor,  # (E, N, D), negative
    b: Tensor,  # (E, B, T, N)
    c: Tensor,  # (E, B, T, N)
    *,
    direction: Direction = "forward",
    discretization: Discretization = "zoh",
) -> Tensor:  # (E, B, T, D)
    """The recurrence itself, step by step, from the first step on or from the last one back."""
    state = torch.zeros_like(u[:, :, 0, None] * a[:, None])
    outputs: list[Tensor] = []
    for t in _order(u.shape[2], direction):
        keep = torch.exp(delta[:, :, t, None] * a[:, None])
        gain = _gain(delta[:, :, t, None], a[:, None], discretization)
        state = keep * state + gain * b[:, :, t, :, None] * u[:, :, t, None]
        outputs.append((c[:, :, t, :, None] * state).sum(2))
    return torch.stack(outputs if direction == "forward" else outputs[::-1], 2)


def reference_both(forwards: Side, backwards: Side, *, discretization: Discretization = "zoh") -> tuple[Tensor, Tensor]:
    """The first side scanned from its first step on, the second from its last step back: (E, B, T, D) each."""
    return (
        reference_scan(*forwards, direction="forward", discretization=discretization),
        reference_scan(*backwards, direction="backward", discretization=discretization),
    )


def both(forwards: Side, backwards: Side, *, discretization: Discretization = "zoh") -> tuple[Tensor, Tensor]:
    """`reference_both` by tiles, in one launch, where they can be used; else each side by `scan`."""
    if tiled.usable(*forwards, *backwards):
        return tiled_both(forwards, backwards, discretization=discretization)
    return (
        scan(*forwards, direction="forward", discretization=discretization),
        scan(*backwards, direction="backward", discretization=discretization),
    )


def lean_both(forwards: Side, backwards: Side, *, discretization: Discretization = "zoh") -> tuple[Tensor, Tensor]:
    """`reference_both`, each side by the lean loop."""
    return (
        lean_scan(*forwards, direction="forward", discretization=discretization),
        lean_scan(*backwards, direction="backward", discretization=discretization),
    )


def tiled_both(forwards: Side, backwards: Side, *, discretization: Discretization = "zoh") -> tuple[Tensor, Tensor]:
    """`reference_both` by tiles on a GPU, or by Triton's interpreter."""
    from kernels.operations.tiles import scan as tiles  # noqa: PLC0415 - imports Triton, which is optional

    return tiles.both(discretization, *forwards, *backwards)


def scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    *,
    direction: Direction = "forward",
    discretization: Discretization = "zoh",
) -> Tensor:
    """`reference_scan` by the compiled loop where there is one for such tensors, else by the lean loop."""
    form = compiled_scan if compiled.usable(u, delta, a, b, c) else lean_scan
    return form(u, delta, a, b, c, direction=direction, discretization=discretization)


def lean_scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    *,
    direction: Direction = "forward",
    discretization: Discretization = "zoh",
) -> Tensor:
    """`reference_scan` with its gradient written out: one state a step is kept, nothing else of that size is made.

    The state is in float32 at least, whatever the inputs are in.
    """
    inputs = [x if x.dtype == torch.float64 else x.float() for x in (u, delta, a, b, c)]
    y: Tensor = _LeanScan.apply(direction, discretization, *inputs)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y.to(u.dtype)


def compiled_scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    *,
    direction: Direction = "forward",
    discretization: Discretization = "zoh",
) -> Tensor:
    """`reference_scan` by the loop in recurrences.c, which lives through the steps again for its gradient."""
    inputs = [x.contiguous() for x in (u, delta, a, b, c)]
    y: Tensor = _CompiledScan.apply(direction, discretization, *inputs)  # type: ignore[no-untyped-call] # torch leaves it untyped
    return y


class _CompiledScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, direction: Direction, discretization: Discretization, *inputs: Tensor) -> Tensor:
        u, delta, a, b, c = inputs
        ctx.save_for_backward(u, delta, a, b, c)
        ctx.sizes = (*u.shape, a.shape[1], int(direction == "backward"), int(discretization == "euler"))
        y = torch.empty_like(u)
        compiled.call("scan", ctx.sizes, u, delta, a, b, c, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        du, ddelta, da, db, dc = (torch.empty_like(x) for x in inputs)
        compiled.call("scan_gradients", ctx.sizes, *inputs, upstream.contiguous(), du, ddelta, da.zero_(), db, dc)
        return None, None, du, ddelta, da, db, dc


class _LeanScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, direction: Direction, discretization: Discretization, *inputs: Tensor) -> Tensor:
        u, delta, a, b, c = inputs
        state = torch.zeros_like(u[:, :, 0, None] * a[:, None])
        y, states = torch.empty_like(u), [state]
        for t in _order(u.shape[2], direction):
            gain = _gain(delta[:, :, t, None], a[:, None], discretization)
            entering = gain.mul_(b[:, :, t, :, None]).mul_(u[:, :, t, None])
            state = torch.exp(delta[:, :, t, None] * a[:, None]).mul_(state).add_(entering)
            y[:, :, t] = (c[:, :, t, None] @ state)[:, :, 0]
            states.append(state)
        ctx.save_for_backward(u, delta, a, b, c, *states)
        ctx.order, ctx.discretization = _order(u.shape[2], direction), discretization
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        u, delta, a, b, c, *states = ctx.saved_tensors
        du, ddelta, da, db, dc = (torch.zeros_like(x) for x in (u, delta, a, b, c))
        pull = torch.zeros_like(states[0])
        for step, t in reversed(list(enumerate(ctx.order))):
            width, before = delta[:, :, t, None], states[step]
            keep = torch.exp(width * a[:, None])
            gain = _gain(width, a[:, None], ctx.discretization)
            dc[:, :, t] = (states[step + 1] * upstream[:, :, t, None]).sum(3)
            pull = pull.addcmul_(c[:, :, t, :, None], upstream[:, :, t, None])
            fed = b[:, :, t, :, None] * u[:, :, t, None]
            entered = pull * gain
            du[:, :, t] = (b[:, :, t, None] @ entered)[:, :, 0]
            db[:, :, t] = (entered * u[:, :, t, None]).sum(3)
            kept = keep * before
            inside = fed * keep if ctx.discretization == "zoh" else fed
            ddelta[:, :, t] = (pull * (inside + kept * a[:, None])).sum(2)
            slope = _slope(width, a[:, None], keep, gain, ctx.discretization)
            da += (pull * (kept * width + fed * slope)).sum(1)
            pull = pull.mul_(keep)
        return None, None, du, ddelta, da, db, dc


def _order(steps: int, direction: Direction) -> range:
    return range(steps) if direction == "forward" else range(steps - 1, -1, -1)


def _gain(delta: Tensor, a: Tensor, discretization: Discretization) -> Tensor:
    """How much of b u enters the state in one step, of the shape of delta * a."""
    return torch.expm1(delta * a) / a if discretization == "zoh" else delta * torch.ones_like(a)


def _slope(delta: Tensor, a: Tensor, keep: Tensor, gain: Tensor, discretization: Discretization) -> Tensor:
    """d gain / d a = (delta exp(delta a) - gain) / a, near zero from its series."""
    if discretization == "euler":
        return torch.zeros_like(gain)
    x = delta * a
    # A weighted sum of both, since torch.where takes as long as everything else here together.
    series, bounded = torch.full_like(x, SERIES[-1]), x.clamp(min=-NEAR)
    for coefficient in SERIES[-2::-1]:
        series.mul_(bounded).add_(coefficient)
    return ((delta * keep - gain) / a).lerp_(series.mul_(delta).mul_(delta), (x > -NEAR).to(x.dtype))
