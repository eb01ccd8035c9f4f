"""Whether the recurrences run as tiles on a GPU, written in Triton (`operations.tiles`), and why not where they do not.

That they do, and by which version, is part of the platform: it may change last bits, and so may doing without. Not yet
run on a GPU: on the CPU Triton's interpreter runs the same programs for the tests, and its compiler makes them for one.
"""

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

OLDEST = (8, 0)  # compute capability: products in TF32 came with it
TAKEN = ("torch.float32", "torch.bfloat16")
SWITCH = "MYRIAD_TILES"  # environment variable: "0" does without
INTERPRET = "TRITON_INTERPRET"  # Triton's own: read when it is imported
TRIAL = (1, 2, 3, 8)  # lanes, clips, steps, channels


@dataclass(frozen=True)
class Tiles:
    """Triton's version, and what it compiles for."""

    version: str
    target: str


@dataclass(frozen=True)
class Untiled:
    """Why there are none."""

    reason: str


@lru_cache(maxsize=8)
def state(device: str) -> Tiles | Untiled:
    """Tries tiles on a device such as "cuda:0"; asked once a process for each."""
    if not device.startswith("cuda"):
        return Untiled("a CPU has its own loops")
    if os.environ.get(SWITCH) == "0":
        return Untiled(f"{SWITCH} is 0")
    found = installed()
    if found is None:
        return Untiled("triton is not installed")
    import torch  # noqa: PLC0415 - a CPU needs nothing of it here

    able = torch.cuda.get_device_capability(device)
    if able < OLDEST:
        return Untiled(f"compute capability {able[0]}.{able[1]} is below {OLDEST[0]}.{OLDEST[1]}")
    try:
        _try(device)
    except Exception as error:  # noqa: BLE001 - whatever keeps tiles from running is the reason for doing without
        return Untiled(f"{type(error).__name__}: {(str(error).splitlines() or ['no word'])[0]}")
    return Tiles(found, f"sm_{able[0]}{able[1]}")


def describe(device: str) -> str:
    """What a platform says of them: version and target, or the reason for doing without."""
    found = state(device)
    return f"triton {found.version} {found.target}" if isinstance(found, Tiles) else f"none: {found.reason}"


def usable(*tensors: "Tensor") -> bool:
    """Whether tiles can take such tensors: on a GPU, in float32 or bfloat16."""
    ours = all(x.is_cuda and str(x.dtype) in TAKEN for x in tensors)
    return ours and isinstance(state(str(tensors[0].device)), Tiles)


def installed() -> str | None:
    """Triton's version, without importing it; None where it is not installed."""
    try:
        return version("triton")
    except PackageNotFoundError:
        return None


def interpret() -> str | None:
    """Has Triton interpret this process's tiles on the CPU, from before it is imported; or says why it cannot."""
    if installed() is None:
        return "triton is not installed"
    if "triton" in sys.modules and os.environ.get(INTERPRET) != "1":
        return "triton was imported to compile"
    os.environ[INTERPRET] = "1"
    return None


def _try(device: str) -> None:
    """Runs the smallest scan there is.

    Raises:
        Exception: whatever Triton, its compiler or the driver raises.
    """
    import torch  # noqa: PLC0415 - as above

    from kernels.operations.tiles import scan  # noqa: PLC0415 - imports Triton, which may not be here

    wide, narrow = torch.ones(TRIAL, device=device), torch.ones(*TRIAL[:3], 2, device=device)
    side = (wide, wide, -torch.ones(TRIAL[0], 2, TRIAL[3], device=device), narrow, narrow)
    scan.both("zoh", *side, *side)
    torch.cuda.synchronize(device)
