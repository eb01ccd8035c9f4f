"""Facts of a cycle: an agent asks its policy, ideas come back, the scheduler judges them."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact, Text
from events.space import Configuration


class AgentJoined(Fact, frozen=True, kw_only=True, tag="AgentJoined"):
    """An agent takes part, under a policy with these settings."""

    agent: str
    policy: str
    settings: dict[str, str | int | float | bool | None] = {}


class CycleStarted(Fact, frozen=True, kw_only=True, tag="CycleStarted"):
    """An agent is about to ask its policy: the intent, with what it reserves, before anything is spent.

    Attributes:
        key: seeds every draw of the policy in this cycle.
        prompt: the briefing as it was sent; None for a policy that reads no text.
        reserve_usd: the worst case of the call's price, in US dollars.
    """

    cycle: str
    agent: str
    key: int
    prompt: Text | None = None
    reserve_usd: float = 0.0


class AnswerReceived(Fact, frozen=True, kw_only=True, tag="AnswerReceived"):
    """A policy answered: the raw text, who exactly answered, and what it cost (US dollars, seconds)."""

    cycle: str
    text: Text
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class AnswerRefused(Fact, frozen=True, kw_only=True, tag="AnswerRefused"):
    """A cycle ended without ideas, and why; its reservation counts as spent."""

    cycle: str
    reason: str


class IdeaProposed(Fact, frozen=True, kw_only=True, tag="IdeaProposed"):
    """Somebody proposed a configuration.

    Attributes:
        parents: ideas that it was made from.
        priority: the proposer's wish, 0 to 1.
    """

    idea: str
    agent: str
    configuration: Configuration
    rationale: str
    origin: Literal["agent", "sweep", "fixer"]
    parents: tuple[str, ...] = ()
    priority: float = 0.5


class IdeaDeclined(Fact, frozen=True, kw_only=True, tag="IdeaDeclined"):
    """The scheduler will not run an idea: the twin's idea where there is one, and the rule in words."""

    idea: str
    reason: Literal["twin", "invalid", "banned", "budget"]
    rule: str
    twin: str | None = None
