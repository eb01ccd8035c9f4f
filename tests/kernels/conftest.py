"""One small world of roadsim, rendered and described once for all tests of this room."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from kernels import datasets, features
from kernels.datasets import Dataset, Part
from kernels.operations import tiled
from kernels.tasks import roadsim
from tests.sharing import made_once

# Before anything imports Triton, which asks only then: without a GPU its programs are interpreted.
if not torch.cuda.is_available():
    tiled.interpret()


@dataclass(frozen=True)
class World:
    """A rendered task folder, its feature cache, and both backbones' data."""

    folder: Path
    cache: Path
    motion: Dataset
    appearance: Dataset


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Training here means one thread: so do the tests, and other programs of the machine are left in peace."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """480 clips, of which 379 train, described by both backbones."""
    root = made_once(tmp_path_factory, "roads", _make)
    folder, cache = root / "task", root / "cache"
    return World(folder, cache, datasets.load(folder, cache, "motion"), datasets.load(folder, cache, "appearance"))


def _make(root: Path) -> None:
    roadsim.render(root / "task", clips=480, seed=7, processes=2)
    for backbone in ("motion", "appearance"):
        features.extract(root / "task", backbone, root / "cache", processes=2)


@pytest.fixture(scope="session")
def small() -> Dataset:
    """64 training clips of noise with a planted ramp, for tests of mechanics rather than of learning."""
    rng = np.random.default_rng(3)

    def part(clips: int) -> Part:
        labels = np.arange(clips) % 2 == 0
        values = rng.standard_normal((clips, 32, 5)).astype(np.float32)
        values[labels, :, 0] += np.linspace(-1, 1, 32, dtype=np.float32)
        return Part(tuple(f"{n}" for n in range(clips)), values, labels)

    nothing = np.zeros(5, np.float32)
    return Dataset("motion", part(64), part(24), part(16), nothing, nothing + 1, "planted")
