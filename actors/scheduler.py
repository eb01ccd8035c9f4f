"""The scheduler: judges ideas, orders the queue, leases packs to workers, takes leases back, and ends the campaign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from actors.agent import BARREN
from actors.benches import verifying
from actors.judgement import adoption, banning, budgets, heeding
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.judgement.verdicts import Verdicts
from actors.judgement.widening import Widen
from actors.role import Decision, Known, News
from actors.seeds import seed_of
from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    Assigned,
    CampaignClosed,
    Execution,
    LeaseRevoked,
    Requeued,
    WorkerLost,
)
from events.space import Configuration
from replay.entries import SHAPE
from replay.fleet import Worker
from replay.ledger import Experiment
from replay.prospects import Prospects
from replay.repairs import Repair
from replay.turns import order


class Scheduler:
    """See the module.

    Args:
        agents: how many must have joined before their silence can end the campaign.
        silence: seconds without a pulse after which a worker is lost.
        vetted: whether nothing is entrusted to a worker before its instrument's canaries held, which they did not say
            in every log.
        widen: by which values an idea may widen the space; by none where it is not given.
        bans: when it bans a shape of its own accord; never where it is not given.
    """

    author = "scheduler"

    def __init__(
        self,
        budget: Budget,
        *,
        agents: int,
        silence: float,
        vetted: bool = False,
        widen: Widen | None = None,
        bans: Banning | None = None,
    ) -> None:
        self._budget = budget
        self._agents = agents
        self._silence = silence
        self._vetted = vetted
        self._widen = widen
        self._bans = bans or Banning(after=0)
        self._verdicts, self._prospects = Verdicts(self._widen), Prospects()

    def initial(self) -> Known:
        """Return what it knows before the first fact."""
        self._verdicts, self._prospects = Verdicts(self._widen), Prospects()
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        """Look, in this order, for a lost worker, an orphaned lease, what a person cancelled, a verdict, a repair, a
        ban that is over or due, an end, what no budget can pay, and an assignment.
        """
        if not known.ledger.campaign:
            return None
        return (
            self._lost(known, news)
            or self._revoke(known)
            or heeding.cancelled(known)
            or self._judge(known)
            or self._settle(known)
            or self._return(known)
            or heeding.lifted(known)
            or banning.dead_end(known, self._bans)
            or verifying.era(known)
            or self._close(known, now)
            or self._forgo(known, now)
            or self._assign(known, now, news)
        )

    def _lost(self, known: Known, news: News) -> Decision | None:
        for worker in known.fleet.present():
            silence = news.silences.get(worker.worker, 0.0)
            if silence > self._silence:
                lost = WorkerLost(cause=worker.changed, worker=worker.worker, silence=silence)
                return Decision("worker", worker.worker, (lost,))
        return None

    def _revoke(self, known: Known) -> Decision | None:
        for pack in known.fleet.orphans():
            worker = known.fleet.workers[pack.worker]
            reason: Literal["lost", "retired"] = "retired" if worker.status == "retired" else "lost"
            facts: list[Fact] = [LeaseRevoked(cause=worker.changed, pack=pack.pack, worker=pack.worker, reason=reason)]
            for name in pack.waiting:
                experiment = known.ledger.experiments[name]
                spoiled = budgets.spoiled(experiment, pack.execution) + (reason == "lost" and pack.started)
                why = f"its worker was {reason}"
                facts.append(self._again(known, experiment, spoiled, why, pack.execution, cause=worker.changed))
            return Decision("pack", pack.pack, tuple(facts), lease=pack.pack)
        return None

    def _judge(self, known: Known) -> Decision | None:
        ledger = known.ledger
        source, ideas = next(iter(ledger.unjudged.items()), (None, []))
        if source is None or ledger.space is None:
            return None
        aggregate, _, identity = source.partition(".")
        facts = self._verdicts.on(ledger, ledger.space, ideas)
        return Decision("repair" if aggregate == "repair" else "cycle", identity, facts)

    def _settle(self, known: Known) -> Decision | None:
        for repair in known.repairs.with_status("applied", "refused"):
            experiment = known.ledger.experiments[repair.experiment]
            return Decision("repair", repair.repair, (self._after(known, experiment, repair),))
        return None

    def _return(self, known: Known) -> Decision | None:
        """Queue again what was given up for want of a patch that is adopted by now."""
        experiment = adoption.returning(known)
        if experiment is None:
            return None
        reason, execution = "a patch for what broke it is adopted", experiment.attempts[-1].execution
        cause = known.repairs.adoption
        fact = self._again(known, experiment, budgets.spoiled(experiment, execution), reason, execution, cause=cause)
        return Decision("campaign", experiment.experiment, (fact,))

    def _after(self, known: Known, experiment: Experiment, repair: Repair) -> Fact:
        if repair.child is not None:
            reason = f"{repair.kind}: replaced by {repair.child}"
            return Abandoned(cause=repair.spoken, experiment=experiment.experiment, reason=reason)
        if (end := adoption.end(known.repairs, repair)) is not None:
            return Abandoned(cause=repair.spoken, experiment=experiment.experiment, reason=end)
        if repair.remedy == "none":
            return Abandoned(cause=repair.spoken, experiment=experiment.experiment, reason=repair.diagnosis)
        execution = repair.execution or experiment.attempts[-1].execution
        reason = f"{repair.kind}: {repair.remedy}"
        spoiled = budgets.spoiled(experiment, execution)
        return self._again(known, experiment, spoiled, reason, execution, cause=repair.spoken)

    def _again(
        self,
        known: Known,
        experiment: Experiment,
        spoiled: int,
        reason: str,
        execution: Execution,
        *,
        cause: Position | None,
    ) -> Fact:
        name, attempt = experiment.experiment, len(experiment.attempts) + 1
        if experiment.cancelled is not None:
            return heeding.given_up(experiment, known.ledger.cancelled.get(name))
        if spoiled >= self._budget.attempts:
            return Abandoned(cause=cause, experiment=name, reason=f"{reason}, after {spoiled} spoiled attempts")
        return Requeued(cause=cause, experiment=name, attempt=attempt, reason=reason, execution=execution)

    def _close(self, known: Known, now: int) -> Decision | None:
        ledger = known.ledger
        if ledger.closed is not None or _busy(known):
            return None
        if (end := verifying.refused(known)) is not None:
            return Decision("campaign", "search", (end,))
        if (reason := budgets.exhausted(self._budget, ledger, now, known.repairs)) is not None:
            # wall time has been running since the campaign opened; every other limit was reached by a run
            cause = ledger.opening if budgets.overdue(self._budget, ledger, now) else ledger.moved or ledger.opening
        elif (reason := self._silent(known)) is not None:
            cause = max(agent.moved for agent in known.cycles.agents.values() if agent.moved is not None)
        else:
            return None
        return Decision("campaign", "search", (CampaignClosed(cause=cause, reason=reason),))

    def _silent(self, known: Known) -> str | None:
        """Say why no agent will ever propose again, or None while one may, or something waits to run."""
        agents = known.cycles.searching
        queued = known.ledger.standing("queued")
        if queued or len(agents) < self._agents or any(known.cycles.open(agent) for agent in agents):
            return None
        if any(known.cycles.barren(agent) < BARREN for agent in agents):
            return None
        last = {agent: known.cycles.last(agent) for agent in agents}
        poor = {agent: cycle.refused for agent, cycle in last.items() if cycle is not None and cycle.kind == "budget"}
        if not poor:
            return f"no agent had a new idea in {BARREN} cycles"
        said = [f"agent {agent} has no money for another question: {why}" for agent, why in poor.items()]
        barren = [agent for agent in agents if agent not in poor]
        return "; ".join(said + [f"agent {agent} had no new idea in {BARREN} cycles" for agent in barren])

    def _forgo(self, known: Known, now: int) -> Decision | None:
        """Abandon what waits for more device time than will ever be free again: once nothing runs, none comes back."""
        if known.ledger.closed is not None or _busy(known):
            return None
        _, seconds, wall = budgets.room(self._budget, known.ledger, now, known.repairs)
        for experiment in known.ledger.standing("queued"):
            timeout = self._execution(experiment).timeout
            if timeout > min(seconds, wall):
                reason = f"the budget has no room for its {timeout:g} s"
                fact = Abandoned(cause=experiment.moved, experiment=experiment.experiment, reason=reason)
                return Decision("campaign", experiment.experiment, (fact,))
        return None

    def _assign(self, known: Known, now: int, news: News) -> Decision | None:
        idle = [w for w in known.fleet.present() if w.pack is None and w.worker not in news.unheard]
        idle = [
            w for w in idle if adoption.trains(known.repairs, w) and (not self._vetted or verifying.trains(known, w))
        ]
        if not idle or known.ledger.closed is not None or known.ledger.paused is not None or news.stopping:
            return None
        runs = self._pack(known, idle[0], now) if not adoption.holds(known.repairs) else []
        if not runs:
            return None
        name = f"p-{len(known.fleet.packs) + 1}"
        facts = tuple(self._leased(known, e, name, lane, idle[0]) for lane, e in enumerate(runs))
        return Decision("pack", name, facts)

    def _pack(self, known: Known, worker: Worker, now: int) -> list[Experiment]:
        """Choose the head of the queue and the next ones of its shape and execution, as many as there are lanes."""
        chosen: list[Experiment] = []
        attempts, seconds, wall = budgets.room(self._budget, known.ledger, now, known.repairs)
        for experiment in self._waiting(known):
            if len(chosen) >= min(attempts, worker.lanes):
                break
            timeout = self._execution(experiment).timeout
            if timeout <= min(seconds, wall) and (not chosen or self._alike(known, chosen[0], experiment)):
                chosen.append(experiment)
                seconds -= timeout
        return chosen

    def _waiting(self, known: Known) -> Iterator[Experiment]:
        return (turn[0] for turn in order(known.ledger, self._prospects))

    def _alike(self, known: Known, one: Experiment, other: Experiment) -> bool:
        a, b = (known.ledger.configuration(e.experiment) for e in (one, other))
        return _shape(a) == _shape(b) and self._execution(one) == self._execution(other)

    def _execution(self, experiment: Experiment) -> Execution:
        return experiment.execution or Execution(timeout=self._budget.timeout)

    def _leased(self, known: Known, experiment: Experiment, pack: str, lane: int, worker: Worker) -> Assigned:
        return Assigned(
            cause=experiment.moved,
            experiment=experiment.experiment,
            attempt=len(experiment.attempts) + 1,
            pack=pack,
            lane=lane,
            worker=worker.worker,
            seed=seed_of(known.ledger.seed, experiment.experiment),
            execution=self._execution(experiment),
        )


def _busy(known: Known) -> bool:
    return bool(known.ledger.standing(*budgets.LIVE, "failed"))


def _shape(configuration: Configuration) -> tuple[object, ...]:
    return tuple(configuration.get(name) for name in SHAPE)
