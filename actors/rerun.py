"""One sitting with reruns: from what a person typed to the verdicts, each on the log and on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from actors import amends, rerunning
from actors.errors import CampaignError
from actors.orders import Epoch, Progress
from actors.rerun_page import page, sentence
from events.declarations import declare
from events.writable import writable

CODES = {"equal": 0, "close": 0, "different": 1}
"""Exit codes; 2 where the instrument cannot be rebuilt."""


def rerun(
    reference: str, experiment: str, home: Path, *, anyway: bool = False, device: str | None = None, write: bool = True
) -> int:
    """Make one run again, print the verdict and both curves, and record it; returns the exit code."""
    known = rerunning.recorded(reference, home)
    return _made(known, experiment, anyway=anyway, device=device, write=write)


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
        _made(known, result.experiment, anyway=True, device=device, write=write)
    return 0


def _made(known: rerunning.Recorded, experiment: str, *, anyway: bool, device: str | None, write: bool) -> int:
    try:
        made = rerunning.rerun(known, experiment, _hear, anyway=anyway, device=device)
    except rerunning.CannotRebuild as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 2
    except CampaignError as error:
        print(f"myriad: {error}", file=sys.stderr)
        return 1
    print(page(made))
    if write:
        with writable(known.folder.path) as log:
            said = declare(log, rerunning.told(made, sentence(made)))
        print(f"recorded at position {said.position} as {said.author}")
    return CODES[made.verdict]


def _hear(pulse: Epoch | Progress) -> None:
    if isinstance(pulse, Epoch) and sys.stderr.isatty():
        end = "\n" if pulse.epoch == pulse.epochs else ""
        print(f"\rtraining {pulse.experiment} again: epoch {pulse.epoch} of {pulse.epochs}", end=end, file=sys.stderr)
