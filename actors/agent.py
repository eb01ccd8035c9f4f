"""The agent: asks its policy for ideas whenever the scheduler could soon run dry of them."""

from __future__ import annotations

import msgspec

from actors.orders import Answered, History, Propose, Result, Suggestion, Trial
from actors.role import Decision, Known, News
from actors.seeds import seed_of
from events.envelope import Text
from events.facts import AgentJoined, AnswerReceived, AnswerRefused, CycleStarted, IdeaProposed
from events.space import Space
from replay.cycles import Cycle
from replay.ledger import Experiment, Ledger

BARREN = 25
"""Cycles in a row without one accepted idea after which an agent has nothing left to say."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent as the campaign file describes it.

    Attributes:
        ideas: that its policy proposes in a cycle.
        sweep: variants of promising bases that are added to them.
        backlog: it asks again when fewer ideas of its own than this wait to run.
    """

    name: str
    policy: str
    ideas: int = 4
    sweep: int = 0
    backlog: int = 4


class Agent:
    """See the module; one policy, one name on the log."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.author = f"agent-{plan.name}"

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Join; record the open cycle's answer; or start a cycle."""
        if not known.ledger.campaign:
            return None
        if self.plan.name not in known.cycles.agents:
            return self._join()
        if (cycle := known.cycles.open(self.plan.name)) is not None:
            return self._record(cycle, news)
        if known.ledger.closed is not None or news.stopping or not self._wanted(known):
            return None
        return self._start(known)

    def _join(self) -> Decision:
        settings = msgspec.to_builtins(self.plan)
        joined = AgentJoined(agent=self.plan.name, policy=self.plan.policy, settings=settings)
        return Decision("campaign", "roster", (joined,))

    def _wanted(self, known: Known) -> bool:
        ledger = known.ledger
        unjudged = (idea for ideas in ledger.unjudged.values() for idea in ideas)
        queued = (e.idea for e in ledger.experiments.values() if e.status == "queued")
        waiting = sum(ledger.ideas[idea].agent == self.plan.name for idea in (*unjudged, *queued))
        return waiting < self.plan.backlog and known.cycles.barren(self.plan.name) < BARREN

    def _start(self, known: Known) -> Decision:
        number = len(known.cycles.agents[self.plan.name].cycles) + 1
        name = f"c-{self.plan.name}-{number}"
        key = seed_of(known.ledger.seed, name)
        order = Propose(id=name, key=key, history=history(known.ledger))
        return Decision("cycle", name, (CycleStarted(cycle=name, agent=self.plan.name, key=key),), orders=(order,))

    def _record(self, cycle: Cycle, news: News) -> Decision | None:
        result = news.results.get(cycle.cycle)
        if result is None and cycle.cycle in news.underway and not news.leaving:
            return None
        if isinstance(result, Answered):
            answer = AnswerReceived(
                cause=cycle.started,
                cycle=cycle.cycle,
                text=Text(head=result.text, length=len(result.text)),
                model=result.model,
                tokens_in=result.tokens_in,
                tokens_out=result.tokens_out,
                usd=result.usd,
                seconds=result.seconds,
            )
            ideas = tuple(self._idea(cycle, n, suggestion) for n, suggestion in enumerate(result.ideas, start=1))
            return Decision("cycle", cycle.cycle, (answer, *ideas), settles=(cycle.cycle,))
        refused = AnswerRefused(cause=cycle.started, cycle=cycle.cycle, reason=_why(result))
        return Decision("cycle", cycle.cycle, (refused,), settles=(cycle.cycle,))

    def _idea(self, cycle: Cycle, number: int, suggestion: Suggestion) -> IdeaProposed:
        return IdeaProposed(
            cause=cycle.started,
            idea=f"i{cycle.cycle[1:]}-{number}",
            agent=self.plan.name,
            configuration=suggestion.configuration,
            rationale=suggestion.rationale,
            origin=suggestion.origin,
            parents=suggestion.parents,
            priority=suggestion.priority,
        )


def history(ledger: Ledger) -> History:
    """Return what policies may know, as immutable data: ended trials in the order of their ends, then open ones."""
    space = ledger.space or Space(name="empty", dimensions=())
    completed = tuple(_trial(ledger, ledger.experiments[name]) for name in ledger.completed)
    abandoned = tuple(_trial(ledger, e) for e in ledger.experiments.values() if e.status == "abandoned")
    waiting = tuple(
        _trial(ledger, e) for e in ledger.experiments.values() if e.status not in ("completed", "abandoned")
    )
    return History(space=space, ended=completed + abandoned, open=waiting)


def _trial(ledger: Ledger, experiment: Experiment) -> Trial:
    idea = ledger.ideas[experiment.idea]
    return Trial(
        idea=idea.idea,
        agent=idea.agent,
        configuration=idea.configuration,
        validation=experiment.outcome.validation if experiment.outcome else None,
        failed=experiment.status == "abandoned",
    )


def _why(result: Result | None) -> str:
    return getattr(result, "reason", "interrupted: the process ended before the answer was recorded")
