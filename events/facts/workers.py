"""Facts about devices that come and go."""

from __future__ import annotations

from events.envelope import Fact


class WorkerJoined(Fact, frozen=True, kw_only=True, tag="WorkerJoined"):
    """A device takes work, with so many lanes a pack."""

    worker: str
    device: str
    lanes: int
    platform: dict[str, str]
    instrument: str


class WorkerLost(Fact, frozen=True, kw_only=True, tag="WorkerLost"):
    """A worker fell silent: for how many seconds the scheduler heard nothing of it."""

    worker: str
    silence: float


class WorkerRetired(Fact, frozen=True, kw_only=True, tag="WorkerRetired"):
    """A worker left in good order."""

    worker: str
    reason: str
