"""Hands: what carries out a role's orders; they may block, fail or hang without harming the role."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from actors.benches.child import Child, TimedOut
from actors.benches.limits import Limits
from actors.benches.scrutiny import Control, Repeat
from actors.errors import BenchBroken, CampaignError
from actors.orders import Answered, Breakdown, Move, Order, Propose, Refused, Result, Score, Train, Trained
from actors.policies import load
from actors.policies.sweep import expand
from events.facts import FailureKind


class Hands(Protocol):
    """Carries out one order at a time, in a thread that the shell keeps for it."""

    def perform(self, order: Order) -> Result:
        """Carry out an order and return what came of it."""

    def close(self) -> None:
        """Stop whatever is under way and give everything back; called from another thread."""


@runtime_checkable
class Interruptible(Protocol):
    """Hands that can drop what they do."""

    def interrupt(self) -> None:
        """End the order under way, which then counts as broken; called from another thread."""


class NoHands:
    """For roles that only speak."""

    def perform(self, order: Order) -> Result:
        """Refuse."""
        return Refused(id=order.id, reason="this role carries out nothing")

    def close(self) -> None:
        """Nothing is held."""


class PolicyHands:
    """Asks a policy, and adds the sweep's variants to its ideas."""

    def __init__(self, policy: str, *, ideas: int, sweep: int) -> None:
        self._name = policy
        self._ideas = ideas
        self._sweep = sweep

    def perform(self, order: Order) -> Result:
        """Return the policy's ideas; the raw answer of a policy that writes no text is its rationales."""
        if not isinstance(order, Propose):
            return Refused(id=order.id, reason="an agent only proposes")
        began = time.perf_counter()
        policy = load(self._name)
        ideas = policy.propose(order.history, order.key, self._ideas)
        ideas += expand(order.history, order.key, self._sweep)
        text = "\n".join(idea.rationale for idea in ideas)
        seconds = time.perf_counter() - began
        return Answered(id=order.id, text=text, model=policy.name, ideas=ideas, seconds=seconds)

    def close(self) -> None:
        """Nothing is held."""


class BenchHands:
    """Passes orders to a bench, and turns its death into the end of what it was doing.

    A bench that ran out of memory is replaced: what it still holds, and in how many pieces, nobody can say.

    Args:
        patience: seconds for orders that carry no time-out of their own.
        copies: returns an adopted patch's copy, and the limits of a bench that trains with it; None for one that never
            moves.
    """

    def __init__(
        self, child: Child, *, patience: float = 3600.0, copies: Callable[[str], tuple[Path, Limits]] | None = None
    ) -> None:
        self._child = child
        self._patience = patience
        self._copies = copies

    def perform(self, order: Order) -> Result:
        """Return the bench's answer; a training that broke is answered run by run."""
        if isinstance(order, Move):
            return self._moved(order)
        began = time.perf_counter()
        try:
            answer: Result = self._child.ask(order, self._timeout(order))
        except TimedOut as error:
            return _broken(order, "timeout", str(error), time.perf_counter() - began)
        except BenchBroken as error:
            return _broken(order, "crashed", str(error), time.perf_counter() - began)
        if isinstance(answer, Refused) and isinstance(order, Train):
            return _broken(order, "crashed", answer.reason, 0.0)
        if isinstance(answer, Trained) and any(_starved(end) for end in answer.ends):
            self._child.kill()
        return answer

    def interrupt(self) -> None:
        """Kill the bench; the next order starts another."""
        self._child.kill()

    def close(self) -> None:
        """Kill the bench and start no other."""
        self._child.close()

    def _moved(self, order: Move) -> Result:
        if self._copies is None:
            return Refused(id=order.id, reason="this bench stays where it is")
        try:
            self._child.move(*self._copies(order.patch))
            described = self._child.describe()
        except (CampaignError, OSError) as error:
            return Refused(id=order.id, reason=str(error))
        return msgspec.structs.replace(described, id=order.id)

    def _timeout(self, order: Order) -> float:
        if isinstance(order, Train):
            return order.execution.timeout
        if isinstance(order, Repeat):
            return order.timeout * len(order.seeds)
        return order.timeout if isinstance(order, Control) else self._patience


def _starved(end: Score | Breakdown) -> bool:
    return isinstance(end, Breakdown) and end.kind == "out_of_memory"


def _broken(order: Order, kind: FailureKind, trace: str, seconds: float) -> Result:
    if not isinstance(order, Train):
        return Refused(id=order.id, reason=trace)
    share = seconds / len(order.runs)
    return Trained(id=order.id, ends=tuple(Breakdown(run.experiment, kind, 0, trace, share) for run in order.runs))
