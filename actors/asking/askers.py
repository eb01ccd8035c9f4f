"""The agents of a campaign that ask models: what its file must say of them, the keys they need, how they are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from actors.agent import Agent, Plan
from actors.asking.desk import Desk, based, between
from actors.errors import CampaignError
from actors.judgement.widening import readable
from actors.policies.models import KEYS, MODELS, Key, Settings, find_key, load_model
from actors.policies.patience import Patience
from actors.policies.prices import rounds
from actors.policies.thinking import Manner, ModelHands
from events.blobs import Blobs
from events.space import Space
from replay.briefing import SECTIONS

if TYPE_CHECKING:
    from actors.campaign import Campaign

OF_MODELS = ("model", "temperature", "base_url", "max_tokens", "tries", "timeout", "usd", "rules", "without")
"""Keys of [[agent]] that mean something only where a model is asked."""

MOST = 40
"""Ideas of a model's one answer: each may have a page of words, and all lie in one frame of the log."""

LONGEST_RULES = 20_000
"""Characters of an agent's rules: they are paid for in every cycle."""

PROMPT = 24_000
"""Bytes of a briefing with every section full, as `myriad check` counts with before there is a log."""

NO_KEY = Key("no key", "none")
"""What a server at an address of the person's own is sent where the environment has no key."""


def asks(plan: Plan) -> bool:
    """Say whether an agent asks a model."""
    return plan.policy in MODELS


def problems(campaign: Campaign) -> list[str]:
    """Return what is wrong with the prices, the base and the agents that ask models, a sentence each."""
    found = [f'prices."{name}": {sentence}' for name, price in campaign.prices.items() if (sentence := price.problem())]
    limits = {"budget.usd": campaign.budget.usd, "fixer.usd": campaign.fixer.usd}
    limits |= {f"agent.usd of {p.name}": p.usd for p in campaign.agent}
    found += [f"{key} must be above 0 and finite" for key, limit in limits.items() if not _is_limit(limit)]
    for plan in campaign.agent:
        found += _asker(campaign, plan) if asks(plan) else _other(plan)
    return found


def base_problems(base: Mapping[str, object], space: Space) -> list[str]:
    """Return what is wrong with a campaign's base configuration in its space, a sentence each."""
    unknown = [
        f"base.{name} is not a dimension; known are {', '.join(space.names)}"
        for name in base
        if name not in space.names
    ]
    wrong = [d.problem(base[d.name]) for d in space.dimensions if d.name in base]
    return unknown + [f"base.{sentence}" for sentence in wrong if sentence is not None]


def missing_keys(campaign: Campaign) -> list[str]:
    """Return a sentence for each agent, or fixer, whose provider's key the environment does not have."""
    asking = [(f"agent {plan.name}", plan) for plan in campaign.agent if asks(plan)]
    asking += [("the fixer", campaign.fixer.plan)] if campaign.fixer.asks else []
    return [
        f"{who} needs {' or '.join(KEYS[plan.policy])} in the environment"
        for who, plan in asking
        if plan.base_url is None and find_key(plan.policy) is None
    ]


def made(campaign: Campaign, plan: Plan, blobs: Blobs) -> Agent:
    """Return an agent that asks a model."""
    base = based(campaign.base, campaign.searched())
    desk = Desk(
        plan, campaign.prices[str(plan.model)], base=base, usd=campaign.budget.usd, blobs=blobs, widen=campaign.widen
    )
    return Agent(plan, desk=desk, blobs=blobs, budget=campaign.budget)


def hands(campaign: Campaign, plan: Plan) -> ModelHands:
    """Return the hands of an agent that asks a model; raises as `patience` does."""
    waiting, key = patience(campaign, plan)
    base = based(campaign.base, campaign.searched())
    manner = Manner(between(plan.ideas), plan.sweep, base, lambda space: readable(campaign.widen, space))
    return ModelHands(waiting, manner, key)


def patience(campaign: Campaign, plan: Plan) -> tuple[Patience, Key]:
    """Return what asks a plan's model, and the key that it asks with.

    Raises:
        CampaignError: the key is missing.
    """
    key = find_key(plan.policy)
    if key is None and plan.base_url is None:
        raise CampaignError("; ".join(missing_keys(campaign)))
    price = campaign.prices[str(plan.model)]
    settings = Settings(
        model=str(plan.model),
        max_tokens=plan.max_tokens,
        timeout=plan.timeout,
        temperature=plan.temperature,
        base_url=plan.base_url,
        cached=price.write is not None,
    )
    model = load_model(plan.policy, settings, key or NO_KEY)
    return Patience(model, price, tries=plan.tries, timeout=plan.timeout), key or NO_KEY


def told(campaign: Campaign) -> Iterator[str]:
    """Yield what `myriad check` says of the agents that ask models: where, with which key, at which price."""
    for plan in (plan for plan in campaign.agent if asks(plan)):
        key, price = find_key(plan.policy), campaign.prices[str(plan.model)]
        where = plan.base_url or "its provider"
        sent = (
            f"{key.name} is set and is sent there" if key is not None else f"{' and '.join(KEYS[plan.policy])} not set"
        )
        low, high = between(plan.ideas)
        worst = plan.tries * sum(rounds(price, prompt=PROMPT, answer=plan.max_tokens))
        limit = f"at most {plan.usd:g} USD" if plan.usd is not None else "no limit of its own"
        yield f"agent    {plan.name}: {plan.policy}, {low} to {high} ideas and {plan.sweep} variants a cycle"
        yield f"         asks {plan.model} of {where}; {sent}"
        yield f"         reserves about {worst:.2f} USD a cycle, the worst case of {2 * plan.tries} calls; {limit}"


def cost(campaign: Campaign) -> str:
    """Return the line of `myriad check` about money."""
    asked = [plan for plan in campaign.agent if asks(plan)] + [campaign.fixer.plan] * campaign.fixer.asks
    if not asked:
        return "cost     0.00 USD: no agent calls a model"
    alone = [plan.usd for plan in asked if plan.usd is not None]
    most = sum(alone) if len(alone) == len(asked) else math.inf
    limit = min(most, campaign.budget.usd if campaign.budget.usd is not None else math.inf)
    return f"cost     at most {limit:.2f} USD for calls of models; nothing was asked now"


def asker_problems(campaign: Campaign, plan: Plan, who: str, key: Callable[[str], str]) -> list[str]:
    """Return what is wrong with whoever asks a model, a sentence each.

    Args:
        plan: theirs.
        who: they are, in words.
        key: returns the words for one of their keys.
    """
    checks = {
        f"{key('model')} is missing: policy {plan.policy} asks a model": plan.model,
        f'prices has no "{plan.model}", which {who} asks: give [prices."{plan.model}"] with input and output, '
        "in US dollars per million tokens": plan.model is None or plan.model in campaign.prices,
        f"budget.usd and {key('usd')} are both missing: a campaign that asks models says what it may spend": (
            campaign.budget.usd is not None or plan.usd is not None
        ),
        f"{key('base_url')} must be http:// or https:// and a host, without a user or a key": _is_url(plan),
        f"{key('max_tokens')} must be in [1, 1000000]": 1 <= plan.max_tokens <= 1_000_000,
        f"{key('tries')} must be in [1, 10]": 1 <= plan.tries <= 10,
        f"{key('timeout')} must be above 0 and at most 3600": 0 < plan.timeout <= 3600,
        f"{key('temperature')} must be in [0, 2]": plan.temperature is None or 0 <= plan.temperature <= 2,
        f"{key('rules')} have more than {LONGEST_RULES} characters": len(plan.rules) <= LONGEST_RULES,
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def _asker(campaign: Campaign, plan: Plan) -> list[str]:
    wrong = asker_problems(campaign, plan, f"agent {plan.name}", lambda key: f"agent.{key} of {plan.name}")
    if plan.ideas > MOST:
        wrong.append(f"agent.ideas of {plan.name} must be in [1, {MOST}]: a model is asked for them in one answer")
    unknown = [section for section in plan.without if section not in SECTIONS]
    return wrong + [f"agent.without = {section!r} is not one of {', '.join(SECTIONS)}" for section in unknown]


def _other(plan: Plan) -> list[str]:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Plan)}
    set_ = [key for key in OF_MODELS if getattr(plan, key) != defaults[key]]
    return [f"agent.{key} of {plan.name} means nothing: policy {plan.policy} asks no model" for key in set_]


def _is_limit(limit: float | None) -> bool:
    return limit is None or 0 < limit < math.inf


def _is_url(plan: Plan) -> bool:
    if plan.base_url is None:
        return True
    try:
        parts = urlsplit(plan.base_url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and not parts.query
