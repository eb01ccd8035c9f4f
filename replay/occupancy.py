"""What the devices did with their time: trained, waited for a start, fell silent, or were idle, and because of what.

Time is read from `at` alone, the clock of whoever spoke; one that jumps back stands still here until others pass it.
Nothing is counted before a worker joined, after it left, or once the search was closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from events.envelope import Fact
from events.facts import (
    Abandoned,
    AnswerReceived,
    AnswerRefused,
    Assigned,
    CampaignClosed,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Completed,
    CycleStarted,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
    WorkerJoined,
    WorkerLost,
    WorkerRetired,
)
from events.log import Recorded
from replay.fleet import Fleet, FleetFold
from replay.folds import Handler

Cause = Literal["closed", "paused", "dispatch", "judging", "answers", "repairs", "nothing"]
"""Why a device without a lease is idle, the first that holds: dispatch: something is queued and not leased yet;
judging: ideas wait for their verdict; answers: an agent waits for its policy; repairs: only failed runs are left, under
the fixer's care; nothing: nobody was asked for anything."""

Doing = Literal["training", "starting"]
"""starting: under a lease whose first run has not begun."""

CAUSES: tuple[Cause, ...] = get_args(Cause)


class Shift(msgspec.Struct, kw_only=True):
    """One worker's time, in microseconds by what it did; `marks` are the causes' clocks when it became idle."""

    worker: str
    device: str
    spent: dict[str, int] = {}
    doing: Doing | Literal["idle"] | None = None
    since: int = 0
    marks: dict[str, int] = {}

    def present(self) -> int:
        """Return the microseconds from joining to leaving, without silence and what came after the close."""
        return sum(many for what, many in self.spent.items() if what not in ("silent", "closed"))


class Shifts(msgspec.Struct, frozen=True, kw_only=True):
    """Each worker's time through the latest fact, in the order in which they joined."""

    workers: dict[str, Shift]


class Occupancy(msgspec.Struct, kw_only=True):
    """The shifts by worker, and what is needed to tell why a device is idle; sets are dicts, in the order of the log.

    Attributes:
        now: the latest `at` so far.
        clocks: for how many microseconds each cause has held.
    """

    fleet: Fleet = msgspec.field(default_factory=Fleet)
    shifts: dict[str, Shift] = {}
    now: int = 0
    clocks: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    closed: bool = False
    paused: bool = False
    queued: dict[str, None] = {}
    unjudged: dict[str, None] = {}
    asked: dict[str, None] = {}
    broken: dict[str, None] = {}

    def cause(self) -> Cause:
        """Say why a device without a lease is idle now."""
        standing: tuple[tuple[object, Cause], ...] = (
            (self.closed, "closed"),
            (self.paused, "paused"),
            (self.queued, "dispatch"),
            (self.unjudged, "judging"),
            (self.asked, "answers"),
            (self.broken, "repairs"),
        )
        return next((cause for holds, cause in standing if holds), "nothing")


def _campaign(
    state: Occupancy,
    fact: CampaignClosed | CampaignReopened | CampaignPaused | CampaignResumed,
    recorded: Recorded,
    index: int,
) -> None:
    if isinstance(fact, CampaignPaused | CampaignResumed):
        state.paused = isinstance(fact, CampaignPaused)
    else:
        state.closed = isinstance(fact, CampaignClosed)


def _started_cycle(state: Occupancy, fact: CycleStarted, recorded: Recorded, index: int) -> None:
    state.asked[fact.cycle] = None


def _ended_cycle(state: Occupancy, fact: AnswerReceived | AnswerRefused, recorded: Recorded, index: int) -> None:
    state.asked.pop(fact.cycle, None)


def _proposed(state: Occupancy, fact: IdeaProposed, recorded: Recorded, index: int) -> None:
    state.unjudged[fact.idea] = None


def _declined(state: Occupancy, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    state.unjudged.pop(fact.idea, None)


def _queued(state: Occupancy, fact: Queued, recorded: Recorded, index: int) -> None:
    state.unjudged.pop(fact.idea, None)
    state.queued[fact.experiment] = None


def _again(state: Occupancy, fact: Requeued | Abandoned, recorded: Recorded, index: int) -> None:
    state.broken.pop(fact.experiment, None)
    state.queued.pop(fact.experiment, None)
    if isinstance(fact, Requeued):
        state.queued[fact.experiment] = None


def _assigned(state: Occupancy, fact: Assigned, recorded: Recorded, index: int) -> None:
    state.queued.pop(fact.experiment, None)
    _turn(state, fact.worker)


def _spoke(state: Occupancy, fact: Started | Completed | Failed, recorded: Recorded, index: int) -> None:
    pack = state.fleet.packs.get(recorded.about)
    if pack is None or pack.revoked or pack.worker != recorded.author:
        return  # it is void
    if isinstance(fact, Failed):
        state.broken[fact.experiment] = None
    _turn(state, recorded.author)


def _joined(state: Occupancy, fact: WorkerJoined, recorded: Recorded, index: int) -> None:
    state.shifts.setdefault(fact.worker, Shift(worker=fact.worker, device=fact.device))
    _turn(state, fact.worker)


def _revoked(state: Occupancy, fact: LeaseRevoked | WorkerRetired, recorded: Recorded, index: int) -> None:
    _turn(state, fact.worker)


def _lost(state: Occupancy, fact: WorkerLost, recorded: Recorded, index: int) -> None:
    shift = state.shifts[fact.worker]
    before = dict(shift.spent)
    _turn(state, fact.worker)
    left = int(fact.silence * 1e6)
    # what it was taken to do since it was last heard is not known
    for what in sorted(shift.spent, key=lambda what: before.get(what, 0) - shift.spent[what]):
        taken = min(left, shift.spent[what] - before.get(what, 0))
        shift.spent[what] -= taken
        shift.spent["silent"] = shift.spent.get("silent", 0) + taken
        left -= taken


def _turn(state: Occupancy, name: str) -> None:
    """Book what a worker did until now, and note what it does from now on."""
    worker, shift = state.fleet.workers.get(name), state.shifts.get(name)
    if worker is None or shift is None:
        return
    if shift.doing == "idle":
        for cause, clock in state.clocks.items():
            _book(shift, cause, clock - shift.marks[cause])
    elif shift.doing is not None:
        _book(shift, shift.doing, state.now - shift.since)
    pack = state.fleet.packs.get(worker.pack or "")
    if worker.status != "joined":
        shift.doing = None
    elif pack is None:
        shift.doing = "idle"
    else:
        shift.doing = "training" if pack.started else "starting"
    shift.since, shift.marks = state.now, dict(state.clocks)


def _book(shift: Shift, what: str, microseconds: int) -> None:
    if microseconds:
        shift.spent[what] = shift.spent.get(what, 0) + microseconds


_COUNTED: dict[type[Fact], Handler] = {
    CampaignClosed: _campaign,
    CampaignReopened: _campaign,
    CampaignPaused: _campaign,
    CampaignResumed: _campaign,
    CycleStarted: _started_cycle,
    AnswerReceived: _ended_cycle,
    AnswerRefused: _ended_cycle,
    IdeaProposed: _proposed,
    IdeaDeclined: _declined,
    Queued: _queued,
    Requeued: _again,
    Abandoned: _again,
    Assigned: _assigned,
    Started: _spoke,
    Completed: _spoke,
    Failed: _spoke,
    WorkerJoined: _joined,
    WorkerLost: _lost,
    WorkerRetired: _revoked,
    LeaseRevoked: _revoked,
}


def _after_the_fleet(kind: type[Fact], then: Handler) -> Handler:
    fleet = FleetFold.handlers.get(kind)

    def both(state: Occupancy, fact: Fact, recorded: Recorded, index: int) -> None:
        passed = max(0, fact.at - state.now) if state.now else 0
        state.clocks[state.cause()] += passed
        state.now = max(state.now, fact.at)
        if fleet is not None:
            fleet(state.fleet, fact, recorded, index)
        then(state, fact, recorded, index)

    return both


class OccupancyFold:
    """Folds a log into what its devices did."""

    handlers: Mapping[type[Fact], Handler] = {kind: _after_the_fleet(kind, then) for kind, then in _COUNTED.items()}

    def initial(self) -> Occupancy:
        """Return no shifts."""
        return Occupancy()

    def result(self, state: Occupancy) -> Shifts:
        """Return each worker's time through the latest fact."""
        shifts = {}
        for name, shift in state.shifts.items():
            kept = msgspec.structs.replace(shift, spent=dict(shift.spent))
            _turn(msgspec.structs.replace(state, shifts={name: kept}), name)
            shifts[name] = kept
        return Shifts(workers=shifts)
