"""One sitting with reruns: from what a person typed to the verdicts, each on the log and on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from actors.errors import CampaignError
from actors.orders import Epoch, Progress
from actors.reruns import amends, rerunning
from actors.reruns.page import page, sentence
from events.declarations import declare, defect
from events.facts import RunCompared, SeedsRepeated
from events.writable import writable
from replay.champions import champion, champion_sentence
from replay.discoveries import of_reruns

CODES = {"equal": 0, "close": 0, "different": 1}
"""Exit codes; 2 where the instrument cannot be rebuilt."""


def rerun(
    reference: str, experiment: str, home: Path, *, anyway: bool = False, device: str | None = None, write: bool = True
) -> int:
    """Make one run again, print the verdict and both curves, and record it; returns the exit code."""
    known = rerunning.recorded(reference, home)
    return _made(known, experiment, under="nearest" if anyway else "recorded", device=device, write=write)


def repeat(reference: str, experiment: str, home: Path, *, many: int, device: str | None, write: bool = True) -> int:
    """Run one configuration under other seeds until `many` are known, say who is champion, and record it."""
    known = rerunning.recorded(reference, home)
    made = rerunning.repeat(known, experiment, _hear, many=many, device=device)
    if made is None:
        print(f"{many} repeats of {experiment} are on the log already")
    else:
        scores = ", ".join(f"{score:.6f}" for score in made.validation)
        print(f"{experiment} under {len(made.seeds)} other seeds: validation AP {scores}")
        if write:
            _write(known, made)
    now = rerunning.recorded(reference, home)
    print(champion_sentence(champion(now.ledger, needed=many)))
    return 0


def amend(
    reference: str, home: Path, *, gpu_hours: float | None, most: int | None, device: str | None, write: bool = True
) -> int:
    """Make the touched results that matter again, best first; returns the exit code."""
    known = rerunning.recorded(reference, home)
    results = amends.worth(known, gpu_hours=gpu_hours, most=most)
    if not results:
        print(f"nothing of {known.folder.name} that a defect touched is worth making again, or fits the budget")
    for number, result in enumerate(results, start=1):
        what = f"{result.experiment}, believed {result.believed:.4f}, {result.gpu_seconds:.1f} s"
        print(f"{number} of {len(results)}: {what}")
        _made(known, result.experiment, under="current", device=device, write=write)
    return 0


def _made(
    known: rerunning.Recorded, experiment: str, *, under: rerunning.Under, device: str | None, write: bool
) -> int:
    try:
        made = rerunning.rerun(known, experiment, _hear, under=under, device=device)
    except rerunning.CannotRebuild as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 2
    except CampaignError as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 1
    print(page(made))
    if write:
        _write(known, rerunning.fact_of(made, sentence(made)))
        _discover(known)
    return CODES[made.verdict]


def _write(known: rerunning.Recorded, fact: RunCompared | SeedsRepeated) -> None:
    with writable(known.folder.path) as log:
        said = declare(log, rerunning.told(fact))
    print(f"recorded at position {said.position} as {said.author}")


def _discover(known: rerunning.Recorded) -> None:
    """Declare what a rerun that disagrees bit for bit shows; where the campaign runs, its analyst may be first."""
    ledger = rerunning.recorded(str(known.folder.path), known.folder.path.parent).ledger
    for found in of_reruns(ledger):
        with writable(known.folder.path) as log:
            meant = defect(component=found.component, where=found.where, reason=found.reason, by=found.by)
            said = declare(log, meant)
        print(f"a defect, recorded at position {said.position}: {found.reason}; it leaves the leaderboard, and")
        print(f"myriad replay {known.folder.name} taint says what came of it")


def _hear(pulse: Epoch | Progress) -> None:
    if isinstance(pulse, Epoch) and sys.stderr.isatty():
        end = "\n" if pulse.epoch == pulse.epochs else ""
        print(f"\rtraining {pulse.experiment} again: epoch {pulse.epoch} of {pulse.epochs}", end=end, file=sys.stderr)
