"""What canaries would have saved the published campaign: it is played with them, and without them at all its dates.

Without them each bug lives until its published day, and a run that it touched is misleading: its number means other
than it says. Only days were published, so the same campaign is played with every bug mended as early on its day as can
be, at the dates of decision 23, and as late as can be. With canaries the instrument is refused before its first run,
mended, looked at again, and trains.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from actors.virtual.bugs import EARLIEST, LATEST, MENDED
from actors.virtual.laboratory import Laboratory, Setting
from events.archives import archive
from events.facts import InstrumentRefused, InstrumentVerified
from events.memory import MemoryLog
from replay.leaderboard import leaderboard
from replay.ledger import Ledger
from replay.pages.tables import Entry, folded, table


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign in numbers.

    Attributes:
        touched: misleading runs, and by component those that its bug touched; a run may be among several.
        lost: device hours of the misleading runs, failed attempts included; `hours` of all.
        looking: device hours that canaries took.
        refused: what the canaries named.
        best: test AP of the sound run that leads by validation, None where no run is sound.
    """

    completed: int
    touched: int
    by: dict[str, int]
    lost: float
    hours: float
    looking: float
    refused: str
    best: float | None


def saved(setting: Setting, path: Path) -> int:
    """Play the campaigns, keep the one with canaries in a file, and print what they saved."""
    without = [msgspec.structs.replace(setting, canaries=False, mended=dates) for dates in (EARLIEST, MENDED, LATEST)]
    with_them = msgspec.structs.replace(setting, canaries=True)
    with ProcessPoolExecutor() as processes:
        answers = processes.map(_played, (*without, with_them), (None, None, None, path))
        early, chosen, late, on = answers
    print(page(early, chosen, late, on))
    print(f"SIMULATED: four campaigns of {setting.experiments} experiments; nothing was trained: {path}")
    return 0


def page(early: Tally, chosen: Tally, late: Tally, on: Tally) -> str:
    """Return what canaries saved as text; ranges are over the admissible dates."""
    every = (chosen, early, late, on)
    rows: list[tuple[Entry, ...]] = [("misleading runs", *(tally.touched for tally in every))]
    rows += [(f"  by the {part}", *(tally.by.get(part, 0) for tally in every)) for part in chosen.by]
    rows += [
        ("their GPU-hours", *(round(tally.lost, 1) for tally in every)),
        ("GPU-hours of canaries", *(round(tally.looking, 2) for tally in every)),
        ("GPU-hours in all", *(round(tally.hours, 1) for tally in every)),
        ("test AP of the sound leader", *(tally.best for tally in every)),
    ]
    runs = sorted(tally.touched - on.touched for tally in every[:3])
    hours = sorted(tally.lost - on.lost - on.looking for tally in every[:3])
    many, long = f"{runs[0]} to {runs[-1]}", f"{hours[0]:.0f} to {hours[-1]:.0f}"
    lines = [
        *table(("bugs mended", "when chosen", "at earliest", "at latest", "by canaries"), rows),
        "",
        f"the canaries named: {on.refused or 'nothing'}",
        f"saved over the admissible dates: {many} misleading runs of {chosen.completed}, {long} GPU-hours",
    ]
    return folded(lines, indent=4)


def tally(log: MemoryLog, ledger: Ledger) -> Tally:
    """Count one campaign."""
    defects = ledger.defects
    verdicts = [
        fact
        for recorded in log.read()
        for fact in recorded.facts
        if isinstance(fact, InstrumentVerified | InstrumentRefused)
    ]
    by = {
        found.component: sum(name in touching for touching in defects.touched.values())
        for name, found in defects.all.items()
    }
    rows = leaderboard(ledger, top=1, with_test=True)
    return Tally(
        completed=len(ledger.completed),
        touched=len(defects.touched),
        by=by,
        lost=sum(ledger.experiments[name].gpu_seconds for name in defects.touched) / 3600,
        hours=sum(experiment.gpu_seconds for experiment in ledger.experiments.values()) / 3600,
        looking=sum(fact.seconds for fact in verdicts) / 3600,
        refused=" | ".join(dict.fromkeys(fact.reason for fact in verdicts if isinstance(fact, InstrumentRefused))),
        best=rows[0].test if rows else None,
    )


def _played(setting: Setting, path: Path | None) -> Tally:
    log = MemoryLog(setting.name)
    laboratory = Laboratory(setting, log)
    laboratory.play()
    if path is not None:
        archive.export(log, path)
    return tally(log, laboratory.simulation.known.ledger)
