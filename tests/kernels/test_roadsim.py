"""The simulated road: labels by physics, real files, the same pixels from the same seed, and no half-written clip."""

import csv
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kernels import splits, video
from kernels.errors import AnotherWorld, BadTask, BadVideo
from kernels.tasks import physics, roadsim
from tests.kernels.conftest import World


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    once, twice, other = roadsim.pixels(4, 2), roadsim.pixels(4, 2), roadsim.pixels(5, 2)
    assert once.shape == (64, 64, 96, 3)
    assert np.array_equal(once, twice)
    assert not np.array_equal(once, other)


def test_a_second_rendering_reuses_every_clip_and_has_the_same_digest(tmp_path: Path) -> None:
    first = roadsim.render(tmp_path, clips=32, seed=1)
    second = roadsim.render(tmp_path, clips=32, seed=1)
    assert (first.reused, second.reused) == (0, 32)
    assert first.digest == second.digest
    (tmp_path / roadsim.name_of(3)).unlink()
    third = roadsim.render(tmp_path, clips=36, seed=1, processes=2)
    assert (third.clips, third.reused) == (36, 31)
    assert third.digest != first.digest


def test_a_damaged_clip_is_rendered_again(tmp_path: Path) -> None:
    first = roadsim.render(tmp_path, clips=32, seed=1)
    damaged = tmp_path / roadsim.name_of(3)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    again = roadsim.render(tmp_path, clips=32, seed=1)
    assert (again.reused, again.digest) == (31, first.digest)


def test_progress_counts_every_clip_up_to_all(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    roadsim.render(tmp_path, clips=32, seed=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 32) for n in range(1, 33)]


def test_a_folder_of_another_seed_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    roadsim.render(tmp_path, clips=32, seed=1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(AnotherWorld, match="holds clips of roadsim 2, seed 1, fleet a, not of roadsim 2, seed 2"):
        roadsim.render(tmp_path, clips=32, seed=2)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_second_fleet_sees_the_same_roads_and_ends_but_no_motion_between_neighbouring_frames() -> None:
    fast, slow = roadsim.pixels(4, 2, "a"), roadsim.pixels(4, 2, "b")
    assert np.array_equal(slow[1::2], fast[1::2])
    assert np.array_equal(slow[0::2], slow[1::2])
    assert not any(np.array_equal(one, other) for one, other in pairwise(fast))


def test_a_folder_of_the_other_fleet_is_refused_by_what_its_recorder_does(tmp_path: Path) -> None:
    roadsim.render(tmp_path, clips=32, seed=1)
    with pytest.raises(AnotherWorld, match="fleet a, not of roadsim 2, seed 1, fleet b, a picture in 2 frames"):
        roadsim.render(tmp_path, clips=32, seed=1, fleet="b")


def test_too_few_clips_to_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTask, match="at least 32 clips"):
        roadsim.render(tmp_path, clips=31, seed=1)


def test_a_killed_rendering_leaves_no_half_written_clip_and_is_resumed(tmp_path: Path) -> None:
    program = "import sys, pathlib, kernels.tasks.roadsim as r; r.render(pathlib.Path(sys.argv[1]), clips=400, seed=1)"
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*/*.mp4"))) < 5:
        assert time.monotonic() < deadline, "the child rendered nothing"
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    whole = list(tmp_path.glob("*/*.mp4"))
    assert 5 <= len(whole) < 400
    assert not (tmp_path / "task.json").exists()
    for path in whole:
        assert len(video.read(path, [0.0, 6.3])) == 2
    resumed = roadsim.render(tmp_path, clips=32, seed=1)
    assert resumed.reused == len([path for path in whole if int(path.stem) < 32])
    assert not list(tmp_path.glob("*/*.part"))
    assert resumed.digest == roadsim.render(tmp_path, clips=32, seed=1).digest


def test_half_of_the_clips_are_positive_and_their_events_follow_the_clips_end(world: World) -> None:
    table = rows(world.folder)
    positive = [row for row in table if row["time_of_event"]]
    assert len(positive) * 2 == len(table)
    for row in positive:
        assert row["file_name"].startswith("positive/")
        assert 6.3 < float(row["time_of_event"]) <= 6.3 + physics.HORIZON
        assert float(row["time_of_alert"]) < 6.3
    assert tuple(table[0]) == roadsim.COLUMNS


def test_the_split_has_the_papers_proportion_is_balanced_and_disjoint_by_content(world: World) -> None:
    split = splits.load(world.folder)
    sizes = np.array([len(split.train), len(split.validation), len(split.test)])
    assert np.allclose(sizes / 480, np.array(splits.PROPORTION) / 1500, atol=0.005)
    parts = (world.motion.train, world.motion.validation, world.motion.test)
    assert all(abs(part.labels.mean() - 0.5) < 0.02 for part in parts)
    contents = [{(world.folder / name).read_bytes() for name in part.names} for part in parts]
    assert sum(map(len, contents)) == len(set().union(*contents)) == 480


def test_equal_videos_under_two_names_fall_into_one_part() -> None:
    contents = {f"{n}.mp4": f"digest {n // 2}" for n in range(200)}
    split = splits.assign(contents, {name: int(name[:-4]) // 2 % 2 == 0 for name in contents})
    for part in (split.train, split.validation, split.test):
        held = [contents[name] for name in part]
        assert all(held.count(digest) == 2 for digest in held)


def test_labels_follow_from_physics() -> None:
    towards = physics.Motion(np.array([0.0, 10.0]), np.array([0.0, -10.0]), np.zeros(2))
    assert physics.collision_after(towards, 1.5) == pytest.approx(0.3, abs=0.03)
    aside = physics.Motion(np.array([2.5, 10.0]), np.array([0.0, -10.0]), np.zeros(2))
    assert physics.collision_after(aside, 1.5) is None
    assert physics.collision_after(towards.reversed(), 1.5) is None


def test_a_clip_ends_where_its_label_was_decided() -> None:
    rng = np.random.default_rng(0)
    end = physics.draw_motion(rng, physics.draw_position(rng), collides=True)
    start = physics.draw_motion(rng, physics.draw_position(rng), collides=False)
    path = physics.trajectory(rng, start, end)
    reach = 2 * physics.WOBBLE
    assert (np.abs(path[-1] - end.position) <= reach).all()
    assert (np.abs(path[0] - start.position) <= reach).all()


def test_pictures_are_chosen_by_time_stamp(tmp_path: Path) -> None:
    frames = np.stack([np.full((48, 64, 3), 4 * n, np.uint8) for n in range(60)])
    video.write(tmp_path / "ramp.mp4", frames)
    shown = video.read(tmp_path / "ramp.mp4", [5.9, 2.0, 0.25, 0.0, 99.0]).mean((1, 2, 3))
    assert np.allclose(shown, np.array([0, 39, 56, 59, 0]) * 4, atol=4)
    luma = video.read(tmp_path / "ramp.mp4", [5.9, 2.0, 0.25, 0.0], "luma")
    assert luma.shape == (4, 48, 64)
    # Coded brightness keeps to 16 to 235.
    assert np.allclose(luma.mean((1, 2)), 16 + np.array([0, 39, 56, 59]) * 4 * 219 / 255, atol=4)


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    with pytest.raises(BadVideo, match=r"bad\.mp4: cannot be decoded"):
        video.read(tmp_path / "bad.mp4", [0.0])
