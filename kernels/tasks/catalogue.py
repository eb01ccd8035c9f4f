"""The catalogue of a task folder: every clip by name, which file shows it, when it ends, and what it is labelled.

It is written last, as task.json: its presence says that the folder is complete.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from kernels.errors import BadTask
from kernels.files import replacing

FILE = "task.json"


@dataclass(frozen=True)
class Clip:
    """One clip.

    `file` lies under the catalogue's root and `content` is the sha256 of its bytes; `end` is in seconds of the file's
    own clock, None for its last picture.
    """

    name: str
    file: str
    content: str
    positive: bool
    end: float | None = None


@dataclass(frozen=True)
class Catalogue:
    """All clips of a task; `root` is the folder of their files, `recipe` what made or gathered them.

    Of a task that is not strict, a clip that cannot be decoded is left out, and said; else it ends the extraction.
    """

    task: str
    recipe: str
    root: Path
    clips: tuple[Clip, ...]
    strict: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The clips' names, sorted: the order of every array of features."""
        return tuple(sorted(clip.name for clip in self.clips))

    @cached_property
    def by_name(self) -> dict[str, Clip]:
        """Each clip by its name."""
        return {clip.name: clip for clip in self.clips}

    @cached_property
    def pictures(self) -> str:
        """Digest of all that features depend on: names, contents and ends; neither labels nor where files lie."""
        return _sha([[name, self.by_name[name].content, self.by_name[name].end] for name in self.names])

    @cached_property
    def digest(self) -> str:
        """Digest of the whole task: recipe, pictures and labels."""
        return _sha([self.recipe, self.pictures, [self.by_name[name].positive for name in self.names]])

    def path(self, name: str) -> Path:
        """The file of a clip."""
        return self.root / self.by_name[name].file


def save(folder: Path, catalogue: Catalogue) -> None:
    """Writes task.json."""
    root = "." if catalogue.root == folder else str(catalogue.root)
    head = {"task": catalogue.task, "recipe": catalogue.recipe, "root": root, "digest": catalogue.digest}
    text = json.dumps(
        head | {"strict": catalogue.strict, "clips": [asdict(clip) for clip in catalogue.clips]}, indent=1
    )
    with replacing(folder / FILE) as partial:
        partial.write_text(text, encoding="utf-8")


def load(folder: Path) -> Catalogue:
    """The catalogue of a task folder.

    Raises:
        BadTask: there is none, or it is not one of ours.
    """
    path = folder / FILE
    if not path.exists():
        raise BadTask(path, "is missing: the clips are not complete; prepare them again")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        clips = tuple(Clip(**clip) for clip in held["clips"])
        return Catalogue(held["task"], held["recipe"], folder / held["root"], clips, held["strict"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadTask(path, f"is not a catalogue of clips ({error!r}); delete it and prepare the task again") from error


def contents(catalogue: Catalogue) -> Mapping[str, str]:
    """The digest of each clip's file, by the clip's name."""
    return {clip.name: clip.content for clip in catalogue.clips}


def _sha(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
