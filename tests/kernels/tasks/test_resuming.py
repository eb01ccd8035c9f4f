"""A preparation that is killed goes on where it stood, and ends in the same bytes as one that was not."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernels import features
from kernels.tasks import catalogue, gathering, preparation
from kernels.tasks.preparation import Wanted
from tests.kernels.tasks.films import film

VIDEOS = 40
# Ended from within, so that what was done by then is known: no word goes out after it, and nothing is cleaned up.
KILLED = """
import os, signal, sys
from pathlib import Path
from kernels import features
from kernels.tasks import preparation

def progress(done, total):
    if done == {at}:
        os.kill(os.getpid(), signal.SIGKILL)

{call}
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short videos and their table."""
    folder = tmp_path_factory.mktemp("videos")
    rows = ["file,label"]
    for n in range(VIDEOS):
        film(folder / f"v{n:02d}.mp4", shade=n, seconds=1.0)
        rows.append(f"v{n:02d}.mp4,{n % 2}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def wanted(videos: Path) -> Wanted:
    return Wanted(kind="clips", folder=str(videos), table=str(videos / "labels.csv"), leads=())


def killed(call: str, *, at: int) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED.format(at=at, call=call)], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_features_whose_extraction_was_killed_are_extracted_from_there_to_the_same_digest(
    videos: Path, tmp_path: Path
) -> None:
    task, cache = tmp_path / "task", tmp_path / "cache"
    preparation.prepare(task, wanted(videos))
    whole = features.extract(task, "appearance", tmp_path / "other")
    killed(f"features.extract(Path({str(task)!r}), 'appearance', Path({str(cache)!r}), progress=progress)", at=7)
    assert not (cache / "appearance.json").exists()
    resumed = features.extract(task, "appearance", cache)
    assert (resumed.reused, resumed.clips, resumed.digest) == (7, VIDEOS, whole.digest)
    assert {path.name for path in cache.iterdir()} == {"appearance.json", resumed.path.name}
    held, other = (features.open(folder, "appearance").values for folder in (cache, tmp_path / "other"))
    assert np.array_equal(held, other)


def test_a_look_at_videos_that_was_killed_is_not_taken_again(videos: Path, tmp_path: Path) -> None:
    call = f"preparation.prepare(Path({str(tmp_path)!r}), preparation.{wanted(videos)!r}, progress=progress)"
    killed(call, at=20)
    assert not (tmp_path / catalogue.FILE).exists()
    assert preparation.prepare(tmp_path, wanted(videos)).reused == gathering.KEPT_EVERY
