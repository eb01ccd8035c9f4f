"""A campaign on Nexar collisions with a published backbone: what it lacks is said first, and its measure is kept."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from actors import doors
from actors.errors import CampaignError
from actors.exports import prediction
from actors.running import checking
from events.facts import Completed
from kernels.backbones import pretrained
from tests import tiny
from tests.actors.hub import hub
from tests.faults.runs import Place
from tests.kernels.tasks.films import film
from tests.test_pages import taken

VIDEOS = 32
LEADS = ("0.5", "1")


def on_nexar(place: Place, videos: Path) -> None:
    task = f"[task]\nkind = \"nexar\"\nfolder = '{videos}'\nleads = [0.5, 1.0]\n\n[space]"
    text = re.sub(r"\[task\].*?\[space\]", task, tiny.FILE, flags=re.DOTALL).replace('["motion"]', '["convnext"]')
    place.file.write_text(text.replace("experiments = 6", "experiments = 2"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Small videos in the published layout, and a campaign's file that names them."""
    root = tmp_path_factory.mktemp("nexar")
    rows = {kind: [["file_name", "time_of_event", "time_of_alert"]] for kind in ("positive", "negative")}
    for n in range(VIDEOS):
        kind = "positive" if n % 2 == 0 else "negative"
        film(root / "data" / "train" / kind / f"{n:05d}.mp4", shade=n)
        rows[kind].append([f"{n:05d}.mp4", f"{2 + n / 40:.2f}" if kind == "positive" else "", ""])
    for kind, table in rows.items():
        with (root / "data" / "train" / kind / "metadata.csv").open("w", newline="") as opened:
            csv.writer(opened).writerows(table)
    place = Place(root, None)
    on_nexar(place, root / "data")
    return place


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models, empty so far, and no cache beside it."""
    monkeypatch.setenv(pretrained.MODELS, str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return tmp_path / "models"


def test_weights_and_the_package_that_are_missing_are_named_before_any_clip_is_read(
    place: Place, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = "get the weights of convnext with: hf download facebook/convnext-base-224-22k --local-dir"
    said = place.calls("run", str(place.file))
    assert (said.code, wanted in said.sentence) == (1, True), said
    with pytest.raises(CampaignError, match=wanted):
        checking.check(place.file, tmp_path / "home")
    assert not place.folder.path.exists() or not (place.folder.path / "clips").exists()
    monkeypatch.setitem(sys.modules, "transformers", None)
    both = r"the package transformers is not installed; pip install 'myriad\[pretrained\]'; .*convnext: is not there"
    with pytest.raises(CampaignError, match=both):
        checking.check(place.file, tmp_path / "home")


def test_the_downloads_of_the_page_bring_what_the_campaign_reads(place: Place, tmp_path: Path) -> None:
    """The Hub is a server of the test's; its files are the small videos of this module and a backbone's two files."""
    videos, weights = place.home.parent / "data", tmp_path / "weights"
    weights.mkdir()
    for name in ("config.json", "model.safetensors"):
        (weights / name).write_text(f"what {name} would hold")
    here = tmp_path / "here"
    here.mkdir()
    repositories = {
        "datasets/nexar-ai/nexar_collision_prediction": videos,
        "facebook/convnext-base-224-22k": weights,
    }
    with hub(repositories) as url:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "cache")}
        for line in taken("docs/nexar.md", "tests/actors/test_nexar_campaign.py"):
            subprocess.run(
                ["bash", "-c", line], cwd=here, env=environment, check=True, capture_output=True, timeout=120
            )
    assert contents(here / "nexar") == contents(videos)
    assert contents(here / "models" / "convnext") == contents(weights)


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and ".cache" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.prove
def test_a_campaign_on_nexar_runs_with_a_published_backbone_and_keeps_its_measure_at_each_lead(
    place: Place, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # No block between its layers: the class, its preprocessing and its width are those published, in milliseconds.
    kind = pretrained.import_transformers().ConvNextModel
    kind(kind.config_class(hidden_sizes=[4, 4, 4, 1024], depths=[0, 0, 0, 0], num_stages=4)).save_pretrained(
        models / "convnext"
    )
    ended = place.runs()
    assert ended.code == 0, ended.err
    runs = [fact for frame in place.frames() for fact in frame.facts if isinstance(fact, Completed)]
    assert len(runs) >= 2
    assert all(set(run.leads) == set(LEADS) for run in runs)
    assert all(0 < value <= 1 for run in runs for pair in run.leads.values() for value in pair)
    folder, run = prediction.kept("tiny", "champion", place.home)
    recorded = next(fact for fact in runs if fact.experiment == run.experiment).leads
    validation, test = prediction.again(folder, run)
    for number, part in enumerate((validation, test)):
        assert part.again == part.recorded
        assert {f"{lead:g}": value for lead, value in part.leads.items()} == {
            lead: pair[number] for lead, pair in recorded.items()
        }
    assert doors.predict("tiny", run.experiment, home=place.home) == 0
    assert capsys.readouterr().out.count("mean over leads") == 2
