"""What a screen shows of a whole campaign, kept up by looking only at what changed since the last look.

The numbers are those of `replay.agents`, `replay.troubles` and `replay.progress`, which walk the whole ledger each time
that they are asked; a screen asks eight times a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import attrgetter

import msgspec

from events.envelope import Fact
from events.facts import (
    Abandoned,
    Assigned,
    Completed,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    Requeued,
    Started,
)
from events.log import Recorded
from replay.agents import AgentRow
from replay.counts import Total
from replay.folds import Handler
from replay.leaderboard import Row, leaderboard
from replay.ledger import Experiment, Ledger
from replay.measures import Results
from replay.troubles import Failures, Queue, mendings

_ORIGIN = attrgetter("agent", "origin")

HOUR = 3_600_000_000
"""Microseconds over which completions are counted."""


class Touched(msgspec.Struct):
    """Names that facts spoke of since `forget`; whether a fact counted, the ledger says."""

    ideas: dict[str, None] = {}
    experiments: dict[str, None] = {}
    packs: dict[str, None] = {}

    def forget(self) -> None:
        """Begin anew."""
        self.ideas, self.experiments, self.packs = {}, {}, {}


def _idea(touched: Touched, fact: IdeaProposed | IdeaDeclined, recorded: Recorded, index: int) -> None:
    touched.ideas[fact.idea] = None


def _queued(touched: Touched, fact: Queued, recorded: Recorded, index: int) -> None:
    touched.experiments[fact.experiment] = None


def _revoked(touched: Touched, fact: LeaseRevoked, recorded: Recorded, index: int) -> None:
    touched.packs[fact.pack] = None


class TouchedFold:
    """Notes which ideas and experiments may have changed."""

    handlers: Mapping[type[Fact], Handler] = {
        IdeaProposed: _idea,
        IdeaDeclined: _idea,
        LeaseRevoked: _revoked,
        **dict.fromkeys((Queued, Assigned, Started, Completed, Failed, Requeued, Abandoned), _queued),
    }

    def initial(self) -> Touched:
        """Return that nothing changed."""
        return Touched()

    def result(self, state: Touched) -> Touched:
        """Return the names themselves."""
        return state


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


class _Stretch(msgspec.Struct):
    """A band that may still grow."""

    instrument: str
    first: int
    best: float
    experiment: str


class Glance:
    """Counts of one campaign; `refresh` costs what changed, the first one of a state what there is.

    Attributes:
        running_best: validation AP, one value a completion.
    """

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self.running_best: list[float] = []
        self._rows: dict[str, AgentRow] = {}
        self._seconds: dict[str, Total] = {}
        self._ideas: dict[str, bool] = {}
        self._runs: dict[str, tuple[int, int, bool, bool]] = {}
        self._kinds: dict[str, int] = {}
        self._ranked = (0, 0, 0)
        self._leaders: list[Row] = []
        self._again = self._recovered = self._abandoned = 0

    def refresh(self, results: Results, touched: Touched) -> None:
        """Look at what changed; with a fresh object, at everything."""
        ledger = results[0].ledger
        everything = not self._ideas
        if everything:
            self._count_ideas(ledger)
        for name in () if everything else touched.ideas:
            self._count_idea(ledger, name)
        names = dict.fromkeys(name for pack in touched.packs for name in ledger.leases.get(pack, ()))
        for name in ledger.experiments if everything else {**touched.experiments, **names}:
            self._count_run(ledger, ledger.experiments[name])
        for name in ledger.completed[len(self.running_best) :]:
            self._count_completion(ledger.experiments[name])
        touched.forget()

    @property
    def bands(self) -> list[Band]:
        """Stretches of completions by instrument, in order."""
        firsts = [stretch.first for stretch in self._stretches] + [len(self.running_best) + 1]
        return [
            Band(instrument=s.instrument, first=s.first, last=after - 1, best=s.best, experiment=s.experiment)
            for s, after in zip(self._stretches, firsts[1:], strict=True)
        ]

    def agents(self, results: Results) -> list[AgentRow]:
        """Return what `replay.agents.agents` returns: those that joined first, then other authors of ideas."""
        search, cycles, _ = results
        improved: dict[str, int] = {}
        for step in search.progress.improvements:
            author = search.ledger.author(step.experiment)
            improved[author] = improved.get(author, 0) + 1
        found = []
        for name in dict.fromkeys((*cycles.agents, *self._rows)):
            agent, row = cycles.agents.get(name), self._rows.get(name, AgentRow(agent=name))
            changes = {
                "policy": agent.policy if agent else None,
                "cycles": len(agent.cycles) if agent else 0,
                "usd": agent.usd if agent else 0.0,
                "origins": dict(row.origins),
                "improvements": improved.get(name, 0),
                "gpu_seconds": self._seconds[name].value() if name in self._seconds else 0.0,
                "cells": search.diversity.covered(name),
                "entropy_whole": search.diversity.entropy("whole", name),
                "entropy_architecture": search.diversity.entropy("architecture", name),
                "entropy_training": search.diversity.entropy("training", name),
            }
            found.append(msgspec.structs.replace(row, **changes))
        return found

    def leaders(self, ledger: Ledger, top: int) -> list[Row]:
        """Return what `replay.leaderboard.leaderboard` returns; made anew when anything in it may differ."""
        now = (len(ledger.completed), len(ledger.defects.touched), top)
        if self._ranked != now:
            self._ranked, self._leaders = now, leaderboard(ledger, top=top)
        return list(self._leaders)

    def instruments(self) -> tuple[str, ...]:
        """Name the instruments of what completed, in the order in which they came."""
        return tuple(dict.fromkeys(band.instrument or "none stated" for band in self._stretches))

    def failures(self, results: Results) -> Failures:
        """Return what `replay.troubles.failures` returns."""
        mended: dict[str, int] = {}
        for repair in results[2].repairs.values():
            told = f"{repair.remedy} {repair.status}"
            mended[told] = mended.get(told, 0) + 1
        return Failures(
            by_kind=dict(sorted(self._kinds.items())),
            again=self._again,
            abandoned=self._abandoned,
            recovered=self._recovered,
            remedies=dict(sorted(mended.items())),
            **mendings(results),
        )

    def queue(self, results: Results) -> Queue:
        """Return what `replay.troubles.queue` returns."""
        search, ledger = results[0], results[0].ledger
        return Queue(
            unjudged=sum(len(ideas) for ideas in ledger.unjudged.values()),
            by_status={status: len(names) for status, names in sorted(ledger.states.items()) if names},
            declined=dict(sorted(search.declined.items())),
        )

    def _row(self, agent: str) -> AgentRow:
        if agent not in self._rows:
            self._rows[agent], self._seconds[agent] = AgentRow(agent=agent), Total()
        return self._rows[agent]

    def _count_ideas(self, ledger: Ledger) -> None:
        """Count all of them at once: a moment that somebody goes to is a state that was never looked at."""
        self._ideas = {name: idea.declined is not None for name, idea in ledger.ideas.items()}
        counted = Counter(map(_ORIGIN, ledger.ideas.values()))
        for (agent, origin), many in counted.items():
            row = self._row(agent)
            row.proposed += many
            row.origins[origin] = row.origins.get(origin, 0) + many
        for agent, many in Counter(idea.agent for idea in ledger.ideas.values() if idea.declined is not None).items():
            self._row(agent).declined += many

    def _count_idea(self, ledger: Ledger, name: str) -> None:
        idea = ledger.ideas[name]
        known, declined = self._ideas.get(name), idea.declined is not None
        row = self._row(idea.agent)
        if known is None:
            row.proposed += 1
            row.origins[idea.origin] = row.origins.get(idea.origin, 0) + 1
        row.declined += declined and not known
        self._ideas[name] = declined

    def _count_run(self, ledger: Ledger, experiment: Experiment) -> None:
        agent = ledger.ideas[experiment.idea].agent
        row, attempts = self._rows.get(agent) or self._row(agent), experiment.attempts
        known = experiment.experiment in self._runs
        began, ended, done, lost = self._runs.get(experiment.experiment, (0, 0, False, False))
        row.queued += not known
        self._again += began < 2 <= len(attempts)
        while ended < len(attempts) and attempts[ended].ended_at is not None:
            attempt = attempts[ended]
            self._seconds[agent].add(attempt.gpu_seconds)
            if attempt.failure is not None:
                self._kinds[attempt.failure] = self._kinds.get(attempt.failure, 0) + 1
            row.failed += attempt.broken
            ended += 1
        outcome, gone = experiment.outcome, experiment.abandoned is not None
        if outcome is not None and not done:
            row.completed += 1
            if row.best_validation is None or outcome.validation > row.best_validation:
                row.best_validation = outcome.validation
            self._recovered += len(attempts) > 1 and any(attempt.broken for attempt in attempts)
        self._abandoned += gone and not lost
        self._runs[experiment.experiment] = (len(attempts), ended, outcome is not None, gone)

    def _count_completion(self, experiment: Experiment) -> None:
        outcome = experiment.outcome
        assert outcome is not None  # noqa: S101 # the ledger lists nothing as completed that has no outcome
        score, best = outcome.validation, self.running_best
        best.append(score if not best or score > best[-1] else best[-1])
        instrument, bands = experiment.attempts[-1].instrument or "", self._stretches
        if not bands or bands[-1].instrument != instrument:
            bands.append(_Stretch(instrument, len(best), score, experiment.experiment))
        elif score > bands[-1].best:
            bands[-1].best, bands[-1].experiment = score, experiment.experiment


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
