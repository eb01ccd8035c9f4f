"""The cycles: which agents take part, what each asked its policy, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from events.authors import role_of
from events.envelope import Fact, Position, Text
from events.facts import (
    AgentJoined,
    AnswerReceived,
    AnswerRefused,
    CampaignReopened,
    CycleStarted,
    IdeaDeclined,
    IdeaProposed,
    Queued,
    RefusalKind,
)
from events.log import Recorded
from replay.folds import Handler

OUT_OF_BUDGET = 2**31
"""Barren cycles of an agent that has no money for another call: more than anybody waits for."""


class Cycle(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One question to a policy: open until it is answered or refused.

    Attributes:
        usd: what an answer cost; `spent` counts a cost that nobody knows as the whole reservation.
        ended_at: the agent's clock when it recorded the end, None while the cycle is open.
        kind, wait: of a refusal; see `events.facts.AnswerRefused`.
    """

    cycle: str
    agent: str
    key: int
    started: Position
    at: int
    reserve_usd: float
    open: bool = True
    answer: Text | None = None
    model: str | None = None
    refused: str | None = None
    usd: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    ideas: tuple[str, ...] = ()
    accepted: int = 0
    prompt: Text | None = None
    sections: tuple[str, ...] = ()
    spent: float = 0.0
    ended_at: int | None = None
    kind: RefusalKind | None = None
    wait: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    calls: int = 0
    correction: Text | None = None
    corrected: Text | None = None
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class Agent(msgspec.Struct, kw_only=True):
    """An agent and its cycles, in order; `usd` counts a reservation whose cost nobody knows as spent.

    Attributes:
        moved: position of the fact after which it may ask next: its joining, its latest cycle's end, or the latest
            verdict on an idea of its own.
        since: cycles that it had when the campaign was reopened; how barren it was before says nothing any more.
        searches: whether it proposes ideas; the fixer joins in order to ask a model, and does not.
    """

    agent: str
    policy: str
    cycles: list[str] = []
    usd: float = 0.0
    moved: Position | None = None
    since: int = 0
    searches: bool = True


class Cycles(msgspec.Struct, kw_only=True):
    """Agents by name, cycles by id, and which cycle each idea came from."""

    agents: dict[str, Agent] = {}
    cycles: dict[str, Cycle] = {}
    origin: dict[str, str] = {}

    @property
    def searching(self) -> dict[str, Agent]:
        """The agents that propose ideas, by name."""
        return {name: agent for name, agent in self.agents.items() if agent.searches}

    def open(self, agent: str) -> Cycle | None:
        """Return the agent's cycle that still waits for its answer."""
        last = self.last(agent)
        return last if last is not None and last.open else None

    def last(self, agent: str) -> Cycle | None:
        """Return the agent's latest cycle."""
        known = self.agents.get(agent)
        return self.cycles[known.cycles[-1]] if known is not None and known.cycles else None

    def barren(self, agent: str) -> int:
        """Count the agent's latest cycles in a row of which no idea was accepted.

        A provider that could not be reached says nothing about ideas; an agent without money has no more of them.
        """
        count = 0
        known = self.agents[agent]
        for name in reversed(known.cycles[known.since :]):
            cycle = self.cycles[name]
            if cycle.kind == "budget":
                return OUT_OF_BUDGET
            if cycle.accepted:
                break
            count += cycle.kind != "unreachable"
        return count

    def unreachable(self, agent: str) -> int:
        """Count the agent's latest cycles in a row in which the provider could not be reached."""
        count = 0
        for name in reversed(self.agents[agent].cycles):
            if self.cycles[name].kind != "unreachable":
                break
            count += 1
        return count

    def spent(self, agent: str | None = None) -> float:
        """Return US dollars spent or reserved, by one agent or by all; exact, whatever the order."""
        return math.fsum(cycle.spent for cycle in self.cycles.values() if agent in (None, cycle.agent))


def _joined(cycles: Cycles, fact: AgentJoined, recorded: Recorded, index: int) -> None:
    here = Position(recorded.sequence, index)
    searches = role_of(recorded.author) == "agent"
    cycles.agents[fact.agent] = Agent(agent=fact.agent, policy=fact.policy, moved=here, searches=searches)


def _started(cycles: Cycles, fact: CycleStarted, recorded: Recorded, index: int) -> None:
    agent = cycles.agents[fact.agent]
    agent.cycles.append(fact.cycle)
    agent.usd += fact.reserve_usd
    cycles.cycles[fact.cycle] = Cycle(
        cycle=fact.cycle,
        agent=fact.agent,
        key=fact.key,
        started=Position(recorded.sequence, index),
        at=fact.at,
        reserve_usd=fact.reserve_usd,
        spent=fact.reserve_usd,
        prompt=fact.prompt,
        sections=fact.sections,
    )


def _answered(cycles: Cycles, fact: AnswerReceived, recorded: Recorded, index: int) -> None:
    _ended(cycles, fact, Position(recorded.sequence, index), usd=fact.usd)


def _refused(cycles: Cycles, fact: AnswerRefused, recorded: Recorded, index: int) -> None:
    _ended(cycles, fact, Position(recorded.sequence, index), refused=fact.reason, kind=fact.kind, wait=fact.wait)


def _ended(cycles: Cycles, fact: AnswerReceived | AnswerRefused, here: Position, **told: Any) -> None:
    cycle = cycles.cycles[fact.cycle]
    agent = cycles.agents[cycle.agent]
    agent.moved = here
    if fact.usd is not None:
        agent.usd += fact.usd - cycle.reserve_usd
    cycles.cycles[fact.cycle] = replace(
        cycle,
        answer=fact.text,
        spent=cycle.spent if fact.usd is None else fact.usd,
        open=False,
        ended_at=fact.at,
        model=fact.model or None,
        tokens_in=fact.tokens_in,
        tokens_out=fact.tokens_out,
        tokens_cached=fact.tokens_cached,
        tokens=fact.tokens_in + fact.tokens_out,
        seconds=fact.seconds,
        calls=fact.calls,
        correction=fact.correction,
        corrected=fact.corrected,
        problems=fact.problems,
        failures=fact.failures,
        **told,
    )


def _proposed(cycles: Cycles, fact: IdeaProposed, recorded: Recorded, index: int) -> None:
    name = recorded.about
    if cycles.origin.get(fact.idea) == name:
        return  # taken in with the first of its frame: a sweep proposes dozens at once
    if (cycle := cycles.cycles.get(name)) is not None:
        ideas = [told.idea for told in recorded.facts[index:] if isinstance(told, IdeaProposed)] or [fact.idea]
        cycles.cycles[name] = replace(cycle, ideas=(*cycle.ideas, *ideas))
        cycles.origin |= dict.fromkeys(ideas, name)


def _queued(cycles: Cycles, fact: Queued, recorded: Recorded, index: int) -> None:
    if (cycle := _judged(cycles, fact, recorded, index)) is not None:
        cycles.cycles[cycle.cycle] = replace(cycle, accepted=cycle.accepted + 1)


def _declined(cycles: Cycles, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    _judged(cycles, fact, recorded, index)


def _judged(cycles: Cycles, fact: Queued | IdeaDeclined, recorded: Recorded, index: int) -> Cycle | None:
    if (name := cycles.origin.pop(fact.idea, None)) is None:
        return None
    cycle = cycles.cycles[name]
    cycles.agents[cycle.agent].moved = Position(recorded.sequence, index)
    return cycle


def _reopened(cycles: Cycles, fact: CampaignReopened, recorded: Recorded, index: int) -> None:
    for agent in cycles.agents.values():
        agent.since = len(agent.cycles)


class CyclesFold:
    """Folds a log into its agents and cycles."""

    handlers: Mapping[type[Fact], Handler] = {
        AgentJoined: _joined,
        CycleStarted: _started,
        AnswerReceived: _answered,
        AnswerRefused: _refused,
        IdeaProposed: _proposed,
        Queued: _queued,
        IdeaDeclined: _declined,
        CampaignReopened: _reopened,
    }

    def initial(self) -> Cycles:
        """Return no cycles."""
        return Cycles()

    def result(self, state: Cycles) -> Cycles:
        """Return the cycles themselves."""
        return state
