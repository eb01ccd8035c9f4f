"""Features of a task's clips, extracted once per backbone and kept in files named by their content."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.backbones import registry
from kernels.backbones.backbone import RATE, STEPS
from kernels.errors import BadFeatures, BadTask, MissingFeatures
from kernels.files import replacing
from kernels.processes import spread

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]
ROOM = Path(__file__).parent
FLAT = 1e-6  # a column whose standard deviation is below this says nothing


@dataclass(frozen=True)
class Extracted:
    """One backbone's finished features: where they lie, their digest, and how many clips were taken from before."""

    path: Path
    digest: str
    clips: int
    width: int
    reused: int


@dataclass(frozen=True)
class Header:
    """What a feature file says about itself; `digest` is the sha256 of the array's bytes, `task` that of the videos."""

    backbone: str
    rate: int
    length: int
    width: int
    preprocessing: str
    recipe: str
    task: str
    digest: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Features:
    """Verified features, memory-mapped: values [clips, 32, width], clips in the order of the header's names."""

    header: Header
    values: Floats


def extract(
    task_folder: Path, backbone: str, cache: Path, *, processes: int = 1, progress: Progress | None = None
) -> Extracted:
    """Describes every clip of a task by one backbone, or finds that it was done before.

    Raises:
        BadConfiguration: there is no such backbone.
        BadTask: the task folder is not complete.
        BadVideo: a clip cannot be decoded.
        BadFeatures: a column is constant or not finite.
    """
    extractor = registry.find(backbone)
    task = _task(task_folder)
    kept = _kept(cache, backbone, task["digest"])
    if kept is not None:
        return Extracted(_path(cache, kept), kept.digest, len(kept.names), kept.width, len(kept.names))
    names = tuple(sorted(task["contents"]))
    values = np.empty((len(names), STEPS, extractor.width), np.float32)
    paths = [task_folder / name for name in names]
    for done, described in enumerate(spread(partial(_describe, backbone), paths, processes)):
        values[done] = described
        if progress is not None:
            progress(done + 1, len(names))
    refuse_dead_columns(backbone, values)
    header = _keep(cache, backbone, names, task["digest"], values)
    return Extracted(_path(cache, header), header.digest, len(names), header.width, 0)


def open(cache: Path, backbone: str) -> Features:  # noqa: A001 - read as features.open, like gzip.open
    """The features of one backbone, memory-mapped, after their bytes were compared with their digest.

    Raises:
        MissingFeatures: nothing was extracted for this backbone.
        BadFeatures: the file is damaged.
    """
    header = _header(cache, backbone)
    if header is None or not _path(cache, header).exists():
        raise MissingFeatures(cache, backbone)
    try:
        values = np.load(_path(cache, header), mmap_mode="r")
    except ValueError as error:
        raise BadFeatures(backbone, f"{_path(cache, header)} is damaged; delete it and extract again") from error
    if _digest(values) != header.digest:
        raise BadFeatures(backbone, f"{_path(cache, header)} is damaged; delete it and extract again")
    return Features(header, values)


def refuse_dead_columns(backbone: str, values: Floats) -> None:
    """Refuses features [clips, steps, width] with a column that is not finite or never changes.

    Raises:
        BadFeatures: with the columns' numbers.
    """
    columns = values.reshape(-1, values.shape[-1])
    broken = np.flatnonzero(~np.isfinite(columns).all(0))
    if broken.size:
        raise BadFeatures(backbone, f"columns {broken.tolist()} are not finite", tuple(broken.tolist()))
    flat = np.flatnonzero(columns.std(0, dtype=np.float64) < FLAT)
    if flat.size:
        raise BadFeatures(backbone, f"columns {flat.tolist()} are constant", tuple(flat.tolist()))


def recipe(backbone: str) -> str:
    """Digest of all code that turns a file into features: features of another recipe are not used."""
    files = (*registry.find(backbone).source, "video.py")
    digests = [hashlib.sha256((ROOM / name).read_bytes()).hexdigest() for name in files]
    return hashlib.sha256("\n".join([backbone, *digests]).encode()).hexdigest()


def _describe(backbone: str, path: Path) -> Floats:
    from kernels import video  # noqa: PLC0415 - who only trains on features needs no PyAV

    extractor = registry.find(backbone)
    return extractor.features(video.read(path, extractor.moments(), extractor.colours, size=extractor.size))


def _task(folder: Path) -> dict[str, dict[str, str] | str]:
    path = folder / "task.json"
    if not path.exists():
        raise BadTask(path, "is missing: the clips are not complete; render them again")
    task: dict[str, dict[str, str] | str] = json.loads(path.read_text(encoding="utf-8"))
    return task


def _header(cache: Path, backbone: str) -> Header | None:
    path = cache / f"{backbone}.json"
    if not path.exists():
        return None
    held = json.loads(path.read_text(encoding="utf-8"))
    return Header(**(held | {"names": tuple(held["names"])}))


def _path(cache: Path, header: Header) -> Path:
    return cache / f"{header.backbone}-{header.digest[:16]}.npy"


def _kept(cache: Path, backbone: str, task: object) -> Header | None:
    header = _header(cache, backbone)
    fits = header is not None and header.task == task and header.recipe == recipe(backbone)
    return header if header is not None and fits and _path(cache, header).exists() else None


def _keep(cache: Path, backbone: str, names: tuple[str, ...], task: object, values: Floats) -> Header:
    """Writes the array and then its header, whose presence says that the array is whole."""
    cache.mkdir(parents=True, exist_ok=True)
    extractor = registry.find(backbone)
    header = Header(
        backbone=backbone,
        rate=RATE,
        length=STEPS,
        width=extractor.width,
        preprocessing=extractor.preprocessing,
        recipe=recipe(backbone),
        task=str(task),
        digest=_digest(values),
        names=names,
    )
    with replacing(_path(cache, header)) as partial_path, partial_path.open("wb") as out:
        np.save(out, values)
    with replacing(cache / f"{backbone}.json") as partial_path:
        partial_path.write_text(json.dumps(asdict(header), indent=1), encoding="utf-8")
    return header


def _digest(values: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
