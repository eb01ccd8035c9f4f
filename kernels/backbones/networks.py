"""The small convolutional networks that ship with their weights: images of two sizes, video, and a random control.

They were pretrained by `kernels.tasks.pretraining` on clips that no task shows, to say how near what stands in each
part of the picture is (and, for video, how fast that changes). What they know of it is read off their last layer but
one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor
from torch.nn import functional

from kernels.backbones.backbone import HEIGHT, WIDTH, Backbone, Floats, Pixels
from kernels.errors import BadWeights
from kernels.files import replacing

FOLDER = Path(__file__).parents[1] / "weights"
RECORD = FOLDER / "record.json"  # the recipe and digest of each file of weights
LEAST = 4.0  # levels of 255 that a picture's contrast is taken to be at least
STREAM = 0xBAC4B04E  # keeps first weights apart from other uses of a seed


@dataclass(frozen=True)
class Design:
    """Pictures in, how often they are halved before anything else, channels of each stage, and features out."""

    pictures: int
    halved: bool
    channels: tuple[int, ...]
    width: int
    trained: bool = True

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of weights; a stage is a convolution of stride 2."""
        shapes: dict[str, tuple[int, ...]] = {}
        before = self.pictures
        for stage, channels in enumerate(self.channels):
            side = 5 if stage == 0 else 3
            shapes[f"stage{stage}.weight"], shapes[f"stage{stage}.bias"] = (channels, before, side, side), (channels,)
            before = channels
        scale = 2 ** (len(self.channels) + self.halved)
        shapes["out.weight"] = (self.width, before * (HEIGHT // scale) * (WIDTH // scale))
        return shapes | {"out.bias": (self.width,)}


DESIGNS = {
    "image_small": Design(1, True, (12, 24, 32), 48),
    "image_large": Design(1, False, (16, 32, 48, 48), 96),
    "video": Design(2, False, (16, 32, 48, 48), 96),
    "random": Design(1, False, (16, 32, 48, 48), 96, trained=False),
}


def initial(name: str, seed: int) -> dict[str, Tensor]:
    """First weights: normal, with the spread that keeps a signal's size through rectified layers; biases zero."""
    rng = np.random.Generator(np.random.Philox(key=np.array([seed, STREAM], np.uint64)))
    return {
        key: torch.zeros(shape)
        if key.endswith("bias")
        else torch.from_numpy(
            rng.standard_normal(shape, np.float32) * np.sqrt(2 / np.prod(shape[1:])).astype(np.float32)
        )
        for key, shape in DESIGNS[name].shapes.items()
    }


def standard(pictures: Tensor) -> Tensor:
    """Levels (N, pictures, H, W) relative to the mean and contrast of each item, so that dusk is no other road."""
    levels = pictures.float()
    mean = levels.mean((1, 2, 3), keepdim=True)
    return (levels - mean) / levels.std((1, 2, 3), keepdim=True).clamp(min=LEAST)


def forward(design: Design, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Features (N, width), between -1 and 1, of standardised pictures (N, pictures, H, W)."""
    if design.halved:
        x = functional.avg_pool2d(x, 2)
    if design.pictures == 2:
        # What stays and what changes; the change is small and is brought to the same size.
        x = torch.stack([x.mean(1), (x[:, 1] - x[:, 0]) * 4], 1)
    for stage in range(len(design.channels)):
        weight = weights[f"stage{stage}.weight"]
        x = functional.relu(functional.conv2d(x, weight, weights[f"stage{stage}.bias"], 2, weight.shape[-1] // 2))
    return torch.tanh(functional.linear(x.flatten(1), weights["out.weight"], weights["out.bias"]))


@cache
def backbone(name: str) -> Backbone:
    """The backbone that ships under this name; its weights are read when it first describes a clip."""
    design = DESIGNS[name]

    def describe(pictures: Pixels) -> Floats:
        with torch.no_grad():
            made = forward(design, weights(name), standard(torch.from_numpy(pictures)))
        features: Floats = made.numpy()
        return features

    said = f"luminance {WIDTH} x {HEIGHT} over its contrast" + (", 0.1 s apart" if design.pictures == 2 else "")
    source = ("backbones/backbone.py", "backbones/networks.py", f"weights/{name}.safetensors")
    return Backbone(name, design.pictures, design.width, said, describe, source)


@cache
def weights(name: str) -> dict[str, Tensor]:
    """The shipped weights, kept as float16, as float32.

    Raises:
        BadWeights: the file is not there or is not the one whose digest was recorded.
    """
    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        raise BadWeights(path, "is missing; python -m kernels.tasks.pretraining makes it again")
    if hashlib.sha256(path.read_bytes()).hexdigest() != recorded()[name]["digest"]:
        raise BadWeights(path, "is not the file whose digest record.json holds; python -m kernels.tasks.pretraining")
    return {key: torch.from_numpy(value.astype(np.float32)) for key, value in load_file(path).items()}


def recorded() -> dict[str, dict[str, str]]:
    """For each network its recipe in words, what it learned (share of variance) and the sha256 of its file."""
    record: dict[str, dict[str, str]] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def keep(name: str, made: Mapping[str, Tensor], recipe: str, learned: str) -> str:
    """Writes weights as float16, and their recipe and digest into the record; gives the digest."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    with replacing(path) as partial:
        save_file({key: value.numpy().astype(np.float16) for key, value in sorted(made.items())}, partial)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = (recorded() if RECORD.exists() else {}) | {name: {"digest": digest, "recipe": recipe, "learned": learned}}
    with replacing(RECORD) as partial:
        partial.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return digest
