"""What the audit knows of a log so far: plain entries by name, kept apart from the folds that it is to check."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from events.authors import role_of
from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    AgentJoined,
    AnswerReceived,
    AnswerRefused,
    Assigned,
    CampaignClosed,
    CampaignOpened,
    CampaignReopened,
    Cancelled,
    Completed,
    CycleStarted,
    DiagnosisMade,
    Failed,
    FeaturesExtracted,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    LogSealed,
    Queued,
    Requeued,
    Started,
    WorkerJoined,
    WorkerLost,
    WorkerRetired,
)
from replay.counts import Total
from replay.laws.vouching import Vouched
from replay.settings import Reading, Settings, at_hand, settings

Spoken = Started | Completed | Failed
"""What a worker says under a lease."""

LIVE = ("assigned", "running")


class Entry(NamedTuple):
    """One fact where it stands: its frame's subject, author and id, and how many facts the frame has."""

    position: Position
    subject: str
    author: str
    id: str
    size: int
    fact: Any

    @property
    def about(self) -> str:
        """The id in the subject: of the cycle, pack, repair ... that the frame is about."""
        return self.subject.split(".")[3]


class Author(msgspec.Struct):
    """How many frames somebody wrote, and the sequence of the last one."""

    frames: int = 0
    last: int = 0


class Run(msgspec.Struct):
    """An experiment: where it stands, its latest lease, and whether that one ended for want of memory."""

    idea: str
    state: Literal["waiting", "assigned", "running", "failed", "completed", "abandoned"] = "waiting"
    lease: Assigned | None = None
    author: str = ""
    spoiled: int = 0
    starved: bool = False


class Lease(msgspec.Struct):
    """A pack: whose it is, who assigned it in which frame, and whether it was taken back."""

    worker: str
    sequence: int
    experiments: list[str] = []
    revoked: bool = False


class Device(msgspec.Struct):
    """A worker: how it stands, and under which instrument it joined."""

    instrument: str
    lanes: int
    status: Literal["joined", "lost", "retired"] = "joined"


class Story:
    """Everything known before the next fact; `advance` takes that one in, whatever it says."""

    def __init__(self, campaign: str, reading: Reading = at_hand) -> None:
        self.campaign = campaign
        self._reading = reading
        self.last = 0
        self.spoken = 0
        self.sizes: list[int] = [0]
        self.ids: set[str] = set()
        self.authors: dict[str, Author] = {}
        self.opened = 0
        self.closed = False
        self.sealed = -1
        self.file: Settings | str = "the campaign was never opened"
        self.agents: set[str] = set()
        self.cycles: dict[str, int] = {}
        self.ideas: dict[str, int] = {}
        self.repairs: set[str] = set()
        self.runs: dict[str, Run] = {}
        self.leases: dict[str, Lease] = {}
        self.cancelled: set[str] = set()
        self.devices: dict[str, Device] = {}
        self.features: dict[str, FeaturesExtracted] = {}
        self.instrument: str | None = None
        self.vouched = Vouched()
        self.completed = 0
        self.live: dict[str, float] = {}
        self.spent = Total()
        self.reserved: dict[str, float] = {}
        self.usd = Total()

    @property
    def ended(self) -> bool:
        """Whether the analyst sealed the log after every role's last word: nothing is still to come.

        What a person says afterwards, of a defect or a run made again, brings nothing back that hangs.
        """
        return self.sealed >= self.spoken

    def holds(self, entry: Entry) -> bool:
        """Say whether a worker's word is under a lease that holds: its own pack, its own attempt, not ended yet."""
        fact: Spoken = entry.fact
        run, lease = self.runs.get(fact.experiment), self.leases.get(entry.about)
        if run is None or run.lease is None or lease is None or lease.revoked or run.state not in LIVE:
            return False
        return (run.lease.pack, run.lease.attempt, run.lease.worker) == (entry.about, fact.attempt, entry.author)

    def advance(self, entry: Entry) -> None:
        """Take a fact in."""
        if entry.position.index == 0:
            self._turn(entry)
        fact: Fact = entry.fact
        match fact:
            case CampaignOpened():
                self.opened += 1
                self.file = settings(fact.file, self._reading)
            case CampaignClosed():
                self.closed = True
            case CampaignReopened():
                self._reopen(fact)
            case Cancelled():
                self.cancelled.add(fact.experiment)
            case LogSealed():
                self.sealed = fact.through
            case FeaturesExtracted():
                self.features.setdefault(fact.backbone, fact)
            case WorkerJoined():
                self.devices[fact.worker] = Device(fact.instrument, fact.lanes)
            case WorkerLost() | WorkerRetired():
                self._leave(fact)
            case Assigned() | Started() | Completed() | Failed() | LeaseRevoked() | Requeued() | Abandoned():
                self._run(entry)
            case _:
                self._propose(fact)
                self.vouched.advance(fact)
                if role_of(entry.author) == "analyst":
                    self.vouched.repeat(fact)

    def _reopen(self, fact: CampaignReopened) -> None:
        self.closed = False
        if fact.file is not None:
            self.file = settings(fact.file, self._reading)

    def _turn(self, entry: Entry) -> None:
        sequence = entry.position.sequence
        self.last = max(self.last, sequence)
        self.sizes.extend([0] * (sequence + 1 - len(self.sizes)))
        self.sizes[sequence] = entry.size
        self.ids.add(entry.id)
        author = self.authors.setdefault(entry.author, Author())
        author.frames, author.last = author.frames + 1, sequence
        if role_of(entry.author) not in ("analyst", "person"):
            self.spoken = sequence

    def _propose(self, fact: Fact) -> None:
        match fact:
            case AgentJoined():
                self.agents.add(fact.agent)
            case CycleStarted():
                self.cycles.setdefault(fact.cycle, 0)
                self.reserved[fact.cycle] = fact.reserve_usd
            case AnswerReceived() | AnswerRefused():
                self.cycles[fact.cycle] = self.cycles.get(fact.cycle, 0) + 1
                reserve = self.reserved.pop(fact.cycle, 0.0)
                # what nobody knows the cost of counts at what it had reserved
                self.usd.add(reserve if fact.usd is None else fact.usd)
            case IdeaProposed():
                self.ideas.setdefault(fact.idea, 0)
            case IdeaDeclined() | Queued():
                self._judge(fact)
            case DiagnosisMade():
                self.repairs.add(fact.repair)

    def _judge(self, fact: IdeaDeclined | Queued) -> None:
        self.ideas[fact.idea] = self.ideas.get(fact.idea, 0) + 1
        if isinstance(fact, Queued):
            self.runs.setdefault(fact.experiment, Run(fact.idea))

    def _leave(self, fact: WorkerLost | WorkerRetired) -> None:
        if (device := self.devices.get(fact.worker)) is not None:
            device.status = "lost" if isinstance(fact, WorkerLost) else "retired"

    def _run(self, entry: Entry) -> None:
        fact = entry.fact
        match fact:
            case Assigned():
                self._assign(entry, fact)
            case Started() if self.holds(entry):
                self.runs[fact.experiment].state, self.runs[fact.experiment].author = "running", entry.author
                self.instrument = self.instrument or fact.instrument
            case Completed() | Failed() if self.holds(entry):
                self._end(fact)
            case LeaseRevoked():
                self._revoke(fact)
            case Requeued() | Abandoned():
                run = self.runs.get(fact.experiment)
                if run is not None and run.state != "completed":
                    run.state = "waiting" if isinstance(fact, Requeued) else "abandoned"
                    run.spoiled -= _is_sliced_finer(run, fact)

    def _assign(self, entry: Entry, fact: Assigned) -> None:
        lease = self.leases.setdefault(fact.pack, Lease(fact.worker, entry.position.sequence))
        lease.experiments.append(fact.experiment)
        run = self.runs.get(fact.experiment)
        if run is not None and run.state != "completed":
            run.state, run.lease, run.author = "assigned", fact, ""
            self.live[fact.experiment] = fact.execution.timeout

    def _end(self, fact: Completed | Failed) -> None:
        run = self.runs[fact.experiment]
        completed = isinstance(fact, Completed)
        run.state = "completed" if completed else "failed"
        run.spoiled += not completed
        run.starved = isinstance(fact, Failed) and fact.kind == "out_of_memory"
        self.completed += completed
        self.live.pop(fact.experiment, None)
        self.spent.add(fact.gpu_seconds)

    def _revoke(self, fact: LeaseRevoked) -> None:
        lease = self.leases.setdefault(fact.pack, Lease(fact.worker, 0))
        lease.revoked = True
        for name in lease.experiments:
            run = self.runs.get(name)
            if run is not None and run.state in LIVE and run.lease is not None and run.lease.pack == fact.pack:
                run.spoiled += fact.reason == "lost" and run.state == "running"
                run.state = "failed"
                self.spent.add(self.live.pop(name, 0.0))


def _is_sliced_finer(run: Run, fact: Requeued | Abandoned) -> bool:
    """Say whether an attempt that ran out of memory is followed by a finer slicing, and so was not spoiled."""
    finer = isinstance(fact, Requeued) and run.lease is not None
    return finer and run.starved and fact.execution.micro_batches > run.lease.execution.micro_batches  # type: ignore[union-attr] # finer says both
