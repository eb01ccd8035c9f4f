"""What each operation costs in each of its forms: reference, without compiled loops, and fast, forwards and backwards.

    just bench kernels [STEPS]          # clips of 20 steps unless told otherwise

One lane of 64 clips, width 64 (the scan: 128 channels of 16 states), 4 heads, float32, one thread. Every figure is
processor time of one forward and backward pass, the best of many. A form is timed only after its outputs and all its
gradients were found to be those of the reference in float64.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields

import torch
from torch import Tensor

from kernels.operations import compiled
from kernels.operations.forms import FAST, REFERENCE, Forms
from kernels.selftest import ALLOWED, Call, against_reference, case, without_compiled

TURNS = 20
PATIENCE = 3.0  # seconds for the turns of one form


def cost(call: Call, forms: Forms, inputs: Sequence[Tensor]) -> float:
    """Processor seconds of one pass forwards and backwards, the best of many."""
    leaves = [x.detach().requires_grad_(x.is_floating_point()) for x in inputs]
    sources = [x for x in leaves if x.requires_grad]
    upstream, best, began = torch.ones_like(call(forms, leaves)), float("inf"), time.perf_counter()
    for _ in range(TURNS):
        before = time.process_time()
        torch.autograd.grad(call(forms, leaves), sources, upstream)
        best = min(best, time.process_time() - before)
        if time.perf_counter() - began > PATIENCE:
            break
    return best


def main() -> None:
    """Print the table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    lean = without_compiled(FAST)
    print(f"machine          load {os.getloadavg()[0]:.1f} before, torch {torch.__version__}, {steps} steps")
    print(f"compiled         {compiled.describe()}")
    print(f"\n{'':12} {'reference':>11} {'no loops':>11} {'fast':>11} {'ratio':>8} {'worst error':>12}")
    for field in fields(Forms):
        wide = {"width": 128, "states": 16} if field.name == "scan" else {"width": 64}
        call, inputs = case(field.name, steps, lanes=1, clips=64, heads=4, **wide)
        error = max(against_reference(call, inputs, forms, "cpu") for forms in (FAST, lean))
        if not error <= ALLOWED["cpu"]:
            sys.exit(f"{field.name}: differs from its reference by {error:.1e}; nothing more was timed")
        slow, plain, quick = (cost(call, forms, inputs) * 1e3 for forms in (REFERENCE, lean, FAST))
        between = f"{plain:8.2f} ms" if getattr(lean, field.name) is not getattr(FAST, field.name) else ""
        print(
            f"{field.name:12} {slow:8.2f} ms {between:>11} {quick:8.2f} ms {slow / quick:7.1f}x {error:12.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
