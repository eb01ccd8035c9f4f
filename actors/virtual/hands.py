"""Hands in virtual time: an agent's answers, a bench that asks the surrogate, features that are always there."""

from __future__ import annotations

from typing import Protocol

import msgspec

from actors.agent import Plan
from actors.benches.vetting import Verified, Verify
from actors.orders import (
    Answered,
    Breakdown,
    Extract,
    Extracted,
    Order,
    Propose,
    Refused,
    Result,
    Run,
    Score,
    Train,
    Trained,
)
from actors.policies import Policy, load
from actors.policies.standins import SURVEYOR, TUNER, Standin
from actors.policies.sweep import expand
from actors.seeds import seed_of
from actors.virtual.bugs import DAY, Bug
from actors.virtual.probes import SECONDS, look
from actors.virtual.surrogate import VERSION, Surrogate, draws
from events.facts import Execution
from replay.published import CYCLES, USD

START = 1_738_886_400_000_000
"""7 February 2025, 00:00 UTC, ten days before the paper's first proposal of vjepa2; microseconds since 1970."""

LATE = "vjepa2"
KNOWN_FROM = 10 * DAY
"""No agent knows the backbone `LATE` before (paper, Appendix A: ten days). The vocabulary has no fact that widens a
space, so the space holds it from the start, and the agents are not told."""

STANDINS = {temper.name: temper for temper in (SURVEYOR, TUNER)}
"""The stand-ins by the name that the log gives them."""


class Answering(Protocol):
    """A surrogate: how a run ends, and the digest of its instrument."""

    bugs: tuple[Bug, ...]
    instrument: str

    def run(self, run: Run, execution: Execution) -> Score | Breakdown:
        """Return how a run ends, and how long it takes."""


class AgentHands:
    """Asks a policy in virtual time.

    Args:
        diversity: whether a stand-in heeds the diversity budget.
        late: whether nobody has heard of the late backbone before its date.
    """

    def __init__(self, plan: Plan, *, diversity: bool, late: bool = True) -> None:
        self._plan = plan
        self._late = late
        standin = STANDINS.get(plan.policy)
        self._standin = Standin(standin, diversity=diversity) if standin is not None else None
        self._policy: Policy | None = load(plan.policy) if standin is None else None

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return an answer; it costs what a cycle of the published campaign did on average."""
        if not isinstance(order, Propose):
            return 0.0, Refused(id=order.id, reason="an agent only proposes")
        space, plan = order.history.space, self._plan
        first = space.choices[0]
        if self._late and LATE in first.values and len(first.values) > 1 and now < START + KNOWN_FROM:
            space = space.narrowed({first.name: [value for value in first.values if value != LATE]})
        history = msgspec.structs.replace(order.history, space=space)
        if self._standin is not None:
            ideas = self._standin.answer(history, order.key, plan.ideas, plan.sweep)
            usd = round(USD / CYCLES, 4)
        elif self._policy is not None:
            ideas = self._policy.propose(history, order.key, plan.ideas) + expand(history, order.key, plan.sweep)
            usd = 0.0
        if self._standin is None and not self._late:
            return 0.0, Answered(id=order.id, text="", model=plan.policy, ideas=ideas, seconds=0.0)
        seconds = round(30 + 60 * (seed_of(order.key, "seconds") / 2**53), 3)
        text = "\n".join(idea.rationale for idea in ideas[: plan.ideas])
        return seconds, Answered(id=order.id, text=text, model=plan.policy, ideas=ideas, seconds=seconds, usd=usd)


class BenchHands:
    """A bench that asks the surrogate; a pack takes as long as its longest run.

    Args:
        canaries: whether it looks at its instrument; without them it is trusted unseen, as the published campaign did.
    """

    def __init__(self, surrogate: Answering, *, canaries: bool = False) -> None:
        self._surrogate = surrogate
        self._canaries = canaries

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return how a pack's runs ended."""
        if isinstance(order, Verify):
            return self._verified(order)
        if not isinstance(order, Train):
            return 0.0, Refused(id=order.id, reason="a simulated bench only trains")
        ends = tuple(self._surrogate.run(run, order.execution) for run in order.runs)
        return max(end.gpu_seconds for end in ends), Trained(id=order.id, ends=ends)

    def _verified(self, order: Verify) -> tuple[float, Verified]:
        parts = {"surrogate": VERSION} | {f"bug/{bug}": "planted" for bug in self._surrogate.bugs}
        canaries = look(self._surrogate) if self._canaries and isinstance(self._surrogate, Surrogate) else ()
        seconds = SECONDS if self._canaries else 0.0
        problems = [f"{canary.name}, {canary.subject}: {canary.problem}" for canary in canaries if canary.problem]
        problem = "; ".join(problems) or None
        return seconds, Verified(order.id, self._surrogate.instrument, parts, canaries, seconds, problem)


class SpareHands:
    """For the fixer, who has missing features made; nobody else asks for anything here."""

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return features that were made."""
        if not isinstance(order, Extract):
            return 0.0, Refused(id=order.id, reason="this is not simulated")
        digest = draws(f"features of {order.backbone}", {}, 0)
        made = Extracted(order.id, order.backbone, f"{digest.one:.16f}"[2:], 1500, 1024, reused=False, seconds=120.0)
        return 120.0, made
