"""The laboratory: a campaign on the surrogate, who takes part in it, and when its instrument is mended.

The roles are those of a real campaign. Devices and agents are hands in virtual time; each agent's own cadence and the
campaign's dates are the only clock, and neither the surrogate nor a policy sees it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.fixer import Fixer
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.judgement.widening import Widen
from actors.role import Decision
from actors.scheduler import Scheduler
from actors.virtual.bugs import BUGS, DAY, MENDED, REACH, Bug, Dates
from actors.virtual.hands import STANDINS, START, AgentHands, Answering, BenchHands, SpareHands
from actors.virtual.simulation import Follows, Simulation
from actors.virtual.surrogate import VERSION, Surrogate
from actors.worker import Worker
from events.blobs import Blobs
from events.envelope import Fact, Text
from events.facts import CampaignOpened, CampaignReopened, DefectFixed, DefectFound
from events.log import EventLog
from events.space import Space
from events.spaces import PAPER
from events.subjects import Aggregate
from replay.published import CYCLES, DAYS

if TYPE_CHECKING:
    from actors.virtual.forecast import Forecast

PATIENCE = 86_400.0
"""Seconds of silence after which a worker would be lost; nobody falls silent here."""

CADENCE = DAYS * DAY / 1e6 / (CYCLES / 2)
"""Seconds between two cycles of one of two agents, so that the published days hold the published cycles."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated campaign is.

    Attributes:
        experiments: completed ones after which it ends.
        agents: that propose; their cadence stays, so more of them propose more.
        policy: of all agents; None for the stand-ins, in turn.
        ideas, sweep: base ideas and variants of a cycle.
        diversity: whether the stand-ins heed the diversity budget.
        bugs: that the instrument has at the start, each declared and mended at its date.
        mended: those dates.
        canaries: whether the instrument is looked at before its first run, so that no bug lives to its date.
        every: completions between two measurements.
    """

    experiments: int = 10_469
    seed: int = 1
    agents: int = 2
    devices: int = 16
    policy: str | None = None
    ideas: int = 4
    sweep: int = 21
    diversity: bool = True
    bugs: tuple[Bug, ...] = BUGS
    mended: Dates = msgspec.field(default_factory=MENDED.copy)
    canaries: bool = False
    every: int = 500
    name: str = "sim"
    space: Space = PAPER
    lanes: int = 1
    widen: Widen | None = None
    bans: Banning | None = None

    def surrogate(self, bugs: tuple[Bug, ...]) -> Answering:
        """Return what answers for a bench whose instrument has these bugs."""
        return Surrogate(bugs)

    def hands(self, plan: Plan) -> AgentHands:
        """Return what carries out an agent's orders."""
        return AgentHands(plan, diversity=self.diversity)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The agents as a campaign file would describe them."""
        kinds = (self.policy,) if self.policy is not None else tuple(STANDINS)
        policies = [kinds[n % len(kinds)] for n in range(self.agents)]
        return tuple(
            Plan(
                name=f"{policy}-{n // len(kinds) + 1}" if self.agents > len(kinds) else policy,
                policy=policy,
                ideas=self.ideas,
                sweep=self.sweep,
                backlog=10_000,
                every=CADENCE,
            )
            for n, policy in enumerate(policies)
        )

    @property
    def budget(self) -> Budget:
        """What the campaign may spend."""
        return Budget(experiments=self.experiments, timeout=3600.0)

    @property
    def file(self) -> str:
        """The campaign file that the log keeps, which says that nothing was trained."""
        lines = [
            f"# SIMULATED by myriad simulate on {VERSION}: no network was trained, no model was asked.",
            f"# bugs of its instrument: {', '.join(self.bugs) or 'none'}; canaries {'on' if self.canaries else 'off'}",
            f'name = "{self.name}"',
            f"seed = {self.seed}",
            f"[budget]\nexperiments = {self.experiments}\ntimeout = {self.budget.timeout:g}\nattempts = 3",
            f"[analysis]\nevery = {self.every}\ncontrols = false",
        ]
        for plan in self.plans:
            lines.append(f'[[agent]]\nname = "{plan.name}"\npolicy = "{plan.policy}"\nideas = {plan.ideas}')
            lines.append(f"sweep = {plan.sweep}\nbacklog = {plan.backlog}\nevery = {plan.every:g}")
        return "\n".join(lines) + "\n"


class Laboratory:
    """Plays one campaign to its end.

    Attributes:
        simulation: the roles at work.
    """

    def __init__(self, setting: Setting | Forecast, log: EventLog, feed: Follows | None = None) -> None:
        self._setting = setting
        self._bugs = setting.bugs
        self._life = 1
        self._leaving: dict[str, int] = {}
        self.simulation = Simulation(log, START, feed)
        self._person = self.simulation.pen("person-simulate")
        file = Text(head=setting.file, length=len(setting.file))
        opened = CampaignOpened(campaign=setting.name, file=file, space=setting.space, seed=setting.seed)
        self._declare("campaign", "opening", opened)
        self._fill()
        for bug in setting.bugs:
            self.simulation.later(START + setting.mended[bug], lambda bug=bug: self._mend(bug))  # type: ignore[misc] # binds now

    def play(self, days: float = math.inf) -> None:
        """Go on until the campaign is closed and sealed, or so many days are over."""
        self.simulation.run(self._succeed, START + days * DAY)

    def _declare(self, aggregate: Aggregate, identity: str, *facts: Fact) -> None:
        self._person.catch_up()
        self._person.write(Decision(aggregate, identity, facts))

    def _fill(self) -> None:
        setting, simulation = self._setting, self.simulation
        for plan in setting.plans:
            simulation.joins(Agent(plan), setting.hands(plan), every=plan.every)
        spare = SpareHands()
        scheduler = Scheduler(
            setting.budget,
            agents=len(setting.plans),
            silence=PATIENCE,
            vetted=True,
            widen=setting.widen,
            bans=setting.bans,
        )
        simulation.joins(scheduler, spare)
        simulation.joins(Fixer(timeout=setting.budget.timeout), spare)
        simulation.joins(Analyst(every=setting.every, controls=False, timeout=0.0), spare)
        for number in range(setting.devices):
            self._hire(number)

    def _hire(self, number: int) -> None:
        surrogate = self._setting.surrogate(self._bugs)
        role = Worker(
            f"worker-node{number % 2 + 1}-gpu{number // 2}-{self._life}",
            device=f"simulated:{number}",
            lanes=self._setting.lanes,
            platform={"device": "none: simulated", "surrogate": VERSION},
            instrument=surrogate.instrument,
            blobs=Blobs(Path("unused")),
            vetted=True,
        )
        self.simulation.joins(role, BenchHands(surrogate, canaries=self._setting.canaries))
        self._leaving[role.author] = number

    def _mend(self, bug: Bug) -> None:
        """Declare a bug, and take it out: every worker finishes its run and makes room for one under what is mended."""
        if bug not in self._bugs:
            return
        self._bugs = tuple(left for left in self._bugs if left != bug)
        self._life += 1
        reach, name = REACH[bug], f"d-{self._life - 1}"
        found = DefectFound(
            defect=name, component=reach.component, where=reach.where, reason=reach.reason, by="myriad simulate"
        )
        self._declare(
            "defect", name, found, DefectFixed(defect=name, instrument=self._setting.surrogate(self._bugs).instrument)
        )
        for author in self._leaving:
            self.simulation.members[author].stopping = True

    def _succeed(self) -> bool:
        """Let a worker of the new instrument follow each one that has retired for it."""
        workers = self.simulation.known.fleet.workers
        gone = [author for author in self._leaving if author in workers and workers[author].status == "retired"]
        if not gone or not self._goes_on():
            return False
        for author in gone:
            self.simulation.leaves(author)
            self._hire(self._leaving.pop(author))
        return True

    def _goes_on(self) -> bool:
        """Say whether there is more to do; a campaign whose instrument was refused goes on with a mended one."""
        known = self.simulation.known
        if known.ledger.closed is None:
            return True
        refused = [one for one in known.instruments.all.values() if one.status == "refused"]
        if not self._bugs or not refused or known.ledger.completed:
            return False
        # what the canaries named is mended at once: nobody published how long mending took
        self._bugs, self._life = (), self._life + 1
        reason = f"mended what the canaries named: {refused[-1].reason}"
        self._declare("campaign", "declared", CampaignReopened(reason=reason))
        return True
