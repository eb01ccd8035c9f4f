"""A watched campaign for tests: the real program without a terminal, a recorded log from a real archive, deadlines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from events.archives import archive
from events.archives.archive import ArchiveLog
from events.log import LogReader
from tests.chronicle import Chronicle
from tests.replay.tales import busy
from tui.app import WatchApp
from tui.front import Said
from tui.panel import Panel

PANELS = ("devices", "leaders", "speakers", "queue", "troubles", "stream")

Story = Callable[[WatchApp, Pilot[None]], Awaitable[None]]


def watched(log: LogReader, story: Story, *, size: tuple[int, int] = (80, 24), through: int | None = None) -> None:
    """Watch a log, wait until it is shown through a sequence (by default its last), and then live the story."""

    async def run() -> None:
        app = WatchApp(log)
        wanted = log.last() if through is None else through
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.watching.shown.link.state != "opening")
            await until(pilot, lambda: app.watching.shown.subject.through >= wanted)
            await pilot.pause()
            await story(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], holds: Callable[[], bool], *, within: float = 60.0) -> None:
    """Let the program run until something holds; fail when it does not within so many seconds."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"nothing came within {within:g} s"
        await pilot.pause(0.01)


def said(app: WatchApp, where: str) -> str:
    """What a line of the head says."""
    return app.watching.query_one(f"#{where}", Said).said


def lines(app: WatchApp, panel: str) -> list[str]:
    """What a panel says."""
    return app.watching.query_one(f"#{panel}", Panel).lines


def recorded(folder: Path, chronicle: Chronicle) -> ArchiveLog:
    """A chronicle as a portable file, opened."""
    path = folder / f"{chronicle.log.campaign}.myriad"
    archive.export(chronicle.log, path)
    return archive.open_file(path)


def eventful() -> Chronicle:
    """A campaign in the middle of things: two runs under way, a queue, failures, a repair that is not settled."""
    c = busy(24)
    for batch in (16, 64, 32):
        c.queues(c.proposes("uniform", batch=batch), priority=batch / 100)
    for worker, backbone in (("worker-cpu0-a", "motion"), ("worker-cpu1-a", "appearance")):
        c.assigns(running := c.queues(c.proposes("tpe", backbone=backbone)), on=worker)
        c.starts(running)
    c.assigns(broken := c.queues(c.proposes("tpe", batch=64)), on="worker-cpu2-a")
    c.starts(broken)
    c.fails(broken, "out_of_memory")
    c.repairs(broken, "micro_batches")
    return c
