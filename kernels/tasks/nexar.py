"""nexar: the published dash-camera collisions, in either layout, and the measure that they are judged by.

The data set's own page: train/positive and train/negative with a metadata.csv beside the videos of each (file_name,
time_of_event, time_of_alert ...) or one for both. The competition: train.csv (id, target, time_of_event, time_of_alert)
beside train/ with five-digit names. Negatives have no times.
"""

from pathlib import Path

from kernels.errors import BadTask
from kernels.tasks.gathering import Row, Table, read_table, seconds

LEADS = (0.5, 1.0, 1.5)  # seconds before the event that the measure looks from
KINDS = ("positive", "negative")


def read(folder: Path) -> Table:
    """Reads whichever layout a folder has.

    Raises:
        BadTask: it has neither.
    """
    if (folder / "train.csv").exists():
        return _competition(folder)
    tables = [path for path in _tables(folder) if path.exists()]
    if not tables:
        raise BadTask(
            folder,
            "holds neither train.csv (the competition's layout) nor metadata.csv in train/ or in train/positive/ and "
            "train/negative/ (the data set's)",
        )
    return _published(folder, tables)


def _tables(folder: Path) -> list[Path]:
    return [folder / "train" / "metadata.csv", *(folder / "train" / kind / "metadata.csv" for kind in KINDS)]


def _competition(folder: Path) -> Table:
    rows, problems = [], []
    for place, row in read_table(folder / "train.csv", ("id", "target", "time_of_event")):
        try:
            number = _whole(row["id"])
            if row["target"] not in {"0", "1", "0.0", "1.0"}:
                raise ValueError(f"target '{row['target']}' is not 0 or 1")
            rows.append(_row(place, f"train/{number:05d}.mp4", float(row["target"]) == 1, row["time_of_event"]))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    return Table("nexar", folder, tuple(rows), tuple(problems))


def _published(folder: Path, tables: list[Path]) -> Table:
    rows, problems = [], []
    for table in tables:
        inside = table.parent.relative_to(folder)
        for place, row in read_table(table, ("file_name", "time_of_event")):
            file = (inside / row["file_name"]).as_posix()
            place = f"{inside.as_posix()}/{place}"  # noqa: PLW2901 - two tables of one name are told apart
            kind = next((kind for kind in KINDS if kind in Path(file).parts), None)
            try:
                if kind is None:
                    raise ValueError(f"{row['file_name']} lies neither in positive/ nor in negative/")
                rows.append(_row(place, file, kind == "positive", row["time_of_event"]))
            except ValueError as error:
                problems.append(f"{place}: {error}")
    return Table("nexar", folder, tuple(rows), tuple(problems))


def _row(place: str, file: str, positive: bool, event: str) -> Row:
    try:
        time = seconds(event)
    except ValueError as error:
        raise ValueError(f"time_of_event of {file}: {error}") from None
    if positive and time is None:
        raise ValueError(f"{file} is positive and has no time_of_event")
    return Row(place, file, positive, time if positive else None)


def _whole(text: str) -> int:
    # A table that went through a program of statistics says 822.0.
    value = float(text) if text.replace(".", "", 1).isdigit() else -1.0
    if value < 0 or value != int(value):
        raise ValueError(f"id '{text}' is not a whole number")
    return int(value)
