"""`myriad extract`: a campaign's clips and features made before it is run, with what they will take said first."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from actors import tasks
from actors.campaign import Campaign, read
from actors.errors import CampaignError
from actors.orders import Prepared, Progress
from actors.running import display, opening
from actors.running.runner import Display
from events.folder import Campaign as Folder
from kernels import features
from kernels.tasks import preparation
from kernels.tasks.preparation import Wanted

CLIP = 60_000
"""Bytes of a rendered clip, measured on 600 of them."""


def extract(file: Path, home: Path, *, headless: bool) -> int:
    """Make the clips and features of a campaign; what is there, whole or in part, is used again.

    Raises:
        CampaignError: the disk has not enough room, weights are missing, or the task has no features.
    """
    campaign, text = read(file)
    if campaign.task.kind == "command":
        raise CampaignError(f"{file}: a script's task has no clips and no features")
    tasks.refuse_missing(campaign.backbones)
    folder = Folder(home / campaign.name)
    opening.claim(folder, campaign, text)
    with display.on(headless=headless) as shown:
        _extract(campaign, folder, shown)
    return 0


def _extract(campaign: Campaign, folder: Folder, shown: Display) -> None:
    clips = opening.task_folder(folder)
    if campaign.task.kind == "roadsim":
        _room(shown, folder, campaign.task.clips * CLIP, f"{campaign.task.clips} clips")
    order = tasks.prepare(campaign.task, processes=os.cpu_count() or 1)
    wanted = Wanted(**{name: getattr(order, name) for name in Wanted.__dataclass_fields__})
    ready = preparation.prepare(
        clips,
        wanted,
        processes=order.processes,
        progress=lambda done, total: shown.progress(Progress("clips", done, total)),
    )
    for sentence in tasks.prepared(
        campaign.task, Prepared(order.id, ready.clips, ready.reused, (), ready.problems), clips
    ):
        shown.say(sentence)
    many = len(campaign.backbones)
    _room(shown, folder, features.size(clips, campaign.backbones), f"features of {many} backbones")
    for backbone in campaign.backbones:
        _describe(backbone, clips, folder, shown, order.processes)


def _describe(backbone: str, clips: Path, folder: Folder, shown: Display, processes: int) -> None:
    began = time.monotonic()
    made = features.extract(
        clips,
        backbone,
        folder.features,
        processes=processes,
        progress=lambda done, total: shown.progress(Progress(f"features: {backbone}", done, total)),
    )
    how = f"{made.reused} from before" if made.reused else "all new"
    seconds = time.monotonic() - began
    shown.say(
        f"features: {backbone}, {made.clips} clips ({how}), {made.width} wide, {seconds:.1f} s, "
        f"sha256 {made.digest[:16]}, {made.path.stat().st_size / 2**20:.1f} MiB in {made.path}"
    )
    for problem in made.problems:
        shown.say(f"left out: {problem}")


def _room(shown: Display, folder: Folder, needed: int, what: str) -> None:
    free = shutil.disk_usage(folder.path).free
    shown.say(f"disk: {what} take up to {needed / 2**20:.1f} MiB of {free / 2**20:.0f} MiB free")
    if needed > free:
        raise CampaignError(f"the disk of {folder.path} has not enough room for {what}")
