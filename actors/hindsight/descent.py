"""Whether an idea can exist in another course of history: what it was made from must have come as far as it had."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact
from events.facts import Completed, Failed, IdeaProposed, Queued
from replay.ledger import Experiment, Ledger

Stage = Literal["accepted", "failed", "completed"]
"""How far a parent had come when a child was made from it."""


class Unborn:
    """Ideas that wait for their parents, found again by whoever they wait for.

    Attributes:
        needs: of each idea that waits, the parents and how far they must come.
        barred: ideas that wait in vain: they, or what they were made from, were switched off.
    """

    def __init__(self) -> None:
        self.needs: dict[str, dict[str, Stage]] = {}
        self.barred: set[str] = set()
        self._by_parent: dict[str, list[str]] = {}

    def holds_back(self, fact: IdeaProposed, was: Ledger, ledger: Ledger) -> bool:
        """Say whether an idea cannot be proposed yet in the course of `ledger`, and remember it; `was` is history's."""
        if not self.barred.isdisjoint(fact.parents):
            self.barred.add(fact.idea)
            return True
        needs = {parent: stage for parent in fact.parents if (stage := _stage(was, parent)) is not None}
        if all(_met(ledger, parent, stage) for parent, stage in needs.items()):
            return False
        self.needs[fact.idea] = needs
        for parent in needs:
            self._by_parent.setdefault(parent, []).append(fact.idea)
        return True

    def ready(self, said: list[Fact], ledger: Ledger) -> list[str]:
        """Return the ideas that can exist after these facts, in the order in which they were held back."""
        moved: dict[str, None] = {}
        for fact in said:
            if isinstance(fact, Completed | Failed):
                moved[ledger.experiments[fact.experiment].idea] = None
            elif isinstance(fact, Queued):
                moved[fact.idea] = None
        waiting = dict.fromkeys(child for parent in moved for child in self._by_parent.get(parent, ()))
        ready = [name for name in waiting if name in self.needs and self._is_met(name, ledger)]
        for name in ready:
            del self.needs[name]
        return ready

    def _is_met(self, name: str, ledger: Ledger) -> bool:
        return all(_met(ledger, parent, stage) for parent, stage in self.needs[name].items())


def _run(ledger: Ledger, idea: str) -> Experiment | None:
    known = ledger.ideas.get(idea)
    return ledger.experiments.get(known.experiment or "") if known is not None else None


def _stage(ledger: Ledger, parent: str) -> Stage | None:
    run = _run(ledger, parent)
    if run is None:
        return None
    if run.outcome is not None:
        return "completed"
    return "failed" if any(attempt.broken for attempt in run.attempts) else "accepted"


def _met(ledger: Ledger, parent: str, stage: Stage) -> bool:
    run = _run(ledger, parent)
    if run is None:
        return False
    if stage == "completed":
        return run.outcome is not None
    return stage == "accepted" or any(attempt.broken for attempt in run.attempts)
