"""One law over README.md, SECURITY.md and docs/: every command that a page shows is run as it stands, or says why not.

A page's fence of `sh` is run line by line, in a folder of its own where `demo` is a recorded campaign; a fence of
`python NAME` or `toml NAME` is written there first. `<!-- run by TEST: REASON -->` before a fence says which test takes
its lines from the page and runs them elsewhere, `<!-- not run: REASON -->` that nobody does, and why.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import myriad

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden" / "vocabulary-2.myriad"
PAGES = sorted({ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")})

FENCE = re.compile(
    r"(?:<!-- (?:not run|run by (\S+)): ([^>]+?) -->\n)?^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)

APART = ("check", "run")
"""Doors that start processes and take signals: they are run in a process of their own, as a person does."""

ALLOWED = {"audit": (0, 2)}
"""Exit codes that are an answer: 2 says that some law could not be put to the test."""

ELSEWHERE = {
    "myriad check": "tests/actors/test_tasks.py",
    "myriad run": "tests/faults/test_campaign.py",
    "myriad stop": "tests/faults/test_campaign.py",
    "myriad watch": "tests/tui/test_doors.py",
    "myriad declare": "tests/events/test_declarations.py",
    "myriad rerun": "tests/actors/test_rerun.py",
    "myriad tail mine --follow": "tests/events/test_tailing.py",
    "myriad export mine --champion": "tests/actors/test_prediction.py",
    "myriad export mine mine.myriad": "tests/events/test_archive.py",
    "myriad import mine.myriad": "tests/events/test_campaigns.py",
    "myriad whatif": "tests/actors/test_whatif.py",
    "myriad invite": "tests/events/test_inviting.py",
    "myriad rehearse": "tests/actors/test_rehearsal.py",
    "myriad import old.db": "tests/actors/test_studies.py",
    "myriad replay NAME": "tests/replay/test_doors.py",
    "myriad simulate mine.toml": "tests/actors/test_forecast.py",
    "myriad simulate --faults": "tests/faults/simulated/test_ordeals.py",
    "myriad simulate": "tests/actors/test_simulation.py",
}
"""Commands in a page's sentences that need a running campaign, a terminal, or weights: the test that runs each."""


class Fence(NamedTuple):
    """A fenced block: its words behind the backticks, its text, and why it is not run here, by which test elsewhere."""

    info: str
    text: str
    why: str | None
    by: str | None

    @property
    def commands(self) -> list[str]:
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.startswith("#")]


def fences(page: Path) -> list[Fence]:
    return [Fence(info, text, why or None, by or None) for by, why, info, text in FENCE.findall(page.read_text())]


def taken(page: str, test: str) -> list[str]:
    """Return the commands of a page, by its path in the repository, that a test has taken upon itself to run."""
    return [command for fence in fences(ROOT / page) if fence.by == test for command in fence.commands]


def spans(page: Path) -> list[str]:
    """Commands in a page's sentences and tables."""
    return re.findall(r"`(myriad [^`\n]+)`", FENCE.sub("", page.read_text()))


def says(line: str, capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """Run one line and return what it printed; fail where it failed."""
    words = shlex.split(line, comments=True)
    allowed = next((codes for door, codes in ALLOWED.items() if door in words), (0,))
    capsys.readouterr()
    if words[0] == "myriad" and words[1] not in APART and not {"|", "&&", ">"} & set(words):
        assert (myriad.app()(words[1:]) or 0) in allowed, line
        return capsys.readouterr().out
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "-euo", "pipefail", "-c", line]
    done = subprocess.run(
        shell, cwd=folder, env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode in allowed, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("demo", "mine"):
        shutil.copy(GOLDEN, tmp_path / f"{name}.myriad")
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def walk(page: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Do what a page shows, in its order; return what each command said, each time."""
    said: dict[str, list[str]] = {}
    for fence in fences(page):
        kind, _, name = fence.info.partition(" ")
        if name:
            (desk / name).write_text(fence.text)
        elif kind == "sh" and fence.why is None:
            for command in fence.commands:
                said.setdefault(command, []).append(says(command, capsys, desk))
    return said


RUN = [page for page in PAGES if any(f.info == "sh" and f.why is None for f in fences(page))]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_does_what_it_says(page: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = walk(page, desk, capsys)
    assert said
    if page.name == "stream.md":
        whole = said["myriad tail demo"][0]
        assert said["myriad tail demo --durable dashboard"] == [whole, ""]
        for command, (out, *_) in said.items():
            assert out, command
            if command.startswith("myriad tail") and "cloudevents" not in command and "|" not in command:
                assert set(out.splitlines()) <= set(whole.splitlines()), command
        events = [json.loads(line) for line in said["myriad tail demo --cloudevents"][0].splitlines()]
        assert [event["id"] for event in events] == [json.loads(line)["position"] for line in whole.splitlines()]
    if page.name == "tutorial.md":
        assert "Leaderboard: the best 10 of 10 completed" in said["myriad replay rings report"][0]
        assert "held" in said["myriad replay rings digest"][0]
        assert (desk / "rings.html").stat().st_size > 1000


def test_a_block_that_is_not_run_says_why() -> None:
    for page in PAGES:
        for fence in fences(page):
            shown = fence.info in ("", "sh") and any(re.match(r"(myriad|just|pip|python) ", c) for c in fence.commands)
            assert not shown or fence.info == "sh", f"{page.name} shows commands in a fence that says not that it is sh"
            assert fence.why is None or len(fence.why) > 20, f"{page.name}: {fence.why}"


def test_a_block_that_another_test_runs_is_read_there_from_the_page() -> None:
    by = {(page.relative_to(ROOT).as_posix(), fence.by) for page in PAGES for fence in fences(page) if fence.by}
    assert len(by) >= 3
    for page, test in by:
        assert f'taken("{page}", "{test}")' in (ROOT / test).read_text(), f"{test} takes nothing from {page}"


def test_every_command_in_a_sentence_is_run_here_or_by_the_test_that_is_named(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used, commands = set(), dict.fromkeys(span for page in PAGES for span in spans(page))
    for command in commands:
        if "NAME" in command or "..." in command or len(command.split()) < 3:
            door = command.split()[1].strip("`,")
            assert door in myriad.DOORS, command
            continue
        elsewhere = next((start for start in ELSEWHERE if command.startswith(start)), None)
        if elsewhere is None:
            says(command, capsys, desk)
        else:
            used.add(elsewhere)
    assert used <= set(ELSEWHERE)
    for start, test in ELSEWHERE.items():
        assert (ROOT / test).exists(), test
        assert start.split()[1] in (ROOT / test).read_text(), f"{test} runs no {start}"


def test_the_law_is_tripped_by_a_command_that_fails(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = desk / "bad.md"
    page.write_text("```sh\nmyriad list\nfalse && true\n```\n")
    with pytest.raises(AssertionError, match="false"):
        walk(page, desk, capsys)


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                found = page.parent / target
                assert found.exists() or (ROOT / target).with_suffix(".md").exists(), f"{page.name} links to {target}"
