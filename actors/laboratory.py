"""The laboratory: a campaign on the surrogate, who takes part in it, and when its instrument is mended.

The roles are those of a real campaign. Devices and agents are hands in virtual time; each agent's own cadence and the
campaign's dates are the only clock, and neither the surrogate nor a policy sees it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from actors.agent import Agent, Plan
from actors.analyst import Analyst
from actors.budgets import Budget
from actors.fixer import Fixer
from actors.orders import Answered, Extract, Extracted, Order, Propose, Refused, Result, Train, Trained
from actors.policies import Policy, load
from actors.policies.standins import SURVEYOR, TUNER, Standin
from actors.policies.sweep import expand
from actors.published import CYCLES, DAYS, USD
from actors.role import Decision
from actors.scheduler import Scheduler
from actors.seeds import seed_of
from actors.simulation import Simulation
from actors.surrogate import BUGS, VERSION, Bug, Surrogate, draws
from actors.vetting import Verified, Verify
from actors.worker import Worker
from events.blobs import Blobs
from events.envelope import Text
from events.facts import CampaignOpened
from events.log import EventLog
from events.space import Space
from events.spaces import PAPER

START = 1_738_886_400_000_000
"""7 February 2025, 00:00 UTC, ten days before the paper's first proposal of vjepa2; microseconds since 1970."""

DAY = 86_400_000_000

LATE = "vjepa2"
KNOWN_FROM = 10 * DAY
"""No agent knows the backbone `LATE` before (paper, Appendix A: ten days). The vocabulary has no fact that widens a
space, so the space holds it from the start, and the agents are not told."""

MENDED: dict[Bug, int] = {"leak": 18 * DAY, "loss": 19 * DAY, "pooling": 20 * DAY, "padding": 20 * DAY + DAY // 2}
"""When each bug was found and mended: 25, 26, 27 and 27 February, counted from the start (paper, Appendix A)."""

PATIENCE = 86_400.0
"""Seconds of silence after which a worker would be lost; nobody falls silent here."""

CADENCE = DAYS * DAY / 1e6 / (CYCLES / 2)
"""Seconds between two cycles of one of two agents, so that the published days hold the published cycles."""


STANDINS = {temper.name: temper for temper in (SURVEYOR, TUNER)}
"""The stand-ins by the name that the log gives them."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated campaign is.

    Attributes:
        experiments: completed ones after which it ends.
        agents: that propose; their cadence stays, so more of them propose more.
        policy: of all agents; None for the stand-ins, in turn.
        ideas, sweep: base ideas and variants of a cycle.
        diversity: whether the stand-ins heed the diversity budget.
        bugs: that the instrument has at the start, each mended at its date.
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
    every: int = 500
    name: str = "sim"
    space: Space = PAPER

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

    def __init__(self, setting: Setting, log: EventLog) -> None:
        self._setting = setting
        self._bugs = setting.bugs
        self._leaving: dict[str, int] = {}
        self.simulation = Simulation(log, START)
        self._open()
        self._fill()
        for bug in setting.bugs:
            self.simulation.later(START + MENDED[bug], lambda bug=bug: self._mend(bug))  # type: ignore[misc] # binds now

    def play(self) -> None:
        """Go on until the campaign is closed and sealed."""
        self.simulation.run(self._succeed)

    def _open(self) -> None:
        setting, person = self._setting, self.simulation.pen("person-simulate")
        file = Text(head=setting.file, length=len(setting.file))
        opened = CampaignOpened(campaign=setting.name, file=file, space=setting.space, seed=setting.seed)
        person.catch_up()
        person.write(Decision("campaign", "opening", (opened,)))

    def _fill(self) -> None:
        setting, simulation = self._setting, self.simulation
        for plan in setting.plans:
            simulation.joins(Agent(plan), AgentHands(plan, diversity=setting.diversity), every=plan.every)
        spare = SpareHands()
        simulation.joins(Scheduler(setting.budget, agents=len(setting.plans), silence=PATIENCE, vetted=True), spare)
        simulation.joins(Fixer(timeout=setting.budget.timeout), spare)
        simulation.joins(Analyst(every=setting.every, controls=False, timeout=0.0), spare)
        for number in range(setting.devices):
            self._hire(number)

    def _hire(self, number: int) -> None:
        surrogate = Surrogate(self._bugs)
        life = len(self._setting.bugs) - len(self._bugs) + 1
        role = Worker(
            f"worker-node{number % 2 + 1}-gpu{number // 2}-{life}",
            device=f"simulated:{number}",
            lanes=1,
            platform={"device": "none: simulated", "surrogate": VERSION},
            instrument=surrogate.instrument,
            blobs=Blobs(Path("unused")),
            vetted=True,
        )
        self.simulation.joins(role, BenchHands(surrogate))
        self._leaving[role.author] = number

    def _mend(self, bug: Bug) -> None:
        """Take a bug out of the instrument: every worker finishes its run and makes room for one under the new one."""
        self._bugs = tuple(left for left in self._bugs if left != bug)
        for author in self._leaving:
            self.simulation.members[author].stopping = True

    def _succeed(self) -> bool:
        """Let a worker of the new instrument follow each one that has retired for it."""
        fleet = self.simulation.known.fleet
        left = [
            (author, number)
            for author, number in self._leaving.items()
            if self.simulation.members[author].stopping and fleet.workers[author].status == "retired"
        ]
        if self.simulation.known.ledger.closed is not None:
            return False
        for author, number in left:
            self.simulation.leaves(author)
            del self._leaving[author]
            self._hire(number)
        return bool(left)


class AgentHands:
    """Asks a policy in virtual time; before its date nobody has heard of the late backbone."""

    def __init__(self, plan: Plan, *, diversity: bool) -> None:
        self._plan = plan
        standin = STANDINS.get(plan.policy)
        self._standin = Standin(standin, diversity=diversity) if standin is not None else None
        self._policy: Policy | None = load(plan.policy) if standin is None else None

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return an answer; it costs what a cycle of the published campaign did on average."""
        if not isinstance(order, Propose):
            return 0.0, Refused(id=order.id, reason="an agent only proposes")
        space, plan = order.history.space, self._plan
        first = space.choices[0]
        if LATE in first.values and len(first.values) > 1 and now < START + KNOWN_FROM:
            space = space.narrowed({first.name: [value for value in first.values if value != LATE]})
        history = msgspec.structs.replace(order.history, space=space)
        if self._standin is not None:
            ideas = self._standin.answer(history, order.key, plan.ideas, plan.sweep)
            usd = round(USD / CYCLES, 4)
        elif self._policy is not None:
            ideas = self._policy.propose(history, order.key, plan.ideas) + expand(history, order.key, plan.sweep)
            usd = 0.0
        seconds = round(30 + 60 * (seed_of(order.key, "seconds") / 2**53), 3)
        text = "\n".join(idea.rationale for idea in ideas[: plan.ideas])
        return seconds, Answered(id=order.id, text=text, model=plan.policy, ideas=ideas, seconds=seconds, usd=usd)


class BenchHands:
    """A bench that asks the surrogate; a pack takes as long as its longest run."""

    def __init__(self, surrogate: Surrogate) -> None:
        self._surrogate = surrogate

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return how a pack's runs ended."""
        if isinstance(order, Verify):
            # The published campaign trusted its instrument unseen: here nothing is looked at, and no canary is claimed.
            parts = {"surrogate": VERSION} | {f"bug/{bug}": "planted" for bug in self._surrogate.bugs}
            return 0.0, Verified(order.id, self._surrogate.instrument, parts, (), 0.0)
        if not isinstance(order, Train):
            return 0.0, Refused(id=order.id, reason="a simulated bench only trains")
        ends = tuple(self._surrogate.run(run, order.execution) for run in order.runs)
        return max(end.gpu_seconds for end in ends), Trained(id=order.id, ends=ends)


class SpareHands:
    """For the fixer, who has missing features made; nobody else asks for anything here."""

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return features that were made."""
        if not isinstance(order, Extract):
            return 0.0, Refused(id=order.id, reason="this is not simulated")
        digest = draws(f"features of {order.backbone}", {}, 0)
        made = Extracted(order.id, order.backbone, f"{digest.one:.16f}"[2:], 1500, 1024, reused=False, seconds=120.0)
        return 120.0, made
