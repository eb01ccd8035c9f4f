"""What `myriad simulate` does: play a campaign on the surrogate, keep its log as a portable file, and report on it."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actors.errors import CampaignError
from actors.feed import Feed
from actors.policies import POLICIES
from actors.virtual.bugs import BUGS, DAY
from actors.virtual.hands import STANDINS, START
from actors.virtual.laboratory import Laboratory, Setting
from events.archives import archive
from events.archives.archive import SUFFIX
from events.log import EventLog
from events.memory import MemoryLog
from replay.pages.reports import report_page
from replay.report import report

UNSYNCED = "2m"
"""How often the server of a simulated campaign puts its store on the disk: the server's own default. What it has
acknowledged survives the end of every process and not a power cut; a simulated campaign can be played again."""


def play(setting: Setting, path: Path, *, server: bool = False) -> int:
    """Play a campaign, write its log to `path`, and print what came of it.

    Args:
        server: write and read every frame through a nats-server, made for it and gone after it.

    Raises:
        CampaignError: the file is there, or its folder cannot be made.
        LogError: the file cannot be written, or the server does not start.
    """
    claim(path)
    began = time.perf_counter()
    with _log(setting, server=server) as (log, feed):
        laboratory = Laboratory(setting, log, feed)
        laboratory.play()
        played = time.perf_counter()
        manifest = archive.export(log, path)
    written = time.perf_counter()
    print(report_page(report(archive.open_file(path))))
    print()
    if server:
        print(f"through a nats-server on loopback, sync_interval {UNSYNCED}: its frames survive kill -9, no power cut")
    ledger = laboratory.simulation.known.ledger
    n = len(ledger.completed)
    ended = ledger.experiments[ledger.completed[-1]].attempts[-1].ended_at if n else None
    days = ((ended or START) - START) / DAY
    print(f"SIMULATED: {n} experiments, {manifest.frames} frames, {days:.1f} virtual days; nothing was trained")
    print(f"played in {played - began:.1f} s, archived in {written - played:.1f} s: {path}")
    print(f"myriad replay {reference(path)} asks it more")
    return 0


@contextlib.contextmanager
def _log(setting: Setting, *, server: bool) -> Iterator[tuple[EventLog, Feed | None]]:
    if not server:
        yield MemoryLog(setting.name), None
        return
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second
    from events.wire import server as servers  # noqa: PLC0415 # likewise

    with (
        tempfile.TemporaryDirectory() as folder,
        servers.running(Path(folder) / setting.name, sync=UNSYNCED, announce=False) as running,
        jetstream.create(running.credential("owner"), setting.name) as log,
    ):
        feed = Feed(log, kept=None)  # a worker of every era reads the log from its start
        feed.start()
        try:
            yield log, feed
        finally:
            feed.stop()


def checked(setting: Setting, bugs: str) -> Setting:
    """Return a setting that can be played, with the bugs that words name.

    Raises:
        CampaignError: a number is out of range, or a policy or a bug is unknown.
    """
    words: dict[str, tuple[str, ...]] = {"all": BUGS, "none": ()}
    names = words[bugs] if bugs in words else tuple(bugs.split(","))
    if unknown := [name for name in names if name not in BUGS]:
        raise CampaignError(f"--bugs {unknown[0]} is not one of {', '.join(BUGS)}, all, none")
    known = (*STANDINS, *POLICIES)
    if setting.policy is not None and setting.policy not in known:
        raise CampaignError(f"--policy {setting.policy} is not one of {', '.join(known)}")
    for name in ("experiments", "agents", "devices"):
        if getattr(setting, name) < 1:
            raise CampaignError(f"--{name} must be at least 1")
    if not 0 <= setting.seed < 2**53:
        raise CampaignError("--seed must be in [0, 2^53)")
    return msgspec.structs.replace(setting, bugs=tuple(bug for bug in BUGS if bug in names))


def claim(path: Path) -> None:
    """Make the folder of a file that is not there yet; raises `CampaignError`."""
    if path.exists():
        raise CampaignError(f"{path} is there already: move it away, or name another file with --to")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CampaignError(f"{path.parent} cannot be made: {error.strerror}") from None


def reference(path: Path) -> str:
    """Return what a person types to mean the file."""
    return path.name.removesuffix(SUFFIX) if path.parent.name == "campaigns" else str(path)
