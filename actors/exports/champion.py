"""A kept run as a folder that scores clips by itself: weights, configuration, loader, and what it says of the split."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

from actors.errors import CampaignError
from actors.exports import prediction
from actors.exports.prediction import Kept, Part
from events import campaigns
from events.folder import Campaign as Folder
from replay import folds
from replay.ledger import LedgerFold

WEIGHTS = "weights.safetensors"

LOADER = '''\
"""The champion as a function of clips: python load.py CLIP.mp4 ... (torch and Myriad's kernels are enough)."""
import sys
from pathlib import Path

from kernels import checkpoints, features, scoring

CHAMPION = checkpoints.decode((Path(__file__).parent / "weights.safetensors").read_bytes())


def score(clips):  # features (clips, 32 steps, width) of CHAMPION.description["backbone"], to one logit a clip
    return scoring.score(CHAMPION, clips, device="cpu")


for clip in sys.argv[1:] if __name__ == "__main__" else ():
    print(clip, score(features.describe(CHAMPION.description["backbone"], Path(clip))[None])[0])
'''


def take_out(folder: Folder, run: Kept, to: Path) -> tuple[Part, ...]:
    """Make a folder of a kept run, whole or not at all, and return what it says of the recorded split.

    Raises:
        CampaignError: something is at `to`, or clips or features are not those that the run was trained on.
    """
    partial = to.with_name(f"{to.name}.partial")
    if to.exists():
        raise CampaignError(f"{to} is there already; nothing was changed")
    parts = prediction.again(folder, run)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        shutil.copyfile(folder.checkpoints / f"{run.outcome.checkpoint}.safetensors", partial / WEIGHTS)
        (partial / "configuration.json").write_text(json.dumps(described(folder, run, parts), indent=1) + "\n")
        (partial / "load.py").write_text(LOADER)
        (partial / "predictions.csv").write_text(table(parts))
        partial.rename(to)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CampaignError(f"{to} cannot be made: {error.strerror}") from None
    return parts


def described(folder: Folder, run: Kept, parts: tuple[Part, ...]) -> dict[str, Any]:
    """Return what a champion is: where it comes from, what it was told, what it scored then and scores again."""
    log = campaigns.open(folder.path)
    try:
        (ledger,) = folds.run(log, LedgerFold())
    finally:
        log.close()
    experiment = ledger.experiments[run.experiment]
    attempt = experiment.attempts[-1]
    return {
        "campaign": ledger.campaign,
        "experiment": run.experiment,
        "standing": run.standing,
        "other_seeds": list(ledger.repeats.known(run.experiment, attempt.instrument).values()),
        "configuration": ledger.ideas[experiment.idea].configuration,
        "seed": attempt.seed,
        "instrument": attempt.instrument,
        "platform": attempt.platform,
        "network": dict(run.checkpoint.description),
        "epoch": run.outcome.epoch,
        "noise": run.outcome.noise,
        "weights": {"file": WEIGHTS, "sha256": run.outcome.checkpoint},
        "average_precision": {part.name: _judged(part) for part in parts},
    }


def table(parts: tuple[Part, ...]) -> str:
    """Return a champion's word on every clip of the recorded split as CSV: part, file, label, logit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("part", "file", "label", "logit"))
    for part in parts:
        for clip, label, logit in zip(part.clips, part.labels.tolist(), part.scores.tolist(), strict=True):
            writer.writerow((part.name, clip, int(label), repr(logit)))
    return text.getvalue()


def _judged(part: Part) -> dict[str, Any]:
    leads = {"leads": {f"{lead:g}": value for lead, value in part.leads.items()}} if part.leads else {}
    return {"recorded": part.recorded, "again": part.again} | leads
