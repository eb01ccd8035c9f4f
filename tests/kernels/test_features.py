"""Feature caches: reused when they fit, refused when they are damaged or dead, and different between backbones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernels import datasets, features, splits
from kernels.backbones import filters
from kernels.backbones.backbone import STEPS, Floats
from kernels.errors import BadConfiguration, BadFeatures, BadTask, MissingFeatures
from kernels.tasks import catalogue
from tests.kernels.conftest import World


@pytest.fixture
def cache(world: World, tmp_path: Path) -> Path:
    """A copy of the world's cache that a test may harm."""
    return Path(shutil.copytree(world.cache, tmp_path / "cache"))


def test_extracting_again_reuses_every_clip(world: World) -> None:
    again = features.extract(world.folder, "motion", world.cache)
    assert again.reused == again.clips == 480
    assert again.path.name == f"motion-{again.digest[:16]}.npy"


def test_features_of_another_recipe_are_extracted_anew(world: World, cache: Path) -> None:
    task = tmp_task(world, cache)
    header = cache / "appearance.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"recipe": "an older one"}))
    assert features.extract(task, "appearance", cache).reused == 0


def tmp_task(world: World, cache: Path) -> Path:
    """A task folder with only eight of the world's clips."""
    folder = cache.parent / "task"
    whole = catalogue.load(world.folder)
    kept = [*whole.names[:4], *whole.names[-4:]]
    for name in kept:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(world.folder / name, folder / name)
    catalogue.save(folder, replace(whole, root=folder, clips=tuple(whole.by_name[name] for name in kept)))
    return folder


def test_several_processes_extract_the_same_bytes_as_one(world: World, tmp_path: Path) -> None:
    task = tmp_task(world, tmp_path / "unused")
    seen: list[tuple[int, int]] = []
    one = features.extract(task, "motion", tmp_path / "one", progress=lambda *at: seen.append(at))
    two = features.extract(task, "motion", tmp_path / "two", processes=2)
    assert one.digest == two.digest
    assert seen == [(n, 8) for n in range(1, 9)]


def test_a_header_says_what_the_features_are(world: World) -> None:
    header = features.open(world.cache, "motion").header
    assert (header.backbone, header.rate, header.length, header.width) == ("motion", 5, 32, 105)
    assert "0.1 s apart" in header.preprocessing
    assert len(header.names) == 480


def test_features_are_memory_mapped_float32_of_the_stated_shape(world: World) -> None:
    values = features.open(world.cache, "appearance").values
    assert isinstance(values, np.memmap)
    assert (values.shape, values.dtype) == ((480, 32, 75), np.float32)


def test_missing_features_name_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingFeatures, match=r"backbone 'motion'.*run features.extract"):
        features.open(tmp_path, "motion")


def test_one_flipped_bit_is_refused(cache: Path) -> None:
    (path,) = cache.glob("motion-*.npy")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadFeatures, match="damaged; delete it and extract again"):
        features.open(cache, "motion")


def test_a_constant_column_and_one_that_is_not_finite_are_refused_by_number() -> None:
    values = np.random.default_rng(0).standard_normal((6, 4, 5)).astype(np.float32)
    features.refuse_dead_columns("motion", values)
    flat, broken = values.copy(), values.copy()
    flat[..., 3] = 0.25
    broken[2, 1, 4] = np.nan
    with pytest.raises(BadFeatures, match=r"columns \[3\] are constant"):
        features.refuse_dead_columns("motion", flat)
    with pytest.raises(BadFeatures, match=r"columns \[4\] are not finite"):
        features.refuse_dead_columns("motion", broken)


def test_an_unknown_backbone_and_an_unfinished_task_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="allowed: appearance, motion"):
        features.extract(world.folder, "sound", tmp_path)
    with pytest.raises(BadTask, match="is missing"):
        features.extract(tmp_path, "motion", tmp_path)


def test_standardisation_uses_the_training_part_alone(world: World) -> None:
    values = world.motion.train.values.reshape(-1, 105)
    assert np.allclose(values.mean(0), 0, atol=1e-3)
    assert np.allclose(values.std(0), 1, atol=1e-2)
    raw = features.open(world.cache, "motion")
    place = raw.header.names.index(world.motion.test.names[0])
    expected = (raw.values[place] - world.motion.mean) / world.motion.spread
    assert np.array_equal(world.motion.test.values[0], expected)


def test_a_split_changed_by_hand_is_refused(world: World, tmp_path: Path) -> None:
    held = json.loads((world.folder / "split.json").read_text())
    held["train"].append(held["test"].pop())
    (tmp_path / "split.json").write_text(json.dumps(held))
    with pytest.raises(BadTask, match="changed by hand"):
        splits.load(tmp_path)


def test_features_of_other_clips_are_refused(world: World, cache: Path) -> None:
    header = cache / "motion.json"
    held = json.loads(header.read_text())
    held["names"][0] = "positive/99999.mp4"
    header.write_text(json.dumps(held))
    with pytest.raises(BadTask, match="other clips"):
        datasets.load(world.folder, cache, "motion")


def square(left: float, size: float) -> Floats:
    """A dark square with soft edges on grey, 64 by 96."""
    y, x = np.mgrid[:64, :96] + 0.5
    inside = np.clip(size / 2 + 0.5 - np.abs(x - left), 0, 1) * np.clip(size / 2 + 0.5 - np.abs(y - 30), 0, 1)
    picture: Floats = (150 - 100 * inside).astype(np.float32)
    return picture


def flow(before: Floats, after: Floats) -> Floats:
    """Shift right, shift down and expansion of the window in the middle of the picture."""
    pictures = np.tile(np.stack([before, after])[None], (STEPS, 1, 1, 1)).round().astype(np.uint8)
    described = filters.motion(pictures)[0].reshape(len(filters.ROWS), len(filters.COLUMNS), 5)
    middle: Floats = described[1, 3, :3]
    return middle


def test_motion_tells_rightwards_from_leftwards_and_looming_from_receding() -> None:
    assert flow(square(47, 16), square(48, 16))[0] > 0.2
    assert flow(square(48, 16), square(47, 16))[0] < -0.2
    assert flow(square(48, 16), square(48, 18))[2] > 0.01
    assert flow(square(48, 18), square(48, 16))[2] < -0.01
    assert np.allclose(flow(square(48, 16), square(48, 16)), 0, atol=1e-4)


def test_appearance_says_where_the_shadow_is_and_does_not_mind_a_darker_day() -> None:
    near, far = (np.tile(square(left, 20)[None, None], (32, 1, 1, 1)) for left in (30, 66))
    left, right = (filters.appearance(p.astype(np.uint8))[0].reshape(3, -1) for p in (near, far))
    assert np.abs(left - right).max() > 0.05
    dim = filters.appearance((near * 0.6).astype(np.uint8))[0].reshape(3, -1)
    assert np.abs(dim - left).max() < 0.02
