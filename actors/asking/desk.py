"""The desk of an agent that asks a model: its briefing, what asking may cost at most, and whether there is money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actors.judgement.widening import Widen, sentences
from actors.orders import History, Propose, Question
from actors.policies.prices import Price, rounds
from actors.role import Decision, Known
from events.blobs import Blobs
from events.facts import AnswerRefused, CycleStarted
from events.log import Recorded
from events.space import Choice, Configuration, Space
from replay.briefing import SECTIONS, Briefing, Terms, briefing
from replay.failing import Failing, FailingFold
from replay.folds import Pass
from replay.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.agent import Plan


class Informed(Known):
    """What an agent knows that writes briefings: the latest failures too."""

    def __init__(self) -> None:
        super().__init__()
        self._told: Pass[Failing] = Pass(FailingFold())
        self.failing: Failing
        (self.failing,) = self._told.results()

    def advance(self, frames: Iterable[Recorded]) -> None:
        """Fold frames, in order."""
        frames = tuple(frames)
        super().advance(frames)
        self._told.advance(frames)


class Desk:
    """Prepares one agent's questions.

    Args:
        base: a value for every dimension.
        usd: US dollars that the whole campaign may spend, None for no limit of its own.
        blobs: where the prompt lies, whole, before the frame that names it is written.
        widen: by which values the agent may widen the space.
    """

    def __init__(
        self,
        plan: Plan,
        price: Price,
        *,
        base: Configuration,
        usd: float | None,
        blobs: Blobs,
        widen: Widen | None = None,
    ) -> None:
        self._widen = widen or Widen(at_most=0)
        self._plan = plan
        self._price = price
        self._usd = usd
        self._blobs = blobs
        self._terms = Terms(
            ideas=between(plan.ideas),
            sections=tuple(section for section in SECTIONS if section not in plan.without),
            rules=plan.rules,
            base=base,
        )

    def opens(self, known: Informed, name: str, key: int, history: History) -> Decision | None:
        """Return the cycle's intent with its question; None while money that others have reserved may still come free.

        The frame must pass the fence of all cycles, so that the reservations that it was weighed against are those that
        it follows on the log, however many agents weigh at once.
        """
        told = briefing(known.ledger, known.repairs, known.failing, self._extended(known.ledger))
        worst = rounds(self._price, prompt=len(told.text.encode()), answer=self._plan.max_tokens)
        reserved = self._plan.tries * sum(worst)
        if (short := self._short(known, reserved)) is not None:
            waits = self._plan.usd is None or known.cycles.spent(self._plan.name) + reserved <= self._plan.usd
            if waits and any(cycle.open for cycle in known.cycles.cycles.values()):
                return None
            return self._gives_up(known, name, key, short)
        started = CycleStarted(
            cause=known.cycles.agents[self._plan.name].moved,
            cycle=name,
            agent=self._plan.name,
            key=key,
            prompt=self._blobs.keep(told.text),
            reserve_usd=reserved,
            sections=self._terms.sections,
        )
        order = Propose(id=name, key=key, history=history, question=_question(told, worst))
        return Decision("cycle", name, (started,), orders=(order,), under="cycle")

    def _extended(self, ledger: Ledger) -> Terms:
        if ledger.space is None:
            return self._terms
        lines = sentences(self._widen, ledger.space, len(ledger.widened))
        return msgspec.structs.replace(self._terms, extensions=lines)

    def _short(self, known: Informed, reserved: float) -> str | None:
        """Say which budget has no room for a reservation, or None."""
        limits = ((self._plan.usd, self._plan.name, "agent.usd"), (self._usd, None, "budget.usd"))
        for limit, agent, key in limits:
            spent = known.cycles.spent(agent)
            if limit is not None and spent + reserved > limit:
                return f"{key} = {limit:g} has no room: {spent:.4f} spent or reserved, {reserved:.4f} needed"
        return None

    def _gives_up(self, known: Informed, name: str, key: int, short: str) -> Decision:
        cause = known.cycles.agents[self._plan.name].moved
        started = CycleStarted(cause=cause, cycle=name, agent=self._plan.name, key=key)
        refused = AnswerRefused(cause=cause, cycle=name, reason=short, kind="budget", usd=0.0)
        return Decision("cycle", name, (started, refused), under="cycle")


def based(base: Mapping[str, str | int | float], space: Space) -> Configuration:
    """Return a value for every dimension, whether active or not: the file's, else the middle one."""
    values: Configuration = {}
    for d in space.dimensions:
        middle = d.values[len(d.values) // 2] if isinstance(d, Choice) else d.at(0.5)
        value = base.get(d.name, middle)
        values[d.name] = value if isinstance(d, Choice) else float(value)
    return values


def between(ideas: int) -> tuple[int, int]:
    """Return the fewest and the most ideas that are asked for around a number: 3 to 5 for 4, as in the paper."""
    return max(1, ideas - 1), ideas + 1


def _question(told: Briefing, worst: tuple[float, float]) -> Question:
    return Question(stable=told.stable, fresh=told.fresh, leading=told.leading, worst=worst)
