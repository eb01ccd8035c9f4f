"""What a screen shows of a whole campaign, kept up by looking only at what changed since the last look.

The numbers are those of `replay.agents`, `replay.troubles` and `replay.progress`, which walk the whole ledger each time
that they are asked; a screen asks eight times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice

import msgspec
from msgspec.structs import replace

from events.envelope import Fact
from events.facts import (
    Abandoned,
    Assigned,
    Completed,
    Failed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.log import Recorded
from replay.agents import AgentRow
from replay.counts import Total
from replay.folds import Handler
from replay.ledger import Experiment, Idea, Ledger
from replay.measures import Results
from replay.troubles import Failures, Queue, mendings

HOUR = 3_600_000_000
"""Microseconds over which completions are counted."""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Completions in a row under one instrument.

    Attributes:
        first, last: places in the order of completion, from 1, both included.
        best: validation AP, the highest of the band, by `experiment`.
    """

    instrument: str
    first: int
    last: int
    best: float
    experiment: str


class Glance(msgspec.Struct):
    """Counts of one campaign; `refresh` costs what changed since it was last called.

    Attributes:
        running_best: validation AP, one value a completion.
        bands: completions in a row under one instrument, in order.
        rows: by author of ideas, what is counted of it here; `agents` says the rest. `seconds` is their device time.
        proposed, queued: how many ideas and experiments are counted, from the first.
        unjudged: ideas among them that had no verdict when they were last looked at.
        runs: of each experiment among them without a result, how much is counted: attempts begun and ended, whether it
            was given up. `kinds` are failures by kind.
        moved: experiments of which facts spoke since the last look, with packs in `leased`; whether a fact counted, the
            ledger says.
    """

    running_best: list[float] = []
    bands: list[Band] = []
    rows: dict[str, AgentRow] = {}
    seconds: dict[str, Total] = {}
    proposed: int = 0
    queued: int = 0
    unjudged: dict[str, None] = {}
    runs: dict[str, tuple[int, int, bool]] = {}
    kinds: dict[str, int] = {}
    again: int = 0
    recovered: int = 0
    abandoned: int = 0
    moved: dict[str, None] = {}
    leased: dict[str, None] = {}

    def refresh(self, results: Results) -> None:
        """Look at what changed."""
        ledger = results[0].ledger
        self._count_ideas(ledger)
        revoked = dict.fromkeys(name for pack in self.leased for name in ledger.leases.get(pack, ()))
        for name in {**self.moved, **revoked}:
            self._count_run(ledger, ledger.experiments[name])
        self.queued = len(ledger.experiments)
        for name in ledger.completed[len(self.running_best) :]:
            self._count_completion(ledger.experiments[name])
        self.moved, self.leased = {}, {}

    def agents(self, results: Results) -> list[AgentRow]:
        """Return what `replay.agents.agents` returns: those that joined first, then other authors of ideas."""
        search, cycles, _ = results
        improved: dict[str, int] = {}
        for step in search.progress.improvements:
            author = search.ledger.author(step.experiment)
            improved[author] = improved.get(author, 0) + 1
        found = []
        for name in dict.fromkeys((*cycles.agents, *self.rows)):
            agent, row = cycles.agents.get(name), self.rows.get(name, AgentRow(agent=name))
            changes = {
                "policy": agent.policy if agent else None,
                "cycles": len(agent.cycles) if agent else 0,
                "usd": agent.usd if agent else 0.0,
                "origins": dict(row.origins),
                "improvements": improved.get(name, 0),
                "gpu_seconds": self.seconds[name].value() if name in self.seconds else 0.0,
                "cells": search.diversity.covered(name),
                "entropy_whole": search.diversity.entropy("whole", name),
                "entropy_architecture": search.diversity.entropy("architecture", name),
                "entropy_training": search.diversity.entropy("training", name),
            }
            found.append(replace(row, **changes))
        return found

    def instruments(self) -> tuple[str, ...]:
        """Name the instruments of what completed, in the order in which they came."""
        return tuple(dict.fromkeys(band.instrument or "none stated" for band in self.bands))

    def failures(self, results: Results) -> Failures:
        """Return what `replay.troubles.failures` returns."""
        mended: dict[str, int] = {}
        for repair in results[2].repairs.values():
            told = f"{repair.remedy} {repair.status}"
            mended[told] = mended.get(told, 0) + 1
        return Failures(
            by_kind=dict(sorted(self.kinds.items())),
            again=self.again,
            abandoned=self.abandoned,
            recovered=self.recovered,
            remedies=dict(sorted(mended.items())),
            **mendings(results),
        )

    def queue(self, results: Results) -> Queue:
        """Return what `replay.troubles.queue` returns."""
        ledger = results[0].ledger
        return Queue(
            unjudged=sum(len(ideas) for ideas in ledger.unjudged.values()),
            by_status={status: len(names) for status, names in sorted(ledger.states.items()) if names},
            declined=dict(sorted(ledger.declined.items())),
        )

    def _row(self, agent: str) -> AgentRow:
        if agent not in self.rows:
            self.rows[agent], self.seconds[agent] = AgentRow(agent=agent), Total()
        return self.rows[agent]

    def _count_ideas(self, ledger: Ledger) -> None:
        judged = [idea for name in self.unjudged if _is_judged(idea := ledger.ideas[name])]
        new = [*islice(reversed(ledger.ideas.values()), len(ledger.ideas) - self.proposed)][::-1]
        for idea in judged:
            del self.unjudged[idea.idea]
        for idea in new:
            row = self._row(idea.agent)
            row.proposed += 1
            row.origins[idea.origin] = row.origins.get(idea.origin, 0) + 1
            if not _is_judged(idea):
                self.unjudged[idea.idea] = None
        for idea in chain(judged, new):
            self.rows[idea.agent].declined += idea.declined is not None
        self.proposed = len(ledger.ideas)

    def _count_run(self, ledger: Ledger, experiment: Experiment) -> None:
        name, attempts, new = experiment.experiment, experiment.attempts, experiment.number > self.queued
        if not new and name not in self.runs:
            return  # it has its result, which nothing changes
        agent = ledger.ideas[experiment.idea].agent
        row = self._row(agent)
        began, ended, lost = self.runs.pop(name, (0, 0, False))
        row.queued += new
        self.again += began < 2 <= len(attempts)
        while ended < len(attempts) and attempts[ended].ended_at is not None:
            attempt = attempts[ended]
            self.seconds[agent].add(attempt.gpu_seconds)
            if attempt.failure is not None:
                self.kinds[attempt.failure] = self.kinds.get(attempt.failure, 0) + 1
            row.failed += attempt.broken
            ended += 1
        outcome, gone = experiment.outcome, experiment.abandoned is not None
        self.abandoned += gone and not lost
        if outcome is None:
            self.runs[name] = (len(attempts), ended, gone)
            return
        row.completed += 1
        if row.best_validation is None or outcome.validation > row.best_validation:
            row.best_validation = outcome.validation
        self.recovered += len(attempts) > 1 and any(attempt.broken for attempt in attempts)

    def _count_completion(self, experiment: Experiment) -> None:
        outcome = experiment.outcome
        assert outcome is not None  # noqa: S101 # the ledger lists nothing as completed that has no outcome
        score, best = outcome.validation, self.running_best
        best.append(score if not best or score > best[-1] else best[-1])
        instrument, name = experiment.attempts[-1].instrument or "", experiment.experiment
        bands, n = self.bands, len(best)
        if not bands or bands[-1].instrument != instrument:
            bands.append(Band(instrument=instrument, first=n, last=n, best=score, experiment=name))
        else:
            beaten = {"best": score, "experiment": name} if score > bands[-1].best else {}
            bands[-1] = replace(bands[-1], last=n, **beaten)


def _is_judged(idea: Idea) -> bool:
    return idea.declined is not None or idea.experiment is not None


def _moved(glance: Glance, fact: Queued, recorded: Recorded, index: int) -> None:
    glance.moved[fact.experiment] = None


def _revoked(glance: Glance, fact: LeaseRevoked, recorded: Recorded, index: int) -> None:
    glance.leased[fact.pack] = None


class GlanceFold:
    """Notes which experiments may have changed; who reads the counts refreshes them first."""

    handlers: Mapping[type[Fact], Handler] = {
        LeaseRevoked: _revoked,
        **dict.fromkeys((Queued, Assigned, Started, Completed, Failed, Requeued, Abandoned), _moved),
    }

    def initial(self) -> Glance:
        """Return counts of nothing."""
        return Glance()

    def result(self, state: Glance) -> Glance:
        """Return the counts themselves."""
        return state


def hourly(ledger: Ledger, at: int) -> float | None:
    """Return completions an hour over the hour before `at` (microseconds), or since the opening where that is less.

    None before the first second.
    """
    span = min(HOUR, at - ledger.opened_at) if ledger.opened_at else 0
    if span < 1_000_000:
        return None
    many = 0
    for name in reversed(ledger.completed):
        if (ledger.experiments[name].attempts[-1].ended_at or 0) <= at - span:
            break
        many += 1
    return many * HOUR / span


def idle(ledger: Ledger) -> str:
    """Say why a worker that holds nothing has nothing to do."""
    if ledger.closed is not None:
        return "the search is closed"
    if ledger.states.get("queued"):
        return "work waits: a pack is being made"
    if ledger.unjudged:
        return "ideas wait for a verdict"
    return "nothing is queued"
