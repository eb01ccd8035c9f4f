"""Three servers that hold one log, their leader killed under load: nothing acknowledged is lost, nothing stands twice.

Writers work as pens do: each under its own fence, one frame after the other, and each rereads the log whenever its
connection or an answer was lost.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from pathlib import Path

import pytest

from events.errors import LogError
from events.log import Recorded
from events.wire import jetstream
from tests import cluster
from tests.actors.waiting import eventually
from tests.cluster import Cluster
from tests.events.saying import frame, own

PATIENCE = 3.0
"""Seconds after which an append that nobody answered is given up as unknown."""

CAMPAIGN = "tale"


class Load:
    """Writers, each a thread, until they are told to stop.

    Attributes:
        acknowledged: what a writer was told is on the log, by sequence: id, payload.
        lost: how often a writer had to begin anew.
    """

    def __init__(self, three: Cluster, writers: int) -> None:
        self.acknowledged: dict[int, tuple[str, bytes]] = {}
        self.lost: Counter[str] = Counter()
        self._three = three
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(f"worker-{n}", n)) for n in range(writers)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, frames: int) -> None:
        """Wait for so many further acknowledgements."""
        target = len(self.acknowledged) + frames
        eventually(lambda: len(self.acknowledged) >= target, within=cluster.PATIENCE)

    def _write(self, author: str, first: int) -> None:
        servers = itertools.cycle(range(len(self._three.servers)))
        for number in itertools.islice(servers, first, None):
            if self._ends.is_set():
                return
            try:
                self._write_through(author, number)
            except LogError as error:
                self.lost[type(error).__name__] += 1

    def _write_through(self, author: str, number: int) -> None:
        with jetstream.connect(self._three.credential(number), CAMPAIGN, timeout=PATIENCE) as log:
            mine = list(log.read(0, own(log, 0, author).filter))
            many, last = len(mine), mine[-1].sequence if mine else 0
            while not self._ends.is_set():
                written = frame(CAMPAIGN, many + 1, author=author, reason=f"{author} says {many}")
                last = log.append(written, expecting=own(log, last, author)).sequence
                self.acknowledged[last] = (written.id, written.payload)
                many += 1


def read(three: Cluster, number: int) -> list[Recorded]:
    with jetstream.connect(three.credential(number), CAMPAIGN) as log:
        return list(log.read())


def held(three: Cluster, load: Load) -> None:
    """Every server tells one story, and everything that was acknowledged is in it, once."""
    three.whole(CAMPAIGN)
    stories = [read(three, number) for number in range(len(three.servers))]
    assert stories[0] == stories[1] == stories[2]
    frames = stories[0]
    assert [recorded.sequence for recorded in frames] == list(range(1, len(frames) + 1))
    assert len({recorded.id for recorded in frames}) == len(frames)
    there = {recorded.sequence: (recorded.id, recorded.payload) for recorded in frames}
    assert load.acknowledged.items() <= there.items()
    for author in {recorded.author for recorded in frames}:
        numbers = [int(recorded.id.split(":")[1]) for recorded in frames if recorded.author == author]
        assert numbers == list(range(1, len(numbers) + 1))


def beaten(three: Cluster, kills: int, writers: int) -> Load:
    """Kill whoever leads, again and again, while frames are written; each comes back on what it had."""
    jetstream.create(three.credential(), CAMPAIGN, replicas=3).close()
    with Load(three, writers) as load:
        for _ in range(kills):
            load.goes_on(60)
            leader = three.leader(CAMPAIGN)
            leader.kill()
            load.goes_on(60)
            assert three.leader(CAMPAIGN) is not leader
            leader.start()
            three.whole(CAMPAIGN)
    assert sum(load.lost.values()) > 0, "nobody noticed"
    assert "NotJetStream" not in load.lost, "while a leader is chosen a cluster is still one that holds logs"
    return load


def test_a_leader_that_is_killed_under_load_takes_nothing_acknowledged_with_it(tmp_path: Path) -> None:
    with cluster.running(tmp_path) as three:
        held(three, beaten(three, 1, writers=3))


@pytest.mark.prove
def test_a_leader_killed_six_times_under_load_takes_nothing_acknowledged_with_it(tmp_path: Path) -> None:
    with cluster.running(tmp_path) as three:
        held(three, beaten(three, 6, writers=8))


@pytest.mark.prove
def test_without_a_majority_nothing_is_acknowledged_and_with_one_it_goes_on(tmp_path: Path) -> None:
    with cluster.running(tmp_path) as three:
        jetstream.create(three.credential(), CAMPAIGN, replicas=3).close()
        with Load(three, 3) as load:
            load.goes_on(60)
            for server in three.servers[1:]:
                server.kill()
            before = sum(load.lost.values())
            # whoever was being answered when they died has been; from the second loss on each writer asks in vain
            eventually(lambda: sum(load.lost.values()) > before + 6, within=cluster.PATIENCE)
            alone = len(load.acknowledged)
            eventually(lambda: sum(load.lost.values()) > before + 12, within=cluster.PATIENCE)
            assert len(load.acknowledged) == alone
            for server in three.servers[1:]:
                server.start()
            load.goes_on(60)
        held(three, load)
