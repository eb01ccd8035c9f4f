"""The overview as data: what its panels show and what `myriad watch --json` prints, all of it from replay's folds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from heapq import nsmallest

import msgspec

from replay.agents import AgentRow, agents
from replay.controls import Control
from replay.fleet import Fleet, Pack, Worker
from replay.leaderboard import Row, leaderboard
from replay.ledger import Experiment, Ledger
from replay.measures import Measurement
from replay.metrics import validations
from replay.moment import Waiting
from replay.progress import running_best
from replay.report import Subject, subject
from replay.troubles import Failures, Queue, failures, queue
from tui.links import Link
from tui.pulses import Epoch
from tui.telling import Line

TOP, HEAD = 10, 20
"""Rows of the leaderboard, and of the queue's head."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment that a present worker holds, or the worker alone when it holds none.

    Attributes:
        lane: of the pack, from 0.
        epoch, epochs, loss, validation: as the last pulse told, None before the first and wherever nothing is live.
    """

    worker: str
    device: str
    pack: str | None = None
    lane: int | None = None
    experiment: str | None = None
    agent: str | None = None
    attempt: int | None = None
    started: bool = False
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    validation: float | None = None


class Fixing(msgspec.Struct, frozen=True, kw_only=True):
    """A repair that is not settled, and where it stands."""

    repair: str
    experiment: str
    kind: str
    remedy: str
    status: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign at one moment.

    Attributes:
        link: how this view stands to the log.
        problem: why nothing after `subject.through` could be folded, None when all could.
        at: time of the last fact by its author's clock, microseconds since 1970 UTC; 0 before the first.
        facts: how many were folded.
        leaders: the best by validation AP, with noise; test is not read.
        running_best: validation AP, one value a completion.
        gone: workers that left, by how: lost or retired.
        waiting: the head of the queue, the highest priority first, then the order of the log.
        troubles, latest: the last facts about failures and repairs, and the last of all, oldest first.
    """

    link: Link
    problem: str | None
    subject: Subject
    at: int
    facts: int
    leaders: list[Row]
    running_best: list[float]
    controls: list[Control]
    queue: Queue
    lanes: list[Lane]
    gone: dict[str, int]
    agents: list[AgentRow]
    waiting: list[Waiting]
    failures: Failures
    fixing: list[Fixing]
    troubles: list[Line]
    latest: list[Line]


class Streams(msgspec.Struct):
    """What passed by: how many facts, when the last, and the last of them in words."""

    facts: int = 0
    at: int = 0
    latest: deque[Line] = msgspec.field(default_factory=lambda: deque(maxlen=200))
    troubles: deque[Line] = msgspec.field(default_factory=lambda: deque(maxlen=50))


def overview(
    measurement: Measurement,
    streams: Streams,
    epochs: Mapping[str, Epoch],
    *,
    link: Link,
    problem: str | None,
    campaign: str,
) -> Overview:
    """Return the overview of what was folded; `measurement` has the fleet and the controls beside it, in this order.

    Args:
        epochs: the last pulse about each experiment that trains.
        campaign: the log's name, for a campaign that was never opened.
    """
    fleet, controls = measurement.beside
    results, ledger = measurement.results, measurement.ledger
    about = subject(ledger, measurement.through)
    return Overview(
        link=link,
        problem=problem,
        subject=msgspec.structs.replace(about, campaign=about.campaign or campaign),
        at=streams.at,
        facts=streams.facts,
        leaders=leaderboard(ledger, top=TOP),
        running_best=running_best(validations(ledger)),
        controls=controls,
        queue=queue(ledger),
        lanes=lanes(measurement, epochs),
        gone=dict(sorted(Counter(w.status for w in fleet.workers.values() if w.status != "joined").items())),
        agents=agents(results),
        waiting=_waiting(ledger),
        failures=failures(results),
        fixing=[
            Fixing(repair=r.repair, experiment=r.experiment, kind=r.kind, remedy=r.remedy, status=r.status)
            for r in results[2].with_status("diagnosed", "proposed", "applied", "refused")
        ],
        troubles=list(streams.troubles),
        latest=list(streams.latest),
    )


def lanes(measurement: Measurement, epochs: Mapping[str, Epoch]) -> list[Lane]:
    """Return what each present worker does; arguments as for `overview`."""
    fleet: Fleet = measurement.beside[0]
    ledger = measurement.ledger
    found: list[Lane] = []
    for worker in fleet.present():
        pack = fleet.packs.get(worker.pack or "")
        if pack is None or not pack.open:
            found.append(Lane(worker=worker.worker, device=worker.device))
        else:
            found += [_lane(ledger, worker, pack, ledger.experiments[name], epochs) for name in pack.waiting]
    return found


def _waiting(ledger: Ledger) -> list[Waiting]:
    queued = [experiment for experiment in ledger.experiments.values() if experiment.status == "queued"]
    # as in `replay.moment`: nsmallest is stable, so equals keep the order of the log
    head = nsmallest(HEAD, queued, key=lambda experiment: -experiment.priority)
    return [
        Waiting(experiment=e.experiment, agent=ledger.author(e.experiment), priority=e.priority, why=e.why)
        for e in head
    ]


def _lane(ledger: Ledger, worker: Worker, pack: Pack, experiment: Experiment, epochs: Mapping[str, Epoch]) -> Lane:
    attempt, epoch = experiment.attempts[-1], epochs.get(experiment.experiment)
    if epoch is not None and epoch.worker != worker.worker:
        epoch = None
    return Lane(
        worker=worker.worker,
        device=worker.device,
        pack=pack.pack,
        lane=attempt.lane,
        experiment=experiment.experiment,
        agent=ledger.author(experiment.experiment),
        attempt=attempt.attempt,
        started=attempt.started_at is not None,
        epoch=epoch.epoch if epoch else None,
        epochs=epoch.epochs if epoch else None,
        loss=epoch.loss if epoch else None,
        validation=epoch.validation if epoch else None,
    )
