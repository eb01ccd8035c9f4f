"""Splits disjoint by content and equal to the campaign's; features, labels and standardisation as they were written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import datasets
from kernels.canaries import made
from kernels.canaries.canary import EXACT, Canary, at_most
from kernels.canaries.made import World
from kernels.datasets import LEAST_SPREAD, Dataset, Part
from kernels.splits import PARTS

Floats = NDArray[np.float32]


def made_canaries(world: World) -> Iterator[Canary]:
    """A made task is read as it was written, and its clips of one content under two names share a part."""
    yield from canaries(world.folder, world.cache, made.BACKBONES)
    for backbone in made.BACKBONES:
        problems = made.changed(world, backbone)
        yield Canary("split", f"features of {backbone}", float(len(problems)), 0.0, "; ".join(problems) or None)


def canaries(folder: Path, cache: Path, backbones: Sequence[str], *, split: str = "") -> Iterator[Canary]:
    """The task as its files say it, read apart from `datasets`, against the data that runs are given.

    Args:
        split: digest of the split that the campaign began with, where it is known.

    Raises:
        KernelsError: as `datasets.load`.
    """
    task, parts = _json(folder / "task.json"), _json(folder / "split.json")
    yield from _disjoint({clip["name"]: clip for clip in task["clips"]}, parts)
    if split:
        problem = (
            None if parts["digest"] == split else f"the split is {parts['digest'][:16]}, the campaign's {split[:16]}"
        )
        yield Canary("split", "campaign", float(parts["digest"] != split), 0.0, problem)
    for backbone in backbones:
        yield from _given(backbone, cache, task, parts, datasets.load(folder, cache, backbone))


def _disjoint(clips: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[Canary]:
    """No name, and no content under any name, lies in two parts; no clip in none."""
    for what in ("name", "content"):
        held = [{clips[name][what] for name in parts[part]} for part in PARTS]
        shared = len(held[0] & held[1]) + len(held[0] & held[2]) + len(held[1] & held[2])
        yield at_most("split", what, float(shared), 0.0, f"clips of one {what} lie in two parts")
    lost = len(set(clips) - {name for part in PARTS for name in parts[part]})
    yield at_most("split", "parts", float(lost), 0.0, "clips lie in no part")


def _given(
    backbone: str, cache: Path, task: Mapping[str, Any], parts: Mapping[str, Any], data: Dataset
) -> Iterator[Canary]:
    """Whether a run gets the features of its backbone, standardised by what trains, with each clip's own label."""
    header = _json(cache / f"{backbone}.json")
    written = np.load(cache / f"{backbone}-{header['digest'][:16]}.npy", mmap_mode="r")
    row = {name: index for index, name in enumerate(header["names"])}
    seen = written[[row[name] for name in parts["train"] if name in row]].astype(np.float64)
    mean, spread = seen.mean((0, 1)), np.maximum(seen.std((0, 1)), LEAST_SPREAD)
    positive = {clip["name"]: clip["positive"] for clip in task["clips"]}
    bytes_of: list[set[bytes]] = []
    for place in PARTS:
        part: Part = getattr(data, place)
        names = [name for name in parts[place] if name in row]
        problem, error = _misread(part, names, positive), 0.0
        if problem is None:
            raw = written[[row[name] for name in names]]
            error = _apart(part.values, (raw - mean) / spread)
            bytes_of.append({clip.tobytes() for clip in raw})
        subject = f"{place} of {backbone}"
        yield (
            Canary("split", subject, None, None, problem)
            if problem
            else at_most(
                "split", subject, error, 10 * EXACT, f"the features of {backbone} are not standardised by training"
            )
        )
    shared = sum(len(one & other) for n, one in enumerate(bytes_of) for other in bytes_of[:n])
    problem = "clips of the same features lie in two parts"
    yield at_most("split", f"content by {backbone}", float(shared), 0.0, problem)


def _misread(part: Part, names: Sequence[str], positive: Mapping[str, bool]) -> str | None:
    if list(part.names) != list(names):
        return "the clips are not those of the split"
    if part.labels.tolist() != [positive[name] for name in names]:
        return "the labels are not the clips' own"
    return None


def _apart(found: Floats, true: NDArray[np.float64]) -> float:
    """The greatest difference, as a share of the greatest true value."""
    return float(np.abs(found - true).max() / max(1.0, np.abs(true).max()))


def _json(path: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held
