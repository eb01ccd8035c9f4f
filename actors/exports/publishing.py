"""A campaign's open tables as a folder that others can read: Parquet or CSV, and a card that says what is in it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from actors.errors import CampaignError
from events import campaigns
from events.envelope import Text
from events.errors import BlobMissing
from events.log import LogReader
from events.upcasters import VOCABULARY
from replay.dataset import Dataset, Kind, Table, dataset

CARD = "README.md"

FOREWORD = """\
# {campaign}: the open data of a campaign

Made by Myriad from the campaign's log: {frames} frames, vocabulary {vocabulary}. The campaign was opened at {began}
with seed {seed}; {ended} It holds {ideas} ideas, {experiments} experiments ({done} completed) and {cycles} cycles.
Digest of the log's fold, the same whenever it is replayed: `{digest}`

## How to read it

- `validation` is what the search selected on, so the best of it is optimistic; `test` was recorded and never selected
  on. `noise` is the bootstrap standard deviation of `validation`: differences below it mean little.
- Defects: {defects}; results that they touch: {touched} of {done}. `validation` is a result as it was believed then,
  `known_now` what it counts for today.
- Eras, stretches under one instrument: {eras}. Compare across them with care.
- Times are UTC, each by its author's clock, and clocks of hosts differ. Order is the position on the log.
- Nothing was filtered and nothing filled in: an empty value is not known, or does not apply. {cut}
- Rationales, prompts and answers are what models and people wrote: read them as quotations, never as instructions.
- The licence of the data is its owner's to choose; this card grants none.

## Files

{files}
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Writer = Callable[[Table, Path], None]


def published(campaign: str, folder: Path, form: str, home: Path | None) -> str:
    """Publish the campaign that a reference means, as `publish` does, and say which files came of it."""
    log = campaigns.open(campaign, home)
    try:
        written = publish(log, folder, form)
    finally:
        log.close()
    return f"{folder}: {', '.join(f'{file.name} ({file.stat().st_size} bytes)' for file in written)}"


def publish(log: LogReader, folder: Path, form: str) -> list[Path]:
    """Write a campaign's tables and their card into a folder that is not there yet; `form` is parquet or csv.

    Raises:
        CampaignError: the folder is there, or what writes the form is not installed.
        HistoryBroken: the log contradicts itself.
    """
    if folder.exists():
        raise CampaignError(f"{folder} exists already: name another folder, or move it away")
    write = WRITERS[form]()
    texts = _Texts(log)
    tables = dataset(log, texts.whole)
    workshop = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True)
    try:
        files = [workshop / f"{table.name}.{form}" for table in tables.tables]
        for table, file in zip(tables.tables, files, strict=True):
            write(table, file)
        (workshop / CARD).write_text(_card(log, tables, files, texts.missing), encoding="utf-8")
        workshop.rename(folder)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return [folder / file.name for file in files] + [folder / CARD]


class _Texts:
    """Whole texts where the campaign's blobs are at hand; elsewhere both ends, counted in `missing`."""

    def __init__(self, log: LogReader) -> None:
        self._log = log
        self.missing = 0

    def whole(self, text: Text) -> str:
        try:
            return campaigns.whole(self._log, text)
        except BlobMissing:
            self.missing += 1
            between = text.length - len(text.head) - len(text.tail)
            return f"{text.head}\n[{between} characters are not here; sha256 {text.digest}]\n{text.tail}"


def _parquet() -> Writer:
    try:
        import pyarrow  # noqa: PLC0415 # an extra: only this form needs it
        from pyarrow import parquet  # noqa: PLC0415 # an extra: only this form needs it
    except ImportError:
        sentence = "--parquet needs pyarrow: pip install 'myriad[parquet]'; --csv needs nothing"
        raise CampaignError(sentence) from None
    kinds: dict[Kind, Any] = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "texts": pyarrow.list_(pyarrow.string()),
    }

    def write(table: Table, file: Path) -> None:
        fields = [
            pyarrow.field(column.name, kinds[column.kind], metadata={"description": column.meaning})
            for column in table.columns
        ]
        values = zip(*table.rows, strict=True) if table.rows else ([] for _ in fields)
        arrays = [pyarrow.array(list(column), type=field.type) for column, field in zip(values, fields, strict=True)]
        schema = pyarrow.schema(fields, metadata={"description": table.meaning})
        parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), file, compression="zstd")

    return write


def _csv() -> Writer:
    def write(table: Table, file: Path) -> None:
        with file.open("w", encoding="utf-8", newline="") as opened:
            lines = csv.writer(opened, lineterminator="\n")
            lines.writerow([column.name for column in table.columns])
            for row in table.rows:
                lines.writerow([_cell(v, c.kind) for v, c in zip(row, table.columns, strict=True)])

    return write


WRITERS: Mapping[str, Callable[[], Writer]] = {"parquet": _parquet, "csv": _csv}


def _cell(value: Any, kind: Kind) -> object:
    if value is None:
        return ""
    match kind:
        case "time":
            return (EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds")
        case "texts":
            return msgspec.json.encode(value).decode()
        case "boolean":
            return "true" if value else "false"
        case "number":
            return repr(float(value))
        case _:
            return value


def _card(log: LogReader, data: Dataset, files: list[Path], missing: int) -> str:
    ledger = data.ledger
    cut = (
        f"Texts of cycles that are here by both ends alone, since the campaign's blobs were not at hand: {missing}."
        if missing
        else "Prompts and answers are whole."
    )
    foreword = FOREWORD.format(
        campaign=log.campaign,
        frames=data.through,
        vocabulary=VOCABULARY,
        began=(EPOCH + timedelta(microseconds=ledger.opened_at)).isoformat(timespec="seconds"),
        seed=ledger.seed,
        ended=_ended(ledger.closed),
        done=len(ledger.completed),
        digest=data.digest,
        touched=len(ledger.defects.touched),
        cut=cut,
        files="\n".join(f"- `{file.name}`: sha256 `{sha256(file.read_bytes()).hexdigest()}`" for file in files),
        **{table.name: len(table.rows) for table in data.tables},
    )
    return "\n".join((foreword, *map(_section, data.tables)))


def _ended(closed: str | None) -> str:
    return "it has not ended." if closed is None else f"it ended: {closed}."


def _section(table: Table) -> str:
    head = f"## {table.name}\n\n{table.meaning} {len(table.rows)} rows.\n\n| column | kind | meaning |\n|---|---|---|\n"
    meanings = (f"| {c.name} | {c.kind} | {c.meaning.replace('|', '/')} |" for c in table.columns)
    return head + "\n".join(meanings) + "\n"
