"""The instrument names what changed; the platform names what may change last bits."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kernels import instrument, splits
from kernels.errors import MissingFeatures
from kernels.operations import compiled
from kernels.tasks import catalogue
from tests.kernels.conftest import World
from tests.kernels.packs import SIZE

BACKBONES = ["motion", "appearance"]


def test_the_same_instrument_has_the_same_digest(world: World) -> None:
    once, twice = (instrument.describe(world.folder, world.cache, BACKBONES, **SIZE) for _ in range(2))
    assert once == twice
    assert once.changed(twice) == ()
    assert {"source/training.py", "source/operations/recurrences.c", "features/motion", "split", "evaluation"} <= set(
        once.parts
    )


def test_another_network_size_split_or_feature_is_another_instrument_and_is_named(world: World, tmp_path: Path) -> None:
    before = instrument.describe(world.folder, world.cache, BACKBONES, **SIZE)
    wider = instrument.describe(world.folder, world.cache, BACKBONES, **(SIZE | {"width": 32}))
    assert wider.changed(before) == ("network",)
    fewer = instrument.describe(world.folder, world.cache, ["motion"], **SIZE)
    assert fewer.changed(before) == ("features/appearance",)
    task = catalogue.load(world.folder)
    positive = {name: name.startswith("positive") for name in task.names}
    splits.save(tmp_path, splits.assign(catalogue.contents(task), positive, key="another key"))
    catalogue.save(tmp_path, task)
    resplit = instrument.describe(tmp_path, world.cache, BACKBONES, **SIZE)
    assert resplit.changed(before) == ("split",)
    assert len({before.digest, wider.digest, fewer.digest, resplit.digest}) == 4


def test_one_changed_label_is_another_instrument(world: World, tmp_path: Path) -> None:
    before = instrument.describe(world.folder, world.cache, BACKBONES, **SIZE)
    shutil.copy(world.folder / "split.json", tmp_path)
    task = catalogue.load(world.folder)
    first, *rest = task.clips
    catalogue.save(tmp_path, replace(task, clips=(replace(first, positive=not first.positive), *rest)))
    relabelled = instrument.describe(tmp_path, world.cache, BACKBONES, **SIZE)
    assert relabelled.changed(before) == ("labels",)


def test_a_changed_line_of_source_changes_its_own_part(tmp_path: Path) -> None:
    room = Path(shutil.copytree(instrument.ROOM, tmp_path / "kernels"))
    assert instrument.source(room) == instrument.source()
    losses = room / "losses.py"
    losses.write_text(losses.read_text().replace("LEAST = 1e-6", "LEAST = 1e-5"))
    changed = {name for name, digest in instrument.source(room).items() if digest != instrument.source()[name]}
    assert changed == {"source/losses.py"}


def test_an_instrument_without_its_features_is_refused(world: World) -> None:
    with pytest.raises(MissingFeatures, match="sound"):
        instrument.describe(world.folder, world.cache, ["sound"], **SIZE)


def test_the_platform_names_device_lanes_versions_and_compiled_loops() -> None:
    platform = instrument.platform("cpu")
    assert set(platform) == {"device", "lanes", "compiled", "torch", "numpy", "triton", "av"}
    assert platform["compiled"] == compiled.describe()
    assert (platform["device"], platform["lanes"]) == ("cpu", "1")
    assert torch.__version__.startswith(platform["torch"])
