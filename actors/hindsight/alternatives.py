"""The rules that history can be asked about: when two ideas are one, which experiment runs next, what may be spent."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Literal

import msgspec

from actors.hindsight.past import Past
from actors.judgement import duplicates
from actors.judgement.priority import order
from events.facts import IdeaDeclined
from events.space import Space
from replay.ledger import Experiment, Idea, Ledger
from replay.prospects import Prospects
from replay.turns import order as today

Duplicates = Literal["recorded", "bins", "cell", "near", "exact", "none"]
Order = Literal["recorded", "worth", "fair", "priority", "age"]

RULES: dict[Duplicates, str] = {
    "recorded": "as the scheduler judged then",
    "bins": duplicates.RULE,
    "cell": "the same cell, whatever the continuous values (Jaccard similarity of cells above 7/9)",
    "near": "cells that differ in at most one dimension (Jaccard similarity of 7/9 and above)",
    "exact": "the same configuration to the last digit",
    "none": "no two ideas are one",
}
"""When two ideas are one, in words."""

ORDERS: dict[Order, str] = {
    "recorded": "as they were assigned then; those that never were come last, by priority",
    "worth": "today's: agents in turn; then wish, novelty, and expected gain for a GPU-second; each eighth the oldest",
    "fair": "the agent whose experiments were assigned least often, then priority, then age",
    "priority": "priority, whoever proposed, then age",
    "age": "first come, first served",
}
"""Which experiment runs next, in words."""

Keys = tuple[Hashable, ...]


class Twins:
    """The accepted ideas under one rule; two ideas are one when they share a key."""

    def __init__(self, rule: Duplicates, past: Past) -> None:
        self._keys = _KEYS[rule]
        self._past = past
        self._accepted: dict[Hashable, str] = {}

    def twin(self, idea: Idea) -> str | None:
        """Return the accepted idea that this one repeats, or None."""
        found = (self._accepted.get(key) for key in self._keys(self._past, idea))
        return next((twin for twin in found if twin is not None), None)

    def accept(self, idea: Idea) -> None:
        """Remember an accepted idea; the first under a key stays the twin of all later ones."""
        for key in self._keys(self._past, idea):
            self._accepted.setdefault(key, idea.idea)


def queue(rule: Order, ledger: Ledger, past: Past, prospects: Prospects) -> list[Experiment]:
    """Return what waits in a course of history, the next to run first; `prospects` learns from that course alone."""
    if rule == "worth":
        return [turn.experiment for turn in today(ledger, prospects)]
    if rule == "fair":
        return order(ledger)
    waiting = ledger.standing("queued")
    if rule == "age":
        return waiting
    if rule == "priority":
        return sorted(waiting, key=lambda e: -e.priority)
    return sorted(waiting, key=lambda e: _recorded_place(past, e))


def _recorded_place(past: Past, experiment: Experiment) -> tuple[float, float, float]:
    found = past.next_assignment(experiment.experiment, len(experiment.attempts))
    if found is None:
        return (float("inf"), 0.0, -experiment.priority)
    return (found[0].sequence, found[0].index, 0.0)


def _space(past: Past) -> Space:
    return past.ledger.space or Space(name="empty", dimensions=())


def _recorded(past: Past, idea: Idea) -> Keys:
    said = past.verdicts.get(idea.idea)
    fact = said.fact if said is not None else None
    return (fact.twin or idea.idea,) if isinstance(fact, IdeaDeclined) else (idea.idea,)


def _near(past: Past, idea: Idea) -> Keys:
    cell = _space(past).cell(idea.configuration)
    return tuple((index, cell[:index], cell[index + 1 :]) for index in range(len(cell)))


def _exact(past: Past, idea: Idea) -> Keys:
    return (msgspec.json.encode(idea.configuration, order="deterministic"),)


def _none(past: Past, idea: Idea) -> Keys:
    return (idea.idea,)


_KEYS: dict[Duplicates, Callable[[Past, Idea], Keys]] = {
    "recorded": _recorded,
    "bins": lambda past, idea: (duplicates.identity(_space(past), idea.configuration),),
    "cell": lambda past, idea: (_space(past).cell(idea.configuration),),
    "near": _near,
    "exact": _exact,
    "none": _none,
}
