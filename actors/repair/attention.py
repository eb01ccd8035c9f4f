"""What the fixer knows: what every role knows, and the traces of what waits for it."""

from __future__ import annotations

from collections.abc import Iterable

from actors.role import Known
from events.log import Recorded
from replay.folds import Pass
from replay.traces import Traces, TracesFold


class Attentive(Known):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: Pass[Traces] = Pass(TracesFold())
        self.traces: Traces
        (self.traces,) = self._heard.results()

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""
        frames = tuple(frames)
        super().advance(frames)
        self._heard.advance(frames)
