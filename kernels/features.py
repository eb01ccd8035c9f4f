"""Features of a task's clips, extracted once per backbone and kept in files named by their content."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.backbones import registry
from kernels.backbones.backbone import RATE, STEPS, Backbone
from kernels.drafts import Draft
from kernels.errors import BadFeatures, BadVideo, MissingFeatures
from kernels.files import replacing
from kernels.processes import Progress, spread
from kernels.tasks import catalogue

Floats = NDArray[np.float32]
ROOM = Path(__file__).parent
FLAT = 1e-6  # a column whose standard deviation is below this says nothing


@dataclass(frozen=True)
class Extracted:
    """One backbone's finished features: where they lie, their digest, how many clips were taken from before.

    `problems` says which clips could not be decoded and are left out.
    """

    path: Path
    digest: str
    clips: int
    width: int
    reused: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """What a feature file says about itself: `digest` is the sha256 of the array's bytes, `task` of the pictures."""

    backbone: str
    rate: int
    length: int
    width: int
    preprocessing: str
    recipe: str
    task: str
    digest: str
    names: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Features:
    """Verified features, memory-mapped: values [clips, 32, width], clips in the order of the header's names."""

    header: Header
    values: Floats


def extract(
    task_folder: Path, backbone: str, cache: Path, *, processes: int = 1, progress: Progress | None = None
) -> Extracted:
    """Describes every clip of a task by one backbone, or finds that it was done before.

    What a killed extraction had finished is used again. A backbone of several parts is put together from theirs.

    Raises:
        BadConfiguration: there is no such backbone.
        BadTask: the task folder is not complete.
        BadVideo: a clip of a strict task cannot be decoded.
        BadFeatures: a column is constant or not finite.
    """
    extractor = registry.find(backbone)
    task = catalogue.load(task_folder)
    kept = _kept(cache, backbone, task.pictures)
    if kept is not None:
        return _extracted(cache, kept, len(kept.names))
    if extractor.parts:
        for part in extractor.parts:
            extract(task_folder, part, cache, processes=processes, progress=progress)
        return _extracted(cache, _join(cache, extractor, task.pictures), 0)
    cache.mkdir(parents=True, exist_ok=True)
    draft = Draft(cache, backbone, f"{task.pictures} {recipe(backbone)}", (len(task.names), STEPS, extractor.width))
    before = len(task.names) - len(draft.missing)
    left_out = _fill(draft, task, backbone, processes, progress)
    refuse_dead_columns(backbone, draft.values[draft.done])
    names = tuple(name for name in task.names if name not in left_out)
    header = _keep(cache, extractor, task.pictures, names, draft.values[draft.done], left_out=left_out)
    draft.discard()
    return _extracted(cache, header, before)


def size(task_folder: Path, backbones: Sequence[str]) -> int:
    """Bytes that the features of a task will take on the disk.

    Raises:
        BadConfiguration, BadTask: as `extract`.
    """
    clips = len(catalogue.load(task_folder).names)
    return sum(4 * clips * STEPS * registry.find(name).width for name in backbones)


def _fill(
    draft: Draft, task: catalogue.Catalogue, backbone: str, processes: int, progress: Progress | None
) -> dict[str, str]:
    """Describes what is missing in a draft; gives the clips that cannot be decoded, each with the reason."""
    left_out: dict[str, str] = {}
    missing = draft.missing
    wanted = [(task.path(task.names[row]), task.by_name[task.names[row]].end) for row in missing]
    described = spread(partial(_describe, backbone), wanted, 1 if registry.find(backbone).alone else processes)
    for count, (row, answer) in enumerate(zip(missing, described, strict=True), len(task.names) - len(missing) + 1):
        if not isinstance(answer, BadVideo):
            draft.put(row, answer)
        elif task.strict:
            raise answer
        else:
            left_out[task.names[row]] = str(answer)
        if progress is not None:
            progress(count, len(task.names))
    return left_out


def _extracted(cache: Path, header: Header, reused: int) -> Extracted:
    problems = tuple(f"{name}: {reason}" for name, reason in header.left_out.items())
    return Extracted(_path(cache, header), header.digest, len(header.names), header.width, reused, problems)


def _join(cache: Path, extractor: Backbone, pictures: str) -> Header:
    held = [open(cache, part) for part in extractor.parts]
    names = tuple(sorted(set.intersection(*(set(part.header.names) for part in held))))
    rows = [[part.header.names.index(name) for name in names] for part in held]
    values = np.concatenate([part.values[row] for part, row in zip(held, rows, strict=True)], -1)
    left_out = {name: reason for part in held for name, reason in part.header.left_out.items()}
    return _keep(cache, extractor, pictures, names, values, left_out=left_out)


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
    if digest(values) != header.digest:
        raise BadFeatures(backbone, f"{_path(cache, header)} is damaged; delete it and extract again")
    return Features(header, values)


def files(cache: Path, backbone: str) -> tuple[Path, Path]:
    """The two files of a backbone's features: the array first, then the header that says what it is.

    Raises:
        MissingFeatures: nothing was extracted for this backbone.
    """
    header = _header(cache, backbone)
    if header is None:
        raise MissingFeatures(cache, backbone)
    return _path(cache, header), cache / f"{backbone}.json"


def write(cache: Path, header: Header, values: Floats) -> None:
    """Writes the array and then its header, whose presence says that the array is whole."""
    with replacing(_path(cache, header)) as partial_path, partial_path.open("wb") as out:
        np.save(out, values)
    with replacing(cache / f"{header.backbone}.json") as partial_path:
        partial_path.write_text(json.dumps(asdict(header), indent=1), encoding="utf-8")


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
    extractor = registry.find(backbone)
    files = (*extractor.source, "video.py")
    digests = [hashlib.sha256((ROOM / name).read_bytes()).hexdigest() for name in files]
    return hashlib.sha256("\n".join([backbone, extractor.weights(), *digests]).encode()).hexdigest()


def describe(backbone: str, path: Path, end: float | None = None) -> Floats:
    """What one backbone says of the clip that ends at `end` seconds of a file (None: its end), [32, width].

    Raises:
        BadConfiguration: there is no such backbone.
        BadVideo: the file cannot be decoded.
    """
    from kernels import video  # noqa: PLC0415 - who only trains on features needs no PyAV

    extractor = registry.find(backbone)
    pictures = video.read(path, extractor.moments(), extractor.colours, size=extractor.size, end=end)
    return extractor.features(pictures)


def _describe(backbone: str, clip: tuple[Path, float | None]) -> Floats | BadVideo:
    try:
        return describe(backbone, *clip)
    except BadVideo as error:
        return error


def _header(cache: Path, backbone: str) -> Header | None:
    path = cache / f"{backbone}.json"
    if not path.exists():
        return None
    held = json.loads(path.read_text(encoding="utf-8"))
    return Header(**(held | {"names": tuple(held["names"])}))


def _path(cache: Path, header: Header) -> Path:
    return cache / f"{header.backbone}-{header.digest[:16]}.npy"


def _kept(cache: Path, backbone: str, task: str) -> Header | None:
    header = _header(cache, backbone)
    fits = header is not None and header.task == task and header.recipe == recipe(backbone)
    return header if header is not None and fits and _path(cache, header).exists() else None


def _keep(
    cache: Path, extractor: Backbone, task: str, names: tuple[str, ...], values: Floats, *, left_out: dict[str, str]
) -> Header:
    header = Header(
        backbone=extractor.name,
        rate=RATE,
        length=STEPS,
        width=extractor.width,
        preprocessing=extractor.preprocessing,
        recipe=recipe(extractor.name),
        task=task,
        digest=digest(values),
        names=names,
        left_out=left_out,
    )
    write(cache, header, values)
    return header


def digest(values: Floats) -> str:
    """The sha256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()
