"""A kept run predicts: the recorded AP again on the recorded split, and a table for clips that nobody has labelled."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actors import doors
from actors.errors import CampaignError
from actors.exports import champion, prediction
from events.folder import Campaign as Folder
from kernels import precision
from tests import tiny
from tests.faults.runs import Place

HOUSE = str(Path(__file__).resolve().parents[2])


@pytest.fixture(scope="module")
def ran(world: Folder, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A tiny campaign that has ended."""
    place = Place(tmp_path_factory.mktemp("prediction"), world, tiny.ALONE)
    ended = place.runs()
    assert ended.code == 0, ended.err
    return place


def test_the_recorded_split_gives_the_recorded_ap_again_to_the_last_bit(ran: Place) -> None:
    folder, run = prediction.kept("tiny", "champion", ran.home)
    parts = prediction.again(folder, run)
    assert [(part.name, part.again) for part in parts] == [
        ("validation", run.outcome.validation),
        ("test", run.outcome.test),
    ]
    said = ran.calls("predict", "tiny", run.experiment)
    assert said.code == 0, said.err
    assert said.out.count("the same") == 2


def test_unlabelled_clips_get_a_score_each_in_either_form(ran: Place, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    source = next((ran.folder.path / "clips").glob("positive"))
    for path in sorted(source.glob("*.mp4"))[:3]:
        shutil.copy(path, clips / path.name)
    out = tmp_path / "scores.csv"
    assert doors.predict("tiny", "champion", clips, out=out, home=ran.home) == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["file"] for row in rows] == sorted(path.name for path in clips.iterdir())
    assert all(0 < float(row["score"]) < 1 for row in rows)
    assert doors.predict("tiny", "champion", clips, nexar=True, out=out, home=ran.home) == 0
    nexar = list(csv.DictReader(out.open()))
    assert {row["id"]: row["score"] for row in nexar} == {str(int(row["file"][:-4])): row["score"] for row in rows}


def test_a_clip_that_cannot_be_read_has_no_score_and_is_named(
    ran: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(next((ran.folder.path / "clips" / "positive").glob("*.mp4")), tmp_path / "good.mp4")
    (tmp_path / "bad.mp4").write_text("no video")
    assert doors.predict("tiny", "champion", tmp_path, home=ran.home) == 1
    said = capsys.readouterr()
    assert "no score: video" in said.err
    assert "bad.mp4" in said.err
    assert said.out.splitlines()[0] == "file,score"
    assert [line.partition(",")[0] for line in said.out.splitlines()[1:]] == ["good.mp4"]


def test_weights_that_are_not_those_of_the_log_are_refused(ran: Place, tmp_path: Path) -> None:
    folder, run = prediction.kept("tiny", "champion", ran.home)
    path = folder.checkpoints / f"{run.outcome.checkpoint}.safetensors"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(CampaignError, match=r"is not what .* left: its digest differs"):
            prediction.kept("tiny", run.experiment, ran.home)
        path.unlink()
        with pytest.raises(CampaignError, match=r"cannot be read from .*: No such file"):
            prediction.kept("tiny", run.experiment, ran.home)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["e-999", "nonsense"])
def test_an_experiment_that_is_not_there_is_one_sentence_that_offers_others(ran: Place, name: str) -> None:
    offer = f"has no completed experiment '{name}'; the best whose weights were kept: e-"
    with pytest.raises(CampaignError, match=offer):
        doors.predict("tiny", name, home=ran.home)


def test_a_folder_without_videos_is_one_sentence(ran: Place, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="is no video and holds none"):
        doors.predict("tiny", "champion", tmp_path, home=ran.home)


def test_extraction_says_what_it_takes_goes_on_where_it_stopped_and_leaves_nothing_to_a_run(
    world: Folder, tmp_path: Path
) -> None:
    place = Place(tmp_path, None)
    first = place.calls("extract", str(place.file), "--headless")
    assert first.code == 0, first.err
    assert f"disk: {tiny.CLIPS} clips take up to" in first.out
    assert "features: motion, 72 clips (all new), 105 wide" in first.out
    again = place.calls("extract", str(place.file), "--headless")
    assert "72 clips, 72 of them from before" in again.out or "72 of them from before" in again.out
    assert "(72 from before)" in again.out


ALONE = """
import sys
from importlib.abc import MetaPathFinder

REFUSED = {"msgspec", "nats", "pykka", "structlog", "optuna", "transformers", "events", "replay", "actors", "tui"}

class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"{name} was asked for")

sys.meta_path.insert(0, Refusing())
champion, cache, task = sys.argv[1:]
sys.path[:0] = [champion]
import load
from pathlib import Path
from kernels import datasets, features, precision, splits
held = features.open(Path(cache), load.CHAMPION.description["backbone"])
rows = {name: row for row, name in enumerate(held.header.names)}
labels = datasets.labels(Path(task))
import numpy as np
clips = splits.load(Path(task)).validation
scores = load.score(held.values[[rows[clip] for clip in clips]])
print(repr(precision.average_precision(scores, np.array([labels[clip] for clip in clips]))))
"""


def test_a_champion_taken_out_gives_the_recorded_ap_in_a_process_that_knows_torch_and_kernels_alone(
    ran: Place, tmp_path: Path
) -> None:
    to = tmp_path / "champion"
    said = ran.calls("export", "tiny", "--champion", str(to))
    assert said.code == 0, said.err
    assert {path.name for path in to.iterdir()} == {
        "configuration.json",
        "load.py",
        "predictions.csv",
        "weights.safetensors",
    }
    _, run = prediction.kept("tiny", "champion", ran.home)
    told = json.loads((to / "configuration.json").read_text())
    assert (told["experiment"], told["weights"]["sha256"]) == (run.experiment, run.outcome.checkpoint)
    assert told["configuration"]["backbone"] == "motion"
    assert told["average_precision"]["validation"] == {
        "recorded": run.outcome.validation,
        "again": run.outcome.validation,
    }
    folders = (str(to), str(ran.folder.features), str(ran.folder.path / "clips"))
    alone = subprocess.run((sys.executable, "-c", ALONE, *folders), capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.strip() == repr(run.outcome.validation)


def test_a_champions_predictions_are_those_that_its_recorded_aps_follow_from(ran: Place, tmp_path: Path) -> None:
    folder, run = prediction.kept("tiny", "champion", ran.home)
    parts = champion.take_out(folder, run, tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    for part in parts:
        mine = [row for row in rows if row["part"] == part.name]
        assert [row["file"] for row in mine] == list(part.clips)
        scores = np.array([float(row["logit"]) for row in mine], np.float32)
        labels = np.array([row["label"] == "1" for row in mine])
        assert precision.average_precision(scores, labels) == part.recorded
    with pytest.raises(CampaignError, match="is there already; nothing was changed"):
        champion.take_out(folder, run, tmp_path / "out")


def test_the_loader_scores_a_clip_from_the_command_line(ran: Place, tmp_path: Path) -> None:
    folder, run = prediction.kept("tiny", "champion", ran.home)
    champion.take_out(folder, run, tmp_path / "out")
    clip = min((ran.folder.path / "clips" / "positive").glob("*.mp4"))
    command = (sys.executable, str(tmp_path / "out" / "load.py"), str(clip))
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": HOUSE})
    assert said.returncode == 0, said.stderr
    logit = float(said.stdout.split()[-1])
    assert 1 / (1 + math.exp(-logit)) == pytest.approx(prediction.predict(run, [clip]).scores[clip.name], abs=1e-6)


def test_an_export_that_names_no_place_or_two_is_one_sentence(ran: Place, tmp_path: Path) -> None:
    for words in ((), (str(tmp_path / "a"), "--champion", str(tmp_path / "b"))):
        ended = ran.calls("export", "tiny", *words)
        assert (ended.code, ended.sentence.partition(",")[0]) == (2, "export needs a file to write")
