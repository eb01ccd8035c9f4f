"""Verdicts under another rule: what the scheduler would have said of an idea, in the words that it would have used."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from msgspec.structs import replace

from actors.hindsight.alternatives import RULES, Duplicates, Twins
from actors.hindsight.past import Past
from actors.judgement.priority import architecture, priority
from events.facts import IdeaDeclined, Queued
from replay.ledger import Idea


class Judge:
    """Judges ideas in the order in which they come; what history said of each is the draft of what is said here."""

    def __init__(self, past: Past, duplicates: Duplicates) -> None:
        self._rule = duplicates
        self._twins = Twins(duplicates, past)
        self._known: Counter[tuple[object, ...]] = Counter()
        self._then: Counter[tuple[object, ...]] = Counter()

    def verdict(self, fact: IdeaDeclined | Queued, idea: Idea, closed: str | None) -> IdeaDeclined | Queued:
        """Return the verdict on an idea.

        Args:
            fact: what history said of it; a verdict that no rule here can change stands.
            idea: as this course knows it.
            closed: why the search has ended here, None while it is open.
        """
        if isinstance(fact, IdeaDeclined) and fact.reason in ("invalid", "banned"):
            return fact
        if closed is not None:
            return _declined(fact, "budget", closed)
        if (twin := self._twins.twin(idea)) is not None:
            recorded = self._rule == "recorded" and isinstance(fact, IdeaDeclined)
            return _declined(fact, "twin", fact.rule if recorded else RULES[self._rule], twin)  # type: ignore[union-attr] # recorded says that it is a refusal
        self._twins.accept(idea)
        return self._queued(fact, idea)

    def note(self, fact: IdeaDeclined | Queued, idea: Idea) -> None:
        """Take in what history said of an idea, after its verdict here."""
        self._then[architecture(idea.configuration)] += isinstance(fact, Queued)

    def _queued(self, fact: IdeaDeclined | Queued, idea: Idea) -> Queued:
        kind = architecture(idea.configuration)
        known, then = self._known[kind], self._then[kind]
        self._known[kind] += 1
        value, terms = priority(idea.priority, known)
        if isinstance(fact, Queued):
            # as novel as it was: the recorded weight stands, which another vocabulary or scheduler may have given
            return fact if known == then else replace(fact, priority=value, terms=terms)
        queued = Queued(experiment=f"{idea.idea}?", idea=idea.idea, priority=value, terms=terms)
        return replace(queued, at=fact.at, cause=fact.cause, through=fact.through)


def _declined(
    fact: IdeaDeclined | Queued, reason: Literal["twin", "budget"], rule: str, twin: str | None = None
) -> IdeaDeclined:
    return IdeaDeclined(
        at=fact.at, cause=fact.cause, through=fact.through, idea=fact.idea, reason=reason, rule=rule, twin=twin
    )
