"""What a campaign file would take before a device is rented: its own roles, played over a surrogate in virtual time.

Agents, scheduler, budgets, lanes and the order of the queue are those of `myriad run`. How long a run lasts is taken
from a campaign that was run, or from the person. Models are not asked: the stand-ins take their places, a cycle at the
published mean price. Clips, features, canaries and controls are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median

import msgspec

from actors import tasks
from actors.agent import Plan
from actors.campaign import Campaign, parse, read
from actors.errors import CampaignError
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.judgement.widening import Widen
from actors.policies.models import MODELS
from actors.virtual.bugs import MENDED, Bug, Dates
from actors.virtual.hands import STANDINS, START, AgentHands
from actors.virtual.laboratory import Laboratory, Setting
from actors.virtual.landscape import Durations, Landscape
from actors.virtual.simulated import claim
from events import campaigns
from events.archives import archive
from events.archives.archive import SUFFIX
from events.facts import CampaignClosed, Completed, Queued, Started
from events.log import LogReader, Recorded
from events.memory import MemoryLog
from events.space import Space
from replay.pages.tables import folded
from replay.times import lasted

SPREAD = (0.7, 0.85, 1.0, 1.15, 1.3)
"""Of runs whose mean a person gave, each as likely; ours."""

TASKS = tuple(kind for kind in sorted(tasks.NEEDED) if kind != "command")
"""Those whose space is known without a file."""

DAYS = 366
"""A campaign that has not closed after so many is not foretold further."""


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign file as a laboratory plays it.

    Attributes:
        lanes: experiments that a device trains at once.
    """

    campaign: Campaign
    file: str
    space: Space
    durations: Durations
    devices: int
    lanes: int = 1
    bugs: tuple[Bug, ...] = ()
    canaries: bool = False
    mended: Dates = msgspec.field(default_factory=MENDED.copy)

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.campaign.name

    @property
    def seed(self) -> int:
        """The campaign's seed."""
        return self.campaign.seed

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Its agents; models have stand-ins, in turn."""
        standing = tuple(STANDINS)
        plans: list[Plan] = []
        for plan in self.campaign.agent:
            turn = sum(before.policy in STANDINS for before in plans)
            policy = standing[turn % len(standing)] if plan.policy in MODELS else plan.policy
            plans.append(msgspec.structs.replace(plan, policy=policy))
        return tuple(plans)

    @property
    def budget(self) -> Budget:
        """Its budget."""
        return self.campaign.budget

    @property
    def every(self) -> int:
        """Completions between two measurements."""
        return self.campaign.analysis.every

    @property
    def widen(self) -> Widen:
        """By which values agents may widen its space."""
        return self.campaign.widen

    @property
    def bans(self) -> Banning:
        """When its scheduler leaves a shape alone."""
        return self.campaign.bans

    def surrogate(self, bugs: tuple[Bug, ...]) -> Landscape:
        """Return what answers for a bench."""
        return Landscape(self.durations)

    def hands(self, plan: Plan) -> AgentHands:
        """Return what carries out an agent's orders."""
        return AgentHands(plan, diversity=True, late=False)


def foretold(
    file: Path | None,
    task: str | None,
    setting: Setting,
    *,
    devices: int | None,
    lanes: int,
    seconds: float | None,
    like: str | None,
    home: Path,
    to: Path | None,
) -> int:
    """Foretell a campaign file, or a task under a setting; `forecast` says what is raised."""
    if file is not None and task is not None:
        raise CampaignError("a campaign file has its own task: leave --task out")
    if file is not None:
        campaign, text = read(file)
    else:
        text = of_task(str(task), setting)
        campaign = parse(text, file=f"--task {task}")
    made = forecast(campaign, text, seconds=seconds, like=like, devices=devices, lanes=lanes, home=home)
    return foretell(made, to or home / f"forecast-{made.name}{SUFFIX}")


def of_task(kind: str, setting: Setting) -> str:
    """Return the text of a campaign file for a task, with a setting's seed, agents, policy and experiments.

    Raises:
        CampaignError: the task is none whose space is known without a file.
    """
    if kind not in TASKS:
        raise CampaignError(f"--task {kind} is not one of {', '.join(TASKS)}")
    lines = [f'name = "{setting.name}"\nseed = {setting.seed}\n[task]\nkind = "{kind}"']
    lines += [f'{key} = "no {key} is read"' for key in tasks.NEEDED[kind]]
    lines.append(f"[budget]\nexperiments = {setting.experiments}\ntimeout = {setting.budget.timeout:g}")
    for number in range(1, setting.agents + 1):
        policy = setting.policy or "tpe"
        lines.append(f'[[agent]]\nname = "{policy}-{number}"\npolicy = "{policy}"\nbacklog = {2 * setting.devices}')
    return "\n".join(lines) + "\n"


def forecast(
    campaign: Campaign,
    text: str,
    *,
    seconds: float | None,
    like: str | None,
    devices: int | None,
    lanes: int,
    home: Path,
) -> Forecast:
    """Return what to play for a campaign and the text of its file.

    Args:
        seconds: that a run takes, in the mean.
        like: a campaign whose runs say how long they take.
        devices: None for as many as the file names.

    Raises:
        CampaignError: it is not said how long runs take, or on how many devices, or a number is out of range.
        LogError: there is no such campaign.
    """
    many = devices if devices is not None else len(campaign.workers.devices)
    if many < 1 or lanes < 1:
        raise CampaignError("say how many devices there will be: --devices 4; and --lanes at least 1")
    return Forecast(
        campaign=campaign,
        file=f"# SIMULATED by myriad simulate: no network was trained, no model was asked.\n{text}",
        space=campaign.searched(),
        durations=_durations(seconds, like, home),
        devices=many,
        lanes=lanes,
    )


def foretell(made: Forecast, path: Path) -> int:
    """Play a forecast, keep its log in a file, and print what the campaign would take."""
    claim(path)
    log = MemoryLog(made.name)
    laboratory = Laboratory(made, log)
    laboratory.play(DAYS)
    archive.export(log, path)
    print(folded(page(made, log.read(), laboratory), indent=4))
    print(f"SIMULATED: nothing was trained; myriad replay {path} asks it more")
    return 0


def page(made: Forecast, frames: Iterable[Recorded], laboratory: Laboratory) -> list[str]:
    """Return what a campaign would take, in lines of text."""
    known = laboratory.simulation.known
    ends, waits, longest = _times(frames)
    runs = [attempt for experiment in known.ledger.experiments.values() for attempt in experiment.attempts]
    device = sum(run.gpu_seconds for run in runs)
    took = (ends - START) / 1e6
    share = device / made.lanes / (took * made.devices) if took else 0.0
    usd = sum(agent.usd for agent in known.cycles.agents.values())
    first, middle, last = made.durations.at(0.0), made.durations.at(0.5), made.durations.at(1.0)
    middle_wait, longest_wait = lasted(median(waits) if waits else 0.0), lasted(max(waits, default=0.0))
    hours = made.budget.gpu_hours
    limit = f" of {hours:g} that the budget has" if hours is not None else ""
    return [
        f"forecast of {made.name}: {len(known.ledger.completed)} experiments completed on {made.devices} devices",
        f"a run     {lasted(middle)} in the middle, {lasted(first)} to {lasted(last)}, {made.durations.source}",
        f"takes     {lasted(took)} from opening to close; devices train {min(1.0, share):.0%} of it",
        f"device    {device / 3600:.2f} hours{limit}",
        f"models    {usd:.2f} USD at the published mean of a cycle" if usd else "models    none is asked",
        f"queue     {longest} waiting at most; a run waits {middle_wait} in the middle, {longest_wait} at most",
        f"end       {known.ledger.closed or 'it is open after a year'}",
        "left out  clips, features, canaries, controls",
    ]


def _times(frames: Iterable[Recorded]) -> tuple[int, list[float], int]:
    """Return when the campaign closed, for how long each run waited (seconds), and the longest queue."""
    queued: dict[str, int] = {}
    waits: list[float] = []
    ends, longest = START, 0
    for recorded in frames:
        for fact in recorded.facts:
            if isinstance(fact, Queued):
                queued[fact.experiment] = fact.at
                longest = max(longest, len(queued))
            elif isinstance(fact, Started) and fact.experiment in queued:
                waits.append((fact.at - queued.pop(fact.experiment)) / 1e6)
            elif isinstance(fact, CampaignClosed | Completed):
                ends = max(ends, fact.at)
    return ends, waits, longest


def _durations(seconds: float | None, like: str | None, home: Path) -> Durations:
    if (seconds is None) == (like is None):
        raise CampaignError(
            "say how long a run takes: --run-seconds 40 (myriad check FILE tries one), or --like CAMPAIGN that was run"
        )
    if seconds is not None:
        if not 0 < seconds < 1e6:
            raise CampaignError("--run-seconds must be above 0 and below a million")
        return Durations(tuple(seconds * share for share in SPREAD), "as --run-seconds says, give or take 30%")
    log = campaigns.open(str(like), home)
    try:
        return Durations(*_lasted(log, str(like)))
    finally:
        log.close()


def _lasted(log: LogReader, like: str) -> tuple[tuple[float, ...], str]:
    facts = (fact for recorded in log.read() for fact in recorded.facts)
    found = tuple(sorted(fact.gpu_seconds for fact in facts if isinstance(fact, Completed)))
    if not found:
        raise CampaignError(f"{like} completed nothing, so that it does not say how long a run takes")
    return found, f"as {len(found)} runs of {like} did"
