"""The turns of a campaign on one line: who joined, what was mended, lost or changed, who led, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    AgentJoined,
    CampaignClosed,
    CampaignOpened,
    Completed,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    RoleFailed,
    Started,
    WorkerLost,
)
from events.log import Recorded
from replay.folds import Handler
from replay.measures import Results

Kind = Literal["opened", "joined", "instrument", "fix", "lost", "broke", "champion", "closed"]


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """A turn.

    Attributes:
        at: by its author's clock, microseconds since 1970 UTC; the order is the position's.
        kind: instrument is another one than before (an era); fix a remedy in place or refused; lost a worker; broke a
            role that raised; champion a result that beat all before it.
    """

    position: Position
    at: int
    kind: Kind
    what: str
    experiment: str | None = None


class Milestones(msgspec.Struct):
    """The turns so far; `instrument`, `remedies` and `ended` are what later facts are read by."""

    turns: list[Milestone] = []
    instrument: str | None = None
    remedies: dict[str, str] = {}
    ended: dict[str, int] = {}


def _opened(state: Milestones, fact: CampaignOpened, recorded: Recorded, index: int) -> None:
    what = f"over {fact.space.cells} cells of {fact.space.name}, seed {fact.seed}"
    state.turns.append(_turn("opened", what, fact, recorded, index))


def _joined(state: Milestones, fact: AgentJoined, recorded: Recorded, index: int) -> None:
    state.turns.append(_turn("joined", f"{fact.agent}, policy {fact.policy}", fact, recorded, index))


def _started(state: Milestones, fact: Started, recorded: Recorded, index: int) -> None:
    if fact.instrument != state.instrument:
        what = f"{fact.instrument[:12]}" + (f", after {state.instrument[:12]}" if state.instrument else "")
        state.instrument = fact.instrument
        state.turns.append(_turn("instrument", what, fact, recorded, index))


def _proposed(state: Milestones, fact: RemedyProposed, recorded: Recorded, index: int) -> None:
    state.remedies[fact.repair] = fact.remedy


def _mended(state: Milestones, fact: RemedyApplied | RemedyRefused, recorded: Recorded, index: int) -> None:
    refused = f" refused: {fact.reason}" if isinstance(fact, RemedyRefused) else ""
    what = f"{fact.repair}: {state.remedies.get(fact.repair, 'no remedy')}{refused}"
    state.turns.append(_turn("fix", what, fact, recorded, index))


def _lost(state: Milestones, fact: WorkerLost, recorded: Recorded, index: int) -> None:
    what = f"{fact.worker}, silent for {fact.silence:.1f} s"
    state.turns.append(_turn("lost", what, fact, recorded, index))


def _broke(state: Milestones, fact: RoleFailed, recorded: Recorded, index: int) -> None:
    state.turns.append(_turn("broke", f"{fact.role}: {fact.error}", fact, recorded, index))


def _completed(state: Milestones, fact: Completed, recorded: Recorded, index: int) -> None:
    state.ended[fact.experiment] = fact.at


def _closed(state: Milestones, fact: CampaignClosed, recorded: Recorded, index: int) -> None:
    state.turns.append(_turn("closed", fact.reason, fact, recorded, index))


def _turn(kind: Kind, what: str, fact: Fact, recorded: Recorded, index: int) -> Milestone:
    position = Position(recorded.sequence, index)
    return Milestone(position=position, at=fact.at, kind=kind, what=what, experiment=getattr(fact, "experiment", None))


class MilestonesFold:
    """Folds a log into its turns, champions left to the measures."""

    handlers: Mapping[type[Fact], Handler] = {
        CampaignOpened: _opened,
        AgentJoined: _joined,
        Started: _started,
        RemedyProposed: _proposed,
        RemedyApplied: _mended,
        RemedyRefused: _mended,
        WorkerLost: _lost,
        RoleFailed: _broke,
        Completed: _completed,
        CampaignClosed: _closed,
    }

    def initial(self) -> Milestones:
        """Return no turns."""
        return Milestones()

    def result(self, state: Milestones) -> Milestones:
        """Return the state itself."""
        return state


def milestones(state: Milestones, results: Results) -> tuple[Milestone, ...]:
    """Return every turn in the order of the log, champions among them."""
    search = results[0]
    champions = []
    for step in search.progress.improvements:
        experiment = search.ledger.experiments[step.experiment]
        who = search.ledger.author(step.experiment)
        champions.append(
            Milestone(
                position=experiment.ended or Position(0),
                at=state.ended.get(step.experiment, 0),
                kind="champion",
                what=f"{step.experiment} by {who}, AP {step.validation:.4f}, completion {step.n}",
                experiment=step.experiment,
            )
        )
    return tuple(sorted((*state.turns, *champions), key=lambda turn: turn.position))
