"""Nexar's two published layouts read alike, each trap of theirs named, and its measure exact."""

import csv
from pathlib import Path

import numpy as np
import pytest

from kernels import foresight, precision
from kernels.errors import BadTask
from kernels.tasks import catalogue, nexar, preparation
from kernels.tasks.preparation import Wanted
from tests.kernels.tasks.films import film

VIDEOS = 36


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set's own layout: metadata.csv beside the videos of each label; number 4 has a broken frame rate."""
    root = tmp_path_factory.mktemp("published")
    for kind in nexar.KINDS:
        (root / "train" / kind).mkdir(parents=True)
        with (root / "train" / kind / "metadata.csv").open("w", newline="") as opened:
            table = csv.writer(opened)
            table.writerow(["file_name", "time_of_event", "time_of_alert", "light_conditions", "weather", "scene"])
            for n in range(VIDEOS):
                if (n % 2 == 0) == (kind == "positive"):
                    times = [0.0, 0.01, 0.02, 1.0, 2.0, 2.1, 4.0] if n == 4 else None
                    film(root / "train" / kind / f"{n:05d}.mp4", seconds=4.0, shade=n, times=times)
                    event = f"{2.0 + n / 20:.2f}" if kind == "positive" else ""
                    table.writerow([f"{n:05d}.mp4", event, event and "1.6", "Normal", "Clear", "Urban"])
    return root


@pytest.fixture(scope="module")
def competition(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The competition's layout of the same videos."""
    root = tmp_path_factory.mktemp("competition")
    (root / "train").mkdir()
    lines = ["id,target,time_of_event,time_of_alert"]
    for n in range(VIDEOS):
        kind = "positive" if n % 2 == 0 else "negative"
        (root / "train" / f"{n:05d}.mp4").write_bytes((published / "train" / kind / f"{n:05d}.mp4").read_bytes())
        lines.append(f"{n},1,{2.0 + n / 20:.2f},1.6" if n % 2 == 0 else f"{n}.0,0,,")
    (root / "train.csv").write_text("\n".join(lines))
    return root


def prepared(folder: Path, root: Path, **changes: object) -> tuple[catalogue.Catalogue, tuple[str, ...]]:
    wanted = Wanted(**({"kind": "nexar", "folder": str(root)} | changes))  # type: ignore[arg-type] # as above
    ready = preparation.prepare(folder, wanted)
    return catalogue.load(folder), ready.problems


def test_both_layouts_give_the_same_clips(published: Path, competition: Path, tmp_path: Path) -> None:
    one, problems = prepared(tmp_path / "one", published)
    other, others = prepared(tmp_path / "other", competition)
    assert problems == others == ()
    assert len(one.clips) == 3 * VIDEOS
    told = [{(clip.content, clip.end, clip.positive) for clip in task.clips} for task in (one, other)]
    assert told[0] == told[1]


def test_each_video_is_seen_half_a_second_one_and_one_and_a_half_before_its_event(
    published: Path, tmp_path: Path
) -> None:
    task, _ = prepared(tmp_path, published)
    ends = [task.by_name[f"train/positive/00004.mp4@{lead:g}"].end for lead in nexar.LEADS]
    assert ends == pytest.approx([1.7, 1.2, 0.7])
    positive = {clip.end for clip in task.clips if clip.positive}
    assert {clip.end for clip in task.clips if not clip.positive} <= positive


def test_missing_truncated_and_impossible_rows_are_named_and_the_rest_is_used(
    competition: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    (root / "train").mkdir(parents=True)
    for path in (competition / "train").iterdir():
        (root / "train" / path.name).symlink_to(path)
    whole = (competition / "train" / "00002.mp4").read_bytes()
    (root / "train" / "00100.mp4").write_bytes(whole[:-400])
    table = (competition / "train.csv").read_text()
    bad = ["100,1,2.0,1.6", "101,1,2.0,1.6", "102,1,nan,nan", "x,0,,", "104,2,,", "105,1,early,"]
    (root / "train.csv").write_text("\n".join([table, *bad]))
    task, problems = prepared(tmp_path / "task", root)
    assert len(task.clips) == 3 * VIDEOS
    assert len(problems) == len(bad)
    for sentence in (
        "00100.mp4",
        "there is no file",
        "train/00102.mp4 is positive and has no time_of_event",
        "id 'x' is not a whole number",
        "target '2' is not 0 or 1",
        "time_of_event of train/00105.mp4: 'early'",
    ):
        assert any(sentence in problem for problem in problems), (sentence, problems)


def test_a_file_whose_header_promises_more_pictures_than_it_holds_is_named(tmp_path: Path) -> None:
    """The index of such a file stands before its pictures, so it opens as if nothing were wrong."""
    import av

    from kernels.tasks import gathering

    film(tmp_path / "plain.mp4", seconds=20.0)
    with (
        av.open(str(tmp_path / "plain.mp4")) as source,
        av.open(str(tmp_path / "front.mp4"), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    whole = (tmp_path / "front.mp4").read_bytes()
    assert gathering.look(tmp_path, 2.0, "front.mp4").problem is None
    (tmp_path / "front.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    assert "is truncated: " in (gathering.look(tmp_path, 2.0, "front.mp4").problem or "")


def test_a_folder_of_neither_layout_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadTask, match="holds neither train"):
        prepared(tmp_path / "task", tmp_path)


def test_the_measure_is_the_mean_over_leads_of_the_average_precision_at_each() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(30) % 3 == 0, 3)
    scores = rng.integers(0, 6, 90).astype(np.float32)
    leads = np.repeat(nexar.LEADS, 30)
    at, mean = precision.nexar(scores, labels, leads)
    expected = [precision.average_precision(scores[s : s + 30], labels[s : s + 30]) for s in (0, 30, 60)]
    assert list(at.values()) == expected
    assert mean == pytest.approx(sum(expected) / 3, abs=1e-15)
    order = rng.permutation(90)
    assert precision.nexar(scores[order], labels[order], leads[order]) == (at, mean)


def test_ties_across_leads_do_not_meet_and_ties_within_a_lead_enter_together() -> None:
    scores = np.array([1, 1, 1, 1], np.float32)
    labels = np.array([True, False, True, False])
    assert precision.nexar(scores, labels, np.array([0.5, 0.5, 1.0, 1.0])) == ({0.5: 0.5, 1.0: 0.5}, 0.5)


def test_a_name_without_a_lead_or_a_lead_without_a_positive_clip_leaves_the_measure_unsaid() -> None:
    scores, labels = np.array([3, 2, 1, 0], np.float32), np.array([True, False, True, False])
    named = [foresight.name(f"v{n}.mp4", lead) for lead in (0.5, 1.0) for n in (0, 1)]
    assert foresight.judged(named, scores, labels) == {0.5: 1.0, 1.0: 1.0}
    assert foresight.judged([*named[:3], "v1.mp4"], scores, labels) == {}
    assert foresight.judged([*named[:3], "v1@home.mp4"], scores, labels) == {}
    assert foresight.judged(named, scores, np.array([True, False, False, False])) == {}
