"""Open tables of a campaign, read back with pyarrow and pandas; and what the card says of them."""

from __future__ import annotations

import builtins
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from actors import doors
from actors.errors import CampaignError
from actors.exports.publishing import publish
from events import facts
from events.archives import archive
from events.blobs import Blobs
from events.memory import MemoryLog
from replay.dataset import Dataset, dataset
from replay.measures import Measurement
from tests.chronicle import INSTRUMENT, Chronicle

TABLES = ("experiments", "attempts", "curves", "ideas", "cycles", "defects", "eras")
LONG = 'a long prompt, and awkward: "quoted",\nnew lines; ' * 300


def _told(blobs: Blobs) -> MemoryLog:
    c = Chronicle()
    c.opened(seed=7)
    c.says("scheduler", "campaign", "era", facts.EraOpened(era=1, instrument=INSTRUMENT, reason="the first"))
    c.joins("claude", "claude")
    asked = facts.CycleStarted(cycle="c-x", agent="claude", key=1, prompt=blobs.keep(LONG), reserve_usd=0.5)
    c.says("agent-claude", "cycle", "c-x", asked)
    refused = facts.AnswerRefused(cycle="c-x", reason="not YAML, at all", kind="answer", usd=0.25)
    c.says("agent-claude", "cycle", "c-x", refused)
    first = c.proposes("tpe", dropout=0.2)
    one = c.queues(first)
    c.runs(one, validation=0.6, curves=facts.Curves(loss=(0.7, None), validation=(0.5, 0.6), learning_rate=(0.1, 0.01)))
    (child,) = c.cycle("tpe", {"dropout": 0.3}, parents=(first,))
    c.assigns(two := c.queues(child))
    c.starts(two)
    c.fails(two, "diverged")
    c.abandons(two)
    c.declines(c.proposes("tpe", dropout=0.2), twin=first)
    found = facts.DefectFound(defect="d-1", component="pooling", where=f"experiment == {one}", reason="leaks", by="me")
    c.says("person-test", "defect", "d-1", found)
    c.closes()
    return c.log


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    blobs = Blobs(tmp_path / "blobs")
    log = _told(blobs)
    archive.export(log, tmp_path / "tale.myriad", ((digest, blobs.get(digest)) for digest in blobs.digests()))
    return tmp_path / "tale.myriad"


@pytest.fixture
def whole(campaign: Path) -> Dataset:
    from events import campaigns

    log = campaigns.open(campaign)
    return dataset(log, lambda text: campaigns.whole(log, text))


def test_every_value_of_every_table_comes_back_from_parquet(campaign: Path, whole: Dataset, tmp_path: Path) -> None:
    assert doors.export(str(campaign), parquet=tmp_path / "open") == 0
    assert sorted(path.stem for path in (tmp_path / "open").glob("*.parquet")) == sorted(TABLES)
    for table in whole.tables:
        read = parquet.read_table(tmp_path / "open" / f"{table.name}.parquet")
        assert read.column_names == [column.name for column in table.columns]
        assert [field.metadata[b"description"].decode() for field in read.schema] == [c.meaning for c in table.columns]
        times = [column.name for column in table.columns if column.kind == "time"]
        for name in times:
            read = read.set_column(read.column_names.index(name), name, read.column(name).cast("int64"))
        assert [tuple(row.values()) for row in read.to_pylist()] == table.rows


def test_csv_says_the_same_as_parquet(campaign: Path, tmp_path: Path) -> None:
    doors.export(str(campaign), parquet=tmp_path / "p")
    doors.export(str(campaign), csv=tmp_path / "c")
    for name in TABLES:
        held = parquet.read_table(tmp_path / "p" / f"{name}.parquet")
        read = arrow_csv.read_csv(
            tmp_path / "c" / f"{name}.csv",
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types={f.name: f.type for f in held.schema if not str(f.type).startswith("list")},
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        rows = [
            {k: json.loads(v) if isinstance(row[k], list) else v for k, v in told.items()}
            for told, row in zip(read.to_pylist(), held.to_pylist(), strict=True)
        ]
        assert [{k: v or None if v == "" else v for k, v in row.items()} for row in rows] == [
            {k: v or None if v == "" else v for k, v in row.items()} for row in held.to_pylist()
        ]


def test_pandas_reads_both_and_finds_the_same_best(campaign: Path, tmp_path: Path) -> None:
    doors.export(str(campaign), parquet=tmp_path / "p")
    doors.export(str(campaign), csv=tmp_path / "c")
    frames = (
        pandas.read_parquet(tmp_path / "p" / "experiments.parquet"),
        pandas.read_csv(tmp_path / "c" / "experiments.csv"),
    )
    for frame in frames:
        assert frame.loc[frame["validation"].idxmax(), "experiment"] == "e-1"
        assert frame["configuration_dropout"].tolist() == pytest.approx([0.2, 0.3])


QUERY = """
import duckdb, json, sys
folder, form = sys.argv[1:]
rows = duckdb.sql(f"select e.experiment, e.validation, count(*) from '{folder}/experiments.{form}' e "
                  f"join '{folder}/curves.{form}' c using (experiment) group by all").fetchall()
print(json.dumps(rows))
"""


def test_duckdb_joins_the_tables(campaign: Path, tmp_path: Path) -> None:
    doors.export(str(campaign), parquet=tmp_path / "p")
    doors.export(str(campaign), csv=tmp_path / "c")
    for folder, form in ((tmp_path / "p", "parquet"), (tmp_path / "c", "csv")):
        command = [sys.executable, "-c", QUERY, str(folder), form]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == [["e-1", 0.6, 2]]


def _rows(data: Dataset, name: str) -> list[dict[str, Any]]:
    table = next(table for table in data.tables if table.name == name)
    return [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]


def test_the_tables_say_what_happened(whole: Dataset) -> None:
    best, lost = _rows(whole, "experiments")
    assert (best["validation"], best["known_now"], best["defects"], best["era"]) == (0.6, None, ["d-1"], 1)
    assert (lost["status"], lost["validation"], lost["abandoned"]) == ("abandoned", None, "tried enough")
    assert [a["failure"] for a in _rows(whole, "attempts")] == [None, "diverged"]
    assert [(c["epoch"], c["loss"], c["learning_rate"]) for c in _rows(whole, "curves")] == [
        (1, 0.7, 0.1),
        (2, None, 0.01),
    ]
    ideas = _rows(whole, "ideas")
    assert [idea["declined"] for idea in ideas] == [None, None, "twin"]
    assert ideas[1]["parents"] == [ideas[0]["idea"]]
    asked = _rows(whole, "cycles")[0]
    assert (asked["prompt"], asked["status"], asked["usd"]) == (LONG, "refused", 0.25)
    assert [(d["defect"], d["touched"], d["fixed"]) for d in _rows(whole, "defects")] == [("d-1", 1, None)]
    assert [(e["era"], e["experiments"], e["declared"]) for e in _rows(whole, "eras")] == [(1, 2, True)]


def test_the_card_vouches_for_the_files_and_names_every_column(campaign: Path, whole: Dataset, tmp_path: Path) -> None:
    doors.export(str(campaign), csv=tmp_path / "open")
    card = (tmp_path / "open" / "README.md").read_text()
    for table in whole.tables:
        content = (tmp_path / "open" / f"{table.name}.csv").read_bytes()
        assert hashlib.sha256(content).hexdigest() in card
        assert all(f"| {column.name} | {column.kind} |" in card for column in table.columns)
    measurement = Measurement()
    measurement.advance(archive.open_file(campaign).read())
    assert measurement.digest() in card
    assert "results that they touch: 1 of 1" in card
    assert "Prompts and answers are whole." in card


def test_a_text_whose_middle_is_not_here_says_so_and_is_counted(tmp_path: Path) -> None:
    log = _told(Blobs(tmp_path / "blobs"))
    publish(log, tmp_path / "open", "csv")
    assert "blobs were not at hand: 1." in (tmp_path / "open" / "README.md").read_text()
    assert "characters are not here; sha256" in (tmp_path / "open" / "cycles.csv").read_text()


def test_the_same_log_gives_the_same_bytes(campaign: Path, tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        one, other = (publish(archive.open_file(campaign), tmp_path / f"{form}{n}", form) for n in (1, 2))
        assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


def test_a_log_without_a_fact_gives_empty_tables(tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        publish(MemoryLog("tale"), tmp_path / form, form)
    assert parquet.read_table(tmp_path / "parquet" / "curves.parquet").num_rows == 0
    assert (tmp_path / "csv" / "eras.csv").read_text().count("\n") == 1


def test_a_folder_that_is_there_is_left_as_it_is(campaign: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    with pytest.raises(CampaignError, match="open exists already"):
        doors.export(str(campaign), csv=tmp_path / "open")
    assert list((tmp_path / "open").iterdir()) == []


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(log: object, whole: object) -> Dataset:
        return Dataset((), None, 0, "")  # type: ignore[arg-type]

    monkeypatch.setattr("actors.exports.publishing.dataset", broken)
    with pytest.raises(AttributeError):
        publish(MemoryLog("tale"), tmp_path / "open", "csv")
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return found(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(CampaignError, match=r"pip install 'myriad\[parquet\]'"):
        publish(MemoryLog("tale"), tmp_path / "open", "parquet")
    assert list(tmp_path.iterdir()) == []
    assert publish(MemoryLog("tale"), tmp_path / "open", "csv")


def test_one_thing_is_exported_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doors.export("tale", parquet=tmp_path / "a", csv=tmp_path / "b") == 2
    assert "only one of them" in capsys.readouterr().err
