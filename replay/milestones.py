"""The turns of a campaign on one line: who joined, what was widened, mended, lost or changed, who led, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    AgentJoined,
    BanLifted,
    Banned,
    CampaignClosed,
    CampaignOpened,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Completed,
    DefectFixed,
    DefectFound,
    EraOpened,
    InstrumentRefused,
    PatchAdopted,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    RoleFailed,
    SpaceWidened,
    Started,
    WorkerLost,
)
from events.log import Recorded
from replay.folds import Handler
from replay.measures import Results

Found = Literal["widened", "instrument", "era", "refused", "defect", "fixed", "patch", "fix", "champion"]
Kind = (
    Found | Literal["opened", "joined", "banned", "lifted", "lost", "broke", "paused", "resumed", "closed", "reopened"]
)


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """A turn.

    Attributes:
        at: by its author's clock, microseconds since 1970 UTC; the order is the position's.
        kind: widened is a new value of a dimension; instrument another one than before, era what a fact opens for it;
            refused an instrument that may not train; defect and fixed are of results that meant other than they say;
            fix is a remedy of a failed run in place or refused, patch one that everybody takes; lost a worker; broke a
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


def _completed(state: Milestones, fact: Completed, recorded: Recorded, index: int) -> None:
    state.ended[fact.experiment] = fact.at


def _turn(kind: Kind, what: str, fact: Fact, recorded: Recorded, index: int) -> Milestone:
    position = Position(recorded.sequence, index)
    return Milestone(position=position, at=fact.at, kind=kind, what=what, experiment=getattr(fact, "experiment", None))


_SAID: dict[type[Fact], tuple[Kind, Callable[[Any], str]]] = {
    CampaignOpened: ("opened", lambda f: f"over {f.space.cells} cells of {f.space.name}, seed {f.seed}"),
    AgentJoined: ("joined", lambda f: f"{f.agent}, policy {f.policy}"),
    SpaceWidened: ("widened", lambda f: f"{f.dimension} = {f.value}, brought by {f.proposer}: {f.reason}"),
    EraOpened: ("era", lambda f: f"{f.era}, instrument {f.instrument[:12]}: {f.reason}"),
    InstrumentRefused: ("refused", lambda f: f"instrument {f.instrument[:12]}: {f.reason}"),
    DefectFound: ("defect", lambda f: f"{f.defect} in {f.component}, where {f.where}: {f.reason}"),
    DefectFixed: ("fixed", lambda f: f"{f.defect} by instrument {f.instrument[:12]}"),
    PatchAdopted: ("patch", lambda f: f"{f.patch}, instrument {f.instrument[:12]}"),
    Banned: ("banned", lambda f: f"{f.ban}, where {f.where}: {f.reason}"),
    BanLifted: ("lifted", lambda f: f"{f.ban}: {f.reason}"),
    WorkerLost: ("lost", lambda f: f"{f.worker}, silent for {f.silence:.1f} s"),
    RoleFailed: ("broke", lambda f: f"{f.role}: {f.error}"),
    CampaignPaused: ("paused", lambda f: f.reason),
    CampaignResumed: ("resumed", lambda f: f.reason),
    CampaignClosed: ("closed", lambda f: f.reason),
    CampaignReopened: ("reopened", lambda f: f.reason),
}
"""Facts that are turns by themselves, and what is said of them."""


def _said(state: Milestones, fact: Fact, recorded: Recorded, index: int) -> None:
    kind, say = _SAID[type(fact)]
    state.turns.append(_turn(kind, say(fact), fact, recorded, index))


class MilestonesFold:
    """Folds a log into its turns, champions left to the measures."""

    handlers: Mapping[type[Fact], Handler] = {
        **dict.fromkeys(_SAID, _said),
        Started: _started,
        RemedyProposed: _proposed,
        RemedyApplied: _mended,
        RemedyRefused: _mended,
        Completed: _completed,
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
