"""The published backbones, through transformers: their own weights, our own preprocessing; the only door to it.

Nothing is downloaded. Weights lie in the folder MYRIAD_MODELS/NAME (config.json and model.safetensors, as published),
or in the cache that `hf download` fills. Preprocessing is torch alone (antialiased resize, crop, normalise), after each
model's published processor, with two conventions of ours where those leave a choice: V-JEPA 2 sees 10 pictures a
second, so that its pairs give 5 steps a second, and SigLIP 2 is resized bilinearly.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from kernels.backbones.backbone import Backbone, Floats, Pixels
from kernels.errors import BadWeights, MissingPackage

MODELS = "MYRIAD_MODELS"
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
BATCH = 16  # pictures that an image model sees at once
PATCH_PAIR = 2  # pictures that V-JEPA 2 makes one step of
SOURCE = ("backbones/backbone.py", "backbones/pretrained.py")


@dataclass(frozen=True)
class Published:
    """One model: its class, where it was published, its width, and how pictures are made ready for it.

    Pictures are resized to `resize` (the short side, or both sides where `square`), by `mode`, and their middle `crop`
    is taken.
    """

    kind: str
    repository: str
    width: int
    resize: int
    crop: int
    mode: Literal["bilinear", "bicubic"]
    square: bool = False
    normal: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET
    pictures: int = 1

    @property
    def said(self) -> str:
        """The preprocessing in words."""
        side = f"{self.resize} x {self.resize}" if self.square else f"short side {self.resize}"
        rate = ", 10 pictures a second" if self.pictures == PATCH_PAIR else ""
        mean, spread = self.normal
        return f"rgb / 255, {side} {self.mode} antialiased, middle {self.crop}, mean {mean}, spread {spread}{rate}"


PUBLISHED = {
    # 292 = 256 * 256 / 224, as V-JEPA 2's processor has it.
    "vjepa2": Published(
        "VJEPA2Model", "facebook/vjepa2-vitl-fpc64-256", 1024, 292, 256, "bilinear", pictures=PATCH_PAIR
    ),
    "dinov3_b": Published(
        "DINOv3ViTModel", "facebook/dinov3-vitb16-pretrain-lvd1689m", 768, 224, 224, "bilinear", square=True
    ),
    "dinov3_l": Published(
        "DINOv3ViTModel", "facebook/dinov3-vitl16-pretrain-lvd1689m", 1024, 224, 224, "bilinear", square=True
    ),
    "dinov2_b": Published("Dinov2Model", "facebook/dinov2-base", 768, 256, 224, "bicubic"),
    "siglip2": Published(
        "SiglipVisionModel", "google/siglip2-base-patch16-224", 768, 224, 224, "bilinear", square=True, normal=HALF
    ),
    # 256 = 224 / 0.875, as ConvNeXt's processor has it.
    "convnext": Published("ConvNextModel", "facebook/convnext-base-224-22k", 1024, 256, 224, "bicubic"),
}


def prepared(published: Published, pictures: Pixels) -> Tensor:
    """Pictures [N, H, W, 3] as the model wants them, (N, 3, crop, crop)."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    height, width = x.shape[-2:]
    if published.square:
        size = (published.resize, published.resize)
    else:
        scale = published.resize / min(height, width)
        size = (int(height * scale + 0.5), int(width * scale + 0.5))
    x = functional.interpolate(x, size, mode=published.mode, align_corners=False, antialias=True).clamp(0, 1)
    top, left = (size[0] - published.crop) // 2, (size[1] - published.crop) // 2
    x = x[..., top : top + published.crop, left : left + published.crop]
    mean, spread = (torch.tensor(values).view(3, 1, 1) for values in published.normal)
    return (x - mean) / spread


@torch.no_grad()
def describe(published: Published, model: Any, pictures: Pixels) -> Floats:
    """What a model says of each step, [steps, width], of pictures [steps, pictures, H, W, 3].

    An image model's pooled output (its class token where it has one); V-JEPA 2's mean over the places of each pair.
    """
    steps = len(pictures)
    x = prepared(published, pictures.reshape(-1, *pictures.shape[2:])).to(next(model.parameters()).device)
    if published.pictures == PATCH_PAIR:
        tokens = model(pixel_values_videos=x[None], skip_predictor=True).last_hidden_state
        said = tokens.view(steps, -1, tokens.shape[-1]).mean(1)
    else:
        said = torch.cat([model(pixel_values=part).pooler_output.flatten(1) for part in torch.split(x, BATCH)])
    features: Floats = said.float().cpu().numpy()
    return features


def backbone(name: str) -> Backbone:
    """The backbone of this name; its weights are read when it first describes a clip."""
    published = PUBLISHED[name]
    return made(name, published, published.width, lambda: _loaded(name), lambda: weights_digest(name))


def made(name: str, published: Published, width: int, model: Callable[[], Any], weights: Callable[[], str]) -> Backbone:
    """A backbone around any model of the published class."""
    return Backbone(
        name,
        published.pictures,
        width,
        published.said,
        lambda pictures: describe(published, model(), pictures),
        SOURCE,
        "rgb",
        weights=weights,
        alone=True,
    )


def folder(name: str) -> Path:
    """Where the weights of a model lie.

    Raises:
        BadWeights: they are nowhere, with what to do about it.
    """
    published = PUBLISHED[name]
    own = Path(os.environ.get(MODELS, "models")).expanduser() / name
    if (own / "config.json").exists():
        return own
    cached = _cache() / f"models--{published.repository.replace('/', '--')}" / "snapshots"
    found = sorted(cached.glob("*/config.json"))
    if found:
        return found[-1].parent
    command = f"hf download {published.repository} --local-dir {own}"
    raise BadWeights(own, f"is not there; get the weights of {name} with: {command}")


def missing(names: Sequence[str]) -> tuple[str, ...]:
    """One sentence for what is not here of what these models need: transformers, and each one's weights."""
    said = [] if find_spec("transformers") is not None else [str(MissingPackage("transformers", "pretrained"))]
    for name in names:
        try:
            folder(name)
        except BadWeights as error:
            said.append(str(error))
    return tuple(said)


def weights_digest(name: str) -> str:
    """Digest of a model's files."""
    files = sorted(path for end in ("*.json", "*.safetensors") for path in folder(name).glob(end))
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as opened:
            whole.update(f"{path.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def import_transformers() -> ModuleType:
    """Transformers, kept from taking our package `kernels` for the one of that name that it knows how to use.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        import transformers  # noqa: PLC0415 # seconds, and only these backbones need it
        from transformers.utils import import_utils  # noqa: PLC0415 # likewise
    except ImportError as error:
        raise MissingPackage("transformers", "pretrained") from error

    # Before the first model's module is imported: with the foreign distribution installed beside our folder, its probe
    # says yes and its import then finds ours.
    for module in (import_utils, transformers.utils):
        setattr(module, "is_kernels_available", _nowhere)  # noqa: B010 - the type checker knows no such name to set
    return transformers


def _nowhere(*_: object, **__: object) -> bool:
    return False


@cache
def _loaded(name: str) -> Any:
    kind = getattr(import_transformers(), PUBLISHED[name].kind)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return kind.from_pretrained(folder(name), local_files_only=True, dtype=torch.float32).eval().to(device)


def _cache() -> Path:
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return Path(home).expanduser() / "hub"
