"""What every statistic says of itself: its meaning, its value, its rows, or that observations are too few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from replay.metrics import TOO_FEW, Metric


def made(
    name: str,
    meaning: str,
    rows: Sequence[Any],
    value: float | str | None,
    *,
    n: int,
    unit: str = "AP",
    scale: Literal["validation"] | None = "validation",
    note: str = TOO_FEW,
) -> Metric:
    """Return a metric of completed experiments; one without a value says that observations are too few."""
    return Metric(
        name=name,
        meaning=meaning,
        unit=unit,
        scale=scale,
        over="completed experiments",
        n=n,
        value=value,
        note=note if value is None else None,
        rows=list(rows),
    )
