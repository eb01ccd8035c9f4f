"""One run a campaign on a foreign server: the second is refused at once, and a dead one keeps nobody away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from events.errors import CampaignHeld
from events.wire import holding, jetstream
from events.wire.holding import held
from events.wire.jetstream import JetStreamLog
from events.wire.server import Running
from tests.events.saying import frame

HOLDS = """
import sys
from events.wire import holding, jetstream
from events.wire.holding import held

holding.GONE = 1
with jetstream.connect(sys.argv[1], sys.argv[2]) as log, held(log.connection, sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _soon_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "GONE", 1)


def connected(server: Running, log: JetStreamLog) -> JetStreamLog:
    return jetstream.connect(server.credential("owner"), log.campaign)


def test_the_second_is_refused_and_told_who_runs_it_where_and_since_when(
    server: Running, jetstream_log: JetStreamLog
) -> None:
    name = jetstream_log.campaign
    with connected(server, jetstream_log) as first, connected(server, jetstream_log) as second:
        with held(first.connection, name):
            with pytest.raises(CampaignHeld) as refused, held(second.connection, name):
                pass
            assert (refused.value.process, refused.value.host) == (str(os.getpid()), socket.gethostname())
            assert f"campaign {name} is being run by process {os.getpid()} on" in str(refused.value)
            assert "UTC: stop that one first" in str(refused.value)
            first.append(frame(name, 1))
        with held(second.connection, name):
            assert second.last() == 1


def test_another_campaign_on_the_same_server_is_free(server: Running, jetstream_log: JetStreamLog) -> None:
    with (
        jetstream.create(server.credential("owner"), f"{jetstream_log.campaign}-b") as other,
        held(jetstream_log.connection, jetstream_log.campaign),
        held(other.connection, other.campaign),
    ):
        assert other.last() == 0


def test_a_run_that_was_killed_keeps_nobody_away(server: Running, jetstream_log: JetStreamLog) -> None:
    credential = str(server.folder.credentials / "owner.json")
    command = [sys.executable, "-c", HOLDS, credential, jetstream_log.campaign]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(CampaignHeld) as refused, held(jetstream_log.connection, jetstream_log.campaign):
            pass
        assert refused.value.process == str(process.pid)
        process.kill()
        process.wait()
    with held(jetstream_log.connection, jetstream_log.campaign):
        pass
