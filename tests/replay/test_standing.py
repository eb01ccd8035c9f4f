"""The list of campaigns: what the log says, what folding adds, and problems told, never raised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events import facts
from events.archives import archive
from events.folder import Campaign
from events.log import Frame
from events.wire import jetstream, server
from replay import doors
from tests.chronicle import Chronicle


@pytest.fixture
def home(tmp_path: Path) -> Path:
    c = Chronicle("tale")
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), on="worker-cpu0-a", validation=0.75)
    archive.export(c.log, tmp_path / "tale.myriad")
    return tmp_path


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_list_tells_each_campaigns_state_frames_time_and_size(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Campaign(home / "short")
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "short") as log:
        closed = facts.CampaignClosed(reason="budget", at=1_750_000_000_000_000)
        log.append(Frame("myriad.short.campaign.short.scheduler", "scheduler:1", (closed,)))
        doors.list_(home=home, json=True)
        assert {line["name"]: line["state"] for line in _lines(capsys)} == {"short": "running", "tale": "open"}
    broken = home / "broken.myriad"
    broken.write_bytes((home / "tale.myriad").read_bytes()[:-5])
    doors.list_(home=home, json=True)
    rows = {line["name"]: line for line in _lines(capsys)}
    assert [rows[name]["state"] for name in ("broken", "short", "tale")] == ["unreadable", "closed", "open"]
    assert (rows["short"]["frames"], rows["short"]["at"]) == (1, 1_750_000_000_000_000)
    assert (rows["tale"]["completed"], rows["tale"]["best"], rows["tale"]["agent"]) == (1, 0.75, "tpe")
    assert "is damaged at byte" in str(rows["broken"]["problem"])
    doors.list_(home=home)
    out = capsys.readouterr().out
    assert "2025-06-15 15:06" in out
    assert "is damaged at byte" in out


def test_list_of_nothing_says_where_it_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.list_(home=tmp_path / "none")
    assert str(tmp_path / "none") in capsys.readouterr().out
