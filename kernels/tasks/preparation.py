"""Which task a campaign means, and how its folder is made: one entry for every kind that is made of clips."""

from dataclasses import dataclass, replace
from pathlib import Path

from kernels.processes import Progress
from kernels.tasks import clips, gathering, nexar, roadsim

KINDS = ("roadsim", "nexar", "clips")


@dataclass(frozen=True)
class Wanted:
    """A task in a campaign's words.

    `clips`, `seed` and `fleet` are roadsim's; `folder`, `strict`, `leads` and `split` are of the tasks over videos that
    lie elsewhere; `table` is of clips alone. `sample` videos, half of them positive, are enough when it is not 0.
    """

    kind: str = "roadsim"
    clips: int = 600
    seed: int = 7
    fleet: str = "a"
    folder: str = ""
    table: str = ""
    split: str = ""
    strict: bool = False
    leads: tuple[float, ...] = nexar.LEADS
    sample: int = 0


@dataclass(frozen=True)
class Ready:
    """A finished task folder; `reused` clips or videos were there before, `problems` says what was left out and why.

    `total` is how many clips the whole task has where only a sample of it was wanted, if all can be used.
    """

    clips: int
    reused: int
    problems: tuple[str, ...] = ()
    total: int = 0


def prepare(folder: Path, wanted: Wanted, *, processes: int = 1, progress: Progress | None = None) -> Ready:
    """Makes a task folder, or finds that it is made.

    Raises:
        AnotherWorld, BadTask, BadRows: as `roadsim.render` and `gathering.gather`.
    """
    if wanted.kind == "roadsim":
        world = {"clips": wanted.clips, "seed": wanted.seed}
        made = roadsim.render(folder, **world, fleet=wanted.fleet, processes=processes, progress=progress)
        return Ready(made.clips, made.reused, total=made.clips)
    videos = Path(wanted.folder).expanduser()
    table = nexar.read(videos) if wanted.kind == "nexar" else clips.read(videos, Path(wanted.table).expanduser())
    total = len(table.rows) * max(len(wanted.leads), 1)
    gathered = gathering.gather(
        folder,
        _sample(table, wanted.sample) if wanted.sample else table,
        leads=wanted.leads,
        split=Path(wanted.split).expanduser() if wanted.split else None,
        strict=wanted.strict,
        processes=processes,
        progress=progress,
    )
    return Ready(gathered.clips, gathered.reused, gathered.problems, total)


def _sample(table: gathering.Table, many: int) -> gathering.Table:
    halves = [[row for row in table.rows if row.positive is label][: many // 2] for label in (True, False)]
    return replace(table, rows=tuple(row for half in halves for row in half))
