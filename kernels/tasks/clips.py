"""clips: a folder of the user's own videos, labelled by a table with the columns file, label and (if wanted) event."""

from pathlib import Path

from kernels.tasks.gathering import Row, Table, read_table, seconds

POSITIVE = frozenset({"1", "true", "positive", "yes"})
NEGATIVE = frozenset({"0", "false", "negative", "no"})
ALLOWED = "1 | 0 | positive | negative | true | false | yes | no"


def read(videos: Path, table: Path) -> Table:
    """Reads a table of the user's.

    Args:
        videos: the folder that `file` is relative to.
        table: a CSV file: `file`, `label`, and optionally `event`, seconds into the video or empty.

    Raises:
        BadTask: the table cannot be read or lacks a column.
    """
    rows, problems = [], []
    for place, row in read_table(table, ("file", "label")):
        try:
            rows.append(_row(place, row))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    return Table("clips", videos, tuple(rows), tuple(problems))


def _row(place: str, row: dict[str, str]) -> Row:
    label = row["label"].lower()
    if not row["file"]:
        raise ValueError("file is empty; it must name a video under the folder")
    if label not in POSITIVE | NEGATIVE:
        raise ValueError(f"label '{row['label']}' of {row['file']} is not one of {ALLOWED}")
    try:
        event = seconds(row.get("event", ""))
    except ValueError as error:
        raise ValueError(f"event of {row['file']}: {error}") from None
    if event is not None and label in NEGATIVE:
        raise ValueError(f"{row['file']} is negative and has an event at {event:g} s; leave the event empty")
    return Row(place, row["file"], label in POSITIVE, event)
