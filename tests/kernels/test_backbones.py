"""Backbones: the shipped ones are what their record says, the published ones run by their own classes, unharmed."""

import hashlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kernels.backbones import networks, pretrained, registry
from kernels.backbones.backbone import STEPS
from kernels.errors import BadConfiguration, BadWeights
from kernels.tasks import pretraining, roadsim
from tests.kernels.conftest import World

SMALL = {
    "vjepa2": {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "crop_size": 256, "mlp_ratio": 1},
    "dinov3_b": {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24},
    "dinov3_l": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24},
    "dinov2_b": {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_ratio": 1},
    "siglip2": {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24},
    "convnext": {"hidden_sizes": [4, 8, 12, 24], "depths": [1, 1, 1, 1], "num_stages": 4},
}


def small(name: str) -> torch.nn.Module:
    """A model of the published class with few random weights."""
    torch.manual_seed(3)
    kind = getattr(pretrained.import_transformers(), pretrained.PUBLISHED[name].kind)
    made: torch.nn.Module = kind(kind.config_class(**SMALL[name])).eval()
    return made


@pytest.mark.parametrize("name", list(pretrained.PUBLISHED))
def test_each_published_backbone_describes_a_clip_by_its_own_class(name: str) -> None:
    published, model = pretrained.PUBLISHED[name], small(name)
    width = 32 if name == "dinov3_l" else 24
    backbone = pretrained.made(name, published, width, lambda: model, lambda: "random")
    steps = 2
    pictures = np.random.default_rng(0).integers(0, 255, (steps, published.pictures, 72, 128, 3), np.uint8)
    said = backbone.describe(pictures)
    assert said.shape == (steps, width)
    assert said.dtype == np.float32
    assert np.isfinite(said).all()
    assert not np.allclose(said, backbone.describe(255 - pictures))
    assert len(backbone.moments()) == STEPS * published.pictures
    assert backbone.colours == "rgb"


@pytest.mark.parametrize("name", list(pretrained.PUBLISHED))
def test_a_picture_is_made_ready_at_the_models_size_and_scale(name: str) -> None:
    published = pretrained.PUBLISHED[name]
    mean, spread = (torch.tensor(values).view(3, 1, 1) for values in published.normal)
    for grey in (0, 255):
        x = pretrained.prepared(published, np.full((1, 90, 160, 3), grey, np.uint8))
        assert x.shape == (1, 3, published.crop, published.crop)
        assert torch.allclose(x, ((grey / 255 - mean) / spread).expand_as(x), atol=1e-5)


def test_a_crop_keeps_the_middle_and_a_square_keeps_it_all() -> None:
    wide = np.zeros((1, 64, 256, 3), np.uint8)
    wide[:, :, :32] = 255
    left = {
        name: float(pretrained.prepared(pretrained.PUBLISHED[name], wide)[0, 0, :, 0].mean())
        for name in ("dinov2_b", "siglip2")
    }
    assert left["siglip2"] > 0.9
    assert left["dinov2_b"] < -2


def test_resizing_is_antialiased() -> None:
    lines = np.zeros((1, 896, 896, 3), np.uint8)
    lines[:, ::2] = 255
    x = pretrained.prepared(pretrained.PUBLISHED["siglip2"], lines)[0, 0, 8:-8, 8:-8]
    assert x.abs().max() < 0.1


def test_weights_that_are_not_there_are_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYRIAD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    with pytest.raises(BadWeights, match="get the weights of dinov2_b with: hf download facebook/dinov2-base"):
        pretrained.folder("dinov2_b")


def test_what_several_backbones_lack_is_said_once_for_each_part_and_nothing_of_those_that_ship(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYRIAD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    said = registry.missing(("motion", "fusion", "fused", "vjepa2"))
    assert [sentence.partition("the weights of ")[2].split()[0] for sentence in said] == [
        "vjepa2",
        "dinov3_b",
        "siglip2",
    ]
    assert registry.missing(tuple(registry.BUILT_IN)) == ()
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert registry.missing(("convnext",))[0].endswith("is not installed; pip install 'myriad[pretrained]'")
    (tmp_path / "models" / "convnext").mkdir(parents=True)
    (tmp_path / "models" / "convnext" / "config.json").write_text("{}")
    monkeypatch.undo()
    monkeypatch.setenv("MYRIAD_MODELS", str(tmp_path / "models"))
    assert registry.missing(("convnext",)) == ()


def test_weights_are_loaded_from_a_folder_and_other_weights_are_another_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYRIAD_MODELS", str(tmp_path))
    model = small("dinov2_b")
    model.save_pretrained(tmp_path / "dinov2_b")
    before = pretrained.weights_digest("dinov2_b")
    pictures = np.random.default_rng(0).integers(0, 255, (2, 1, 72, 128, 3), np.uint8)
    said = pretrained.backbone("dinov2_b").describe(pictures)
    assert np.allclose(said, pretrained.describe(pretrained.PUBLISHED["dinov2_b"], model, pictures), atol=1e-6)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    model.save_pretrained(tmp_path / "dinov2_b")
    assert pretrained.weights_digest("dinov2_b") != before


def test_transformers_does_not_look_into_our_room_for_the_package_of_its_name() -> None:
    transformers = pretrained.import_transformers()
    assert not transformers.utils.is_kernels_available()
    assert not transformers.utils.import_utils.is_kernels_available()
    for published in pretrained.PUBLISHED.values():
        getattr(transformers, published.kind)


def test_transformers_never_takes_our_room_for_the_package_of_its_name() -> None:
    """With the foreign distribution installed its probe says yes."""
    code = """
import importlib.metadata as metadata
real = metadata.version
metadata.version = lambda name: "0.18.2" if name == "kernels" else real(name)
from kernels.backbones import pretrained
transformers = pretrained.import_transformers()
assert not transformers.utils.is_kernels_available()
assert not transformers.utils.import_utils.is_kernels_available()
for published in pretrained.PUBLISHED.values():
    getattr(transformers, published.kind)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_foreign_package_named_as_our_room_is_installed() -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("kernels")


def test_a_fused_backbone_is_its_parts_side_by_side() -> None:
    fused = registry.find("fused")
    pictures = np.random.default_rng(1).integers(0, 255, (STEPS, 2, 64, 96), np.uint8)
    small_, large, video = (
        registry.find(name).describe(pictures[:, 1:] if name != "video" else pictures)
        for name in registry.FUSED["fused"]
    )
    assert np.array_equal(fused.describe(pictures), np.concatenate([small_, large, video], -1))
    assert fused.parts == registry.FUSED["fused"]


def test_an_unknown_backbone_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(BadConfiguration, match="vjepa2, dinov3_b"):
        registry.find("sound")


@pytest.mark.parametrize("name", list(networks.DESIGNS))
def test_shipped_weights_are_small_and_what_their_record_says(name: str) -> None:
    path = networks.FOLDER / f"{name}.safetensors"
    assert path.stat().st_size < 2**20
    assert hashlib.sha256(path.read_bytes()).hexdigest() == networks.recorded()[name]["digest"]
    assert networks.recorded()[name]["recipe"] == pretraining.recipe(name)
    assert {key: tuple(value.shape) for key, value in networks.weights(name).items()} == networks.DESIGNS[name].shapes


def test_the_random_control_is_the_first_weights_that_its_recipe_makes() -> None:
    made = networks.initial("random", pretraining.SEED)
    held = networks.weights("random")
    assert all(torch.equal(made[key].half().float(), held[key]) for key in made)


def test_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "random.safetensors"
    path.write_bytes((networks.FOLDER / "random.safetensors").read_bytes()[:-1] + b"?")
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    with pytest.raises(BadWeights, match=r"is not the file whose digest record\.json holds"):
        networks.weights.__wrapped__("random")
    path.unlink()
    with pytest.raises(BadWeights, match="makes it again"):
        networks.weights.__wrapped__("random")


def test_a_few_steps_of_pretraining_lower_the_error_and_name_what_was_learned(tmp_path: Path) -> None:
    films = pretraining.films(tmp_path, 2**53 + 9, 32, 1)
    lesson = pretraining.Lesson(films, 2)
    assert lesson.width == 2 * pretraining.PARTS
    x, target = lesson.draw(torch.Generator().manual_seed(0))
    assert x.shape == (pretraining.BATCH, 2, 64, 96)
    weights, *reading = pretraining.train("video", lesson, steps=60)
    said = torch.nn.functional.linear(networks.forward(networks.DESIGNS["video"], weights, x), reading[0], reading[1])
    assert ((said - target) ** 2).mean() < 0.8 * (target**2).mean()


def test_a_scan_says_where_the_car_is_and_how_near() -> None:
    vehicles = roadsim.scene(3, 0).vehicles[:1]
    scan = pretraining.scan(vehicles, 63)
    x, z = vehicles[0].path[63]
    assert scan.shape == (pretraining.PARTS,)
    assert scan.max() <= 10 / z + 1e-6
    column = int((48 + x * 83 / z) / 6)
    if 0 <= column < pretraining.PARTS:
        assert scan[column] > 0


def test_two_backbones_see_two_different_things(world: World) -> None:
    path = world.folder / roadsim.name_of(0)
    from kernels import features

    small_, large = (features.describe(name, path) for name in ("image_small", "image_large"))
    assert (small_.shape, large.shape) == ((32, 48), (32, 96))
    assert small_.std() > 0.05
    assert np.abs(large).max() <= 1
