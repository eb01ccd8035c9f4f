"""What passed between agents and their policies: how each agent fares, and each cycle with its words and its ideas."""

from __future__ import annotations

from typing import Literal

import msgspec

from events.envelope import Position, Text
from events.space import Configuration
from replay.cycles import OUT_OF_BUDGET, Cycle, Cycles
from replay.errors import QuestionUnknown
from replay.measures import Results

Health = Literal["silent", "asking", "well", "barren", "refused", "unreachable", "out of budget"]
"""silent: no cycle yet; barren: its last three cycles brought no idea that was accepted; the rest as its last cycle."""

BARREN = 3
"""Cycles in a row without an accepted idea that are called barren; ours."""


class CycleUnknown(QuestionUnknown):
    """There is no cycle by that name at the moment that was asked about."""


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """How one agent fares.

    Attributes:
        model: who answered last, None before the first answer.
        barren: cycles in a row, up to now, of which no idea was accepted.
        usd: spent, open reservations included; the other two are None where there is nothing to divide by.
    """

    agent: str
    policy: str
    model: str | None
    health: Health
    cycles: int
    refused: int
    barren: int
    ideas: int
    accepted: int
    tokens: int
    usd: float
    usd_per_idea: float | None
    usd_per_improvement: float | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One idea of a cycle, and what became of it; verdict is why it was declined, or where its experiment stands."""

    idea: str
    origin: str
    rationale: str
    configuration: Configuration
    verdict: str
    experiment: str | None
    validation: float | None


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One cycle.

    Attributes:
        status: open (asked, not answered), answered, or refused with `reason`.
        prompt: the briefing as it was sent, None for a policy that reads no text.
        answer: as it came; `correction` what was sent back about it, `corrected` the answer to that.
        problems: what was still wrong then, a sentence each; `failures` why each call failed that did.
        tokens_in, tokens_out, seconds, usd: of all its calls; `reserve_usd` what was set aside for them.
    """

    cycle: str
    agent: str
    model: str | None
    started: Position
    at: int
    status: Literal["open", "answered", "refused"]
    reason: str | None
    sections: tuple[str, ...]
    prompt: Text | None
    answer: Text | None
    correction: Text | None
    corrected: Text | None
    problems: tuple[str, ...]
    tokens_in: int
    tokens_out: int
    calls: int
    seconds: float
    usd: float
    reserve_usd: float
    accepted: int
    ideas: tuple[Told, ...]
    failures: tuple[str, ...] = ()


def speakers(results: Results) -> list[Speaker]:
    """Return every agent that joined, in the order of the log."""
    search, cycles, _ = results
    improved: dict[str, int] = {}
    for step in search.progress.improvements:
        author = search.ledger.author(step.experiment)
        improved[author] = improved.get(author, 0) + 1
    return [_speaker(cycles, name, improved.get(name, 0)) for name in cycles.agents]


def conversation(results: Results, name: str) -> Conversation:
    """Return one cycle; raises `CycleUnknown`."""
    cycles = results[1]
    cycle = cycles.cycles.get(name)
    if cycle is None:
        raise CycleUnknown(f"there is no cycle {name}: {len(cycles.cycles)} had begun by then")
    return Conversation(
        cycle=name,
        agent=cycle.agent,
        model=cycle.model,
        started=cycle.started,
        at=cycle.at,
        status=status(cycle),
        reason=cycle.refused,
        sections=cycle.sections,
        prompt=cycle.prompt,
        answer=cycle.answer,
        correction=cycle.correction,
        corrected=cycle.corrected,
        problems=cycle.problems,
        tokens_in=cycle.tokens_in,
        tokens_out=cycle.tokens_out,
        calls=cycle.calls,
        seconds=cycle.seconds,
        usd=cycle.spent,
        reserve_usd=cycle.reserve_usd,
        accepted=cycle.accepted,
        ideas=tuple(_told(results, idea) for idea in cycle.ideas),
        failures=cycle.failures,
    )


def cycles_that_hold(results: Results, word: str) -> list[str]:
    """Name the cycles whose name, agent or status holds a word, whatever the case; the empty word is held by all."""
    low = word.lower()
    cycles = results[1].cycles.values()
    return [c.cycle for c in cycles if not low or low in f"{c.cycle} {c.agent} {status(c)}".lower()]


def cycles_of(results: Results, agent: str) -> list[str]:
    """Name an agent's cycles, in their order; none for one that never joined."""
    known = results[1].agents.get(agent)
    return list(known.cycles) if known is not None else []


def status(cycle: Cycle) -> Literal["open", "answered", "refused"]:
    """Say how a cycle stands."""
    if cycle.open:
        return "open"
    return "refused" if cycle.refused is not None else "answered"


def _speaker(cycles: Cycles, name: str, improvements: int) -> Speaker:
    agent = cycles.agents[name]
    own = [cycles.cycles[cycle] for cycle in agent.cycles]
    ideas, last, barren = sum(len(cycle.ideas) for cycle in own), cycles.last(name), cycles.barren(name)
    return Speaker(
        agent=name,
        policy=agent.policy,
        model=next((cycle.model for cycle in reversed(own) if cycle.model), None),
        health=_health(last, barren),
        cycles=len(own),
        refused=sum(cycle.refused is not None for cycle in own),
        barren=barren if barren < OUT_OF_BUDGET else 0,
        ideas=ideas,
        accepted=sum(cycle.accepted for cycle in own),
        tokens=sum(cycle.tokens for cycle in own),
        usd=agent.usd,
        usd_per_idea=agent.usd / ideas if ideas else None,
        usd_per_improvement=agent.usd / improvements if improvements else None,
    )


def _health(last: Cycle | None, barren: int) -> Health:
    if last is None:
        return "silent"
    if last.open:
        return "asking"
    if last.kind == "budget":
        return "out of budget"
    if last.refused is not None:
        return "unreachable" if last.kind == "unreachable" else "refused"
    return "barren" if barren >= BARREN else "well"


def _told(results: Results, name: str) -> Told:
    ledger = results[0].ledger
    idea = ledger.ideas[name]
    run = ledger.experiments.get(idea.experiment or "")
    return Told(
        idea=name,
        origin=idea.origin,
        rationale=idea.rationale,
        configuration=idea.configuration,
        verdict=idea.declined or (run.status if run is not None else "unjudged"),
        experiment=idea.experiment,
        validation=run.outcome.validation if run is not None and run.outcome is not None else None,
    )
