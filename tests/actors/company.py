"""A whole campaign without threads, devices or time: the real roles, pens and folds, with scripted outcomes of runs.

    company = Company(budget=Budget(experiments=5), outcome=lambda run, execution: scored(run))
    company.play()                                  # everybody in turn, until nobody has anything to say
    company.speaks("scheduler"); company.works("worker-cpu0-a"); company.dies("scheduler")     # or step by step

`outcome` says how a run ends. Time is virtual: each frame takes a second, each run the seconds that its end names.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.benches.scrutiny import Control, Controlled
from actors.fixer import Fixer
from actors.hands import PolicyHands
from actors.judgement.budgets import Budget
from actors.orders import (
    Answered,
    Breakdown,
    Extract,
    Extracted,
    Order,
    Propose,
    Result,
    Run,
    Score,
    Train,
    Trained,
)
from actors.pen import Pen
from actors.role import News, Role
from actors.scheduler import Scheduler
from actors.vitals import Heard
from actors.worker import Worker
from events.blobs import Blobs
from events.envelope import Fact, Text
from events.facts import CampaignOpened, Execution
from events.log import Frame
from events.memory import MemoryLog
from events.space import Space
from replay.ledger import Ledger
from tests.chronicle import PLATFORM, SPACE, START

Outcome = Callable[[Run, Execution], Score | Breakdown]


def scored(run: Run, *, seconds: float = 10.0) -> Score:
    """A result that only the configuration and the seed decide."""
    value = Random(f"{sorted(run.configuration.items())} {run.seed}").random()
    return Score(run.experiment, value, value * 0.9, 0.03, 2, (0.7, 0.5), (value / 2, value), (0.1, 0.1), seconds, 1)


def broken(run: Run, kind: Any = "crashed", *, seconds: float = 3.0) -> Breakdown:
    """A run that ended without a result."""
    return Breakdown(run.experiment, kind, 14, "a trace", seconds)


class Straight:
    """A feed without a thread: what the log holds has come."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def since(self, after: int) -> list[Any]:
        """Return the frames after a sequence."""
        return list(self._log.read(after))

    def wait_for(self, sequence: int) -> None:
        """It is there."""
        assert self._log.last() >= sequence


class Member:
    """One role with its pen and what its hands hold; `lives` counts how often it began."""

    def __init__(self, role: Role, log: MemoryLog, clock: Callable[[], int]) -> None:
        self.role = role
        self._log = log
        self._clock = clock
        self.lives = 0
        self.begin()

    def begin(self) -> None:
        """Know nothing, hold nothing: the first moment, and the moment after a death."""
        self.lives += 1
        self.pen = Pen(self._log, Straight(self._log), self.role.author, self._clock)  # type: ignore[arg-type] # a feed's two verbs
        self.known: Any = self.role.initial()
        self.results: dict[str, Result] = {}
        self.orders: dict[str, Order] = {}


class Company:
    """See the module."""

    def __init__(
        self,
        *,
        budget: Budget,
        outcome: Outcome = lambda run, execution: scored(run),
        plans: tuple[Plan, ...] = (Plan(name="uniform", policy="uniform"),),
        workers: tuple[str, ...] = ("worker-cpu0-a", "worker-cpu1-b"),
        lanes: int = 1,
        every: int = 10,
        space: Space = SPACE,
        seed: int = 0,
        blobs: Blobs,
    ) -> None:
        self.log = MemoryLog("company")
        self.at = START
        self.outcome = outcome
        self.stopping = self.leaving = False
        self._people = 0
        self.silences: dict[str, float] = {}
        self.hear: Callable[[Any], Heard] = lambda known: Heard(self.silences)
        self.members: dict[str, Member] = {}
        self._space, self._seed, self._lanes, self._blobs = space, seed, lanes, blobs
        self._plans = {f"agent-{plan.name}": plan for plan in plans}
        roles: list[Role] = [Agent(plan) for plan in plans]
        roles += [
            Scheduler(budget, agents=len(plans), silence=10.0),
            Fixer(timeout=budget.timeout),
            Analyst(every=every, controls=True, timeout=60.0),
        ]
        for role in roles:
            self.members[role.author] = Member(role, self.log, self.clock)
        for name in workers:
            self.joins(name)
        self._open()

    def clock(self) -> int:
        """A second a look."""
        self.at += 1_000_000
        return self.at

    def joins(self, worker: str) -> None:
        """Add a device."""
        role = Worker(
            worker, device="cpu", lanes=self._lanes, platform=PLATFORM, instrument="instrument-1", blobs=self._blobs
        )
        self.members[worker] = Member(role, self.log, self.clock)

    def speaks(self, author: str) -> tuple[Fact, ...]:
        """Let one role write one frame; its facts, none when it has nothing to say or was refused by a fence."""
        member = self.members[author]
        member.known.advance(member.pen.catch_up())
        heard = self.hear(member.known) if author == "scheduler" else Heard()
        news = News(
            results=member.results,
            underway=frozenset(member.orders),
            silences=heard.silences,
            unheard=heard.unheard,
            stopping=self.stopping,
            leaving=self.leaving,
        )
        decision = member.role.decide(member.known, self.at, news)
        if decision is None or member.pen.write(decision) is None:
            return ()
        for order in decision.orders:
            member.orders[order.id] = order
        for settled in decision.settles:
            member.results.pop(settled, None)
        return decision.facts

    def works(self, author: str) -> bool:
        """Let one role's hands finish their oldest order; False when they have none."""
        member = self.members[author]
        if not member.orders:
            return False
        name, order = next(iter(member.orders.items()))
        del member.orders[name]
        member.results[name] = self._perform(author, order)
        return True

    def dies(self, author: str) -> None:
        """End a role between two frames, with all that was not recorded; it begins anew from the log."""
        self.members[author].begin()

    def leaves(self, worker: str) -> None:
        """End a worker's process for good; nobody hears of it again."""
        del self.members[worker]
        self.silences[worker] = 99.0

    def declares(self, fact: Fact) -> None:
        """Let a person say something, under a name of their own."""
        self._people += 1
        author, through = f"person-{self._people}", self.log.last()
        said = msgspec.structs.replace(fact, at=self.clock(), through=through)
        self.log.append(Frame(f"myriad.company.campaign.declared.{author}", f"{author}:1", (said,)))

    def play(
        self,
        *,
        turns: int = 10_000,
        before: Callable[[], None] = lambda: None,
        idle: Callable[[], bool] = lambda: True,
    ) -> None:
        """Everybody in turn until nobody speaks or works; `before` is called before each turn, and while not `idle`."""
        for _ in range(turns):
            before()
            said = [bool(self.speaks(author)) for author in tuple(self.members)]
            done = [self.works(author) for author in tuple(self.members)]
            if not any(said) and not any(done) and idle():
                return
        raise AssertionError(f"still talking after {turns} turns and {self.log.last()} frames")

    def facts(self, kind: type[Fact] = Fact) -> list[Any]:
        """Return every fact of a kind, in order."""
        return [fact for recorded in self.log.read() for fact in recorded.facts if isinstance(fact, kind)]

    @property
    def ledger(self) -> Ledger:
        """The ledger, folded afresh."""
        from replay.folds import run
        from replay.ledger import LedgerFold

        (ledger,) = run(self.log, LedgerFold())
        return ledger

    def _open(self) -> None:
        file = Text(head="name = 'company'", length=16)
        opened = CampaignOpened(campaign="company", file=file, space=self._space, seed=self._seed, at=self.clock())
        self.log.append(Frame("myriad.company.campaign.opening.person-test", "person-test:1", (opened,)))

    def _perform(self, author: str, order: Order) -> Result:
        if isinstance(order, Propose):
            plan = self._plans[author]
            answer = PolicyHands(plan.policy, ideas=plan.ideas, sweep=plan.sweep).perform(order)
            assert isinstance(answer, Answered)
            return msgspec.structs.replace(answer, seconds=0.5)
        if isinstance(order, Train):
            ends = tuple(self.outcome(run, order.execution) for run in order.runs)
            self.at += int(1e6 * sum(end.gpu_seconds for end in ends))
            return Trained(id=order.id, ends=ends)
        if isinstance(order, Extract):
            return Extracted(order.id, order.backbone, "d" * 64, 90, 8, reused=False, seconds=1.0)
        assert isinstance(order, Control)
        return Controlled(order.id, (0.5, 0.03), (0.6, 0.03))
