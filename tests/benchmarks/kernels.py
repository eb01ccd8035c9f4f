"""What each operation costs in each of its forms: reference, without compiled loops, and fast, forwards and backwards.

    just bench kernels [STEPS]          # clips of 20 steps unless told otherwise

One lane of 64 clips, width 64 (the scan: both directions, 128 channels of 16 states), 4 heads, float32; on a CPU one
thread and processor time, on a GPU, where there is one, the device's own clock. Every figure is one pass forwards and
backwards, the best of many. A form is timed only after its outputs and all its gradients were found to be those of the
reference in float64. Beside a GPU's figures stand other people's kernels (see `peers`), where they are installed. On a
GPU nothing of this has been measured yet.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields

import torch
from torch import Tensor

from kernels.operations import compiled, tiled
from kernels.operations.forms import FAST, REFERENCE, Forms
from kernels.selftest import ALLOWED, Call, against_reference, case, device_at_hand, without_compiled
from tests.benchmarks.peers import peer

TURNS = 20
QUEUED = 10
PATIENCE = 3.0  # seconds for the turns of one form


def cost(call: Call, forms: Forms, inputs: Sequence[Tensor]) -> float:
    """Seconds of one pass forwards and backwards, the best of many: the processor's on a CPU, the device's on a GPU."""
    leaves = [x.detach().requires_grad_(x.is_floating_point()) for x in inputs]
    sources = [x for x in leaves if x.requires_grad]
    upstream, best, began = torch.ones_like(call(forms, leaves)), float("inf"), time.perf_counter()

    def once() -> None:
        torch.autograd.grad(call(forms, leaves), sources, upstream)

    once()
    for _ in range(TURNS):
        best = min(best, on_device(once) if upstream.is_cuda else on_processor(once))
        if time.perf_counter() - began > PATIENCE:
            break
    return best


def on_processor(once: Callable[[], None]) -> float:
    before = time.process_time()
    once()
    return time.process_time() - before


def on_device(once: Callable[[], None]) -> float:
    """Between two events; ten passes are queued, so that the host is ahead."""
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    for _ in range(QUEUED):
        once()
    last.record()
    last.synchronize()
    return first.elapsed_time(last) / 1e3 / QUEUED


def beside(operation: str, inputs: Sequence[Tensor], ours: float) -> str:
    """What somebody else's kernel needs on the same inputs, and how many times ours that is; or why nobody knows."""
    found = peer(operation, str(inputs[0].device))
    if isinstance(found, str):
        return found
    name, theirs = found
    seconds = cost(lambda forms, x: theirs(x), FAST, inputs)
    return f"{name}: {seconds * 1e3:.3f} ms, {seconds / ours:.1f}x ours"


def main() -> None:
    """Print the table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    lean, device = without_compiled(FAST), device_at_hand()
    allowed = ALLOWED[device]
    print(f"machine          load {os.getloadavg()[0]:.1f} before, torch {torch.__version__}, {steps} steps, {device}")
    print(f"compiled         {compiled.describe()}")
    print(f"tiles            {tiled.describe(device)}" + ("; not measured on a GPU" if device == "cpu" else ""))
    print(f"\n{'':12} {'reference':>11} {'no loops':>11} {'fast':>11} {'ratio':>8} {'worst error':>12}  peer")
    for field in fields(Forms):
        wide = {"width": 128, "states": 16} if field.name == "scan" else {"width": 64}
        call, drawn = case(field.name, steps, lanes=1, clips=64, heads=4, **wide)
        inputs = [x.to(device) for x in drawn]
        error = max(against_reference(call, inputs, forms, device) for forms in (FAST, lean))
        if not error <= allowed:
            sys.exit(f"{field.name}: differs from its reference by {error:.1e}; nothing more was timed")
        slow, plain, quick = (cost(call, forms, inputs) * 1e3 for forms in (REFERENCE, lean, FAST))
        between = f"{plain:8.2f} ms" if getattr(lean, field.name) is not getattr(FAST, field.name) else ""
        print(
            f"{field.name:12} {slow:8.2f} ms {between:>11} {quick:8.2f} ms {slow / quick:7.1f}x {error:12.1e}",
            f" {beside(field.name, inputs, quick / 1e3)}".rstrip(),
            flush=True,
        )


if __name__ == "__main__":
    main()
