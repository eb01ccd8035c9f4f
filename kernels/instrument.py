"""What gives a number its meaning (the instrument) and what may change its last bits (the platform)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kernels import datasets, features, lanes, precision, splits
from kernels.operations import compiled, tiled

ROOM = Path(__file__).parent


@dataclass(frozen=True)
class Instrument:
    """A digest for each part by name, and one over all: two instruments differ in the parts whose digests differ."""

    parts: Mapping[str, str]
    digest: str

    def changed(self, before: "Instrument") -> tuple[str, ...]:
        """Names of the parts that are new, gone or different since `before`."""
        return tuple(
            name for name in sorted({*self.parts, *before.parts}) if self.parts.get(name) != before.parts.get(name)
        )


def describe(
    task_folder: Path, cache: Path, backbones: Sequence[str], *, width: int, layers: int, heads: int
) -> Instrument:
    """The instrument that would train now: source of this room, features, split, labels, evaluation rule, size.

    Raises:
        MissingFeatures, BadFeatures: a backbone's features are not there or damaged.
        BadTask: the task folder is incomplete.
    """
    parts = source()
    parts |= {f"features/{name}": features.open(cache, name).header.digest for name in sorted(backbones)}
    parts["split"] = splits.load(task_folder).digest
    parts["labels"] = _sha(json.dumps(datasets.labels(task_folder), sort_keys=True))
    parts["evaluation"] = _sha(precision.RULE)
    parts["network"] = _sha(f"width {width}, layers {layers}, heads {heads}")
    return Instrument(parts, _sha(json.dumps(parts, sort_keys=True)))


def source(room: Path = ROOM) -> dict[str, str]:
    """The digest of each source file of a room, by "source/" and its path inside it."""
    files = sorted([*room.rglob("*.py"), *room.rglob("*.c")])
    return {
        f"source/{path.relative_to(room).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def platform(device: str) -> dict[str, str]:
    """Kind of device, its lanes, the versions of what computes, and which compiled loops or tiles, or why none.

    A package that is not installed reads "none".

    Raises:
        WrongDevice: this room does not train on that kind of device.
    """
    packages = {name: _version(name) for name in ("torch", "numpy", "triton", "av")}
    loops = compiled.describe() if device == "cpu" else tiled.describe(device)
    return {"device": _kind(device), "lanes": str(lanes.count(device)), "compiled": loops} | packages


def _kind(device: str) -> str:
    """The device's kind: "cpu", or a GPU's model name."""
    lanes.count(device)
    if not device.startswith("cuda"):
        return "cpu"
    import torch  # noqa: PLC0415 - only a GPU's name needs it

    return torch.cuda.get_device_name(device)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
