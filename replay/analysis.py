"""What the analyst put on the log about the search: measurements, controls and seals; never part of a digest."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.authors import role_of
from events.envelope import Fact
from events.facts import ControlMeasured, LogSealed, MetricsMeasured
from events.log import Recorded
from replay.folds import Handler


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A digest that the analyst recorded: of the log through `through`, written at `sequence`."""

    sequence: int
    through: int
    digest: str


class Analysis(msgspec.Struct, kw_only=True):
    """Measurements and seals in order, controls by experiment and name."""

    measured: list[Checkpoint] = []
    seals: list[Checkpoint] = []
    controls: dict[str, dict[str, ControlMeasured]] = {}


def _measured(analysis: Analysis, fact: MetricsMeasured, recorded: Recorded, index: int) -> None:
    analysis.measured.append(_checkpoint(fact, recorded))


def _sealed(analysis: Analysis, fact: LogSealed, recorded: Recorded, index: int) -> None:
    analysis.seals.append(_checkpoint(fact, recorded))


def _controlled(analysis: Analysis, fact: ControlMeasured, recorded: Recorded, index: int) -> None:
    analysis.controls.setdefault(fact.experiment, {})[fact.control] = fact


def _checkpoint(fact: MetricsMeasured | LogSealed, recorded: Recorded) -> Checkpoint:
    return Checkpoint(sequence=recorded.sequence, through=fact.through, digest=fact.digest)


def is_analysis(recorded: Recorded) -> bool:
    """Say whether a frame is the analyst's own."""
    return role_of(recorded.author) == "analyst"


class AnalysisFold:
    """Folds a log into what its analyst recorded."""

    handlers: Mapping[type[Fact], Handler] = {
        MetricsMeasured: _measured,
        LogSealed: _sealed,
        ControlMeasured: _controlled,
    }

    def initial(self) -> Analysis:
        """Return nothing recorded."""
        return Analysis()

    def result(self, state: Analysis) -> Analysis:
        """Return what was recorded."""
        return state
