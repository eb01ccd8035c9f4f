"""Made data on which a canary knows every answer: two backbones, clips of equal content under two names, near twins."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels import datasets, features, splits
from kernels.datasets import Dataset, Part
from kernels.features import Header
from kernels.tasks import catalogue
from kernels.tasks.catalogue import Catalogue, Clip

Floats = NDArray[np.float32]

BACKBONES = ("canary_one", "canary_two")
CLIPS, STEPS, INPUTS = 80, 32, 6
TWINS = 12  # pairs of clips with one content: enough that a split by name parts at least one
LIKENESS = 1e-4  # between a clip and the one of the other label beside it: scores that a coarse rounding makes equal
STREAM = 0xCA4A


@dataclass(frozen=True)
class World:
    """A task folder, its features, what was written into them by backbone and clip, and all clips' labels."""

    folder: Path
    cache: Path
    values: Mapping[str, Mapping[str, Floats]]
    positive: Mapping[str, bool]


def generator(seed: int, stream: int = STREAM) -> np.random.Generator:
    """Draws that depend on the seed and the stream alone."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))


def mechanical(seed: int, *, backbone: str = BACKBONES[0]) -> Dataset:
    """Data to see the wiring by: 48 clips that train; judged ones come as near twins of opposite labels.

    Test clips are the validation clips from the last to the first with every label turned round, so that no epoch is
    the best of both.
    """
    rng = generator(seed, STREAM + 1 + BACKBONES.index(backbone))
    train = rng.standard_normal((48, STEPS, INPUTS)).astype(np.float32)
    judged = np.repeat(rng.standard_normal((10, STEPS, INPUTS)), 2, 0)
    judged += LIKENESS * rng.standard_normal(judged.shape)
    labels = np.tile(np.array([True, False]), 10) ^ np.repeat(rng.random(10) < 0.5, 2)
    nothing, values = np.zeros(INPUTS, np.float32), judged.astype(np.float32)
    parts = (_part(train, np.arange(48) % 3 == 0), _part(values, labels), _part(values[::-1].copy(), ~labels[::-1]))
    return Dataset(backbone, *parts, nothing, nothing + 1, f"made of {seed}")


def planted(seed: int, *, shuffled: bool = False) -> Dataset:
    """Clips that rise or fall in two columns; `shuffled` puts the labels of each part in random order.

    Every whole clip has the same mean, so that only the order of its steps tells its label.
    """
    rng = generator(seed, STREAM + 9)
    train, validation, test = (_sloping(rng, clips) for clips in (96, 20, 20))
    if shuffled:
        train, validation, test = (
            replace(part, labels=rng.permutation(part.labels)) for part in (train, validation, test)
        )
    nothing = np.zeros(INPUTS, np.float32)
    return Dataset(BACKBONES[0], train, validation, test, nothing, nothing + 1, f"planted by {seed}")


def world(folder: Path, seed: int) -> World:
    """Writes a task of made clips, its split and the features of both backbones.

    The clips' files are not there: whoever reads them has left the features.
    """
    rng = generator(seed)
    content = {f"clip-{n:02}": hashlib.sha256(f"{seed} {n}".encode()).hexdigest() for n in range(CLIPS)}
    for n in range(TWINS):
        content[f"twin-{n:02}"] = content[f"clip-{n:02}"]
    positive = {name: int(name[-2:]) % 2 == 0 for name in content}
    clips = tuple(Clip(name, f"{name}.mp4", content[name], positive[name]) for name in content)
    task = Catalogue("made", f"canaries of {seed}", folder, clips)
    catalogue.save(folder, task)
    splits.save(folder, splits.assign(content, positive))
    values = {backbone: _described(rng, content) for backbone in BACKBONES}
    for backbone in BACKBONES:
        array = np.stack([values[backbone][name] for name in task.names])
        header = Header(
            backbone=backbone,
            rate=1,
            length=STEPS,
            width=INPUTS,
            preprocessing="none",
            recipe="made",
            task=task.pictures,
            digest=features.digest(array),
            names=task.names,
        )
        features.write(folder, header, array)
    return World(folder, folder, values, positive)


def changed(world: World, backbone: str) -> tuple[str, ...]:
    """What a reader of the folder gets other than was written: in names, labels or values, in words.

    Raises:
        KernelsError: as `datasets.load`.
    """
    data = datasets.load(world.folder, world.cache, backbone)
    problems = []
    for place in ("train", "validation", "test"):
        part: Part = getattr(data, place)
        if [world.positive[name] for name in part.names] != part.labels.tolist():
            problems.append(f"labels of {place} are other clips'")
        written = np.stack([world.values[backbone][name] for name in part.names])
        if not np.allclose(part.values * data.spread + data.mean, written, atol=1e-5):
            problems.append(f"features of {place} are not those of backbone '{backbone}'")
    return tuple(problems)


def _described(rng: np.random.Generator, content: Mapping[str, str]) -> dict[str, Floats]:
    """Features by clip: of the same content the same; the columns have means and spreads of their own."""
    shift, scale = 3 * rng.standard_normal(INPUTS), np.exp(rng.standard_normal(INPUTS))
    of = {
        held: (shift + scale * rng.standard_normal((STEPS, INPUTS))).astype(np.float32)
        for held in sorted(set(content.values()))
    }
    return {name: of[held] for name, held in content.items()}


def _sloping(rng: np.random.Generator, clips: int) -> Part:
    labels = np.arange(clips) % 2 == 0
    values = 0.3 * rng.standard_normal((clips, STEPS, INPUTS))
    slope = np.linspace(-1.5, 1.5, STEPS)
    values[:, :, :2] += np.where(labels, 1, -1)[:, None, None] * slope[:, None]
    return _part((values - values.mean(1, keepdims=True)).astype(np.float32), labels)


def _part(values: Floats, labels: NDArray[np.bool_]) -> Part:
    return Part(tuple(f"{n:02}" for n in range(len(labels))), values, labels)
