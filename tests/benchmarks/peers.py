"""Other people's kernels for a GPU, on the inputs of ours; each says why not where it cannot be asked.

mamba-ssm has the selective scan in one direction (its discretization is Euler's: the same work), flash-linear-attention
has retention. Neither has an xLSTM, so ours has no peer there but PyTorch's own operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

Peer = Callable[[Sequence[Tensor]], Tensor]
PACKAGES = {"scan": ("mamba_ssm", "mamba-ssm"), "retention": ("fla", "flash-linear-attention")}


def peer(operation: str, device: str) -> tuple[str, Peer] | str:
    """Whose kernel does the same, and how it is called with our inputs; or why there is none to compare with."""
    if operation not in PACKAGES:
        return ""
    module, name = PACKAGES[operation]
    if not device.startswith("cuda"):
        return f"{name}: no GPU here"
    if find_spec(module) is None:
        return f"{name}: not installed"
    return name, {"scan": mamba, "retention": fla}[operation]


def mamba(inputs: Sequence[Tensor]) -> Tensor:
    """Both directions of one lane by mamba-ssm, the second on the turned clip, (2, 1, B, T, D)."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    ways = []
    for turned, (u, delta, a, b, c) in enumerate((inputs[:5], inputs[5:])):
        parts = [x[0].flip(1) if turned else x[0] for x in (u, delta, b, c)]
        channels = [x.transpose(1, 2).contiguous() for x in parts]
        y: Any = selective_scan_fn(channels[0], channels[1], a[0].T.contiguous(), channels[2], channels[3])
        ways.append(y.transpose(1, 2).flip(1) if turned else y.transpose(1, 2))
    return torch.stack(ways)[:, None]


def fla(inputs: Sequence[Tensor]) -> Tensor:
    """Retention of one lane by flash-linear-attention's recurrence, which it takes for clips of up to 64 steps."""
    from fla.ops.retention import fused_recurrent_retention

    y: Tensor = fused_recurrent_retention(*(x[0] for x in inputs))[0]
    return y[None]
