"""Which results each question to a policy showed it: what a briefing's leaderboard held, or all that a learner is told.

A briefing shows the best results at the moment that its author had read to, without those that a defect known by then
touches. A policy without a prompt learns from every result, or, as the uniform one, from none.
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

BLIND = ("uniform",)
"""Policies that no result is told to; any other one without a prompt learns from all of them."""

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


def shown(ledger: Ledger, cycles: Cycles, horizons: Horizons) -> Iterator[tuple[Cycle, str]]:
    """Yield each cycle that was shown a touched result, by their horizons, with the best such experiment."""
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
        if (best := _best_shown(ledger, cycles, cycle, ranked, through)) is not None:
            yield cycle, best


def _best_shown(
    ledger: Ledger, cycles: Cycles, cycle: Cycle, ranked: list[tuple[float, int, str]], through: int
) -> str | None:
    if cycle.prompt is not None:
        reads = not cycle.sections or any(section in cycle.sections for section in SHOWING)
        return _told(ledger, ranked, through) if reads else None
    if cycles.agents[cycle.agent].policy in BLIND:
        return None
    return next((name for _, _, name in ranked if name in ledger.defects.touched), None)


def _told(ledger: Ledger, ranked: list[tuple[float, int, str]], through: int) -> str | None:
    """Return the first touched experiment among the best that a briefing showed then."""
    places = 0
    for _, _, name in ranked:
        touching = ledger.defects.touched.get(name, ())
        if any(ledger.defects.all[defect].found.sequence <= through for defect in touching):
            continue
        places += 1
        if touching or places == LEADERS:
            return name if touching else None
    return None
