"""What a person's words are held against: the little of a log that says which names there are and where they stand.

It is no fold of the house: nothing is measured or decided from it but whether a person's own words make sense.
"""

from __future__ import annotations

import msgspec

from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    Assigned,
    BanLifted,
    Banned,
    CampaignClosed,
    CampaignOpened,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Cancelled,
    Completed,
    DefectFixed,
    DefectFound,
    Failed,
    InstrumentVerified,
    PatchAdopted,
    Queued,
    RemedyApplied,
    RemedyProposed,
    Requeued,
    SpaceWidened,
    Started,
    WorkerJoined,
)
from events.log import LogReader
from events.space import Choice, Space

ENDED = ("completed", "abandoned")


class Known(msgspec.Struct):
    """Names that the log holds.

    Attributes:
        through: the last sequence that was read.
        last: by aggregate, the sequence of its last frame; `spoken`: by author, how many frames it wrote.
        experiments: each with where it stands, in one word.
        bans: those in force, each with its predicate; `banned` all there ever were, each with its position.
        tried: the latest remedy of each repair.
        instruments: in the order in which they appeared.
        closed, paused: where the log says so, None where the campaign is not.
        patches: each that held in its trial, with the instrument that it makes and the patch that it was made upon.
        adopted: the patch that everybody trains with, None while there is none.
    """

    campaign: str = ""
    space: Space = Space(name="empty", dimensions=())
    through: int = 0
    last: dict[str, int] = {}
    spoken: dict[str, int] = {}
    experiments: dict[str, str] = {}
    banned: dict[str, Position] = {}
    bans: dict[str, str] = {}
    defects: dict[str, Position] = {}
    fixed: set[str] = set()
    instruments: dict[str, None] = {}
    closed: Position | None = None
    paused: Position | None = None
    patches: dict[str, tuple[str, str | None]] = {}
    adopted: str | None = None
    tried: dict[str, RemedyProposed] = {}

    def read(self, log: LogReader) -> None:
        """Read on from where this stands."""
        for recorded in log.read(self.through):
            self.through = recorded.sequence
            self.last[recorded.subject.split(".")[2]] = recorded.sequence
            self.spoken[recorded.author] = self.spoken.get(recorded.author, 0) + 1
            for position, fact in recorded.positions():
                self._take(position, fact)

    def _take(self, position: Position, fact: Fact) -> None:
        match fact:
            case CampaignOpened():
                self.campaign, self.space = fact.campaign, fact.space
            case SpaceWidened():
                self.space = _widened(self.space, fact)
            case CampaignClosed():
                self.closed = position
            case CampaignReopened():
                self.closed = None
            case CampaignPaused():
                self.paused = position
            case CampaignResumed():
                self.paused = None
            case WorkerJoined() | InstrumentVerified():
                self.instruments.setdefault(fact.instrument)
            case DefectFound():
                self.defects[fact.defect] = position
            case DefectFixed():
                self.fixed.add(fact.defect)
            case Banned():
                self.banned[fact.ban], self.bans[fact.ban] = position, fact.where
            case BanLifted():
                self.bans.pop(fact.ban, None)
            case _:
                self._run(fact)

    def _repair(self, fact: RemedyProposed | RemedyApplied | PatchAdopted) -> None:
        match fact:
            case RemedyProposed():
                self.tried[fact.repair] = fact
            case RemedyApplied():
                tried = self.tried.get(fact.repair)
                if tried is not None and tried.patch is not None and fact.instrument is not None:
                    self.patches[tried.patch] = (fact.instrument, tried.base)
            case PatchAdopted():
                self.adopted = fact.patch

    def _run(self, fact: Fact) -> None:
        match fact:
            case Queued():
                self._stands(fact.experiment, "queued")
            case Requeued():
                # what was given up may come back, for a patch that was adopted since
                if self.experiments.get(fact.experiment) != "completed":
                    self.experiments[fact.experiment] = "queued"
            case Assigned():
                self._stands(fact.experiment, "assigned")
            case Started():
                self.instruments.setdefault(fact.instrument)
                self._stands(fact.experiment, "running")
            case Completed():
                self._stands(fact.experiment, "completed")
            case Failed():
                self._stands(fact.experiment, "failed")
            case Cancelled():
                self._stands(fact.experiment, "cancelled")
            case Abandoned():
                self._stands(fact.experiment, "abandoned")
            case RemedyProposed() | RemedyApplied() | PatchAdopted():
                self._repair(fact)

    def _stands(self, experiment: str, state: str) -> None:
        # who has a result keeps it, whatever is said of it later; a cancelled one may still be assigned and end
        if self.experiments.get(experiment) not in ENDED:
            self.experiments[experiment] = state


def _widened(space: Space, fact: SpaceWidened) -> Space:
    dimensions = tuple(
        msgspec.structs.replace(one, values=(*one.values, fact.value))
        if isinstance(one, Choice) and one.name == fact.dimension and fact.value not in one.values
        else one
        for one in space.dimensions
    )
    return Space(name=space.name, dimensions=dimensions)
