"""Turns of agents whose experiments share packs: however wide a pack, nobody who waits sees the others go on and on."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest

from actors.agent import Plan
from actors.judgement.budgets import Budget
from actors.orders import Answered, Order, Result
from events.blobs import Blobs
from events.facts import Assigned
from replay.folds import Pass
from replay.ledger import LedgerFold
from tests.actors.company import Company

SHAPED = {"backbone": "motion", "encoder": "retnet", "batch": 16}


class Crowd(Company):
    """Agents whose ideas fill each other's packs: all of one length, but for a share of each agent's."""

    def __init__(self, odd: dict[str, float], *, many: dict[str, int] | None = None, **known: Any) -> None:
        ideas = {name: (many or {}).get(name, 4) for name in odd}
        backlog = 4 if many is None else 1
        plans = tuple(Plan(name=name, policy="uniform", ideas=ideas[name], backlog=backlog) for name in odd)
        super().__init__(plans=plans, workers=("worker-cpu0-a",), **known)
        self._odd = odd

    def _perform(self, author: str, order: Order) -> Result:
        answer = super()._perform(author, order)
        if not isinstance(answer, Answered):
            return answer
        draw, share = Random(order.id), self._odd[author.removeprefix("agent-")]
        ideas = []
        for idea in answer.ideas:
            length = draw.choice((12, 16)) if draw.random() < share else 8
            configuration = idea.configuration | SHAPED | {"length": length}
            ideas.append(msgspec.structs.replace(idea, configuration=configuration, priority=draw.random()))
        return msgspec.structs.replace(answer, ideas=tuple(ideas))


@pytest.mark.parametrize("lanes", [1, 4, 32])
@pytest.mark.parametrize("odd", [{"a": 0.5, "b": 0.0}, {"a": 0.3, "b": 1.0, "c": 0.0, "d": 0.6}])
def test_with_packs_of_any_width_no_agent_that_waits_sees_the_others_head_more_than_two_each(
    blobs: Blobs, odd: dict[str, float], lanes: int
) -> None:
    whole = Crowd(odd, budget=Budget(experiments=120), lanes=lanes, blobs=blobs)
    whole.play()
    assert len(whole.ledger.completed) == 120
    assert _longest_wait(whole) <= 2 * (len(odd) - 1)


def test_an_agent_that_filled_the_lanes_of_others_does_not_wait_for_it_afterwards(blobs: Blobs) -> None:
    """Lanes beside another's experiment counted as turns once: whoever filled thirty of them waited thirty packs."""
    many = {"a": 60, "b": 1}
    whole = Crowd({"a": 0.2, "b": 0.0}, many=many, budget=Budget(experiments=150), lanes=16, blobs=blobs)
    whole.play()
    assert _longest_wait(whole) <= 2


def _longest_wait(company: Company) -> int:
    """Return the most packs that an agent with something waiting saw others head between two that it was in."""
    folding = Pass(LedgerFold())
    since: dict[str, int] = {}
    longest = 0
    for recorded in company.log.read():
        (ledger,) = folding.results()
        waiting = {ledger.author(e.experiment) for e in ledger.standing("queued")}
        since = {agent: since.get(agent, 0) for agent in waiting}
        folding.advance((recorded,))
        if leased := [fact for fact in recorded.facts if isinstance(fact, Assigned)]:
            here = {ledger.author(fact.experiment) for fact in leased}
            since = {agent: 0 if agent in here else many + 1 for agent, many in since.items()}
            longest = max(longest, *since.values())
    return longest
