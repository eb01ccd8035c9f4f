"""A campaign on a cluster of three servers: as many copies as it can keep, chosen from what the servers say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from events import subjects
from events.errors import LogError
from events.facts import Completed
from events.wire import credentials, jetstream
from events.wire.credentials import Credential
from events.wire.objects import Objects
from events.wire.server import Running as Server
from tests import cluster
from tests.cluster import Cluster
from tests.faults.hosts import Lab
from tests.faults.runs import Place, Running
from tests.faults.test_hosts import once_and_lawful, told


def everyone(three: Cluster) -> Credential:
    """The credential of a cluster, with every server's address."""
    return msgspec.structs.replace(three.credential(), url=",".join(server.url for server in three.servers))


def test_a_log_on_a_cluster_keeps_three_copies_and_on_one_server_one(tmp_path: Path, server: Server) -> None:
    with cluster.running(tmp_path) as three:
        with jetstream.create(everyone(three), "tale") as log:
            assert (log.connection.peers, log.replicas) == (3, 3)
            bucket = Objects(log.connection, subjects.files("tale"))
            bucket.create(log.replicas)
            assert bucket.put(b"x" * 300_000)
        with jetstream.create(everyone(three), "other", replicas=1) as log:
            assert log.replicas == 1
        three.servers[0].kill()
        three.leader("tale")
        with jetstream.create(everyone(three), "tale") as log:
            assert log.replicas == 3
    with jetstream.create(server.credential("owner"), f"one-{tmp_path.name}"[:40]) as log:
        assert (log.connection.peers, log.replicas) == (1, 1)
    with pytest.raises(LogError, match="refused campaign"):
        jetstream.create(server.credential("owner"), f"many-{tmp_path.name}"[:40], replicas=3)


@pytest.mark.prove
def test_a_campaign_runs_on_a_cluster_with_a_machine_that_lends_and_goes_on_when_a_server_is_gone(
    tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path / "lab", experiments=4, workers='devices = ["cpu"]\nsilence = 60')
    places.append(lab)
    with cluster.running(tmp_path / "three") as three:
        credentials.save(everyone(three), lab.credential)
        run = lab.starts("--connect", str(lab.credential))
        worker = Running(lab, "worker", "--creds", str(lab.credential), "--cache", str(lab.lent), "--devices", "1")
        run.until(lambda: lab.marked("began-far") and lab.marked("began-near"))
        assert "log: 3 copies on a cluster of 3 servers" in run.said()
        lab.lets("far")
        run.until(lambda: lab.count_far("Completed") >= 1)
        run.interrupts()
        run.interrupts()
        stopped = run.ended()
        assert (stopped.code, "myriad run lab resumes it" in stopped.out) == (0, True), stopped
        three.servers[0].kill()
        three.leader("lab")
        lab.lets("near")
        again = lab.starts("--connect", str(lab.credential)).ended()
        assert (again.code, "closed (4 experiments completed" in again.out) == (0, True), again
        assert worker.ended().code == 0
        with jetstream.connect(everyone(three), "lab") as log:
            stored = list(log.read())
            assert log.replicas == 3
    frames = once_and_lawful(lab, 4)
    assert frames == stored
    assert len({recorded.author for recorded in frames if told([recorded], Completed)}) >= 2
