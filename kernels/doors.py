"""The door of this room, `myriad selftest`; what it needs is imported when it is opened."""

import json as encoding
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kernels.errors import KernelsError

if TYPE_CHECKING:
    from kernels.canaries.canary import Canary
    from kernels.selftest import Check


def selftest(*, device: str | None = None, campaign: str | None = None, json: bool = False) -> int:
    """Check operations, encoders, lanes and canaries on this device; exit code 1 when a claim does not hold.

    Parameters
    ----------
    device: str
        "cpu", "cuda" or "cuda:n"; the GPU where there is one, when it is not given.
    campaign: str
        Look also at the split, labels and features of a campaign here: its name or its folder.
    json: bool
        Print the platform, every check and what every canary saw as JSON.
    """
    import torch  # noqa: PLC0415 # help must not wait for it

    from kernels import instrument  # noqa: PLC0415 # likewise
    from kernels.canaries import suite  # noqa: PLC0415 # likewise
    from kernels.selftest import checks, device_at_hand  # noqa: PLC0415 # likewise

    torch.set_num_threads(1)  # as training has: what is looked at here is too small for two
    began, chosen = time.perf_counter(), device or device_at_hand()
    try:
        own = suite.campaign(campaign) if campaign is not None else None
    except KernelsError as refused:
        print(f"myriad selftest: {refused}", file=sys.stderr)
        return 2
    if json:
        done, seen = list(checks(chosen)), list(suite.everything(chosen, own))
        rows = [asdict(check) | {"held": check.held} for check in done]
        for row in rows:
            row["error"] = row["error"] if math.isfinite(row["error"]) else None
        told = {"platform": instrument.platform(chosen), "checks": rows, "canaries": [_plain(one) for one in seen]}
        print(encoding.dumps(told, allow_nan=False))
        return _code(done, seen)
    done, seen = list(_shown(checks(chosen))), list(_sung(suite.everything(chosen, own)))
    failed = sum(not check.held for check in done)
    silent = sum(canary.problem is not None for canary in seen)
    print(
        f"\n{len(done) - failed} of {len(done)} claims hold and {len(seen) - silent} of {len(seen)} canaries sing,",
        end=" ",
    )
    print(f"in {time.perf_counter() - began:.0f} s, on")
    for name, value in instrument.platform(chosen).items():
        print(f"  {name:10} {value}")
    return _code(done, seen)


def _code(done: Iterable["Check"], seen: Iterable["Canary"]) -> int:
    return 0 if all(check.held for check in done) and all(canary.problem is None for canary in seen) else 1


def _plain(canary: "Canary") -> dict[str, Any]:
    """What JSON can carry of it: numbers that are finite."""
    told = asdict(canary)
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in told.items()
    }


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


def _sung(found: Iterable["Canary"]) -> Iterable["Canary"]:
    """Prints each canary as it comes: what it saw beside what is allowed; any change will do where nothing is said."""
    print(f"\n{'':2}{'canary':16} {'of':46} {'seen':>8} {'allowed':>8}")
    for canary in found:
        numbers = ("" if number is None else f"{number:.1e}" for number in (canary.seen, canary.allowed))
        seen, allowed = numbers
        mark = "+" if canary.problem is None else "-"
        print(
            f"{mark:2}{canary.name:16} {canary.subject:46} {seen:>8} {allowed:>8}",
            *([canary.problem] if canary.problem else []),
            flush=True,
        )
        yield canary
