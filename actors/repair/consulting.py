"""Asking a model about a crash: when, for how much, with which words, and what was heard.

Each question is a cycle of the fixer's own, so that its money is reserved, counted and told as that of any agent.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from actors.agent import LONGEST_REST, REST
from actors.asking.accounts import told
from actors.orders import Answered, Mend, Unanswered
from actors.policies import mending
from actors.policies.mending import Mended
from actors.policies.prices import Price, rounds
from actors.repair import crash
from actors.repair.attention import Attentive
from actors.repair.crash import STABLE, Crash
from actors.repair.fixing import NAME, Fixing
from actors.repair.workshop import Workshop
from actors.role import Decision, News
from actors.seeds import seed_of
from events.blobs import Blobs
from events.envelope import Fact
from events.facts import AgentJoined, AnswerReceived, AnswerRefused, CycleStarted
from replay.cycles import Cycle
from replay.repairs import Repair

UNHEARD = ("unreachable", "budget", "interrupted")
"""Ends of a cycle in which nobody answered: they say nothing about whether there is a patch."""

EARLIER = 2
"""Refused diffs that a model is shown again."""


class Heard(NamedTuple):
    """How a cycle ended: the fact that says so, and what the answer holds, None where there is none."""

    fact: Fact
    mended: Mended | None = None


class Consultant:
    """See the module; arguments as of `actors.repair.mechanic.Mechanic`."""

    def __init__(self, fixing: Fixing, price: Price, *, usd: float | None, blobs: Blobs, workshop: Workshop) -> None:
        self._fixing = fixing
        self._price = price
        self._usd = usd
        self._blobs = blobs
        self._workshop = workshop

    def site(self, known: Attentive, experiment: str) -> str | None:
        """Return where in what trains an experiment's last attempt crashed, None where it did so elsewhere."""
        trace = known.traces.traces.get(experiment)
        return crash.site(self._blobs.whole(trace)) if trace is not None else None

    def open(self, known: Attentive, repair: Repair) -> Cycle | None:
        """Return the repair's cycle that waits for its answer."""
        cycles = self._cycles(known, repair)
        return cycles[-1] if cycles and cycles[-1].open else None

    def heard(self, cycle: Cycle, news: News) -> Heard | None:
        """Return how an open cycle ended, None while it goes on."""
        result = news.results.get(cycle.cycle)
        if isinstance(result, Answered):
            return Heard(told(AnswerReceived, cycle, result, self._blobs), mending.read(result.text))
        if isinstance(result, Unanswered):
            return Heard(told(AnswerRefused, cycle, result, self._blobs))
        if result is None and cycle.cycle in news.underway and not news.leaving:
            return None
        reason = getattr(result, "reason", "interrupted: the process ended before the answer was recorded")
        kind = "interrupted" if result is None else None
        return Heard(AnswerRefused(cause=cycle.started, cycle=cycle.cycle, reason=reason, kind=kind))  # type: ignore[arg-type] # of Literal

    def declines(self, known: Attentive, repair: Repair) -> str | None:
        """Say why the model is not asked about a repair again, or None where it may be."""
        mine, most = self._cycles(known, repair), self._fixing.attempts
        same = [other for other in known.repairs.repairs.values() if other.site == repair.site]
        answers = [c for other in same for c in self._cycles(known, other) if c.kind not in UNHEARD]
        if len(answers) >= most:
            given_up = next((other.reason for other in same if other.status in ("refused", "settled")), "")
            last = repair.reason or answers[-1].refused
            return given_up or f"of {len(answers)} answers about {repair.site} none gave a patch that holds: {last}"
        if len(mine) >= most:
            return f"the model gave no answer in {len(mine)} cycles: {mine[-1].refused}"
        short = self._short(known, self._reserve(self._question(known, repair)))
        if short is None or any(cycle.open for cycle in known.cycles.cycles.values()):
            return None
        return short

    def asks(self, known: Attentive, repair: Repair, now: int) -> Decision | None:
        """Join, or ask; None while it is too early, or while money that others have reserved may still come free."""
        if NAME not in known.cycles.agents:
            joined = AgentJoined(cause=repair.spoken, agent=NAME, policy=self._fixing.policy, settings=self._settings())
            return Decision("campaign", "roster", (joined,))
        question = self._question(known, repair)
        reserve = self._reserve(question)
        if self._rests(known, now) or self._short(known, reserve) is not None:
            return None
        name = f"c-{repair.repair}-{len(self._cycles(known, repair)) + 1}"
        started = CycleStarted(
            cause=repair.spoken,
            cycle=name,
            agent=NAME,
            key=seed_of(known.ledger.seed, name),
            prompt=self._blobs.keep(f"{STABLE}\n{question}"),
            reserve_usd=reserve,
        )
        order = Mend(id=name, stable=STABLE, fresh=question, worst=reserve / self._fixing.tries)
        # Under the fence of all cycles, as every agent that spends: nobody reserved anything since this was weighed.
        return Decision("cycle", name, (started,), orders=(order,), under="cycle")

    def _cycles(self, known: Attentive, repair: Repair) -> list[Cycle]:
        """Return a repair's cycles, oldest first: they are named by it."""
        found: list[Cycle] = []
        while (cycle := known.cycles.cycles.get(f"c-{repair.repair}-{len(found) + 1}")) is not None:
            found.append(cycle)
        return found

    def _question(self, known: Attentive, repair: Repair) -> str:
        ledger, base = known.ledger, known.repairs.adopted
        tried = [patch for patch in known.repairs.tried(repair.site or "") if patch.base == base and patch.reasons]
        earlier = [(self._blobs.whole(patch.diff), patch.reasons[-1]) for patch in tried[-EARLIER:]]
        if repair.reason and all(reason != repair.reason for _, reason in earlier):
            earlier.append(("", repair.reason))
        return crash.fresh(
            Crash(
                trace=self._blobs.whole(known.traces.traces[repair.experiment]),
                configuration=ledger.configuration(repair.experiment),
                execution=ledger.experiments[repair.experiment].attempts[-1].execution,
                read=self._workshop.read(base),
                earlier=tuple(earlier),
            )
        )

    def _reserve(self, question: str) -> float:
        prompt = len(STABLE.encode()) + len(question.encode())
        worst, _ = rounds(self._price, prompt=prompt, answer=self._fixing.max_tokens)
        return self._fixing.tries * worst

    def _short(self, known: Attentive, reserve: float) -> str | None:
        """Say which budget has no room for a reservation, or None."""
        for limit, agent, key in ((self._fixing.usd, NAME, "fixer.usd"), (self._usd, None, "budget.usd")):
            spent = known.cycles.spent(agent)
            if limit is not None and spent + reserve > limit:
                return f"{key} = {limit:g} has no room: {spent:.4f} spent or reserved, {reserve:.4f} needed"
        return None

    def _rests(self, known: Attentive, now: int) -> bool:
        last, often = known.cycles.last(NAME), known.cycles.unreachable(NAME)
        if last is None or not often:
            return False
        rest = max(last.wait, min(LONGEST_REST, REST * 2.0 ** min(often - 1, 10)))
        return 0 <= now - (last.ended_at or last.at) < rest * 1e6

    def _settings(self) -> dict[str, str | int | float | bool | None]:
        fields = msgspec.structs.fields(Fixing)
        return {f.name: v for f in fields if (v := getattr(self._fixing, f.name)) != f.default}
