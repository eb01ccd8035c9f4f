"""A task's features, labels and split as arrays ready to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels import features, splits
from kernels.errors import BadTask
from kernels.tasks import catalogue

Floats = NDArray[np.float32]
LEAST_SPREAD = 1e-3  # a column is never divided by less


@dataclass(frozen=True)
class Part:
    """The clips of one part of a split: values [clips, steps, width], standardised, and labels [clips]."""

    names: tuple[str, ...]
    values: Floats
    labels: NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """One backbone's view of a task; mean and spread [width] are those of the training part alone."""

    backbone: str
    train: Part
    validation: Part
    test: Part
    mean: Floats
    spread: Floats
    digest: str


def load(task_folder: Path, cache: Path, backbone: str) -> Dataset:
    """Reads features, labels and split of a task and standardises by the training part.

    Raises:
        MissingFeatures, BadFeatures: as `features.open`.
        BadTask: the folder is incomplete, or the features are of other clips.
    """
    held = features.open(cache, backbone)
    split = splits.load(task_folder)
    positive = labels(task_folder)
    place = {name: index for index, name in enumerate(held.header.names)}
    if set(place) | set(held.header.left_out) != set(positive):
        raise BadTask(task_folder, f"holds other clips than the features of '{backbone}'; extract them again")
    rows = np.array([place[name] for name in split.train if name in place])
    seen = held.values[rows].reshape(-1, held.header.width).astype(np.float64)
    mean, spread = seen.mean(0).astype(np.float32), np.maximum(seen.std(0), LEAST_SPREAD).astype(np.float32)

    def part(names: Sequence[str]) -> Part:
        names = [name for name in names if name in place]
        values = (held.values[[place[name] for name in names]] - mean) / spread
        return Part(tuple(names), values, np.array([positive[name] for name in names]))

    parts = (part(split.train), part(split.validation), part(split.test))
    return Dataset(backbone, *parts, mean, spread, held.header.digest)


def labels(task_folder: Path) -> dict[str, bool]:
    """Whether each clip of a task is positive, by name.

    Raises:
        BadTask: the folder is incomplete.
    """
    return {clip.name: clip.positive for clip in catalogue.load(task_folder).clips}
