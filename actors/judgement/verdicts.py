"""Verdicts on ideas: in the space, allowed, new; each idea of a frame is judged knowing those before it."""

from __future__ import annotations

from collections import Counter

from actors.judgement import duplicates
from actors.judgement.priority import architecture, priority
from actors.judgement.widening import Step, Widen, grown, steps
from events import predicates
from events.facts import IdeaDeclined, Queued, SpaceWidened
from events.space import Space
from replay.ledger import Idea, Ledger

Verdict = IdeaDeclined | Queued | SpaceWidened


class Verdicts:
    """Judges the ideas of a ledger; what it remembers between frames was read from there."""

    def __init__(self, widen: Widen | None = None) -> None:
        self._widen = widen or Widen(at_most=0)
        self._twins: duplicates.Known | None = None
        self._architectures: Counter[object] = Counter()
        self._bans: dict[str, predicates.Predicate] = {}

    def on(self, ledger: Ledger, space: Space, ideas: list[str]) -> tuple[Verdict, ...]:
        """Return the verdicts on the ideas of one frame, in its order, each after the values that it lets in."""
        if self._twins is None:
            self._twins = duplicates.Known(space)
        for configuration in self._twins.update(ledger):
            self._architectures[architecture(configuration)] += 1
        frame = _Frame(ledger, self._twins, self._architectures)
        facts: list[Verdict] = []
        used = len(ledger.widened)
        for idea in (ledger.ideas[name] for name in ideas):
            new: tuple[Step, ...] = ()
            if problems := space.problems(idea.configuration):
                found = steps(self._widen, space, idea.configuration, used)
                if not isinstance(found, tuple):
                    rule = found or "; ".join(problems)
                    facts.append(IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="invalid", rule=rule))
                    continue
                new = found
            verdict = self._on_valid(ledger, idea, frame)
            if isinstance(verdict, Queued) and new:
                facts += (_widened(idea, step) for step in new)
                space, used = grown(space, new), used + len(new)
            facts.append(verdict)
        return tuple(facts)

    def _on_valid(self, ledger: Ledger, idea: Idea, frame: _Frame) -> IdeaDeclined | Queued:
        if ledger.closed is not None:
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="budget", rule=ledger.closed)
        if (ban := self._banned(ledger, idea)) is not None:
            return IdeaDeclined(cause=idea.proposed, idea=idea.idea, reason="banned", rule=ban)
        return frame.accepted(idea)

    def _banned(self, ledger: Ledger, idea: Idea) -> str | None:
        """Return the first ban that an idea falls under, as it was declared, or None."""
        for ban in ledger.bans.values():
            if ban.where not in self._bans:
                self._bans[ban.where] = predicates.parse(ban.where)
            if predicates.matches(self._bans[ban.where], idea.configuration):
                return f"{ban.ban}: {ban.where}"
        return None


def _widened(idea: Idea, step: Step) -> SpaceWidened:
    reason = f"{idea.idea} brings it, as [widen] allows"
    return SpaceWidened(
        cause=idea.proposed, dimension=step.dimension, value=step.value, proposer=idea.agent, reason=reason
    )


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
