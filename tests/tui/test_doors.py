"""The door: the screen in a real terminal, its twin as JSON, and one sentence for what cannot be watched."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from events.archives import archive
from tests.replay.tales import busy
from tests.tui.watching import eventful
from tui import doors
from tui.reading import read

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    archive.export(eventful().log, tmp_path / "tale.myriad")
    return tmp_path


def test_json_is_the_overview_of_the_screen(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doors.watch("tale", home=home, json=True) == 0
    printed = json.loads(capsys.readouterr().out)
    shown = read("tale", home)
    assert printed["link"] == {"state": "recorded", "last": shown.subject.through, "sentence": ""}
    assert [row["experiment"] for row in printed["leaders"]] == [row.experiment for row in shown.leaders]
    assert printed["running_best"] == shown.running_best
    assert printed["lanes"][0]["experiment"] == shown.lanes[0].experiment
    assert len(printed["waiting"]) == 3


def test_an_unknown_campaign_is_one_sentence_that_names_those_there_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doors.watch("tail", home=home, json=True) == 2
    assert capsys.readouterr().err == f"no campaign tail in {home}; there are tale\n"


def test_a_damaged_archive_is_one_sentence_that_names_the_byte(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "tale.myriad"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert doors.watch("tale", home=home, json=True) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{path} is damaged at byte ")
    assert error.count("\n") == 1


def test_without_a_terminal_the_screen_says_what_to_do_instead(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doors.watch("tale", home=home) == 2
    assert capsys.readouterr().err.endswith("try myriad watch tale --json\n")


@pytest.mark.parametrize("read_only", [False, True])
def test_read_only_gives_the_screen_nothing_to_write_with(
    home: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    pens: list[object] = []
    monkeypatch.setattr("tui.links.Source.is_file", False)  # a campaign's folder may be written to, a file never
    monkeypatch.setattr("tui.app.WatchApp.__init__", lambda app, log, again, write, remembered: pens.append(write))
    monkeypatch.setattr("tui.app.WatchApp.run", lambda app: None)
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)
    assert doors.watch("tale", home=home, read_only=read_only) == 0
    assert [pen is None for pen in pens] == [read_only]


def test_help_loads_neither_textual_nor_the_log() -> None:
    assert _imported("import tui.doors", "textual", "msgspec", "nats", "events") == "[]"


def test_json_loads_no_textual(home: Path) -> None:
    asked = f"from tui import doors; doors.watch('tale', home={str(home)!r}, json=True)"
    assert _imported(asked, "textual", "msgspec") == "['msgspec']"


def _imported(work: str, *names: str) -> str:
    """Say which of the modules are there after some work in a fresh process."""
    told = f"{work}; import sys; print([name for name in {names!r} if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return asked.stdout.splitlines()[-1]


def test_in_a_terminal_the_screen_draws_itself_and_q_ends_it(home: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", "import myriad; myriad.main()", "watch", "tale", "--home", str(home)]
    kind = os.environ | {"TERM": "xterm-256color"}
    watching = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=kind)
    os.close(theirs)
    try:
        _drawn(ours, b"RECORDED", b"Leaderboard", b"best 0.8")
        os.write(ours, b"q")
        _drawn(ours, b"\x1b[?1049l")
        assert watching.wait(20) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)


def _drawn(terminal: int, *wanted: bytes, within: float = 30.0) -> None:
    """Read what a terminal is sent until all that is wanted is among it."""
    drawn, end = b"", time.monotonic() + within
    while not all(word in drawn for word in wanted):
        assert time.monotonic() < end, drawn[-2000:]
        if select.select([terminal], [], [], 0.2)[0]:
            drawn += os.read(terminal, 65536)


def test_the_twin_of_an_empty_campaign_is_an_object_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = busy(0).log
    archive.export(log, tmp_path / "tale.myriad")
    assert doors.watch("tale", home=tmp_path, json=True) == 0
    assert json.loads(capsys.readouterr().out)["leaders"] == []


def test_the_screen_opens_without_what_only_its_portraits_need() -> None:
    assert _imported("import tui.app, tui.links", "scipy", "numpy", "nats", "textual") == "['textual']"
