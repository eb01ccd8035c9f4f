"""The platforms of an instrument: what may move the last bits of its numbers, and what its canaries said on each.

An era follows the instrument. Another version of a library makes another platform: the canaries are run again there
before anything trains, and what differs is named. A verdict from before platforms were told with it is of every one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from events.envelope import Position

Status = Literal["verified", "refused", "unverified"]

LIBRARIES = ("torch", "numpy", "triton", "av")
"""Names under which a platform tells the versions of what computes."""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument on one platform.

    Attributes:
        values: kind of device, lanes, compiled loops and versions, by name; empty where a verdict names none.
        status: of its canaries there, the last time; `told` where that stands, None while nothing was said.
        runs, completed: by its name there.
    """

    values: dict[str, str]
    status: Status = "unverified"
    told: Position | None = None
    reason: str = ""
    runs: int = 0
    completed: int = 0


def judged(platforms: tuple[Platform, ...], verdict: Platform) -> tuple[Platform, ...]:
    """Return the platforms with a new verdict on one of them in the place of its last one."""
    others = tuple(one for one in platforms if one.values != verdict.values)
    return (*others, verdict)


def on(platforms: Iterable[Platform], values: Mapping[str, str]) -> Platform | None:
    """Return the verdict that counts on a platform: its own, else one that names no platform, else None."""
    unnamed = None
    for one in platforms:
        if one.told is None:
            continue
        if one.values == values:
            return one
        unnamed = unnamed or (None if one.values else one)
    return unnamed


def overall(platforms: Iterable[Platform]) -> Status:
    """Return how an instrument stands: verified where it is on one platform at least."""
    said = {one.status for one in platforms}
    return "verified" if "verified" in said else "refused" if "refused" in said else "unverified"


def versions(platforms: Iterable[Platform]) -> dict[str, tuple[str, ...]]:
    """Return every value that platforms have of each name, in the order in which they came."""
    found: dict[str, dict[str, None]] = {}
    for one in platforms:
        for name, value in one.values.items():
            found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def differing(platforms: Iterable[Platform]) -> dict[str, tuple[str, ...]]:
    """Return what platforms differ in: the names of which they have more than one value."""
    return {name: values for name, values in versions(platforms).items() if len(values) > 1}


def said(values: Mapping[str, str]) -> str:
    """Return a platform in words: "cpu, lanes 1, torch 2.11.0, ..."."""
    if not values:
        return "every platform"
    rest = ", ".join(f"{name} {value}" for name, value in values.items() if name not in ("device", "compiled"))
    return ", ".join(filter(None, (values.get("device", "an unnamed device"), rest)))
