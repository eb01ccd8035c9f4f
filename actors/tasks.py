"""What a campaign's [task] may say, and what follows from it: the space, the order to prepare, what a bench is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from actors import spacefile
from actors.errors import CampaignError
from actors.orders import Prepare, Prepared
from events import spaces
from events.space import Space

LEADS = (0.5, 1.0, 1.5)

SHOWN = 5
"""Problems that are told one by one."""


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learned. A path is taken from where `myriad` is started.

    Attributes:
        kind: roadsim, a simulated road; nexar, the published data set; clips, videos of your own; command, your script.
        clips: roadsim: how many.
        seed: roadsim: of the world; the same seed, the same pixels.
        fleet: roadsim: whose cameras; those of b take half as many pictures and show each twice.
        folder: nexar, clips: where the videos lie.
        table: clips: a CSV file with the columns file, label and (if wanted) event, seconds.
        split: nexar, clips: a JSON file with the lists train, validation and test; ours when left out.
        strict: nexar, clips: whether one row that cannot be used refuses them all.
        leads: nexar, clips: seconds before its event at which a clip ends, one clip for each.
        run: command: the words of the command line.
        inputs: command: files that give its numbers their meaning, the script among them.
        space: command: a TOML file of dimensions.
    """

    kind: Literal["roadsim", "nexar", "clips", "command"] = "roadsim"
    clips: int = 600
    seed: int = 7
    fleet: Literal["a", "b"] = "a"
    folder: str | None = None
    table: str | None = None
    split: str | None = None
    strict: bool = False
    leads: tuple[float, ...] = LEADS
    run: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    space: str | None = None


MEANT = {
    "roadsim": {"clips", "seed", "fleet"},
    "nexar": {"folder", "split", "strict", "leads"},
    "clips": {"folder", "table", "split", "strict", "leads"},
    "command": {"run", "inputs", "space"},
}
NEEDED = {"roadsim": (), "nexar": ("folder",), "clips": ("folder", "table"), "command": ("run", "space")}


def problems(task: Task) -> list[str]:
    """Say, one sentence each, what a task asks for that its kind does not have, lacks, or cannot be."""
    defaults = msgspec.structs.asdict(Task())
    said = {key for key, value in msgspec.structs.asdict(task).items() if value != defaults[key]} - {"kind"}
    meant = MEANT[task.kind]
    found = [
        f"task.{key} has no meaning with kind = {task.kind!r}, which knows {', '.join(sorted(meant))}"
        for key in sorted(said - meant)
    ]
    found += [
        f"task.{key} is missing; kind = {task.kind!r} needs it" for key in NEEDED[task.kind] if not getattr(task, key)
    ]
    checks = {
        "task.clips must be at least 60": task.clips >= 60,
        "task.seed must be in [0, 2^53)": 0 <= task.seed < 2**53,
        "task.leads must be seconds from 0, each once": all(0 <= lead < math.inf for lead in task.leads)
        and len(set(task.leads)) == len(task.leads),
    }
    return found + [sentence for sentence, holds in checks.items() if not holds]


def space(task: Task, narrowing: dict[str, list[str | int | float]]) -> Space:
    """Return the space of a task, narrowed.

    Raises:
        SpaceInvalid: the narrowing does not fit it.
        CampaignFileInvalid: the task's own space file cannot be used.
    """
    if task.kind == "command":
        return spacefile.read(Path(task.space or "").expanduser()).narrowed(narrowing)
    from kernels.backbones.registry import BUILT_IN, PRETRAINED  # noqa: PLC0415 # --help must not wait for numpy
    from kernels.encoders import ENCODERS  # noqa: PLC0415 # likewise

    # Nobody who does not ask for them by name waits for gigabytes of weights.
    named = tuple(name for name in PRETRAINED if name in narrowing.get("backbone", []) and task.kind != "roadsim")
    return spaces.over((*BUILT_IN, *named), tuple(ENCODERS)).narrowed(narrowing)


def backbones(task: Task, searched: Space) -> tuple[str, ...]:
    """Return the backbones whose features a campaign needs."""
    return () if task.kind == "command" else tuple(str(value) for value in searched.choices[0].values)


def refuse_missing(names: tuple[str, ...]) -> None:
    """Refuse backbones whose package or weights are not on this machine, before hours go into their clips.

    Raises:
        CampaignError: with what is missing and how to get it.
    """
    from kernels.backbones import registry  # noqa: PLC0415 # --help must not wait for numpy

    if lacks := registry.missing(names):
        raise CampaignError("; ".join(lacks))


def prepare(task: Task, *, processes: int, sample: int = 0) -> Prepare:
    """Return the order to make a task ready, or a sample of about so many clips of it."""
    clips = min(task.clips, sample) if sample else task.clips
    return Prepare(
        id="prepare",
        clips=clips,
        seed=task.seed,
        processes=processes,
        kind=task.kind,
        fleet=task.fleet,
        folder=task.folder or "",
        table=task.table or "",
        split="" if sample else task.split or "",
        strict=task.strict and not sample,
        leads=task.leads,
        sample=sample,
    )


def told(task: Task) -> dict[str, Any]:
    """Return what a bench is told of the task beside its folders."""
    return {"program": task.run, "inputs": task.inputs}


def prepared(task: Task, ready: Prepared, folder: Path) -> Iterator[str]:
    """Say what was made ready, and what was left out and why."""
    if task.kind == "command":
        yield f"task: {' '.join(task.run)}"
        return
    reused = f", {ready.reused} of them from before" if ready.reused else ""
    where = f"as mp4 in {folder}" if task.kind == "roadsim" else f"of the videos in {task.folder}"
    yield f"task: {ready.clips} clips {where}{reused}"
    for problem in ready.problems[:SHOWN]:
        yield f"left out: {problem}"
    if len(ready.problems) > SHOWN:
        yield f"left out: {len(ready.problems) - SHOWN} more; all are in {folder / 'problems.txt'}"
