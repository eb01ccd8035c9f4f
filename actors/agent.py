"""The agent: asks its policy for ideas whenever the scheduler could soon run dry of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from actors.asking.accounts import told
from actors.asking.desk import Desk, Informed
from actors.asking.trials import Trials
from actors.judgement import budgets
from actors.judgement.budgets import Budget
from actors.orders import Answered, Propose, Result, Suggestion, Unanswered
from actors.role import Decision, Known, News
from actors.seeds import seed_of
from events.blobs import Blobs
from events.facts import AgentJoined, AnswerReceived, AnswerRefused, CycleStarted, IdeaProposed
from replay.cycles import Cycle

BARREN = 25
"""Cycles in a row without one accepted idea after which an agent has nothing left to say."""

REST, LONGEST_REST = 5.0, 600.0
"""Seconds that an agent rests after its provider could not be reached: twice as long each time in a row, up to the
second; longer where the provider asks for it."""

ALWAYS = ("name", "policy", "ideas", "sweep", "backlog")
"""Settings that are told when an agent joins; of the others, those that differ from their default."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent as the campaign file describes it.

    Attributes:
        ideas: that its policy proposes in a cycle; a model is asked for one fewer to one more.
        sweep: variants of promising bases that are added to them.
        backlog: it asks again when fewer ideas of its own than this wait to run.
        every: seconds from the start of one cycle to that of the next, at least.
        model, temperature, base_url, max_tokens: how a model is asked; of None, the provider's own.
        tries, timeout: calls for one question or correction, and seconds for each.
        usd: US dollars that this agent may spend, None for no limit of its own.
        rules: the person's own words, in every briefing.
        without: sections of the briefing that are switched off.
    """

    name: str
    policy: str
    ideas: int = 4
    sweep: int = 0
    backlog: int = 4
    every: float = 0.0
    model: str | None = None
    temperature: float | None = None
    base_url: str | None = None
    max_tokens: int = 8192
    tries: int = 3
    timeout: float = 300.0
    usd: float | None = None
    rules: str = ""
    without: tuple[str, ...] = ()


class Agent:
    """See the module; one policy, one name on the log.

    Args:
        desk: of an agent that asks a model; None for one whose policy reads the history.
        blobs: where long answers lie, whole.
        budget: of the campaign: nobody is asked while no attempt may begin. None asks all the same.
    """

    def __init__(
        self, plan: Plan, *, desk: Desk | None = None, blobs: Blobs | None = None, budget: Budget | None = None
    ) -> None:
        self.plan = plan
        self.author = f"agent-{plan.name}"
        self._desk = desk
        self._blobs = blobs
        self._budget = budget or Budget()
        self._trials = Trials()

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        return Known() if self._desk is None else Informed()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Join; record the open cycle's answer; or start a cycle."""
        if not known.ledger.campaign:
            return None
        if self.plan.name not in known.cycles.agents:
            return self._join(known)
        if (cycle := known.cycles.open(self.plan.name)) is not None:
            return self._record(cycle, news)
        if known.ledger.closed is not None or news.stopping or not self._wanted(known, now):
            return None
        return self._start(known)

    def _join(self, known: Known) -> Decision:
        joined = AgentJoined(
            cause=known.ledger.opening, agent=self.plan.name, policy=self.plan.policy, settings=_settings(self.plan)
        )
        return Decision("campaign", "roster", (joined,))

    def _wanted(self, known: Known, now: int) -> bool:
        ledger = known.ledger
        if ledger.paused is not None or self._rests(known, now):
            return False
        if budgets.room(self._budget, ledger, now, known.repairs).attempts <= 0:
            return False
        unjudged = (idea for ideas in ledger.unjudged.values() for idea in ideas)
        queued = (e.idea for e in ledger.standing("queued"))
        waiting = sum(ledger.ideas[idea].agent == self.plan.name for idea in (*unjudged, *queued))
        return waiting < self.plan.backlog and known.cycles.barren(self.plan.name) < BARREN

    def _rests(self, known: Known, now: int) -> bool:
        """Say whether it is too early for another cycle; a last cycle that lies ahead means that the clock jumped."""
        last = known.cycles.last(self.plan.name)
        if last is None:
            return False
        often, ended = known.cycles.unreachable(self.plan.name), last.ended_at or last.at
        rest = max(last.wait, min(LONGEST_REST, REST * 2.0 ** min(often - 1, 10))) if often else 0.0
        return any(0 <= now - at < span * 1e6 for at, span in ((last.at, self.plan.every), (ended, rest)))

    def _start(self, known: Known) -> Decision | None:
        number = len(known.cycles.agents[self.plan.name].cycles) + 1
        name = f"c-{self.plan.name}-{number}"
        key = seed_of(known.ledger.seed, name)
        if self._desk is not None and isinstance(known, Informed):
            return self._desk.opens(known, name, key, self._trials.history(known.ledger))
        order = Propose(id=name, key=key, history=self._trials.history(known.ledger))
        cause = known.cycles.agents[self.plan.name].moved
        started = CycleStarted(cause=cause, cycle=name, agent=self.plan.name, key=key)
        return Decision("cycle", name, (started,), orders=(order,))

    def _record(self, cycle: Cycle, news: News) -> Decision | None:
        result = news.results.get(cycle.cycle)
        if result is None and cycle.cycle in news.underway and not news.leaving:
            return None
        if isinstance(result, Answered):
            answer = told(AnswerReceived, cycle, result, self._blobs)
            ideas = tuple(self._idea(cycle, n, suggestion) for n, suggestion in enumerate(result.ideas, start=1))
            return Decision("cycle", cycle.cycle, (answer, *ideas), settles=(cycle.cycle,))
        if isinstance(result, Unanswered):
            return Decision(
                "cycle", cycle.cycle, (told(AnswerRefused, cycle, result, self._blobs),), settles=(cycle.cycle,)
            )
        kind: Literal["interrupted"] | None = "interrupted" if result is None else None
        refused = AnswerRefused(cause=cycle.started, cycle=cycle.cycle, reason=_why(result), kind=kind)
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
            filled=suggestion.filled,
        )


def _settings(plan: Plan) -> dict[str, str | int | float | bool | None]:
    told = {}
    for field in msgspec.structs.fields(plan):
        value = getattr(plan, field.name)
        if field.name in ALWAYS or value != field.default:
            told[field.name] = ", ".join(value) if isinstance(value, tuple) else value
    return told


def _why(result: Result | None) -> str:
    return getattr(result, "reason", "interrupted: the process ended before the answer was recorded")
