"""A company whose agents ask models: the real roles, desks and hands, a server that answers as a test tells it.

with provider(ideas(...)) as server:
    company = Asking(server, blobs, claude(usd=1.0), gemini())
    company.play()
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors.agent import Plan
from actors.asking import askers
from actors.asking.desk import based, between
from actors.campaign import Campaign
from actors.judgement.budgets import Budget
from actors.orders import Order, Propose, Result
from actors.policies.models import Key, Settings, load_model
from actors.policies.patience import Patience
from actors.policies.prices import Price
from actors.policies.thinking import Manner, ModelHands
from events.blobs import Blobs
from tests.actors.company import Company, Member
from tests.actors.policies.provider import Answer, Provider, said
from tests.chronicle import SPACE

PLANTED = "planted-key-0123456789"
PRICE = Price(input=5.0, output=25.0, cached=0.5, write=6.25)
SMALL = Budget(experiments=6, timeout=60.0, usd=100.0)


def claude(name: str = "claude", **changes: Any) -> Plan:
    """An agent that asks a Claude model."""
    known: dict[str, Any] = {"name": name, "policy": "claude", "model": "model-x", "backlog": 2, "max_tokens": 1000}
    return Plan(**known | {"timeout": 120.0} | changes)


def gemini(name: str = "gemini", **changes: Any) -> Plan:
    """An agent that asks a Gemini model."""
    return claude(name, **{"policy": "gemini"} | changes)


def hands(plan: Plan, server: Provider, campaign: Campaign) -> ModelHands:
    """The hands of an agent, with a planted key and without pauses."""
    settings = Settings("model-x", plan.max_tokens, plan.timeout, plan.temperature, server.url)
    key = Key("A_KEY", PLANTED)
    patience = Patience(
        load_model(plan.policy, settings, key), PRICE, tries=plan.tries, timeout=plan.timeout, pause=0.001
    )
    return ModelHands(patience, Manner(between(plan.ideas), plan.sweep, based(campaign.base, SPACE)), key)


class Asking(Company):
    """See the module."""

    def __init__(self, server: Provider, blobs: Blobs, *plans: Plan, budget: Budget = SMALL, **changes: Any) -> None:
        super().__init__(budget=budget, plans=plans, blobs=blobs, **changes)
        campaign = Campaign(name="company", agent=plans, budget=budget, prices={"model-x": PRICE})
        asking = [plan for plan in plans if askers.asks(plan)]
        self.hands = {f"agent-{plan.name}": hands(plan, server, campaign) for plan in asking}
        for plan in asking:
            agent = askers.made(campaign, plan, blobs)
            agent._desk._terms = msgspec.structs.replace(agent._desk._terms, base=based({}, SPACE))  # type: ignore[union-attr] # the told space is not the built one
            self.members[agent.author] = Member(agent, self.log, self.clock)

    def _perform(self, author: str, order: Order) -> Result:
        if isinstance(order, Propose) and author in self.hands:
            return msgspec.structs.replace(self.hands[author].perform(order), seconds=0.5)
        return super()._perform(author, order)


def idea(**values: Any) -> str:
    """One idea as YAML."""
    first, *rest = [f"{name}: {value}" for name, value in ({"name": "an idea"} | values).items()]
    return "\n".join([f"- {first}", *(f"  {line}" for line in rest)]) + "\n"


def invented(number: int) -> Answer:
    """Four ideas that only this number has."""
    text = ""
    for n in range(4):
        value = (number * 4 + n) % 97 / 97
        text += idea(
            backbone=("motion", "appearance")[n % 2],
            encoder=("retnet", "bimamba", "zipformer", "xlstm")[n],
            dropout=f"{value * 0.5:.4f}",
            mixup=f"{(value * 7) % 1:.4f}",
            learning_rate=f"{10 ** (-5 + 3 * ((value * 13) % 1)):.6f}",
        )
    return said(text)
