"""How the search moved, as the analyst recorded it: a few named values at each measurement, for small charts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact
from events.facts import MetricsMeasured
from events.log import Recorded
from replay.folds import Handler

KEPT = (
    "entropy_whole",
    "entropy_architecture",
    "entropy_training",
    "divergence",
    "divergence_windowed",
    "innovation_rate",
)
"""Values of `replay.measures.measured` that are charted: bits, and a share of completions."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement: through which sequence, after how many completions, and `KEPT` by name."""

    through: int
    completed: int
    values: dict[str, float | None]


def _measured(readings: list[Reading], fact: MetricsMeasured, recorded: Recorded, index: int) -> None:
    kept = {name: _number(fact.values.get(name)) for name in KEPT}
    completed = fact.values.get("completed")
    readings.append(
        Reading(through=fact.through, completed=completed if isinstance(completed, int) else 0, values=kept)
    )


def _number(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


class TrendFold:
    """Folds a log into its measurements, in order."""

    handlers: Mapping[type[Fact], Handler] = {MetricsMeasured: _measured}

    def initial(self) -> list[Reading]:
        """Return none."""
        return []

    def result(self, state: list[Reading]) -> list[Reading]:
        """Return the readings themselves."""
        return state
