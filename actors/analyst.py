"""The analyst: measures the search as it goes, holds its champion against controls, and seals the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.orders import Control, Controlled
from actors.role import Decision, News
from events.envelope import Fact
from events.facts import ControlMeasured, LogSealed, MetricsMeasured
from events.log import Recorded
from replay.analysis import Seal, SealsFold, is_analysis
from replay.controls import Control as Held
from replay.controls import ControlsFold
from replay.fleet import Fleet, FleetFold
from replay.folds import Pass
from replay.leaderboard import Row, leaderboard
from replay.measures import Measurement

CONTROLS = ("shuffled_labels", "linear")


class Measured:
    """What the analyst knows: the exact measures, the fleet, and what it recorded before.

    Attributes:
        spoken: the last sequence by anybody else: what a seal must reach.
        noted: experiments that were completed when it last measured.
    """

    def __init__(self) -> None:
        self.measurement = Measurement()
        self._folds: Pass[Any] = Pass(FleetFold(), SealsFold(), ControlsFold())
        self.fleet: Fleet
        self.seals: list[Seal]
        self.fleet, self.seals, _ = self._folds.results()
        self.spoken = 0
        self.noted = 0

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""
        for recorded in frames:
            self.measurement.advance((recorded,))
            self._folds.advance((recorded,))
            if not is_analysis(recorded):
                self.spoken = recorded.sequence
            elif any(isinstance(fact, MetricsMeasured) for fact in recorded.facts):
                self.noted = len(self.measurement.ledger.completed)

    @property
    def sealed(self) -> bool:
        """Whether the latest seal reaches the latest word of anybody else."""
        return bool(self.seals) and self.seals[-1].through >= self.spoken

    @property
    def controls(self) -> list[Held]:
        """The latest measurement of each control."""
        held: list[Held] = self._folds.results()[2]
        return held

    @property
    def quiet(self) -> bool:
        """Whether everybody has said what there was to say: no worker is there, no cycle open, nothing half judged."""
        search, cycles, _ = self.measurement.results
        return not (
            self.fleet.present()
            or self.fleet.orphans()
            or search.ledger.unjudged
            or any(cycles.open(agent) for agent in cycles.agents)
            or search.ledger.standing("failed")
        )


class Analyst:
    """See the module.

    Args:
        every: completed experiments between two measurements.
        controls: whether the champion is held against controls at the end.
        timeout: seconds that the controls may take.
    """

    author = "analyst"

    def __init__(self, *, every: int, controls: bool, timeout: float) -> None:
        self._every = every
        self._controls = controls
        self._timeout = timeout

    def initial(self) -> Measured:
        """Return what it knows before the first fact."""
        return Measured()

    def decide(self, known: Measured, now: int, news: News) -> Decision | None:
        """Measure when enough has come; at the end run the controls, then seal."""
        ledger = known.measurement.ledger
        if not ledger.campaign:
            return None
        if len(ledger.completed) - known.noted >= self._every:
            return Decision("analysis", "metrics", (self._metrics(known),))
        ending = ledger.closed is not None or news.stopping
        if not ending or not known.quiet or known.sealed:
            return None
        controlled = ledger.closed is not None and self._controls and not news.leaving
        champion = _champion(known) if controlled else None
        return self._control(known, champion, news) if champion is not None else self._seal(known)

    def _control(self, known: Measured, champion: Row, news: News) -> Decision | None:
        name = f"control-{champion.experiment}"
        result = news.results.get(name)
        if isinstance(result, Controlled):
            pairs = {"shuffled_labels": result.shuffled_labels, "linear": result.linear}
            facts: tuple[Fact, ...] = tuple(
                ControlMeasured(control=kind, experiment=champion.experiment, validation=value, noise=noise)  # type: ignore[arg-type] # the keys are the fact's own names
                for kind, (value, noise) in pairs.items()
            )
            return Decision("analysis", "controls", facts, settles=(name,))
        if result is not None:
            return self._seal(known, settles=(name,))
        if name in news.underway:
            return None
        attempt = known.measurement.ledger.experiments[champion.experiment].attempts[-1]
        order = Control(
            id=name,
            experiment=champion.experiment,
            configuration=champion.configuration,
            seed=attempt.seed,
            timeout=self._timeout,
        )
        return Decision("analysis", "metrics", (self._metrics(known),), orders=(order,))

    def _seal(self, known: Measured, settles: tuple[str, ...] = ()) -> Decision:
        metrics = self._metrics(known)
        return Decision("analysis", "seal", (metrics, LogSealed(digest=metrics.digest)), settles=settles)

    def _metrics(self, known: Measured) -> MetricsMeasured:
        return MetricsMeasured(values=known.measurement.values(), digest=known.measurement.digest())


def _champion(known: Measured) -> Row | None:
    best = leaderboard(known.measurement.ledger, top=1)
    if not best or sum(control.experiment == best[0].experiment for control in known.controls) == len(CONTROLS):
        return None
    return best[0]
