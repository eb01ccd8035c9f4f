"""Where a campaign's facts come from, and where to look for more once they cease to come."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from events import campaigns
from events.archives.archive import TornLog
from events.archives.records import Torn
from events.archives.settling import is_settled
from events.errors import LogError
from events.folder import Campaign
from events.log import LogReader
from events.wire import server

FILES = 8
"""Portable files of which a picture is kept in the cache; those whose pictures are oldest go first."""

State = Literal["opening", "live", "recorded", "lost", "broken"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How the screen stands to the log.

    Attributes:
        state: opening (nothing is known yet), live (facts come as they are written), recorded (nobody writes), lost
            (the connection broke; it is looked for), broken (what came is no log; nothing more is read).
        last: the last sequence when the log was opened, 0 before.
        sentence: what a person should know about it, empty when all is well.
    """

    state: State = "opening"
    last: int = 0
    sentence: str = ""


class Source:
    """One campaign, opened where its reference says (main thread); raises what `campaigns.open` raises."""

    def __init__(self, reference: str | Path, home: Path | str | None = None) -> None:
        self._place = campaigns.find(reference, home)
        self.log: LogReader = _opened(reference, home)

    @property
    def pictures(self) -> Path | None:
        """Where screens of it leave a picture; nowhere for a log on a far server, where only reading could vouch."""
        if self._place.folder is not None:
            return self._place.folder.snapshots / "screen"
        return _beside(self._place.file) if self._place.file is not None else None

    @property
    def is_file(self) -> bool:
        """Whether it is a portable file, which nobody writes to."""
        return self._place.file is not None

    def again(self, state: State) -> LogReader | None:
        """Return a log that may hold more than the one that ended in this state, None when there is none now."""
        try:
            if self._place.folder is not None:
                return _of_folder(self._place.folder, state)
            return campaigns.open(f"{self._place.url}/{self.log.campaign}") if self._place.url is not None else None
        except LogError:
            return None


def _opened(reference: str | Path, home: Path | str | None) -> LogReader:
    """Open a campaign; of a file that ends too early what there is, for a person who will be told so."""
    try:
        return campaigns.open(reference, home)
    except Torn as torn:
        return TornLog(torn)


def is_live(log: LogReader) -> bool:
    """Say whether facts may still come: a running campaign's log can be followed, a recorded one's cannot."""
    return hasattr(log, "follow") and getattr(log, "live", log) is not None


def _of_folder(folder: Campaign, state: State) -> LogReader | None:
    if folder.server.exists():
        return _running(folder)
    # The archive of a run that ended well holds everything; that of a killed one is the next opening's to complete.
    return campaigns.open(folder.path) if state == "lost" and is_settled(folder) else None


def _running(folder: Campaign) -> LogReader | None:
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second; an archive needs none of it

    if server.address(folder) is None:
        return None
    return jetstream.connect(folder.credentials / "reader.json", folder.name)


def _beside(file: Path) -> Path:
    """Return the folder of the user's cache for a portable file's picture; forgets old ones of other files."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "myriad" / "pictures"
    mine = cache / sha256(str(file.resolve()).encode()).hexdigest()[:16]
    with suppress(OSError):
        known = sorted((path for path in cache.iterdir() if path != mine), key=lambda path: path.stat().st_mtime)
        for old in known[: max(0, len(known) - FILES + 1)]:
            shutil.rmtree(old, ignore_errors=True)
    return mine
