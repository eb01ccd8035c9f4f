"""From rows of a table to a task folder: videos that lie elsewhere become clips; what is wrong is named, row by row.

A clip ends `lead` seconds before its event; one video gives a clip for each lead. A negative video has no event, so it
is cut at a moment drawn from the positives' events by a key of its own content: where a clip ends tells nothing. A clip
shorter than a network looks back repeats its first picture; the mask stays full, so that a short clip is a still
beginning and never a hole. Videos are looked at once: what was seen is kept by name, size and time of change.
"""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from kernels import foresight, splits, video
from kernels.backbones.backbone import GAP, RATE, STEPS
from kernels.errors import BadRows, BadTask, BadVideo
from kernels.files import replacing
from kernels.processes import Progress, spread
from kernels.tasks import catalogue
from kernels.tasks.catalogue import Catalogue, Clip

EMPTY = frozenset({"", "nan", "null", "none", "na"})
SEEN = "seen.json"
PROBLEMS = "problems.txt"
KEPT_EVERY = 16  # looks, each a whole video read: what a kill may cost


@dataclass(frozen=True)
class Row:
    """One video: where the table names it, its file under the root, its label, and the seconds of its event, if any."""

    place: str
    file: str
    positive: bool
    event: float | None


@dataclass(frozen=True)
class Seen:
    """What a look at a video found: digest of its bytes, first and last time stamp, and why it cannot be used."""

    content: str
    first: float
    last: float
    problem: str | None = None


@dataclass(frozen=True)
class Gathered:
    """A finished task folder: its clips, how many videos had been looked at before, what was left out and why."""

    clips: int
    reused: int
    digest: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of a task's table, and one sentence for each row that could not be read."""

    kind: str
    root: Path
    rows: tuple[Row, ...]
    problems: tuple[str, ...]


def read_table(path: Path, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The rows of a CSV file with the place of each ("labels.csv, row 7"; the heading is row 1).

    Raises:
        BadTask: there is no such file, it is no text, or it lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                held = ", ".join(reader.fieldnames or ()) or "no heading"
                raise BadTask(path, f"lacks the column {missing[0]}; it has {held}, and needs {', '.join(columns)}")
            return [(f"{path.name}, row {reader.line_num}", _stripped(row)) for row in reader]
    except OSError as error:
        raise BadTask(path, f"cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTask(path, f"is not a CSV file in UTF-8 ({error})") from error


def seconds(text: str) -> float | None:
    """A time in a table: None where it is empty.

    Raises:
        ValueError: it is not a number of seconds from 0.
    """
    if text.lower() in EMPTY:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"'{text}' is not a number of seconds from 0, nor empty")
    return value


def gather(
    folder: Path,
    table: Table,
    *,
    leads: Sequence[float],
    split: Path | None = None,
    strict: bool = False,
    processes: int = 1,
    progress: Progress | None = None,
) -> Gathered:
    """Makes `folder` a task over the videos of a table.

    Args:
        folder: receives catalogue, split and problems.txt; no video is copied.
        table: what was read.
        leads: seconds before the event at which clips end; a positive without an event ends at its file's end.
        split: a JSON file of the user's own with the lists train, validation and test of file names; None for ours.
        strict: whether one bad row is enough to refuse all.
        processes: how many look at videos at the same time.
        progress: called with (videos looked at, videos in all).

    Raises:
        BadRows: strict, and a row or a video cannot be used.
        BadTask: what is left is too little to be split, or the user's split does not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, problems = _unique(table)
    glance = partial(look, table.root, max(leads, default=0.0) + (STEPS - 1) / RATE + GAP)
    stamps = {row.file: _stamp(table.root / row.file) for row in rows}
    seen, reused = _look(folder / SEEN, stamps, glance, processes, progress)
    usable = []
    for row in rows:
        problem = _unusable(row, seen[row.file], leads)
        if problem is None:
            usable.append(row)
        else:
            problems.append(f"{row.place}: {problem}")
    if strict and problems:
        raise BadRows(folder, tuple(problems))
    clips = _clips(usable, seen, leads)
    made = Catalogue(table.kind, f"{table.kind} 1, leads {list(leads)}", table.root.absolute(), clips, strict)
    parts, left_out = _split(made, split)
    made = replace(made, clips=tuple(clip for clip in clips if clip.file not in left_out))
    problems += [f"{split}: names no part for {file}" for file in sorted(left_out)]
    if strict and problems:
        raise BadRows(folder, tuple(problems))
    splits.save(folder, parts)
    with replacing(folder / PROBLEMS) as partial_path:
        partial_path.write_text("".join(f"{problem}\n" for problem in problems), encoding="utf-8")
    catalogue.save(folder, made)
    return Gathered(len(made.clips), reused, made.digest, tuple(problems))


def look(root: Path, back: float, file: str) -> Seen:
    """Reads a video's bytes and time stamps, and tries a picture at its begin and at its end."""
    path = root / file
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return Seen("", 0.0, 0.0, f"there is no file {path}")
    except OSError as error:
        return Seen("", 0.0, 0.0, f"{path} cannot be read ({error.strerror})")
    try:
        span = video.span(path)
        if len(span.times) < span.promised:
            return Seen(content, 0.0, 0.0, f"{path} is truncated: {len(span.times)} of {span.promised} pictures")
        length = float(span.times[-1] - span.times[0])
        video.read(path, [0.0, min(back, length), length], "luma", size=(32, 32))
    except BadVideo as error:
        return Seen(content, 0.0, 0.0, str(error))
    return Seen(content, float(span.times[0]), float(span.times[-1]))


def _stripped(row: dict[str, str]) -> dict[str, str]:
    return {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}


def _unique(table: Table) -> tuple[list[Row], list[str]]:
    kept: dict[str, Row] = {}
    problems = list(table.problems)
    for row in table.rows:
        if row.file in kept:
            problems.append(f"{row.place}: {row.file} was named before, in {kept[row.file].place}")
        else:
            kept[row.file] = row
    return list(kept.values()), problems


def _look(
    path: Path, stamps: dict[str, list[int]], glance: Callable[[str], Seen], processes: int, progress: Progress | None
) -> tuple[dict[str, Seen], int]:
    """What was seen of every file; what was seen before and has not changed since is not looked at again."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {
        file: Seen(**before[file]["seen"])
        for file, stamp in stamps.items()
        if stamp and file in before and before[file]["stamp"] == stamp
    }
    new = [file for file in stamps if file not in known]
    reused = len(known)
    for file, seen in zip(new, spread(glance, new, processes), strict=True):
        known[file] = seen
        if len(known) % KEPT_EVERY == 0:
            _keep(path, stamps, known)
        if progress is not None:
            progress(len(known), len(stamps))
    _keep(path, stamps, known)
    return known, reused


def _keep(path: Path, stamps: dict[str, list[int]], known: dict[str, Seen]) -> None:
    kept = {file: {"stamp": stamps[file], "seen": asdict(seen)} for file, seen in known.items()}
    with replacing(path) as partial_path:
        partial_path.write_text(json.dumps(kept), encoding="utf-8")


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _unusable(row: Row, seen: Seen, leads: Sequence[float]) -> str | None:
    if seen.problem is not None or row.event is None:
        return seen.problem
    if row.event > seen.last + max(leads, default=0.0):
        return f"the event at {row.event:g} s lies after the video's end at {seen.last:.2f} s"
    if row.event - max(leads, default=0.0) < seen.first:
        return f"the event at {row.event:g} s leaves no picture {max(leads):g} s before it"
    return None


def _clips(rows: Sequence[Row], seen: dict[str, Seen], leads: Sequence[float]) -> tuple[Clip, ...]:
    events = sorted(row.event - seen[row.file].first for row in rows if row.positive and row.event is not None)
    clips: list[Clip] = []
    for row in rows:
        sight = seen[row.file]
        event = row.event if row.positive else _cut(sight, events, leads)
        if event is None or not leads:
            clips.append(Clip(row.file, row.file, sight.content, row.positive, event))
        else:
            for lead in leads:
                end = min(event - lead, sight.last)
                clips.append(Clip(foresight.name(row.file, lead), row.file, sight.content, row.positive, round(end, 3)))
    return tuple(clips)


def _cut(seen: Seen, events: Sequence[float], leads: Sequence[float]) -> float | None:
    """Where a negative's event would be: one of the positives' that fits into its video, chosen by its content."""
    fitting = [event for event in events if event - min(leads, default=0.0) <= seen.last - seen.first]
    if not events:
        return None
    if not fitting:
        return seen.last + min(leads, default=0.0)
    draw = int(hashlib.sha256(f"cut\n{seen.content}".encode()).hexdigest(), 16)
    return seen.first + fitting[draw % len(fitting)]


def _split(made: Catalogue, own: Path | None) -> tuple[splits.Split, set[str]]:
    """The split, and the files that the user's own gives no part."""
    positive = {clip.name: clip.positive for clip in made.clips}
    if own is None:
        if min(sum(positive.values()), len(positive) - sum(positive.values())) < splits.SMALLEST // 2:
            raise BadTask(made.root, _too_few(positive.values()))
        return splits.assign(catalogue.contents(made), positive), set()
    return splits.adopt(own, {clip.name: clip.file for clip in made.clips}, catalogue.contents(made), positive)


def _too_few(positive: Iterable[bool]) -> str:
    labels = list(positive)
    least = splits.SMALLEST // 2
    return (
        f"gives {sum(labels)} positive and {len(labels) - sum(labels)} negative clips that can be used; "
        f"at least {least} of each are needed to split them in three"
    )
