"""Whether a campaign file would work, and what it would take: validated, tried on a small copy of its task."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors import tasks
from actors.asking import askers
from actors.benches.child import Child
from actors.benches.setups import Setup
from actors.campaign import Campaign, read
from actors.errors import CampaignError
from actors.orders import Breakdown, Epoch, Prepared, Progress, Refused, Run, Score, Train, Trained
from actors.repair import menders
from events.facts import Execution
from events.folder import Campaign as Folder
from events.space import Configuration, Space, is_active

SAMPLE = 90
"""Clips of the trial: enough that every part of the split has some of both classes."""

FRAMES_KB = 10.0
"""Log and archive for one experiment with its ideas, KiB; measured on the demo."""


class Trial(NamedTuple):
    """What the trial measured.

    Attributes:
        clips: of the whole task.
        seconds: and bytes, of one clip.
        tried: seconds of the trial's run; `run` those of a run on all clips.
        width: of all features together.
    """

    clips: int
    seconds: float
    bytes: float
    tried: float
    run: float
    width: int
    validation: float


def check(file: Path, home: Path) -> int:
    """Print what a campaign file asks for and would take; 0 when it can be run.

    Raises:
        CampaignFileInvalid: it cannot be used.
        CampaignError: the trial failed, or weights of a backbone or a key are missing.
    """
    campaign, _ = read(file)
    for line in _asked(campaign, Folder(home / campaign.name)):
        print(line)
    tasks.refuse_missing(campaign.backbones)
    print(f"trying   {_trying(campaign)} ...", flush=True)
    trial = _try(campaign)
    print(f"tried    {trial.tried:.1f} s, validation {trial.validation:.3f} (a trial: it means nothing)")
    for line in _taken(campaign, trial, home):
        print(line)
    if missing := askers.missing_keys(campaign):
        raise CampaignError(f"all but the keys: {'; '.join(missing)}")
    return 0


def middle(space: Space) -> Configuration:
    """Return the configuration in the middle of every dimension: what an average run looks like."""
    configuration: Configuration = {c.name: c.values[len(c.values) // 2] for c in space.choices}
    for interval in space.intervals:
        if is_active(interval, configuration):
            configuration[interval.name] = interval.at(0.5)
    return configuration


def _asked(campaign: Campaign, folder: Folder) -> Iterator[str]:
    space = campaign.searched()
    state = "started before, would be resumed" if folder.exists() else "new"
    yield f"campaign {campaign.name} ({state}), seed {campaign.seed}"
    continuous = f"{len(space.intervals)} continuous dimensions"
    yield f"space    {space.cells} cells of {len(space.choices)} categorical dimensions, and {continuous}"
    for choice in space.choices:
        yield f"         {choice.name}: {', '.join(map(str, choice.values))}"
    for plan in (plan for plan in campaign.agent if not askers.asks(plan)):
        yield f"agent    {plan.name}: {plan.policy}, {plan.ideas} ideas and {plan.sweep} variants a cycle; needs no key"
    yield from askers.told(campaign)
    yield from menders.told(campaign)
    if campaign.champion.repeats:
        yield f"champion at the end, {campaign.champion.repeats} other seeds for who leads, and 3 leaders at most"
    limits = msgspec.to_builtins(campaign.budget)
    yield "budget   " + ", ".join(f"{name} {value}" for name, value in limits.items() if value is not None)


def _try(campaign: Campaign) -> Trial:
    with tempfile.TemporaryDirectory(prefix="myriad-check-") as name:
        folder = Path(name)
        child = Child(_setup(campaign, folder), folder / "bench.err", _hear)
        try:
            return _tried(campaign, child, folder)
        finally:
            child.kill()


def _tried(campaign: Campaign, child: Child, folder: Path) -> Trial:
    made = child.ask(tasks.prepare(campaign.task, processes=os.cpu_count() or 1, sample=SAMPLE), 600.0)
    if not isinstance(made, Prepared):
        raise CampaignError(f"the task cannot be prepared: {_reason(made)}")
    configuration = middle(campaign.searched())
    run = Run(experiment="trial", attempt=1, lane=0, configuration=configuration, seed=campaign.seed)
    trained = child.ask(Train(id="trial", runs=(run,), execution=Execution(timeout=600.0), keep_from=2.0), 600.0)
    end = trained.ends[0] if isinstance(trained, Trained) else None
    if not isinstance(end, Score):
        raise CampaignError(f"the trial run failed: {end.trace if isinstance(end, Breakdown) else _reason(trained)}")
    clips = campaign.task.clips if campaign.task.kind == "roadsim" else made.total
    size = sum(path.stat().st_size for path in (folder / "clips").rglob("*") if path.is_file())
    return Trial(
        clips=clips,
        seconds=sum(features.seconds for features in made.features) / (made.clips or 1),
        bytes=size / (made.clips or 1),
        tried=end.gpu_seconds,
        run=end.gpu_seconds * (clips / made.clips if made.clips else 1),
        width=sum(features.width for features in made.features),
        validation=end.validation,
    )


def _setup(campaign: Campaign, folder: Path) -> Setup:
    device = campaign.workers.devices[0] if campaign.workers.devices else "cpu"
    memory = campaign.workers.memory
    return Setup(
        worker="trial",
        device=device,
        task=str(folder / "clips"),
        cache=str(folder / "features"),
        checkpoints=str(folder / "checkpoints"),
        backbones=campaign.backbones,
        memory=memory * 2**20 if memory is not None else None,
        **msgspec.structs.asdict(campaign.network),
        **tasks.told(campaign.task),
    )


def _taken(campaign: Campaign, trial: Trial, home: Path) -> Iterator[str]:
    clips, run, workers = trial.clips, trial.run, len(campaign.workers.devices) or os.cpu_count() or 1
    experiments = campaign.budget.experiments
    yield f"time     clips and features {clips * trial.seconds:.0f} s; about {run:.1f} s a run on {workers} workers"
    if experiments is not None:
        yield f"         {experiments} experiments: about {experiments * run / workers / 60:.0f} minutes"
    kept = clips * trial.bytes + clips * 32 * trial.width * 4 + (experiments or 0) * FRAMES_KB * 1024
    free = shutil.disk_usage(_existing(home)).free
    yield f"disk     about {kept / 2**20:.0f} MiB of {free / 2**20:.0f} MiB free"
    if kept > free:
        raise CampaignError(f"the disk of {home} has not enough room")
    if run > campaign.budget.timeout:
        limit = campaign.budget.timeout
        yield f"warning  an average run of {run:.0f} s would be killed after budget.timeout = {limit:g} s"
    yield askers.cost(campaign)


def _trying(campaign: Campaign) -> str:
    return "one run of the script" if campaign.task.kind == "command" else f"one run on about {SAMPLE} clips"


def _existing(path: Path) -> Path:
    path = path.absolute()
    return path if path.exists() else _existing(path.parent)


def _reason(answer: object) -> str:
    return answer.reason.splitlines()[0] if isinstance(answer, Refused) else "no answer"


def _hear(pulse: Epoch | Progress) -> None:
    """A trial is watched by nobody."""
