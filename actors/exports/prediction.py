"""A kept run taken out of its campaign: its weights, held to their digest, and what they say of clips."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.errors import CampaignError
from events import campaigns
from events.folder import Campaign as Folder
from kernels import checkpoints, datasets, features, foresight, precision, scoring
from kernels.checkpoints import Checkpoint
from kernels.errors import BadVideo
from kernels.files import replacing
from kernels.processes import spread
from replay import folds
from replay.champions import champion, stood
from replay.entries import Outcome
from replay.leaderboard import leaderboard
from replay.ledger import Ledger, LedgerFold

VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"})
"""Ends of the names of files that a folder of clips is searched for."""

BEST = "champion"
"""What stands for the best run whose weights were kept."""

Floats = NDArray[np.float32]


class Kept(NamedTuple):
    """A completed run whose weights were kept; `standing` says whether it is champion, see `replay.champions`."""

    experiment: str
    outcome: Outcome
    checkpoint: Checkpoint
    standing: str | None = None


class Said(NamedTuple):
    """Scores of clips, 0 to 1, and the clips that could not be read, each with the reason."""

    scores: dict[str, float]
    problems: tuple[str, ...]


class Part(NamedTuple):
    """One part of the recorded split: the AP that was recorded, what it is again, and the same at each lead.

    `scores` are the logits of `clips`, in one order with their `labels`.
    """

    name: str
    recorded: float
    again: float
    leads: dict[float, float]
    clips: tuple[str, ...]
    scores: Floats
    labels: NDArray[np.bool_]


def kept(reference: str, experiment: str, home: Path) -> tuple[Folder, Kept]:
    """Return a run of a campaign, its weights read and compared with the digest on the log.

    Args:
        reference: the campaign: a name or a folder.
        experiment: its id, or "champion": while there is none, or its weights were not kept, the best by validation
            among those whose weights were.

    Raises:
        CampaignError: there is no such run, or its weights are not here or not what was recorded.
    """
    folder = campaigns.find(reference, home).folder
    if folder is None:
        raise CampaignError(f"{reference} is no campaign's folder on this machine, and weights lie nowhere else")
    log = campaigns.open(folder.path)
    try:
        (ledger,) = folds.run(log, LedgerFold())
    finally:
        log.close()
    name = _best(ledger) if experiment == BEST else experiment
    outcome = ledger.experiments[name].outcome if name in ledger.experiments else None
    if outcome is None:
        raise CampaignError(f"campaign {folder.name} has no completed experiment {name!r}; {_offer(ledger)}")
    if outcome.checkpoint is None:
        raise CampaignError(f"the weights of {name} were not kept; {_offer(ledger)}")
    path = folder.checkpoints / f"{outcome.checkpoint}.safetensors"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CampaignError(f"the weights of {name} cannot be read from {path}: {error.strerror}") from None
    if checkpoints.digest(content) != outcome.checkpoint:
        raise CampaignError(f"{path} is not what {name} left: its digest differs from the one on the log")
    standing = next((row.standing for row in stood(ledger, leaderboard(ledger)) if row.experiment == name), None)
    return folder, Kept(name, outcome, checkpoints.decode(content), standing)


def caution(campaign: str, run: Kept) -> str | None:
    """Say that who was asked for as the champion is none; None where it is."""
    if run.standing == "champion":
        return None
    return f"{run.experiment} is a candidate, not a champion: myriad replay {campaign} champion says what is missing"


def again(folder: Folder, run: Kept, *, device: str = "cpu") -> tuple[Part, ...]:
    """Score the recorded validation and test parts again.

    Raises:
        KernelsError: clips, split or features are not those that the run was trained on.
    """
    from actors.running.opening import task_folder  # noqa: PLC0415 # opening writes; a prediction only asks where clips lie

    backbone = str(run.checkpoint.description["backbone"])
    data = datasets.load(task_folder(folder), folder.features, backbone)
    if data.digest != run.checkpoint.description["features"]:
        raise CampaignError(f"the features of {backbone} are not those that {run.experiment} was trained on")
    held = features.open(folder.features, backbone)
    place = {name: row for row, name in enumerate(held.header.names)}
    parts = []
    for name, part, recorded in (
        ("validation", data.validation, run.outcome.validation),
        ("test", data.test, run.outcome.test),
    ):
        assert recorded is not None  # noqa: S101 # a run whose weights were kept was trained here, with both splits
        scores = scoring.score(run.checkpoint, held.values[[place[clip] for clip in part.names]], device=device)
        value = precision.average_precision(scores, part.labels)
        at_leads = foresight.judged(part.names, scores, part.labels)
        parts.append(Part(name, recorded, value, at_leads, part.names, scores, part.labels))
    return tuple(parts)


def predict(run: Kept, clips: Sequence[Path], *, device: str = "cpu", processes: int | None = None) -> Said:
    """Score unlabelled clips, each seen to its end; one that cannot be read has no score."""
    backbone = str(run.checkpoint.description["backbone"])
    described = spread(partial(_described, backbone), clips, processes or os.cpu_count() or 1)
    answers = dict(zip(clips, described, strict=True))
    problems = tuple(str(answer) for answer in answers.values() if isinstance(answer, BadVideo))
    readable = {path.name: answer for path, answer in answers.items() if not isinstance(answer, BadVideo)}
    if not readable:
        return Said({}, problems)
    logits = scoring.score(run.checkpoint, np.stack(list(readable.values())), device=device).astype(np.float64)
    chances = 1 / (1 + np.exp(-logits))
    return Said(dict(zip(readable, chances.tolist(), strict=True)), problems)


def found(place: Path) -> list[Path]:
    """Return the videos in a folder, by name, or the one file that was named.

    Raises:
        CampaignError: there is none.
    """
    if place.is_file():
        return [place]
    clips = sorted(path for path in place.glob("*") if path.suffix.lower() in VIDEOS)
    if not clips:
        raise CampaignError(f"{place} is no video and holds none ({', '.join(sorted(VIDEOS))})")
    return clips


def table(scores: dict[str, float], *, nexar: bool) -> str:
    """Return scores as CSV: file and score, or the competition's id and score, where 00822.mp4 has the id 822."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id" if nexar else "file", "score"))
    for name, score in sorted(scores.items()):
        writer.writerow((_identity(name) if nexar else name, repr(score)))
    return text.getvalue()


def written(text: str, out: Path | None) -> None:
    """Write a table to a file, whole or not at all, or to standard output."""
    if out is None:
        sys.stdout.write(text)
        return
    with replacing(out) as partial_path:
        partial_path.write_text(text)


def _described(backbone: str, path: Path) -> Floats | BadVideo:
    try:
        return features.describe(backbone, path)
    except BadVideo as error:
        return error


def _identity(name: str) -> str:
    stem = Path(name).stem
    return str(int(stem)) if stem.isdigit() else stem


def _best(ledger: Ledger) -> str:
    made = champion(ledger).champion
    names = [made.experiment] if made is not None else []
    names += [row.experiment for row in leaderboard(ledger)]
    outcomes = ((name, ledger.experiments[name].outcome) for name in names)
    return next((name for name, outcome in outcomes if outcome and outcome.checkpoint), BEST)


def _offer(ledger: Ledger) -> str:
    outcomes = ((row.experiment, ledger.experiments[row.experiment].outcome) for row in leaderboard(ledger))
    names = [name for name, outcome in outcomes if outcome and outcome.checkpoint]
    return f"the best whose weights were kept: {', '.join(names[:5])}" if names else "it kept no weights"
