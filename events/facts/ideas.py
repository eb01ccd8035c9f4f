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
        reserve_usd: the worst case of the price of every call that the cycle may make, in US dollars.
        sections: of the briefing, by name, those that were on.
    """

    cycle: str
    agent: str
    key: int
    prompt: Text | None = None
    reserve_usd: float = 0.0
    sections: tuple[str, ...] = ()


class AnswerReceived(Fact, frozen=True, kw_only=True, tag="AnswerReceived"):
    """A policy answered: the raw text, who exactly answered, and what it cost (US dollars, seconds).

    Attributes:
        tokens_in: of every call of the cycle, those read from the provider's cache among them.
        tokens_cached: read from the provider's cache.
        calls: requests that were sent, failed ones included.
        correction: what was sent back after the first answer, with its errors; None where there was nothing to correct.
        corrected: the answer to that.
        problems: what is still wrong after it, a sentence each; what it says of an idea kept that idea out.
        failures: why each call failed that did, in order, tried again or not.
    """

    cycle: str
    text: Text
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    tokens_cached: int = 0
    calls: int = 0
    correction: Text | None = None
    corrected: Text | None = None
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


RefusalKind = Literal["answer", "unreachable", "rejected", "budget", "interrupted"]


class AnswerRefused(Fact, frozen=True, kw_only=True, tag="AnswerRefused"):
    """A cycle ended without ideas, and why.

    Attributes:
        kind: answer: what came is of no use; unreachable: the provider may answer another time; rejected: it will not;
            budget: nothing was asked, there is no room for the reservation; interrupted: nobody knows what came. None
            where it was not told.
        usd: what the calls cost; None where that is not known, and the whole reservation counts as spent.
        wait: seconds in which the provider asks not to be asked again.
        text: the raw answer, None where none came; the other fields are those of `AnswerReceived`.
    """

    cycle: str
    reason: str
    kind: RefusalKind | None = None
    usd: float | None = None
    wait: float = 0.0
    text: Text | None = None
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    calls: int = 0
    correction: Text | None = None
    corrected: Text | None = None
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class IdeaProposed(Fact, frozen=True, kw_only=True, tag="IdeaProposed"):
    """Somebody proposed a configuration.

    Attributes:
        parents: ideas that it was made from.
        priority: the proposer's wish, 0 to 1.
        filled: dimensions that the proposer left out, each with where its value was taken from: a parent, or "base".
    """

    idea: str
    agent: str
    configuration: Configuration
    rationale: str
    origin: Literal["agent", "sweep", "fixer"]
    parents: tuple[str, ...] = ()
    priority: float = 0.5
    filled: dict[str, str] = {}


class IdeaDeclined(Fact, frozen=True, kw_only=True, tag="IdeaDeclined"):
    """The scheduler will not run an idea: the twin's idea where there is one, and the rule in words."""

    idea: str
    reason: Literal["twin", "invalid", "banned", "budget"]
    rule: str
    twin: str | None = None
