"""How a campaign begins, and begins again: its folder claimed, its first facts written by the person who runs it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import msgspec

from actors.campaign import Campaign, parse
from actors.errors import CampaignError
from actors.feed import Feed
from actors.orders import Extracted
from actors.pen import Pen, wall_clock
from actors.role import Decision
from events.blobs import Blobs
from events.envelope import Fact, Position
from events.facts import CampaignOpened, CampaignReopened, FeaturesExtracted, FilesShared
from events.folder import Campaign as Folder
from events.log import EventLog


def claim(folder: Folder, campaign: Campaign, text: str) -> str | None:
    """Make a campaign's folder, or check that the one that is there was opened with the same campaign.

    Returns:
        None; or, where nothing but the budget differs, what must be said unless the campaign was reopened for that.

    Raises:
        CampaignError: it was opened with another file, naming the first key that differs; or no folder can be made.
    """
    if not folder.file.exists():
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CampaignError(f"campaign folder {folder.path} cannot be made: {error.strerror}") from None
        keep(folder, text)
        return None
    opened = parse(folder.file.read_text(), file=str(folder.file))
    if opened == campaign:
        return None
    key, before, now = _difference(msgspec.to_builtins(opened), msgspec.to_builtins(campaign), "")
    told = (
        f"campaign {folder.name} was opened with {key} = {before!r}, and this file says {now!r}: a campaign keeps its"
    )
    if msgspec.structs.replace(opened, budget=campaign.budget) == campaign:
        return f"{told} budget until it is closed and reopened (myriad declare {folder.name} reopen)"
    raise CampaignError(f"{told} file; give the changed one another name")


def keep(folder: Folder, text: str) -> None:
    """Put another file in the place of the one that a campaign was opened with; raises `CampaignError`."""
    try:
        partial = folder.file.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(folder.file)
    except OSError as error:
        raise CampaignError(f"{folder.file} cannot be written: {error.strerror}") from None


def task_folder(folder: Folder) -> Path:
    """Return where a campaign's clips lie."""
    return folder.path / "clips"


def reuse(source: Folder, folder: Folder) -> None:
    """Take over another campaign's clips and features, as hard links where the disk allows."""
    for path in (task_folder(source), source.features):
        target = folder.path / path.name
        if path.exists() and not target.exists():
            shutil.copytree(path, target, copy_function=_link)


class Person:
    """The person who runs a campaign, as the author that the log's credential names, else one of this process alone."""

    def __init__(self, log: EventLog, feed: Feed, blobs: Blobs) -> None:
        self._pen = Pen(log, feed, log.author or f"person-{secrets.token_hex(3)}", wall_clock)
        self._blobs = blobs

    def opens(self, campaign: Campaign, text: str) -> None:
        """Write the campaign's first fact, unless it is there."""
        file = self._blobs.keep(text)
        space = campaign.searched()
        opened = CampaignOpened(
            campaign=campaign.name, file=file, space=space, seed=campaign.seed, repeats=campaign.champion.repeats
        )
        self._say("opening", opened)

    def goes_on(self, campaign: Campaign, text: str, reopening: Position | None) -> None:
        """Say under which budget a reopened campaign goes on."""
        limits = msgspec.to_builtins(campaign.budget)
        told = ", ".join(f"{name} {value}" for name, value in limits.items() if value is not None)
        file = self._blobs.keep(text)
        self._say("opening", CampaignReopened(cause=reopening, reason=f"under the budget {told}", file=file))

    def extracted(self, features: tuple[Extracted, ...], known: set[str], opening: Position | None) -> None:
        """Write the features whose digests are not known yet, because of the campaign's opening."""
        facts = tuple(
            FeaturesExtracted(
                cause=opening,
                backbone=made.backbone,
                digest=made.digest,
                clips=made.clips,
                width=made.width,
                reused=made.reused,
                seconds=made.seconds,
            )
            for made in features
            if made.digest not in known
        )
        if facts:
            self._say("features", *facts)

    def shares(self, files: FilesShared, opening: Position | None) -> None:
        """Write which files machines elsewhere find, and under which instrument they train."""
        self._say("files", msgspec.structs.replace(files, cause=opening))

    def _say(self, about: str, *facts: Fact) -> None:
        self._pen.catch_up()
        while self._pen.write(Decision("campaign", about, facts)) is None:
            self._pen.catch_up()


def _link(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _difference(before: Any, now: Any, path: str) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                return _difference(before.get(key), now.get(key), f"{path}.{key}" if path else key)
    if isinstance(before, list | tuple) and isinstance(now, list | tuple) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            if one != other and isinstance(one, dict):
                return _difference(one, other, f"{path}[{number}]")
    return path, before, now
