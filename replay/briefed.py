"""Which results each question to a policy showed it: what a briefing's leaderboard held, or all that a learner is told.

A briefing shows the best results at the moment that its author had read to, without those that a defect known by then
touches. A policy without a prompt sees every result (tpe), or none.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping

import msgspec

from events.envelope import Fact
from events.facts import CycleStarted
from events.log import Recorded
from replay.briefing import LEADERS
from replay.cycles import Cycle, Cycles
from replay.folds import Handler
from replay.ledger import Ledger

LEARNERS = ("tpe",)
"""Policies without a prompt that are told of every result."""

SHOWING = ("leaderboard", "genealogy")
"""Sections of a briefing that tell results of single runs."""


class Horizons(msgspec.Struct):
    """By cycle, the last sequence that its author had read when it asked."""

    through: dict[str, int] = {}


def _started(state: Horizons, fact: CycleStarted, recorded: Recorded, index: int) -> None:
    state.through[fact.cycle] = fact.through


class HorizonsFold:
    """Folds a log into how much each cycle's author had read."""

    handlers: Mapping[type[Fact], Handler] = {CycleStarted: _started}

    def initial(self) -> Horizons:
        """Return no cycles."""
        return Horizons()

    def result(self, state: Horizons) -> Horizons:
        """Return the horizons."""
        return state


def shown(ledger: Ledger, cycles: Cycles, horizons: Horizons) -> Iterator[tuple[Cycle, tuple[str, ...]]]:
    """Yield each cycle, in the order of their horizons, with the touched experiments whose results it was shown."""
    results = [(name, ledger.experiments[name]) for name in ledger.completed]
    ranked: list[tuple[float, int, str]] = []
    known = 0
    for cycle in sorted(cycles.cycles.values(), key=lambda one: (horizons.through.get(one.cycle, 0), one.started)):
        through = horizons.through.get(cycle.cycle, 0)
        while known < len(results) and (ended := results[known][1].ended) is not None and ended.sequence <= through:
            name, experiment = results[known]
            known += 1
            if experiment.outcome is not None:
                insort(ranked, (-experiment.outcome.validation, known, name))
        if cycle.prompt is None:
            learns = cycles.agents[cycle.agent].policy in LEARNERS
            yield cycle, tuple(name for _, _, name in ranked if name in ledger.defects.touched) if learns else ()
        elif not cycle.sections or any(section in cycle.sections for section in SHOWING):
            yield cycle, _told(ledger, ranked, through)
        else:
            yield cycle, ()


def _told(ledger: Ledger, ranked: list[tuple[float, int, str]], through: int) -> tuple[str, ...]:
    """Return the touched experiments among the best that a briefing showed then."""
    found: list[str] = []
    places = 0
    for _, _, name in ranked:
        touching = ledger.defects.touched.get(name, ())
        if any(ledger.defects.all[defect].found.sequence <= through for defect in touching):
            continue
        places += 1
        found += [name] * bool(touching)
        if places == LEADERS:
            break
    return tuple(found)
