"""The overview as data: what its panels show and what `myriad watch --json` prints, all of it from replay's folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from replay.agents import AgentRow
from replay.caps import Caps
from replay.champions import stood
from replay.controls import Control
from replay.conversations import Speaker, speakers
from replay.entries import Ban
from replay.fleet import Pack, Worker
from replay.leaderboard import Row, leaderboard, left_out
from replay.ledger import Experiment, Ledger
from replay.measures import Results, measured
from replay.moments.glance import Band, hourly, idle
from replay.moments.moment import Waiting, waiting
from replay.subject import Subject
from replay.trend import Reading
from replay.troubles import Failures, Queue
from tui.links import Link
from tui.pulses import Epoch
from tui.telling import Line

if TYPE_CHECKING:
    from tui.sight import Sight
    from tui.tape import Tape

TOP, HEAD = 10, 20
"""Rows of the leaderboard, and of the queue's head."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment that a present worker holds, or the worker alone when it holds none.

    Attributes:
        lane: of the pack, from 0.
        idle: why it holds nothing, empty where it does.
        epoch, epochs, loss, validation: as the last pulse told, None before the first and wherever nothing is live.
        losses: training loss, one value a pulse, of the attempt under way.
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
    losses: tuple[float | None, ...] = ()
    idle: str = ""


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
        virtual: whether the campaign was simulated, so that its times are nobody's wall clock.
        facts: how many were folded; `arrived` how many there are, `end` the last sequence among them.
        following: whether what arrives is shown at once.
        leaders: the best by validation AP, with noise; test is not read.
        running_best: validation AP, one value a completion.
        bands: completions by instrument, in order, each with its best.
        per_hour: completions an hour by the authors' clocks, over the last hour.
        values: the named values of `replay.measures.measured`.
        trend: how the search moved, as the analyst recorded it.
        gone: workers that left, by how: lost or retired.
        waiting: the head of the queue, in the order in which it would be leased.
        speakers: how each agent that joined fares with its model; `caps` what may be spent.
        last_ideas: each agent's latest idea with its rationale.
        paused: why a person asked for a pause, None while nobody does; `bans` those in force.
        troubles, latest: the last facts about failures and repairs, and the last of all, oldest first.
    """

    link: Link
    problem: str | None
    subject: Subject
    at: int
    virtual: bool
    facts: int
    arrived: int
    end: int
    following: bool
    leaders: list[Row]
    running_best: list[float]
    bands: list[Band]
    per_hour: float | None
    values: dict[str, float | int | str | None]
    trend: list[Reading]
    controls: list[Control]
    queue: Queue
    lanes: list[Lane]
    gone: dict[str, int]
    agents: list[AgentRow]
    speakers: list[Speaker]
    caps: Caps
    last_ideas: dict[str, tuple[str, str]]
    waiting: list[Waiting]
    paused: str | None
    bans: list[Ban]
    failures: Failures
    fixing: list[Fixing]
    troubles: list[Line]
    latest: list[Line]


def overview(
    sight: Sight,
    epochs: Mapping[str, Epoch],
    losses: Mapping[str, list[float | None]],
    *,
    link: Link,
    problem: str | None,
    campaign: str,
    through: Tape,
    following: bool,
    with_test: bool = False,
) -> Overview:
    """Return the overview of what a sight has folded.

    Args:
        epochs: the last pulse about each experiment that trains; `losses` what all of them told.
        campaign: the log's name, for a campaign that was never opened.
        through: what arrived.
        with_test: whether somebody asked for test scores; nothing is ordered by them.
    """
    results, ledger, glance = sight.results, sight.ledger, sight.glance
    about = Subject(
        campaign=ledger.campaign or campaign,
        space=ledger.space.name if ledger.space is not None else None,
        cells=ledger.space.cells if ledger.space is not None else 0,
        seed=ledger.seed,
        opened_at=ledger.opened_at,
        instruments=glance.instruments(),
        closed=ledger.closed,
        through=sight.through,
        left_out=left_out(ledger),
        imported=ledger.imported,
    )
    workers = sight.fleet.workers.values()
    return Overview(
        link=link,
        problem=problem,
        subject=about,
        at=sight.at,
        virtual=any(worker.platform.get("surrogate") for worker in workers),
        facts=through.told(sight.through),
        arrived=through.facts,
        end=len(through),
        following=following,
        leaders=stood(ledger, leaderboard(ledger, top=TOP, with_test=with_test)),
        running_best=list(glance.running_best),
        bands=list(glance.bands),
        per_hour=hourly(ledger, sight.at),
        values=measured(results),
        trend=list(sight.trend),
        controls=sight.controls,
        queue=glance.queue(results),
        lanes=lanes(sight, epochs, losses),
        gone=dict(sorted(Counter(w.status for w in workers if w.status != "joined").items())),
        agents=glance.agents(results),
        speakers=speakers(results),
        caps=sight.caps,
        last_ideas=_last_ideas(results),
        waiting=waiting(ledger, sight.prospects, HEAD),
        paused=ledger.paused,
        bans=list(ledger.bans.values()),
        failures=glance.failures(results),
        fixing=[
            Fixing(repair=r.repair, experiment=r.experiment, kind=r.kind, remedy=r.remedy, status=r.status)
            for r in results[2].with_status("diagnosed", "proposed", "applied", "refused")
        ],
        troubles=list(sight.troubles),
        latest=list(sight.latest),
    )


def lanes(sight: Sight, epochs: Mapping[str, Epoch], losses: Mapping[str, list[float | None]]) -> list[Lane]:
    """Return what each present worker does; arguments as for `overview`."""
    fleet, ledger = sight.fleet, sight.ledger
    found: list[Lane] = []
    for worker in fleet.present():
        pack = fleet.packs.get(worker.pack or "")
        if pack is None or not pack.open:
            found.append(Lane(worker=worker.worker, device=worker.device, idle=idle(ledger)))
        else:
            found += [
                _lane(ledger, worker, pack, ledger.experiments[name], epochs=epochs, losses=losses)
                for name in pack.waiting
            ]
    return found


def _last_ideas(results: Results) -> dict[str, tuple[str, str]]:
    search, cycles, _ = results
    found = {}
    for agent in cycles.agents.values():
        name = next((idea for cycle in reversed(agent.cycles) for idea in reversed(cycles.cycles[cycle].ideas)), None)
        if name is not None:
            found[agent.agent] = (name, search.ledger.ideas[name].rationale)
    return found


def _lane(
    ledger: Ledger,
    worker: Worker,
    pack: Pack,
    experiment: Experiment,
    *,
    epochs: Mapping[str, Epoch],
    losses: Mapping[str, list[float | None]],
) -> Lane:
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
        losses=tuple(losses.get(experiment.experiment, ())) if epoch else (),
    )
