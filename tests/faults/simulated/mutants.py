"""Broken parts, each with one mistake that a distributed system is prone to; every one must be caught."""

from __future__ import annotations

from typing import Any

from actors.agent import Agent
from actors.analyst import Analyst
from actors.chaos.troupe import Parts
from actors.fixer import Fixer
from actors.judgement.priority import order
from actors.pen import Pen
from actors.role import Decision, Known, News
from actors.scheduler import Scheduler
from actors.worker import Worker
from events.facts import LeaseRevoked
from events.log import Recorded


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


class Hasty(Fixer):
    """Repairs what was already given up to be settled, once more after every restart."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        if not getattr(self, "_begun", False):
            self._begun = True
            for experiment in known.ledger.standing("failed"):
                if (decision := self._repair(known, experiment)) is not None:
                    return decision
        return super().decide(known, now, news)


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
    "a fixer that repairs twice": Parts(fixer=Hasty),
}
