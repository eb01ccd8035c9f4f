"""The page for other programs: every command on it is run as it is written, and what it promises is looked for."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

import myriad

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "stream.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "tests" / "golden" / "vocabulary-2.myriad", tmp_path / "demo.myriad")
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_page_does_what_it_says(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said: dict[str, list[str]] = {}
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program == "myriad"
        assert myriad.app()(words) in (0, None), command
        said.setdefault(command, []).append(capsys.readouterr().out)
    whole = said["myriad tail demo"][0]
    assert said["myriad tail demo --durable dashboard"] == [whole, ""]
    for command, (out, *_) in said.items():
        assert out, command
        if command.startswith("myriad tail") and "cloudevents" not in command:
            assert set(out.splitlines()) <= set(whole.splitlines()), command
    events = [json.loads(line) for line in said["myriad tail demo --cloudevents"][0].splitlines()]
    assert [event["id"] for event in events] == [json.loads(line)["position"] for line in whole.splitlines()]
    assert {path.name for path in desk.iterdir()} >= {"demo-parquet", "demo-csv"}
