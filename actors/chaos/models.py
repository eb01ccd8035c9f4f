"""Models that agents of a small campaign ask: at which price, at which desk, and what comes of a question.

No model is asked: ideas are drawn as those of the other agents are. What an answer costs, and whether there is one, the
seed decides, within the worst case that was reserved for it. In some campaigns nobody asks a model.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from actors.agent import Plan
from actors.asking.desk import Desk, based
from actors.chaos.faults import drawn
from actors.hands import PolicyHands
from actors.orders import Answered, Propose, Question, Result, Unanswered
from actors.policies.prices import Price
from events.blobs import Blobs
from events.spaces import PAPER

PRICE = Price(input=1.0, output=100.0)
"""US dollars per million tokens: with the tokens of a plan here, a call is reserved at about one dollar."""

TOKENS = 10_000

CAPS = (3.0, 7.0, 15.0)
"""US dollars of a campaign: for one to seven questions at their worst."""

SECONDS = 4.0

KINDS: tuple[Literal["unreachable", "answer", "rejected"], ...] = ("unreachable", "answer", "rejected")


class Unkept(Blobs):
    """Gives every text its digest and keeps none of them: nobody reads the prompts of a small campaign again."""

    def put(self, content: bytes) -> str:
        """Return the digest."""
        return sha256(content).hexdigest()


BLOBS = Unkept(Path("unused"))


def cap(seed: int) -> float | None:
    """Return what a campaign may spend, None where it asks no model."""
    return CAPS[drawn(seed, "usd") % len(CAPS)] if drawn(seed, "models") % 3 == 0 else None


def asking(seed: int, plan: Plan) -> Plan:
    """Return a plan as one that asks a model, with a limit of its own or without."""
    own = (None, 5.0)[drawn(seed, "usd", plan.name) % 2]
    tries = 1 + drawn(seed, "tries", plan.name) % 2
    return replace(plan, policy="claude", model="standin", max_tokens=TOKENS, tries=tries, usd=own)


def desk(plan: Plan, usd: float) -> Desk:
    """Return where an agent prepares its questions."""
    return Desk(plan, PRICE, base=based({}, PAPER), usd=usd, blobs=BLOBS)


def answer(seed: int, plan: Plan, order: Propose, question: Question) -> tuple[float, Result]:
    """Return the seconds that a question takes, and what comes of it."""
    draw = drawn(seed, "answer", order.id)
    worst = plan.tries * sum(question.worst)
    # one of eight answers costs all that was reserved, the others up to half of it
    usd = worst if draw % 8 == 0 else worst * (draw // 8 % 1000) / 2000
    if (fails := draw // 8000 % 12) < len(KINDS):
        kind = KINDS[fails]
        spent = 0.0 if kind == "unreachable" else usd
        return SECONDS, Unanswered(
            id=order.id, reason="it said nothing of use", kind=kind, usd=spent, seconds=SECONDS, calls=plan.tries
        )
    ideas = PolicyHands("uniform", ideas=plan.ideas, sweep=plan.sweep).perform(order)
    if isinstance(ideas, Answered):
        ideas = replace(ideas, model="standin", seconds=SECONDS, usd=usd, tokens_out=TOKENS // 10, calls=1)
    return SECONDS, ideas
