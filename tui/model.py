"""The model behind the screen: takes what comes, one item at a time, and says the overview when asked; no threads."""

from __future__ import annotations

import msgspec

from events.errors import LogError
from events.facts import Assigned, Completed, Failed
from events.log import Recorded
from replay.controls import ControlsFold
from replay.errors import ReplayError
from replay.fleet import FleetFold
from replay.measures import Measurement
from tui.feed import Heard, Item
from tui.links import Link
from tui.overview import Overview, Streams, lanes, overview
from tui.pulses import Epoch
from tui.telling import TROUBLE, line


class Model:
    """One campaign as far as it was read.

    Attributes:
        campaign: the log's name.
    """

    def __init__(self, campaign: str) -> None:
        self.campaign = campaign
        self._measurement = Measurement(FleetFold(), ControlsFold())
        self._streams = Streams()
        self._epochs: dict[str, Epoch] = {}
        self._link = Link()
        self._problem: str | None = None
        self._known: Overview | None = None

    def take(self, item: Item) -> None:
        """Let a frame, a pulse or word of the link change the state.

        A frame that cannot be folded ends the folding and is said in the overview: what came before it stands.
        """
        if isinstance(item, Link):
            self._link = item
            if item.state != "live":
                self._epochs.clear()
        elif isinstance(item, Heard):
            self._epochs[item.epoch.experiment] = item.epoch
        elif self._problem is None:
            self._fold(item)

    def overview(self) -> Overview:
        """Return the overview of this moment; it shares nothing that later items change.

        Between two frames only pulses and the link can have changed: that costs next to nothing.
        """
        if self._known is None:
            self._known = overview(
                self._measurement,
                self._streams,
                self._epochs,
                link=self._link,
                problem=self._problem,
                campaign=self.campaign,
            )
        else:
            told = lanes(self._measurement, self._epochs)
            self._known = msgspec.structs.replace(self._known, link=self._link, lanes=told)
        return self._known

    def _fold(self, recorded: Recorded) -> None:
        self._known = None
        known = self._measurement.through
        try:
            self._measurement.advance((recorded,))
        except (LogError, ReplayError) as error:
            self._problem = str(error)
        else:
            if recorded.sequence > known:
                self._stream(recorded)

    def _stream(self, recorded: Recorded) -> None:
        streams = self._streams
        for position, fact in recorded.positions():
            streams.facts, streams.at = streams.facts + 1, fact.at
            told = line(position, recorded.author, fact)
            streams.latest.append(told)
            if isinstance(fact, TROUBLE):
                streams.troubles.append(told)
            if isinstance(fact, Assigned | Completed | Failed):
                # its last pulse was about an attempt that has ended
                self._epochs.pop(fact.experiment, None)
