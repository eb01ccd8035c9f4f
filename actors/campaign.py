"""The campaign file: what a person writes to start a campaign, read strictly, with the nearest known key for a typo."""

from __future__ import annotations

import difflib
import math
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from actors import tasks
from actors.agent import Plan
from actors.asking import askers
from actors.errors import CampaignFileInvalid
from actors.judgement import widening
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.judgement.widening import Widen
from actors.policies import POLICIES
from actors.policies.models import MODELS
from actors.policies.prices import Price
from actors.repair import menders
from actors.repair.fixing import Fixing
from actors.tasks import Task
from events import spaces, subjects
from events.errors import LogError, SpaceInvalid
from events.space import Space


class Network(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The size of every network of the campaign."""

    width: int = 64
    layers: int = 2
    heads: int = 4


class Workers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which devices train.

    Attributes:
        local: whether those of the machine that runs the campaign do; else all are lent by others (myriad worker).
        devices: "cpu" once for each worker, "cuda:0" and so on; empty for one worker a core.
        silence: seconds without a sign of life after which a worker is lost.
        memory: MiB that a bench may take, None for all there is.
    """

    local: bool = True
    devices: tuple[str, ...] = ()
    silence: float = 10.0
    memory: int | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the search is measured (completed experiments), and whether the champion is held against controls."""

    every: int = 10
    controls: bool = True


class Champion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The noise gate: other seeds under which who leads at the end is run before it is champion; 0 leaves it to you."""

    repeats: int = 3


class Campaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole campaign file.

    Attributes:
        fixer: whether crashes in what trains are put to a model.
        widen: by which values agents may widen the space.
        bans: when the scheduler leaves a shape alone that nothing completes in.
        base: values of dimensions that a model's idea leaves out, and its parent does not have; the middle ones else.
        prices: of models, by name.
    """

    name: str
    seed: int = 1
    task: Task = Task()
    space: dict[str, list[str | int | float]] = {}
    network: Network = Network()
    budget: Budget = Budget()
    workers: Workers = Workers()
    analysis: Analysis = Analysis()
    champion: Champion = Champion()
    fixer: Fixing = Fixing()
    agent: tuple[Plan, ...] = ()
    widen: Widen = Widen()
    bans: Banning = Banning()
    base: dict[str, str | int | float] = {}
    prices: dict[str, Price] = {}

    @property
    def backbones(self) -> tuple[str, ...]:
        """The backbones whose features the campaign needs."""
        known = tasks.backbones(self.task, self.searched())
        return (*known, *(str(name) for name in self.widen.within.get("backbone", ()) if known and name not in known))

    def searched(self) -> Space:
        """Return the space that is searched; raises `SpaceInvalid`, or `CampaignFileInvalid` of a space file."""
        return tasks.space(self.task, self.space)


def read(path: Path) -> tuple[Campaign, str]:
    """Return a campaign and the text of its file.

    Raises:
        CampaignFileInvalid: with every problem that was found.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise CampaignFileInvalid(str(path), ("there is no such file; myriad new FILE writes one",)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignFileInvalid(str(path), (f"cannot be read: {error}",)) from None
    return parse(text, file=str(path)), text


def parse(text: str, *, file: str) -> Campaign:
    """Return the campaign that a file's text describes; raises as `read` does."""
    try:
        mapping = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignFileInvalid(file, (f"is not TOML: {error}",)) from None
    if problems := tuple(_unknown(mapping, Campaign, "")):
        raise CampaignFileInvalid(file, problems)
    try:
        campaign = msgspec.convert(mapping, Campaign)
    except msgspec.ValidationError as error:
        raise CampaignFileInvalid(file, (_plain(error),)) from None
    if problems := tuple(_contradictions(campaign)):
        raise CampaignFileInvalid(file, problems)
    return campaign


def _unknown(mapping: dict[str, Any], kind: type[msgspec.Struct], where: str) -> list[str]:
    problems = []
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in mapping.items():
        if key not in fields:
            problems.append(_nearest(where + key, key, list(fields)))
        elif (where, key) == ("", "space") and isinstance(value, dict):
            if _own_space(mapping):
                continue
            known = [*spaces.PAPER.names]
            problems += [_nearest(f"space.{name}", name, known) for name in value if name not in known]
        else:
            for item, inner in _inner(value, fields[key]):
                problems += _unknown(item, inner, f"{where}{key}.")
    return problems


def _own_space(mapping: dict[str, Any]) -> bool:
    """Say whether the campaign searches a space of its own, whose names its own file says."""
    task = mapping.get("task")
    return isinstance(task, dict) and task.get("kind") == "command"


def _inner(value: Any, kind: Any) -> list[tuple[dict[str, Any], type[msgspec.Struct]]]:
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [(value, kind)]
    if isinstance(value, dict) and get_origin(kind) is dict:
        return [found for item in value.values() for found in _inner(item, get_args(kind)[1])]
    if isinstance(value, list) and get_origin(kind) is tuple:
        return [found for item in value for found in _inner(item, get_args(kind)[0])]
    return []


def _nearest(path: str, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"unknown key {path}; {hint}"


def _plain(error: msgspec.ValidationError) -> str:
    text, _, path = str(error).partition(" - at `$")
    return f"{path.rstrip('`').lstrip('.') or 'the file'}: {text[0].lower()}{text[1:]}"


def _contradictions(campaign: Campaign) -> list[str]:
    if problems := tasks.problems(campaign.task):
        return problems
    try:
        subjects.token(campaign.name, what="name")
        for plan in campaign.agent:
            subjects.token(plan.name, what="agent.name")
        problems += askers.base_problems(campaign.base, campaign.searched())
        whole, ours = tasks.space(campaign.task, {}), campaign.task.kind != "command"
        problems += widening.problems(campaign.widen, campaign.searched(), whole, trained_here=ours)
    except SpaceInvalid as error:
        problems.append(f"space.{error}")
    except CampaignFileInvalid as error:
        problems.append(f"task.space: {error}")
    except LogError as error:
        problems.append(str(error))
    problems += _unknown_policies(campaign)
    problems += askers.problems(campaign)
    problems += menders.problems(campaign)
    problems += _out_of_range(campaign)
    return problems


def _unknown_policies(campaign: Campaign) -> list[str]:
    problems = [
        f"agent.policy = {plan.policy!r} is not one of {', '.join((*POLICIES, *MODELS))}"
        for plan in campaign.agent
        if plan.policy not in (*POLICIES, *MODELS)
    ]
    names = [plan.name for plan in campaign.agent]
    problems += [f"two agents are named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    if not campaign.agent:
        problems.append("no [[agent]]: at least one must propose")
    return problems


def _out_of_range(campaign: Campaign) -> list[str]:
    network, budget = campaign.network, campaign.budget
    checks = {
        "seed must be in [0, 2^53)": 0 <= campaign.seed < 2**53,
        "network.width must be a positive multiple of twice network.heads": network.heads > 0
        and network.width > 0
        and network.width % (2 * network.heads) == 0,
        "network.layers must be positive": network.layers > 0,
        "budget.timeout must be above 0 and finite": 0 < budget.timeout < math.inf,
        "budget.experiments must be at least 1": budget.experiments is None or budget.experiments >= 1,
        "budget.gpu_hours and budget.hours must be above 0 and finite": all(
            limit is None or 0 < limit < math.inf for limit in (budget.gpu_hours, budget.hours)
        ),
        "budget.gpu_hours and budget.hours must have room for one attempt of budget.timeout": all(
            limit is None or not 0 < limit * 3600 < budget.timeout for limit in (budget.gpu_hours, budget.hours)
        ),
        "budget.attempts must be at least 1": budget.attempts >= 1,
        "budget.fruitless must be at least 1": budget.fruitless >= 1,
        "budget needs experiments, gpu_hours or hours: a campaign must be able to end": any(
            limit is not None for limit in (budget.experiments, budget.gpu_hours, budget.hours)
        ),
        "bans.after must be at least 0, and bans.cycles at least 1": campaign.bans.after >= 0
        and campaign.bans.cycles >= 1,
        "workers.silence must be at least 2 and finite": 2 <= campaign.workers.silence < math.inf,
        "workers.memory must be at least 1": campaign.workers.memory is None or campaign.workers.memory >= 1,
        "analysis.every must be at least 1": campaign.analysis.every >= 1,
        "champion.repeats must be 0, or from 2 to 20: one score has no interval": campaign.champion.repeats
        in (0, *range(2, 21)),
        "agent.ideas must be in [1, 200], agent.sweep in [0, 100] and agent.backlog at least 1": all(
            1 <= plan.ideas <= 200 and 0 <= plan.sweep <= 100 and plan.backlog >= 1 for plan in campaign.agent
        ),
        "agent.every must be at least 0 and finite": all(0 <= plan.every < math.inf for plan in campaign.agent),
        "workers.devices are cpu or cuda:N": all(
            device == "cpu" or device.startswith("cuda:") for device in campaign.workers.devices
        ),
    }
    return [sentence for sentence, holds in checks.items() if not holds]
