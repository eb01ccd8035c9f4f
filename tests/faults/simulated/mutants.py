"""Broken parts, each with one mistake that a distributed system is prone to; every one must be caught."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from actors.agent import Agent
from actors.analyst import Analyst
from actors.chaos.people import Person
from actors.chaos.troupe import Parts
from actors.fixer import Fixer
from actors.judgement.budgets import Budget
from actors.judgement.priority import order
from actors.judgement.verdicts import Verdicts
from actors.pen import Pen
from actors.role import Decision, Known, News
from actors.scheduler import Scheduler
from actors.worker import Worker
from events.facts import EraOpened, LeaseRevoked
from events.log import Recorded
from replay.ledger import Experiment, Ledger


class Unfenced(Pen):
    """Writes without asking whether somebody spoke first."""

    def _fence(self, decision: Decision) -> Any:
        return None


class Unasked(Pen):
    """Lets the scheduler, and nobody else, write without asking."""

    def _fence(self, decision: Decision) -> Any:
        return None if self._author == "scheduler" else super()._fence(decision)


class Twice(Pen):
    """Takes every frame that comes for a new one; so our pens once did."""

    def catch_up(self) -> list[Recorded]:
        frames = self._feed.since(self.through)
        for recorded in frames:
            self._see(recorded)
        return frames


class Waiting(Agent):
    """Rests until its clock has passed its last cycle, however far that lies ahead; so our agents once did."""

    def _rests(self, known: Known, now: int) -> bool:
        last = known.cycles.last(self.plan.name)
        return last is not None and now < last.at


class Forgetful(Scheduler):
    """Runs the work of a lost worker elsewhere without taking its lease back."""

    def _revoke(self, known: Known) -> Decision | None:
        decision = super()._revoke(known)
        if decision is None:
            return None
        return decision._replace(facts=tuple(f for f in decision.facts if not isinstance(f, LeaseRevoked)))


class Lavish(Scheduler):
    """Looks at the budget when it closes, and not when it assigns."""

    def _pack(self, known: Known, worker: Any, now: int) -> list[Any]:
        return order(known.ledger)[:1]


class Eager(Worker):
    """Starts anew what it had started when it died, under the same lease."""

    def _end(self, known: Known, pack: Any, news: News) -> Decision | None:
        if pack.pack not in news.underway and pack.pack not in news.results:
            return self._start(known, pack)
        return super()._end(known, pack, news)


class Restless(Agent):
    """Asks anew after a death, and leaves the question that it had asked without an answer."""

    def _record(self, cycle: Any, news: News) -> Decision | None:
        if cycle.cycle not in news.results and cycle.cycle not in news.underway:
            return self._start(self._seen)
        return super()._record(cycle, news)

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        self._seen = known
        return super().decide(known, now, news)


class Stale(Analyst):
    """Seals with what it measured once before."""

    def _metrics(self, known: Any, cause: Any) -> Any:
        self._before = getattr(self, "_before", None) or super()._metrics(known, cause)
        return self._before


class Generous(Analyst):
    """Repeats leaders whatever device time is left."""

    def __init__(self, *, budget: Budget, **more: Any) -> None:
        super().__init__(**more)


class Hasty(Fixer):
    """Repairs what was already given up to be settled, once more after every restart."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        if not getattr(self, "_begun", False):
            self._begun = True
            for experiment in known.ledger.standing("failed"):
                if (decision := self._repair(known, experiment)) is not None:
                    return decision
        return super().decide(known, now, news)


class Tolerant(Scheduler):
    """Reads of bans, and forgets them when it judges."""

    def initial(self) -> Known:
        known = super().initial()
        self._verdicts = Unbanned(self._widen)
        return known


class Unbanned(Verdicts):
    def _banned(self, *_: object) -> None:
        return None


class Tireless(Scheduler):
    """Gives work in a pause too."""

    def _assign(self, known: Known, now: int, news: News) -> Decision | None:
        with unpaused(known.ledger):
            return super()._assign(known, now, news)


class Stubborn(Scheduler):
    """Tries again what a person cancelled while it ran."""

    def _again(self, known: Known, experiment: Experiment, *rest: Any, **more: Any) -> Any:
        return super()._again(known, msgspec.structs.replace(experiment, cancelled=None), *rest, **more)


class Trusting(Scheduler):
    """Gives work to a worker whose canaries nobody has seen."""

    def __init__(self, *rest: Any, vetted: bool, **more: Any) -> None:
        super().__init__(*rest, vetted=False, **more)


class Epochal(Scheduler):
    """Opens an era for every platform on which an instrument was verified."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        told = [
            one.instrument for one in known.instruments.all.values() for on in one.platforms if on.status == "verified"
        ]
        many = len(known.ledger.eras.all)
        if 0 < many < len(told) and known.ledger.closed is None:
            opened = EraOpened(cause=known.ledger.opening, era=many + 1, instrument=told[many], reason="verified")
            return Decision("campaign", "eras", (opened,))
        return super().decide(known, now, news)


class Unheeding(Scheduler):
    """Lifts a ban whatever else is said of it at the moment; so our schedulers once did."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        return unfenced(super().decide(known, now, news))


class Alone(Worker):
    """Says what its canaries saw whatever another worker has said since; so our workers once did."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        return unfenced(super().decide(known, now, news))


class Miser(Agent):
    """Weighs the campaign's money as if nobody else spent of it at the moment."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        return unfenced(super().decide(known, now, news))


class Spender(Agent):
    """Reserves money, and looks at no limit."""

    def __init__(self, *rest: Any, desk: Any = None, **more: Any) -> None:
        super().__init__(*rest, desk=desk, **more)
        if desk is not None:
            desk._short = lambda *_: None


class Sleepless(Agent):
    """Asks in a pause too."""

    def _wanted(self, known: Known, now: int) -> bool:
        with unpaused(known.ledger):
            return super()._wanted(known, now)


class Heedless(Person):
    """Speaks without asking whether somebody spoke first."""

    def __init__(self, author: str, wire: Any, *rest: Any) -> None:
        super().__init__(author, wire, *rest)
        self._voice.append = lambda frame, **_: wire.append(frame)  # type: ignore[method-assign] # the mistake


def unfenced(decision: Decision | None) -> Decision | None:
    """The decision as whoever looks at their own frames alone would write it."""
    return decision._replace(under=None) if decision is not None else None


@contextmanager
def unpaused(ledger: Ledger) -> Iterator[None]:
    """Let a ledger know of no pause for a moment."""
    paused, ledger.paused = ledger.paused, None
    try:
        yield
    finally:
        ledger.paused = paused


MUTANTS: dict[str, Parts] = {
    "a pen without fences": Parts(pen=Unfenced),
    "a scheduler without fencing": Parts(pen=Unasked),
    "a pen that counts a frame twice": Parts(pen=Twice),
    "an agent that waits for its clock": Parts(agent=Waiting),
    "a scheduler that does not take leases back": Parts(scheduler=Forgetful),
    "a scheduler that spends beyond the budget": Parts(scheduler=Lavish),
    "a worker that starts twice": Parts(worker=Eager),
    "an agent that forgets its question": Parts(agent=Restless),
    "an analyst that seals old measures": Parts(analyst=Stale),
    "an analyst that repeats beyond the budget": Parts(analyst=Generous),
    "a fixer that repairs twice": Parts(fixer=Hasty),
    "a scheduler that forgets a ban": Parts(scheduler=Tolerant),
    "a scheduler that gives work in a pause": Parts(scheduler=Tireless),
    "a scheduler that tries again what was cancelled": Parts(scheduler=Stubborn),
    "a scheduler that trusts an instrument unseen": Parts(scheduler=Trusting),
    "a scheduler that opens an era too many": Parts(scheduler=Epochal),
    "a scheduler that lifts what is lifted": Parts(scheduler=Unheeding),
    "a worker that refuses what another verified": Parts(worker=Alone),
    "an agent that weighs its money alone": Parts(agent=Miser),
    "an agent that spends beyond the budget": Parts(agent=Spender),
    "an agent that asks in a pause": Parts(agent=Sleepless),
    "a person who speaks without a fence": Parts(person=Heedless),
}
