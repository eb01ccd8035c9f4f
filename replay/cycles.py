"""The cycles: which agents take part, what each asked its policy, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact, Position, Text
from events.facts import (
    AgentJoined,
    AnswerReceived,
    AnswerRefused,
    CycleStarted,
    IdeaDeclined,
    IdeaProposed,
    Queued,
)
from events.log import Recorded
from replay.folds import Handler


class Cycle(msgspec.Struct, kw_only=True):
    """One question to a policy: open until it is answered or refused."""

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
    ideas: list[str] = []
    accepted: int = 0


class Agent(msgspec.Struct, kw_only=True):
    """An agent and its cycles, in order; `usd` counts reservations without an answer as spent."""

    agent: str
    policy: str
    cycles: list[str] = []
    usd: float = 0.0


class Cycles(msgspec.Struct, kw_only=True):
    """Agents by name, cycles by id, and which cycle each idea came from."""

    agents: dict[str, Agent] = {}
    cycles: dict[str, Cycle] = {}
    origin: dict[str, str] = {}

    def open(self, agent: str) -> Cycle | None:
        """Return the agent's cycle that still waits for its answer."""
        known = self.agents.get(agent)
        last = self.cycles[known.cycles[-1]] if known is not None and known.cycles else None
        return last if last is not None and last.open else None

    def barren(self, agent: str) -> int:
        """Count the agent's latest cycles in a row of which no idea was accepted."""
        count = 0
        for name in reversed(self.agents[agent].cycles):
            if self.cycles[name].accepted:
                break
            count += 1
        return count


def _joined(cycles: Cycles, fact: AgentJoined, recorded: Recorded, index: int) -> None:
    cycles.agents[fact.agent] = Agent(agent=fact.agent, policy=fact.policy)


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
    )


def _answered(cycles: Cycles, fact: AnswerReceived, recorded: Recorded, index: int) -> None:
    cycle = cycles.cycles[fact.cycle]
    cycle.open, cycle.answer, cycle.model = False, fact.text, fact.model
    cycle.usd, cycle.tokens, cycle.seconds = fact.usd, fact.tokens_in + fact.tokens_out, fact.seconds
    cycles.agents[cycle.agent].usd += fact.usd - cycle.reserve_usd


def _refused(cycles: Cycles, fact: AnswerRefused, recorded: Recorded, index: int) -> None:
    cycle = cycles.cycles[fact.cycle]
    cycle.open, cycle.refused = False, fact.reason


def _proposed(cycles: Cycles, fact: IdeaProposed, recorded: Recorded, index: int) -> None:
    name = recorded.subject.split(".")[3]
    if (cycle := cycles.cycles.get(name)) is not None:
        cycle.ideas.append(fact.idea)
        cycles.origin[fact.idea] = name


def _queued(cycles: Cycles, fact: Queued, recorded: Recorded, index: int) -> None:
    if (name := cycles.origin.pop(fact.idea, None)) is not None:
        cycles.cycles[name].accepted += 1


def _declined(cycles: Cycles, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    cycles.origin.pop(fact.idea, None)


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
    }

    def initial(self) -> Cycles:
        """Return no cycles."""
        return Cycles()

    def result(self, state: Cycles) -> Cycles:
        """Return the cycles themselves."""
        return state
