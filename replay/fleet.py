"""The fleet: which devices take work, and who holds which pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from events.authors import role_of
from events.envelope import Fact, Position
from events.facts import (
    Assigned,
    Completed,
    Execution,
    Failed,
    LeaseRevoked,
    Started,
    WorkerJoined,
    WorkerLost,
    WorkerRetired,
)
from events.log import Recorded
from replay.folds import Given, Handler


class Worker(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A device and the pack that it holds, if any; `changed` is the position of the fact that gave it its status."""

    worker: str
    device: str
    lanes: int
    platform: Given[dict[str, str]]
    instrument: str
    joined_at: int
    status: Literal["joined", "lost", "retired"] = "joined"
    pack: str | None = None
    runs: int = 0
    changed: Position | None = None


class Pack(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Experiments leased together, one a lane.

    Attributes:
        waiting: experiments whose end is not on the log yet, with their attempt numbers.
    """

    pack: str
    worker: str
    execution: Execution
    seeds: Given[dict[str, int]] = {}
    waiting: Given[dict[str, int]] = {}
    started: bool = False
    revoked: bool = False
    assigned_at: int = 0

    @property
    def open(self) -> bool:
        """Whether the lease holds and something is still to come."""
        return bool(self.waiting) and not self.revoked


class Fleet(msgspec.Struct, kw_only=True):
    """Workers by name, packs by id, both in the order in which they came."""

    workers: dict[str, Worker] = {}
    packs: dict[str, Pack] = {}

    def present(self) -> list[Worker]:
        """Return the workers that joined and neither left nor were lost."""
        return [worker for worker in self.workers.values() if worker.status == "joined"]

    def orphans(self) -> list[Pack]:
        """Return the open packs whose workers are gone."""
        gone = (worker.pack for worker in self.workers.values() if worker.status != "joined" and worker.pack)
        return [pack for name in gone if (pack := self.packs[name]).open]


def _joined(fleet: Fleet, fact: WorkerJoined, recorded: Recorded, index: int) -> None:
    fleet.workers[fact.worker] = Worker(
        worker=fact.worker,
        device=fact.device,
        lanes=fact.lanes,
        platform=fact.platform,
        instrument=fact.instrument,
        joined_at=fact.at,
        changed=Position(recorded.sequence, index),
    )


def _lost(fleet: Fleet, fact: WorkerLost, recorded: Recorded, index: int) -> None:
    _left(fleet, fact.worker, "lost", Position(recorded.sequence, index))


def _retired(fleet: Fleet, fact: WorkerRetired, recorded: Recorded, index: int) -> None:
    _left(fleet, fact.worker, "retired", Position(recorded.sequence, index))


def _left(fleet: Fleet, worker: str, status: Literal["lost", "retired"], here: Position) -> None:
    fleet.workers[worker] = replace(fleet.workers[worker], status=status, changed=here)


def _assigned(fleet: Fleet, fact: Assigned, recorded: Recorded, index: int) -> None:
    if role_of(fact.worker) == "person":
        return  # an imported run, on a device that nobody here knows
    pack = fleet.packs.get(fact.pack)
    if pack is None:
        pack = Pack(pack=fact.pack, worker=fact.worker, execution=fact.execution, assigned_at=fact.at)
        fleet.workers[fact.worker] = replace(fleet.workers[fact.worker], pack=fact.pack)
    waiting, seeds = pack.waiting | {fact.experiment: fact.attempt}, pack.seeds | {fact.experiment: fact.seed}
    fleet.packs[fact.pack] = replace(pack, waiting=waiting, seeds=seeds)


def _started(fleet: Fleet, fact: Started, recorded: Recorded, index: int) -> None:
    if (pack := _spoken(fleet, fact, recorded)) is not None:
        fleet.packs[pack.pack] = replace(pack, started=True)


def _ended(fleet: Fleet, fact: Completed | Failed, recorded: Recorded, index: int) -> None:
    if (pack := _spoken(fleet, fact, recorded)) is None:
        return
    waiting = {name: attempt for name, attempt in pack.waiting.items() if name != fact.experiment}
    worker = fleet.workers[pack.worker]
    fleet.packs[pack.pack] = replace(pack, waiting=waiting)
    fleet.workers[pack.worker] = replace(worker, runs=worker.runs + 1, pack=worker.pack if waiting else None)


def _revoked(fleet: Fleet, fact: LeaseRevoked, recorded: Recorded, index: int) -> None:
    fleet.packs[fact.pack] = replace(fleet.packs[fact.pack], revoked=True)
    if (worker := fleet.workers[fact.worker]).pack == fact.pack:
        fleet.workers[fact.worker] = replace(worker, pack=None)


def _spoken(fleet: Fleet, fact: Started | Completed | Failed, recorded: Recorded) -> Pack | None:
    """Return the pack that the frame's author may speak about, None when its lease does not hold."""
    pack = fleet.packs.get(recorded.about)
    held = pack is not None and pack.open and pack.worker == recorded.author
    return pack if pack is not None and held and pack.waiting.get(fact.experiment) == fact.attempt else None


class FleetFold:
    """Folds a log into its fleet."""

    handlers: Mapping[type[Fact], Handler] = {
        WorkerJoined: _joined,
        WorkerLost: _lost,
        WorkerRetired: _retired,
        Assigned: _assigned,
        Started: _started,
        Completed: _ended,
        Failed: _ended,
        LeaseRevoked: _revoked,
    }

    def initial(self) -> Fleet:
        """Return a fleet of none."""
        return Fleet()

    def result(self, state: Fleet) -> Fleet:
        """Return the fleet itself."""
        return state
