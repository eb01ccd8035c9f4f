"""A user's own videos: every bad row is named, none ends the task unless it should, and the user's split is kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from kernels import datasets, features, splits, video
from kernels.errors import BadRows, BadTask
from kernels.tasks import catalogue, preparation
from kernels.tasks.preparation import Wanted
from tests.kernels.tasks.films import film

CLIPS = 40


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty videos of three seconds, the even ones to be labelled positive."""
    folder = tmp_path_factory.mktemp("videos")
    for n in range(CLIPS):
        film(folder / f"v{n:02d}.mp4", shade=n)
    return folder


def rows(*more: str, event: str = "") -> str:
    usual = [f"v{n:02d}.mp4,{(n + 1) % 2},{event if n % 2 == 0 else ''}" for n in range(CLIPS)]
    return "\n".join(["file,label,event", *usual, *more])


def wanted(videos: Path, table: Path, **changes: object) -> Wanted:
    return Wanted(**({"kind": "clips", "folder": str(videos), "table": str(table), "leads": ()} | changes))  # type: ignore[arg-type] # one mapping of many kinds


def test_a_folder_and_a_table_become_a_task_with_features_split_and_labels(videos: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(rows())
    ready = preparation.prepare(tmp_path / "task", wanted(videos, table), processes=2)
    assert (ready.clips, ready.reused, ready.problems) == (CLIPS, 0, ())
    assert not list((tmp_path / "task").rglob("*.mp4"))
    features.extract(tmp_path / "task", "appearance", tmp_path / "cache")
    data = datasets.load(tmp_path / "task", tmp_path / "cache", "appearance")
    parts = (data.train, data.validation, data.test)
    assert sum(len(part.names) for part in parts) == CLIPS
    assert all(0 < part.labels.sum() < len(part.labels) for part in parts)
    assert preparation.prepare(tmp_path / "task", wanted(videos, table)).reused == CLIPS


def test_a_clip_shorter_than_the_view_repeats_its_first_picture(videos: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(rows())
    preparation.prepare(tmp_path / "task", wanted(videos, table))
    features.extract(tmp_path / "task", "appearance", tmp_path / "cache")
    values = features.open(tmp_path / "cache", "appearance").values
    # 2.9 s at five steps a second: fifteen steps move, the seventeen before them are the first picture.
    assert np.allclose(values[:, :17], values[:, 16:17], atol=1e-6)
    assert not np.allclose(values[:, 16], values[:, 17], atol=1e-6)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("v00.mp4,1,", "labels.csv, row 42: v00.mp4 was named before, in labels.csv, row 2"),
        ("gone.mp4,1,", "labels.csv, row 42: there is no file"),
        ("v01x.mp4,maybe,", "label 'maybe' of v01x.mp4 is not one of 1 | 0 | positive"),
        ("x.mp4,1,soon", "event of x.mp4: 'soon' is not a number of seconds from 0, nor empty"),
        ("x.mp4,0,1.5", "x.mp4 is negative and has an event at 1.5 s; leave the event empty"),
        (",1,", "file is empty; it must name a video under the folder"),
        ("text.mp4,1,", "text.mp4: cannot be decoded"),
        ("torn.mp4,1,", "torn.mp4"),
        ("late.mp4,1,9", "the event at 9 s lies after the video's end at 2.90 s"),
    ],
)
def test_a_bad_row_is_named_and_left_out_or_ends_a_strict_task(
    videos: Path, tmp_path: Path, row: str, sentence: str
) -> None:
    (videos / "text.mp4").write_text("no video")
    whole = film(videos / "late.mp4", shade=77).read_bytes()
    (videos / "torn.mp4").write_bytes(whole[: len(whole) // 2])
    table = tmp_path / "labels.csv"
    table.write_text(rows(row))
    ready = preparation.prepare(tmp_path / "task", wanted(videos, table))
    assert len(ready.problems) == 1
    assert sentence in ready.problems[0]
    assert ready.problems[0].startswith("labels.csv, row 42: ")
    assert ready.clips == CLIPS
    assert sentence in (tmp_path / "task" / "problems.txt").read_text()
    with pytest.raises(BadRows, match="strict = true"):
        preparation.prepare(tmp_path / "strict", wanted(videos, table, strict=True))
    assert not (tmp_path / "strict" / catalogue.FILE).exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file;label\n", "lacks the column file; it has file;label"),
        ("file,label\nv00.mp4,1\n", "gives 1 positive and 0 negative clips that can be used; at least 16 of each"),
    ],
)
def test_a_table_that_cannot_be_a_task_is_one_sentence(videos: Path, tmp_path: Path, text: str, sentence: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(BadTask, match=sentence):
        preparation.prepare(tmp_path / "task", wanted(videos, table))
    with pytest.raises(BadTask, match="cannot be read"):
        preparation.prepare(tmp_path / "task", wanted(videos, tmp_path / "none.csv"))


def test_a_clip_with_an_event_ends_before_it_and_negatives_end_at_like_moments(videos: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(rows(event="2.5"))
    preparation.prepare(tmp_path / "task", wanted(videos, table, leads=(0.5, 1.5)))
    held = catalogue.load(tmp_path / "task")
    assert len(held.clips) == 2 * CLIPS
    assert {clip.end for clip in held.clips if clip.positive} == {1.0, 2.0}
    assert {clip.end for clip in held.clips if not clip.positive} == {1.0, 2.0}
    split = splits.load(tmp_path / "task")
    for part in (split.train, split.validation, split.test):
        files = [name.partition("@")[0] for name in part]
        assert all(files.count(file) == 2 for file in files)


def test_a_users_own_split_is_kept_and_one_that_leaks_is_refused(videos: Path, tmp_path: Path) -> None:
    table, own = tmp_path / "labels.csv", tmp_path / "split.json"
    table.write_text(rows())
    names = [f"v{n:02d}.mp4" for n in range(CLIPS)]
    parts = {"train": names[:20], "validation": names[20:30], "test": names[30:38]}
    own.write_text(json.dumps(parts))
    ready = preparation.prepare(tmp_path / "task", wanted(videos, table, split=str(own)))
    held = splits.load(tmp_path / "task")
    assert [list(held.train), list(held.validation), list(held.test)] == list(parts.values())
    assert [problem.partition(": ")[2] for problem in ready.problems] == [
        "names no part for v38.mp4",
        "names no part for v39.mp4",
    ]
    own.write_text(json.dumps(parts | {"test": [*names[30:38], "v00.mp4"]}))
    with pytest.raises(BadTask, match="two parts"):
        preparation.prepare(tmp_path / "other", wanted(videos, table, split=str(own)))
    (videos / "twin.mp4").write_bytes((videos / "v00.mp4").read_bytes())
    table.write_text(rows("twin.mp4,1,"))
    own.write_text(json.dumps(parts | {"test": [*names[30:38], "twin.mp4"]}))
    with pytest.raises(BadTask, match=r"the same video into train \(v00.mp4\) and test \(twin.mp4\)"):
        preparation.prepare(tmp_path / "other", wanted(videos, table, split=str(own)))


def test_a_clip_that_breaks_only_while_it_is_read_is_left_out_of_a_task_that_is_not_strict(
    videos: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(rows())
    preparation.prepare(tmp_path / "task", wanted(videos, table))
    whole = (videos / "v07.mp4").read_bytes()
    try:
        (videos / "v07.mp4").write_bytes(whole[:200])
        made = features.extract(tmp_path / "task", "appearance", tmp_path / "cache", processes=2)
    finally:
        (videos / "v07.mp4").write_bytes(whole)
    assert made.clips == CLIPS - 1
    assert made.problems[0].startswith("v07.mp4: video ")
    data = datasets.load(tmp_path / "task", tmp_path / "cache", "appearance")
    assert sum(len(part.names) for part in (data.train, data.validation, data.test)) == CLIPS - 1


def test_pictures_of_a_broken_frame_rate_are_chosen_by_their_time_stamps(tmp_path: Path) -> None:
    times = [0.0, 0.01, 0.02, 1.0, 1.5, 1.51, 3.0]
    path = film(tmp_path / "odd.mp4", times=times)
    assert video.span(path).times == pytest.approx(times)
    shown = video.read(path, [3.0, 2.0, 1.6, 1.49, 0.0], "luma").mean((1, 2))
    expected = video.read(path, [3.0 - time for time in (0.0, 1.0, 1.0, 1.51, 3.0)], "luma").mean((1, 2))
    assert np.array_equal(shown, expected)
    early = video.read(path, [0.0, 0.5], "luma", end=1.2).mean((1, 2))
    assert np.array_equal(early, video.read(path, [2.0, 2.9], "luma").mean((1, 2)))
