"""The analyst: measures the search as it goes, repeats its leaders, holds the champion against controls, and seals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

from actors.benches.scrutiny import Control, Controlled
from actors.judgement.budgets import Budget
from actors.reruns import repeating
from actors.role import Decision, News
from events.envelope import Position
from events.facts import ControlMeasured, LogSealed, MetricsMeasured
from events.log import Recorded
from replay.analysis import Seal, SealsFold, is_analysis
from replay.champions import challenger, holder
from replay.controls import Control as Held
from replay.controls import ControlsFold
from replay.discoveries import fact_of, of_reruns
from replay.fleet import Fleet, FleetFold
from replay.folds import Pass
from replay.leaderboard import Row
from replay.ledger import Ledger
from replay.measures import Measurement

ControlKind = Literal["shuffled_labels", "linear"]

CONTROLS = get_args(ControlKind)


class Measured:
    """What the analyst knows: the exact measures, the fleet, and what it recorded before.

    Attributes:
        spoken: the last sequence by anybody else: what a seal must reach.
        worded: the last sequence by the analyst.
        noted: experiments that were completed when it last measured.
    """

    def __init__(self) -> None:
        self.measurement = Measurement()
        self._folds: Pass[Any] = Pass(FleetFold(), SealsFold(), ControlsFold())
        self.fleet: Fleet
        self.seals: list[Seal]
        self.fleet, self.seals, _ = self._folds.results()
        self.spoken = 0
        self.worded = 0
        self.noted = 0

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""
        for recorded in frames:
            self.measurement.advance((recorded,))
            self._folds.advance((recorded,))
            if not is_analysis(recorded):
                self.spoken = recorded.sequence
                continue
            self.worded = recorded.sequence
            if any(isinstance(fact, MetricsMeasured) for fact in recorded.facts):
                self.noted = len(self.measurement.ledger.completed)

    @property
    def sealed(self) -> bool:
        """Whether the analyst's latest word is a seal, and reaches the latest word of anybody else."""
        last = self.seals[-1] if self.seals else None
        return last is not None and last.sequence == self.worded and last.through >= self.spoken

    @property
    def controls(self) -> list[Held]:
        """The latest measurement of each control."""
        held: list[Held] = self._folds.results()[2]
        return held

    @property
    def uncontrolled(self) -> Row | None:
        """The champion of a closed campaign, or its leader, while it was not held against every control."""
        ledger = self.measurement.ledger
        best = holder(ledger) if ledger.closed is not None else None
        if best is None or sum(control.experiment == best.experiment for control in self.controls) == len(CONTROLS):
            return None
        return best

    @property
    def unrepeated(self) -> Row | None:
        """The leader of a closed campaign that is to be run under other seeds next."""
        ledger = self.measurement.ledger
        return challenger(ledger) if ledger.closed is not None else None

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
        budget: of the campaign, within which leaders are repeated.
    """

    author = "analyst"

    def __init__(self, *, every: int, controls: bool, timeout: float, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self._every = every
        self._controls = controls
        self._timeout = timeout

    def initial(self) -> Measured:
        """Return what it knows before the first fact."""
        return Measured()

    def decide(self, known: Measured, now: int, news: News) -> Decision | None:
        """Measure when enough has come; say what reruns show; at the end repeat who leads, run the controls, seal."""
        ledger = known.measurement.ledger
        if not ledger.campaign:
            return None
        if len(ledger.completed) - known.noted >= self._every:
            last = ledger.experiments[ledger.completed[-1]]
            return Decision("analysis", "metrics", (self._metrics(known, last.ended),))
        return _discovered(ledger) or self._at_the_end(known, news)

    def _at_the_end(self, known: Measured, news: News) -> Decision | None:
        ledger = known.measurement.ledger
        ending = ledger.closed is not None or news.stopping
        if not ending or not known.quiet:
            return None
        if ledger.closed is not None and not news.leaving:
            decision = repeating.step(ledger, known.fleet, self._budget, news)
            if decision is not None or repeating.awaited(ledger, news):
                return decision
        champion = known.uncontrolled if self._controls and not news.leaving else None
        decision = self._control(known, champion, news) if champion is not None else None
        if decision is not None or (champion is not None and f"control-{champion.experiment}" in news.underway):
            return decision
        return None if known.sealed else self._seal(known)

    def _control(self, known: Measured, champion: Row, news: News) -> Decision | None:
        """Record the controls, or order them; None while they are made, once they failed, and for who is leaving."""
        name = f"control-{champion.experiment}"
        result = news.results.get(name)
        if isinstance(result, Controlled):
            return Decision("analysis", "controls", tuple(_controls(known, champion, result)), settles=(name,))
        # a failure stays among the results, so that it is not tried twice; the next run of the campaign tries again
        if result is not None or name in news.underway or news.stopping:
            return None
        attempt = known.measurement.ledger.experiments[champion.experiment].attempts[-1]
        order = Control(
            id=name,
            experiment=champion.experiment,
            configuration=champion.configuration,
            seed=attempt.seed,
            timeout=self._timeout,
        )
        cause = known.measurement.ledger.closing
        return Decision("analysis", "metrics", (self._metrics(known, cause),), orders=(order,))

    def _seal(self, known: Measured) -> Decision:
        cause = Position(known.spoken)
        metrics = self._metrics(known, cause)
        return Decision("analysis", "seal", (metrics, LogSealed(cause=cause, digest=metrics.digest)))

    def _metrics(self, known: Measured, cause: Position | None) -> MetricsMeasured:
        return MetricsMeasured(cause=cause, values=known.measurement.values(), digest=known.measurement.digest())


def _discovered(ledger: Ledger) -> Decision | None:
    """Return the defect that a rerun shows and nobody has declared."""
    if (found := next(of_reruns(ledger), None)) is None:
        return None
    fact = fact_of(ledger, found)
    return Decision("defect", fact.defect, (fact,), under="defect")


def _controls(known: Measured, champion: Row, result: Controlled) -> Iterator[ControlMeasured]:
    pairs: dict[ControlKind, tuple[float, float]] = {"shuffled_labels": result.shuffled_labels, "linear": result.linear}
    for kind, (validation, noise) in pairs.items():
        yield ControlMeasured(
            cause=known.measurement.ledger.closing,
            control=kind,
            experiment=champion.experiment,
            validation=validation,
            noise=noise,
        )
