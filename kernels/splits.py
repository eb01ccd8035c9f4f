"""Which clip trains, which validates and which tests: by a keyed hash of each video's content, balanced by label."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kernels.errors import BadTask
from kernels.files import replacing

PROPORTION = (1184, 177, 139)  # train, validation, test of the paper's 1,500 clips
KEY = "myriad split 1"
PARTS = ("train", "validation", "test")
SMALLEST = 32  # clips below which a part could lack one of the labels


@dataclass(frozen=True)
class Split:
    """Clip names of each part, in a fixed order, and the digest of all three."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    digest: str


def assign(contents: Mapping[str, str], positive: Mapping[str, bool], key: str = KEY) -> Split:
    """Splits clips (name to content digest) in the proportion 1184/177/139 within each label.

    Clips of equal content share one place in the order and therefore one part, whatever their names.
    """
    parts: tuple[list[str], list[str], list[str]] = ([], [], [])
    for label in (False, True):
        ranked: dict[str, list[str]] = {}
        for name in sorted(contents):
            if positive[name] is label:
                place = hashlib.sha256(f"{key}\n{contents[name]}".encode()).hexdigest()
                ranked.setdefault(place, []).append(name)
        order = [ranked[place] for place in sorted(ranked)]
        first, second = (round(len(order) * sum(PROPORTION[:n]) / sum(PROPORTION)) for n in (1, 2))
        for part, groups in zip(parts, (order[:first], order[first:second], order[second:]), strict=True):
            part.extend(name for group in groups for name in group)
    return _split(*(tuple(sorted(part)) for part in parts))


def adopt(
    own: Path, files: Mapping[str, str], contents: Mapping[str, str], positive: Mapping[str, bool]
) -> tuple[Split, set[str]]:
    """A user's own split, and the files that it gives no part.

    Args:
        own: a JSON file with the lists train, validation and test of file names.
        files: the file of each clip, by the clip's name.
        contents: the digest of each clip's file.
        positive: the label of each clip.

    Raises:
        BadTask: it is no such file, gives a file two parts, puts equal videos into two parts, or a part lacks a label.
    """
    try:
        held = json.loads(own.read_text(encoding="utf-8"))
        place = [(str(file), part) for part in PARTS for file in held[part]]
    except OSError as error:
        raise BadTask(own, f"cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadTask(own, "must be JSON with the three lists train, validation and test of file names") from error
    part_of = dict(place)
    if len(part_of) != len(place):
        raise BadTask(own, "puts one file into two parts, or names it twice")
    parts = {part: tuple(sorted(name for name in files if part_of.get(files[name]) == part)) for part in PARTS}
    _refuse_leaks(own, parts, contents)
    for part, names in parts.items():
        if len({positive[name] for name in names}) < 2:
            raise BadTask(own, f"leaves {part} without clips of both labels")
    return _split(*parts.values()), {file for file in files.values() if file not in part_of}


def _refuse_leaks(own: Path, parts: Mapping[str, tuple[str, ...]], contents: Mapping[str, str]) -> None:
    first: dict[str, tuple[str, str]] = {}
    for part, names in parts.items():
        for name in names:
            other, twin = first.setdefault(contents[name], (part, name))
            if other != part:
                raise BadTask(own, f"puts the same video into {other} ({twin}) and {part} ({name})")


def encode(split: Split) -> str:
    """The split as the text of split.json."""
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return json.dumps({"key": KEY, "digest": split.digest} | parts, indent=1)


def save(folder: Path, split: Split) -> None:
    """Writes split.json."""
    with replacing(folder / "split.json") as partial:
        partial.write_text(encode(split), encoding="utf-8")


def load(folder: Path) -> Split:
    """The split of a task folder.

    Raises:
        BadTask: there is no split.json, or its names and digest disagree, or a clip lies in two parts.
    """
    path = folder / "split.json"
    if not path.exists():
        raise BadTask(path, "is missing; prepare the task again to complete it")
    held = json.loads(path.read_text(encoding="utf-8"))
    split = _split(*(tuple(held[part]) for part in PARTS))
    if split.digest != held["digest"]:
        raise BadTask(path, "was changed by hand: its digest does not fit its names")
    names = split.train + split.validation + split.test
    if len(set(names)) != len(names):
        raise BadTask(path, "puts one clip into two parts")
    return split


def _split(*parts: tuple[str, ...]) -> Split:
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    train, validation, test = parts
    return Split(train, validation, test, digest)
