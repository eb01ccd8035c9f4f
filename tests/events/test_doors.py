"""The doors: facts as lines, campaigns as a table, a file out and a file in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from events import doors, facts
from events.archives import archive
from events.errors import CampaignUnknown, LogError
from events.folder import Campaign
from events.memory import MemoryLog
from events.wire import jetstream, server
from tests.events.saying import frame, recorded, said

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    log = MemoryLog("tale")
    log.append(frame("tale", 1))
    pair = (facts.WorkerRetired(worker="a", reason="one", at=7), facts.WorkerRetired(worker="a", reason="two", at=8))
    log.append(said("tale", 2, *pair, pack="p-2"))
    log.restore([recorded("tale", 3, b'[{"type":"FromTomorrow","at":9,"new":[1,2]}]')])
    archive.export(log, tmp_path / "tale.myriad")
    return tmp_path


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_tail_prints_every_fact_with_its_position(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.tail("tale", home=home)
    lines = _lines(capsys)
    assert [line["position"] for line in lines] == ["1.0", "2.0", "2.1", "3.0"]
    assert lines[2]["subject"] == "myriad.tale.pack.p-2.worker-a"
    assert (lines[2]["id"], lines[2]["reason"]) == ("worker-a:2", "two")


def test_tail_passes_types_from_a_newer_myriad_through(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.tail("tale", type=("FromTomorrow",), home=home)
    (line,) = _lines(capsys)
    assert (line["type"], line["new"]) == ("FromTomorrow", [1, 2])


@pytest.mark.parametrize(
    ("after", "positions"),
    [
        ("0", ["1.0", "2.0", "2.1", "3.0"]),
        ("1", ["2.0", "2.1", "3.0"]),
        ("1.0", ["2.0", "2.1", "3.0"]),
        ("2.0", ["2.1", "3.0"]),
        ("2.1", ["3.0"]),
        ("2", ["3.0"]),
        ("3.0", []),
        ("99", []),
    ],
)
def test_tail_resumes_after_any_position(
    home: Path, capsys: pytest.CaptureFixture[str], after: str, positions: list[str]
) -> None:
    doors.tail("tale", after=after, home=home)
    assert [line["position"] for line in _lines(capsys)] == positions


@pytest.mark.parametrize("subject", ["pack.p-2.*", "myriad.tale.pack.p-2.>"])
def test_tail_keeps_to_a_subject(home: Path, capsys: pytest.CaptureFixture[str], subject: str) -> None:
    doors.tail("tale", subject=subject, home=home)
    assert [line["position"] for line in _lines(capsys)] == ["2.0", "2.1"]


@pytest.mark.parametrize("after", ["x", "1.", "-1", "1.2.3", ""])
def test_tail_says_what_a_position_is(home: Path, after: str) -> None:
    with pytest.raises(LogError, match="a position is SEQUENCE"):
        doors.tail("tale", after=after, home=home)


def test_an_archive_cannot_be_followed(home: Path) -> None:
    with pytest.raises(LogError, match="nothing to follow"):
        doors.tail("tale", follow=True, home=home)


def test_an_unknown_campaign_is_told(home: Path) -> None:
    with pytest.raises(CampaignUnknown, match="there are tale"):
        doors.tail("tail", home=home)


def test_tail_ends_quietly_when_its_reader_has_had_enough(tmp_path: Path) -> None:
    log = MemoryLog("tale")
    for n in range(1, 3001):
        log.append(frame("tale", n))
    archive.export(log, tmp_path / "tale.myriad")
    script = f"from events import doors; doors.tail('tale', home={str(tmp_path)!r})"
    tail = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert tail.stdout is not None
    assert tail.stderr is not None
    assert tail.stdout.readline()
    tail.stdout.close()
    assert (tail.stderr.read(), tail.wait()) == (b"", 0)
    tail.stderr.close()


def test_tail_follows_a_running_campaign_until_it_is_interrupted(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    script = f"from events import doors; doors.tail('tale', follow=True, home={str(tmp_path)!r})"
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        log.append(frame("tale", 1))
        tail = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["position"] == "1.0"
        log.append(frame("tale", 2))
        assert json.loads(tail.stdout.readline())["position"] == "2.0"
        tail.send_signal(2)
        assert tail.stdout.read() == b""
        assert tail.wait(20) == 0
        tail.stdout.close()


def test_what_goes_out_comes_in_and_goes_out_the_same(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    doors.import_(home / "tale.myriad", home=other)
    doors.export("tale", tmp_path / "again.myriad", home=other)
    assert (tmp_path / "again.myriad").read_bytes() == (home / "tale.myriad").read_bytes()
    with pytest.raises(LogError, match="exists already"):
        doors.export("tale", tmp_path / "again.myriad", home=other)


def test_the_doors_load_nothing_before_they_are_opened() -> None:
    script = "import sys, events.doors; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"nats", "asyncio", "msgspec", "subprocess", "torch"} & set(loaded.split())
