"""The traces of what has failed and waits for its repair, as the log keeps them; no others."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact, Text
from events.facts import Abandoned, Failed, Requeued
from events.log import Recorded
from replay.folds import Handler


class Traces(msgspec.Struct, kw_only=True):
    """The latest trace of each failed experiment, by experiment."""

    traces: dict[str, Text] = {}


def _failed(traces: Traces, fact: Failed, recorded: Recorded, index: int) -> None:
    traces.traces[fact.experiment] = fact.trace


def _settled(traces: Traces, fact: Requeued | Abandoned, recorded: Recorded, index: int) -> None:
    traces.traces.pop(fact.experiment, None)


class TracesFold:
    """Folds a log into the traces that somebody may still ask for."""

    handlers: Mapping[type[Fact], Handler] = {Failed: _failed, Requeued: _settled, Abandoned: _settled}

    def initial(self) -> Traces:
        """Return no traces."""
        return Traces()

    def result(self, state: Traces) -> Traces:
        """Return the traces themselves."""
        return state
