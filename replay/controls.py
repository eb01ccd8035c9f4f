"""What the champion is held against, as the analyst recorded it; shown beside the measures, never part of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact
from events.facts import ControlMeasured
from events.log import Recorded
from replay.folds import Handler


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A control's validation AP on the champion's split, with its noise (a standard deviation)."""

    control: str
    experiment: str
    validation: float
    noise: float


def _measured(controls: dict[str, Control], fact: ControlMeasured, recorded: Recorded, index: int) -> None:
    controls[fact.control] = Control(
        control=fact.control, experiment=fact.experiment, validation=fact.validation, noise=fact.noise
    )


class ControlsFold:
    """Folds a log into the latest measurement of each control."""

    handlers: Mapping[type[Fact], Handler] = {ControlMeasured: _measured}

    def initial(self) -> dict[str, Control]:
        """Return no controls."""
        return {}

    def result(self, state: dict[str, Control]) -> list[Control]:
        """Return the controls by name."""
        return [state[name] for name in sorted(state)]
