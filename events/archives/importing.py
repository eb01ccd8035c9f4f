"""A campaign made from a portable file: a folder with a store, an archive and blobs, whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from events import subjects
from events.archives.archive import SUFFIX, ArchiveLog, open_file, restore
from events.archives.archivist import Segments, catch_up
from events.archives.settling import remember
from events.blobs import Blobs
from events.errors import BlobMissing, FrameUnreadable, LogError
from events.facts import CampaignOpened
from events.folder import Campaign
from events.wire import jetstream, server

LAZY = "2m"
"""How often the server syncs while it takes frames that exist elsewhere too; every file is synced at the end."""


def import_campaign(path: Path, home: Path) -> Campaign:
    """Make the campaign of a portable file under the home (main thread).

    Raises:
        ArchiveDamaged: the file is not what was written.
        LogError: there is a campaign of that name already, or what making one meets.
    """
    archive = open_file(path)
    target = home / archive.campaign
    for taken in (target, home / f"{archive.campaign}{SUFFIX}"):
        if taken.exists():
            raise LogError(f"{taken} is there already: move it away, or import under another --home")
    workshop = home / f".{archive.campaign}.importing"
    shutil.rmtree(workshop, ignore_errors=True)
    try:
        made = Campaign(workshop / archive.campaign)
        _fill(made, archive)
        made.path.rename(target)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return Campaign(target)


def _fill(folder: Campaign, archive: ArchiveLog) -> None:
    with (
        server.running(folder, sync=LAZY, announce=False) as running,
        jetstream.create(running.credential("owner"), folder.name) as log,
    ):
        restore(archive, log)
        catch_up(log, Segments(folder, log))
    blobs = Blobs(folder.blobs)
    for _, content in archive.blobs():
        blobs.put(content)
    _write_file(folder, archive)
    _sync(folder.path)
    remember(folder)


def _write_file(folder: Campaign, archive: ArchiveLog) -> None:
    # A log whose first words are from another Myriad is imported all the same, without its campaign file.
    with contextlib.suppress(FrameUnreadable, BlobMissing):
        for recorded in archive.read(0, f"{subjects.everything(folder.name)[:-1]}campaign.*.*"):
            for fact in recorded.facts:
                if isinstance(fact, CampaignOpened):
                    text = fact.file
                    content = text.head.encode() if text.digest is None else archive.blob(text.digest)
                    folder.file.write_bytes(content)
                    return


def _sync(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
