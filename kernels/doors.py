"""The door of this room, `myriad selftest`; what it needs is imported when it is opened."""

import json as encoding
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernels.selftest import Check


def selftest(*, device: str | None = None, json: bool = False) -> int:
    """Check operations, encoders and lanes on this device; exit code 1 when a claim does not hold.

    Parameters
    ----------
    device: str
        "cpu", "cuda" or "cuda:n"; the GPU where there is one, when it is not given.
    json: bool
        Print the platform and every check as JSON.
    """
    from kernels import instrument  # noqa: PLC0415 # help must not wait for torch
    from kernels.selftest import checks, device_at_hand  # noqa: PLC0415 # likewise

    began, chosen = time.perf_counter(), device or device_at_hand()
    if json:
        done = list(checks(chosen))
        rows = [asdict(check) | {"held": check.held} for check in done]
        for row in rows:
            row["error"] = row["error"] if math.isfinite(row["error"]) else None
        print(encoding.dumps({"platform": instrument.platform(chosen), "checks": rows}, allow_nan=False))
        return _code(done)
    done = list(_shown(checks(chosen)))
    failed = sum(not check.held for check in done)
    print(f"\n{len(done) - failed} of {len(done)} claims hold, in {time.perf_counter() - began:.0f} s, on")
    for name, value in instrument.platform(chosen).items():
        print(f"  {name:10} {value}")
    return _code(done)


def _code(done: Iterable["Check"]) -> int:
    return 0 if all(check.held for check in done) else 1


def _shown(found: Iterable["Check"]) -> Iterable["Check"]:
    """Prints each check as it comes."""
    print(f"{'':2}{'what':12} {'claim':30} {'worst':>8} {'allowed':>8} {'seconds':>8}")
    for check in found:
        mark = "+" if check.held else "-"
        print(
            f"{mark:2}{check.name:12} {check.claim:30} {check.error:8.1e} {check.allowed:8.0e} {check.seconds:8.2f}",
            *([check.problem] if check.problem else []),
            flush=True,
        )
        yield check
    sys.stdout.flush()
