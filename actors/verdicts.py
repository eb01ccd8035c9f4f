"""Verdicts on ideas: in the space, allowed, new; each idea of a frame is judged knowing those before it."""

from __future__ import annotations

from collections import Counter

from actors import duplicates
from actors.priority import architecture, priority
from events import predicates
from events.facts import IdeaDeclined, Queued
from events.space import Space
from replay.ledger import Idea, Ledger


class Verdicts:
    """Judges the ideas of a ledger; what it remembers between frames was read from there."""

    def __init__(self) -> None:
        self._twins: duplicates.Known | None = None
        self._architectures: Counter[object] = Counter()
        self._bans: dict[str, predicates.Predicate] = {}

    def on(self, ledger: Ledger, space: Space, ideas: list[str]) -> tuple[IdeaDeclined | Queued, ...]:
        """Return the verdicts on the ideas of one frame, in its order."""
        if self._twins is None:
            self._twins = duplicates.Known(space)
        for configuration in self._twins.update(ledger):
            self._architectures[architecture(configuration)] += 1
        frame = _Frame(ledger, self._twins, self._architectures)
        return tuple(self._on_one(ledger, space, ledger.ideas[name], frame) for name in ideas)

    def _on_one(self, ledger: Ledger, space: Space, idea: Idea, frame: _Frame) -> IdeaDeclined | Queued:
        if problems := space.problems(idea.configuration):
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="invalid", rule="; ".join(problems))
        if ledger.closed is not None:
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="budget", rule=ledger.closed)
        if (ban := self._banned(ledger, idea)) is not None:
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="banned", rule=ban)
        return frame.accepted(idea)

    def _banned(self, ledger: Ledger, idea: Idea) -> str | None:
        """Return the first ban that an idea falls under, as it was declared, or None."""
        for ban in ledger.bans.values():
            where = self._bans.setdefault(ban.where, predicates.parse(ban.where))
            if predicates.matches(where, idea.configuration):
                return f"{ban.ban}: {ban.where}"
        return None


class _Frame:
    """The ideas of one frame that were accepted so far."""

    def __init__(self, ledger: Ledger, twins: duplicates.Known, architectures: Counter[object]) -> None:
        self._twins = twins
        self._next = len(ledger.experiments) + 1
        self._here: dict[duplicates.Identity, str] = {}
        self._known = architectures
        self._more: Counter[object] = Counter()

    def accepted(self, idea: Idea) -> IdeaDeclined | Queued:
        """Accept an idea, unless it repeats one that was accepted before, in this frame or an earlier one."""
        mine, before = self._twins.of(idea)
        if (twin := before or self._here.get(mine)) is not None:
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="twin", rule=duplicates.RULE, twin=twin)
        self._here[mine] = idea.idea
        kind = architecture(idea.configuration)
        value, terms = priority(idea.priority, self._known[kind] + self._more[kind])
        self._more[kind] += 1
        name, self._next = f"e-{self._next}", self._next + 1
        return Queued(cause=idea.proposed, experiment=name, idea=idea.idea, priority=value, terms=terms)
