"""The study's driver and its page: what ends it on the way costs nothing twice, and the page follows from archives."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from events import campaigns
from events.archives import archive
from replay.audit import audit
from tests.actors.waiting import eventually
from tests.benchmarks import study_report
from tests.benchmarks.study import Plan, champion, searched
from tests.faults.runs import adopting
from tests.replay import tales

LITTLE = """\
import sys
from pathlib import Path
from tests.benchmarks.study import Plan, study
space = 'backbone = ["motion", "appearance"]\\nepochs = [5]\\nlength = [8, 12]\\nbatch = [32]\\nencoder = ["retnet"]\\n'
if __name__ == "__main__":
    plan = Plan(Path("home"), Path("study"), 4, 3, 72, ("a",), ("uniform", "tpe"), space)
    sys.exit(0 if study(plan) else 1)
"""
WITHIN = 300.0


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Archives of four told campaigns where a study would keep its own, and three repeats, the last torn."""
    for name in ("a-tpe", "a-uniform", "b-tpe", "b-uniform"):
        archive.export(tales.busy(30).log, tmp_path / f"study-{name}.myriad")
    row = {"experiment": "study-a-tpe e-1", "configuration": {"backbone": "motion"}, "test": 0.7, "noise": 0.03}
    rows = [json.dumps(row | {"seed": seed, "validation": 0.7 + seed / 10}) for seed in (1, 2, 3)]
    (tmp_path / "repeats.jsonl").write_text("\n".join(rows)[:-9])
    return tmp_path


def test_the_page_has_each_searchs_row_each_fleets_variance_and_winner_and_what_it_does_not_show(kept: Path) -> None:
    page = study_report.page(kept)
    assert page == study_report.page(kept)
    for name in ("a-tpe", "a-uniform", "b-tpe", "b-uniform"):
        assert page.count(f"| study-{name} |") == 2
    assert page.count("\n| backbone x encoder |") == page.count("\n| backbone |") == 2
    assert page.count("of 2,000 resamples.") == 2
    assert "## One configuration, 2 seeds" in page
    assert "| validation | 0.8500 | 0.0707 | 0.8000 | 0.9000 |" in page
    assert page.index("## What this does not show") > page.index("## The winning backbone")


KEPT = Path(__file__).resolve().parents[2] / "docs" / "study"


@pytest.mark.parametrize("name", ["a-tpe", "a-uniform", "b-tpe", "b-uniform"])
def test_a_campaign_of_the_study_that_is_kept_completed_172_runs_and_holds_every_law(name: str) -> None:
    log = campaigns.open(str(KEPT / f"study-{name}.myriad"))
    try:
        assert audit(log).verdict == "held"
    finally:
        log.close()
    assert len(study_report.searched(KEPT / f"study-{name}.myriad").done) == 172


def test_the_page_of_the_study_that_is_kept_is_made_from_its_archives_and_twenty_repeats_alone() -> None:
    assert {row["seed"] for row in study_report.repeats(KEPT / "repeats.jsonl")} == set(range(1, 21))
    assert KEPT.with_suffix(".md").read_text() == study_report.page(KEPT)


def test_a_clear_winner_leads_in_every_resample_and_a_tie_in_about_half() -> None:
    clear = study_report.winner({"low": [0.5, 0.52, 0.51] * 5, "high": [0.8, 0.82, 0.81] * 5}, "clear")
    assert clear[:2] == ("high", "low")
    assert clear[2] == pytest.approx(0.3)
    assert clear[3] > 0.27
    assert clear[5] == 1.0
    tie = study_report.winner({"one": [0.5, 0.7, 0.6] * 5, "other": [0.5, 0.7, 0.6] * 5}, "tie")
    assert tie[3] < 0 < tie[4]
    assert 0.4 < tie[5] < 0.65


def test_a_campaign_whose_archive_is_kept_is_not_run_again(kept: Path, tmp_path: Path) -> None:
    plan = Plan(tmp_path / "home", kept)
    assert searched(plan, "b", "uniform")
    assert not (tmp_path / "home").exists()
    name, configuration = champion(plan)
    assert name.startswith("study-a-")
    assert configuration["backbone"] in {"appearance", "motion"}


@pytest.mark.prove
def test_a_study_that_is_killed_twice_goes_on_and_runs_nothing_again(tmp_path: Path) -> None:
    house = str(Path(__file__).resolve().parents[2])
    (tmp_path / "little.py").write_text(LITTLE)
    command = (sys.executable, str(tmp_path / "little.py"))
    told = {"cwd": tmp_path, "env": {"PYTHONPATH": house, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}}
    to = tmp_path / "study"
    with adopting():
        for seen in (to / "study-a-uniform.myriad", to / "repeats.jsonl"):
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **told)  # type: ignore[call-overload] # one mapping of two kinds
            eventually(lambda seen=seen: seen.exists() and seen.stat().st_size > 0, within=WITHIN)
            child.send_signal(signal.SIGKILL)
            child.wait()
        before = {path: path.read_bytes() for path in to.glob("*.myriad")}
        ended = subprocess.run(command, capture_output=True, text=True, check=False, **told)  # type: ignore[call-overload] # likewise
    assert ended.returncode == 0, ended.stderr
    assert all(path.read_bytes() == held for path, held in before.items())
    assert sorted(row["seed"] for row in study_report.repeats(to / "repeats.jsonl")) == [1, 2, 3]
    for path in sorted(to.glob("*.myriad")):
        log = campaigns.open(str(path))
        assert audit(log).verdict == "held"
        log.close()
        assert len(study_report.searched(path).done) >= 4
    assert "of 2,000 resamples." in (tmp_path / "study.md").read_text()
