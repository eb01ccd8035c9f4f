"""Facts that measure the search itself; a replay recomputes them and ignores these."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact


class MetricsMeasured(Fact, frozen=True, kw_only=True, tag="MetricsMeasured"):
    """The analyst measured the search through `through`: named values and the digest of the exact part."""

    values: dict[str, float | int | str | None]
    digest: str


class ControlMeasured(Fact, frozen=True, kw_only=True, tag="ControlMeasured"):
    """What the champion is held against: the same code, split and scale (validation), with its noise."""

    control: Literal["shuffled_labels", "linear"]
    experiment: str
    validation: float
    noise: float


class LogSealed(Fact, frozen=True, kw_only=True, tag="LogSealed"):
    """A checkpoint of the log: everything through `through` folds to this digest; there may be many."""

    digest: str
