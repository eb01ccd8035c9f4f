"""Orders that put a leader to the test, and what came of them: other seeds, and what a champion is held against."""

from __future__ import annotations

import msgspec

from events.space import Configuration


class Repeat(msgspec.Struct, frozen=True, tag="repeat"):
    """Train one configuration under each of these seeds, under the instrument of its record alone; keep no weights.

    Attributes:
        timeout: seconds for each of them.
    """

    id: str
    experiment: str
    configuration: Configuration
    seeds: tuple[int, ...]
    instrument: str
    timeout: float
    micro_batches: int = 1


class Again(msgspec.Struct, frozen=True, gc=False):
    """A run under another seed: its validation AP, None where it ended without a result, and why it did."""

    seed: int
    validation: float | None
    gpu_seconds: float
    problem: str | None = None


class Repeated(msgspec.Struct, frozen=True, tag="repeated"):
    """What came of each seed, in their order, and on which platform."""

    id: str
    instrument: str
    platform: dict[str, str]
    runs: tuple[Again, ...]


class Control(msgspec.Struct, frozen=True, tag="control"):
    """Train what a champion is held against."""

    id: str
    experiment: str
    configuration: Configuration
    seed: int
    timeout: float


class Controlled(msgspec.Struct, frozen=True, tag="controlled"):
    """The controls' validation AP and noise, by name."""

    id: str
    shuffled_labels: tuple[float, float]
    linear: tuple[float, float]
