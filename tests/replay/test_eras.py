"""Eras: opened by facts, inferred without them, told with their best on each scale; and how instruments differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from events import facts
from replay.doors import replay
from replay.era_report import era_report
from replay.eras import INFERRED
from replay.errors import QuestionUnknown
from replay.instruments import changes, instruments, named
from replay.pages.trust import SHOWN, changes_page, eras_page, instruments_page
from replay.platforms import differing
from tests.chronicle import PLATFORM
from tests.replay.shifting import PARTS, Shifting


def _numbers(c: Shifting) -> list[tuple[int, str, bool]]:
    return [(era.number, era.instrument, era.declared) for era in c.ledger.eras.all]


def test_a_log_without_opened_eras_has_one_for_each_instrument_that_runs_name() -> None:
    c = Shifting("first")
    one = c.done(0.5)
    c.instrument = "second"
    two = c.done(0.6)
    c.instrument = "first"
    three = c.done(0.7)
    assert _numbers(c) == [(1, "first", False), (2, "second", False)]
    assert c.ledger.eras.of == {one: 1, two: 2, three: 1}
    assert {row.reason for row in era_report(c.ledger).eras} == {INFERRED}


def test_an_opened_era_holds_the_runs_of_its_instrument_from_there_on() -> None:
    c = Shifting("first")
    c.era(1, "the canaries held")
    one = c.done(0.5)
    c.instrument = "second"
    c.era(2, "pooling was mended")
    two = c.done(0.6)
    c.instrument = "first"
    late = c.done(0.7)
    c.era(3, "back again")
    last = c.done(0.8)
    assert _numbers(c) == [(1, "first", True), (2, "second", True), (3, "first", True)]
    assert c.ledger.eras.of == {one: 1, two: 2, late: 1, last: 3}
    assert c.ledger.eras.current is not None
    assert c.ledger.eras.current.number == 3


def test_a_run_under_an_instrument_that_no_fact_opened_an_era_for_belongs_to_none() -> None:
    c = Shifting("first")
    c.era(1)
    c.done(0.5)
    c.instrument = "stranger"
    stray = c.done(0.9)
    assert stray not in c.ledger.eras.of
    last = era_report(c.ledger).eras[-1]
    assert (last.number, last.instrument, last.runs) == (None, "stranger", 1)


def test_runs_from_before_the_first_opened_era_keep_their_own() -> None:
    c = Shifting("old")
    before = c.done(0.5)
    c.instrument = "first"
    c.era(1)
    after = c.done(0.6)
    assert _numbers(c) == [(0, "old", False), (1, "first", True)]
    assert c.ledger.eras.of == {before: 0, after: 1}


def test_an_era_opened_for_the_instrument_that_runs_already_takes_them_in() -> None:
    c = Shifting("first")
    before = c.done(0.5)
    c.era(1, "verified late")
    after = c.done(0.6)
    assert _numbers(c) == [(1, "first", True)]
    assert c.ledger.eras.of == {before: 1, after: 1}
    assert era_report(c.ledger).eras[0].opened == c.ledger.eras.all[0].opened < c.ledger.experiments[before].ended


def test_the_best_of_an_era_is_by_validation_and_sound_whatever_its_test_says() -> None:
    c = Shifting("first")
    c.era(1)
    c.runs(c.queues(c.proposes("tpe")), validation=0.6, test=0.99)
    best = c.queues(c.proposes("tpe", pooling="mean"))
    c.runs(best, validation=0.7, test=0.1)
    c.done(0.9, pooling="last")
    c.defect("pooling == last")
    (row,) = era_report(c.ledger).eras
    assert (row.runs, row.completed, row.touched) == (3, 3, 1)
    assert row.best is not None
    assert (row.best.experiment, row.best.validation, row.best.test) == (best, 0.7, 0.1)
    assert "nothing is selected on test" in eras_page(era_report(c.ledger)).replace("\n    ", " ")


def test_instruments_are_told_with_what_their_canaries_saw_and_which_parts_differ() -> None:
    c = Shifting("first")
    c.verified()
    c.done(0.5)
    c.instrument = "second"
    c.verified(**{"source/pooling.py": "cccc", "source/new.py": "dddd"})
    c.done(0.6)
    known = instruments(c.log)
    assert [(one.instrument, one.status, one.runs, one.eras) for one in known] == [
        ("first", "verified", 1, (1,)),
        ("second", "verified", 1, (2,)),
    ]
    found = changes(named(known, "fi"), named(known, "sec"))
    assert [(one.part, one.before, one.after) for one in found.changes] == [
        ("source/new.py", None, "dddd"),
        ("source/pooling.py", "aaaa", "cccc"),
    ]
    assert found.same == 1
    assert "source/pooling.py" in changes_page(found)
    assert "0.3" in instruments_page(known)


def test_the_versions_of_libraries_are_told_beside_an_instrument_and_what_they_differ_in() -> None:
    c = Shifting("first")
    c.verified()
    c.done(0.5)
    newer = PLATFORM | {"torch": "2.12.0"}
    joined = facts.WorkerJoined(
        worker="worker-cpu1-b", device="cpu", lanes=1, platform=newer, instrument=c.instrument, cause=None
    )
    c.says("worker-cpu1-b", "worker", "worker-cpu1-b", joined)
    verdict = facts.InstrumentRefused(
        instrument="first", parts=PARTS, canaries=(), seconds=1.0, reason="torch rounds", platform=newer
    )
    c.says("worker-cpu1-b", "worker", "worker-cpu1-b", verdict)
    (known,) = instruments(c.log)
    assert known.status == "verified"
    told = [(one.values.get("torch"), one.status, one.runs) for one in known.platforms]
    assert told == [(None, "verified", 0), ("2.12.0", "refused", 0), ("2.11.0", "verified", 1)]
    assert "on cpu, lanes 1, torch 2.12.0: refused, 0 runs, 0 done" in instruments_page([known])
    c.instrument = "second"
    c.verified(**{"source/pooling.py": "cccc"})
    second = next(one for one in instruments(c.log) if one.instrument == "second")
    found = changes(known, second)
    assert ("torch", "2.12.0, 2.11.0", None) in [(one.part, one.before, one.after) for one in found.platforms]
    assert "torch" in changes_page(found)
    assert differing(known.platforms) == {"torch": ("2.12.0", "2.11.0")}


def test_a_page_of_many_canaries_shows_first_what_did_not_hold() -> None:
    held = [facts.Canary(name="dimension", subject=f"held {n}", seen=0.1, allowed=0.0) for n in range(30)]
    broken = facts.Canary(name="padding", subject="pooling", seen=0.4, allowed=1e-6, problem="last reads padding")
    c = Shifting("first")
    refused = facts.InstrumentRefused(
        instrument="first", parts={}, canaries=(*held, broken), seconds=1.0, reason="padding"
    )
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", refused)
    lines = instruments_page(instruments(c.log)).splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("  canary "))
    assert lines[header + 1].endswith("not held")
    assert "  padding, pooling: last reads padding" in lines[:header]
    assert f"and {31 - SHOWN} more, which held" in lines[-1]


def test_an_instrument_is_named_by_a_beginning_that_only_it_has() -> None:
    c = Shifting("first")
    c.done(0.5)
    known = instruments(c.log)
    with pytest.raises(QuestionUnknown, match="means 0 of this log's instruments: first"):
        named(known, "x")
    with pytest.raises(QuestionUnknown, match="never verified"):
        changes(named(known, "f"), named(known, "f"))


def test_the_doors_of_eras_and_instruments_answer(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(golden, "eras") == 0
    assert replay(golden, "eras", "--json") == 0
    assert replay(golden, "instruments") == 0
    assert replay(golden, "instruments", "diff", "e1") == 2
    printed = capsys.readouterr()
    assert '"current":1' in printed.out
    assert "diff A B" in printed.err


@pytest.fixture
def golden() -> str:
    return str(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")
