"""A long stream of facts through a real server: written, followed and archived at once, in memory that stays flat.

What grows with a log is not here: a fold's own state (`just bench replay --facts 1000000`: about 1 kB a fact), and what
a server keeps of each frame's id. Here is everything that carries a log and holds none of it.
"""

from __future__ import annotations

import gc
from collections import deque
from concurrent.futures import Future
from pathlib import Path

import pytest

from actors.feed import KEPT, Feed
from events.archives.archive import open_folder
from events.archives.archivist import Archivist
from events.facts import WorkerRetired
from events.folder import Campaign
from events.log import Appended
from events.wire import jetstream, server
from tests.events.saying import said

FACTS = 20
"""Facts of a frame."""

SLACK = 24e6
"""Bytes by which memory may move while it is flat: what allocators and a segment under way hold."""


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def streamed(folder: Campaign, facts: int, warm: int) -> tuple[int, int, int]:
    """Write so many facts; return the memory once `warm` are written, and at the end, and the frames of the archive."""
    with (
        server.running(folder, sync="2m", announce=False) as running,
        jetstream.create(running.credential("owner"), folder.name) as log,
    ):
        feed, archivist = Feed(log), Archivist(log, folder)
        feed.start()
        archivist.start()
        waiting: deque[Future[Appended]] = deque()
        early = 0
        for number in range(1, facts // FACTS + 1):
            told = (WorkerRetired(worker="worker-a", reason=f"{number}.{n}", at=number) for n in range(FACTS))
            waiting.append(log.submit(said(folder.name, number, *told)))
            if len(waiting) > 200:
                waiting.popleft().result(60)
            if number * FACTS == warm:
                feed.wait_for(waiting[-1].result(60).sequence)
                early = resident()
        last = [answer.result(60).sequence for answer in waiting][-1]
        feed.wait_for(last)
        late = resident()
        feed.stop()
        archivist.stop()
    return early, late, sum(1 for _ in open_folder(folder.archive, folder.name).read())


def test_forty_thousand_facts_are_carried_in_flat_memory(tmp_path: Path) -> None:
    early, late, frames = streamed(Campaign(tmp_path / "soak"), 40_000, 20_000)
    assert frames == 40_000 // FACTS
    assert late - early < SLACK


@pytest.mark.prove
def test_a_million_facts_are_carried_in_flat_memory(tmp_path: Path) -> None:
    # once the feed keeps as many frames as it ever will
    early, late, frames = streamed(Campaign(tmp_path / "soak"), 1_000_000, KEPT * FACTS)
    assert frames == 1_000_000 // FACTS
    assert late - early < SLACK, (early, late)
