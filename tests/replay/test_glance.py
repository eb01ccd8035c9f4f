"""The screen's counts: whatever is looked at when, they are those of the folds that walk the whole ledger."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from events.archives import archive
from events.log import Recorded
from replay.agents import AgentRow, agents
from replay.measures import Measurement
from replay.metrics import validations
from replay.moments.glance import GlanceFold, hourly, idle
from replay.progress import running_best
from replay.subject import subject
from replay.troubles import failures, queue
from tests.chronicle import Chronicle
from tests.replay.tales import busy, failed, measured

GOLDEN = Path(__file__).parents[1] / "golden"


def frames_of(source: str) -> list[Recorded]:
    if source == "busy":
        return list(busy(60).log.read())
    if source == "failed":
        return list(failed().log.read())
    log = archive.open_file(GOLDEN / f"{source}.myriad")
    return list(log.read())


def told(row: AgentRow) -> dict[str, object]:
    return msgspec.structs.asdict(row)


@pytest.mark.parametrize("every", [1, 7, 10_000])
@pytest.mark.parametrize("source", ["busy", "failed", "vocabulary-1", "vocabulary-2"])
def test_however_often_one_looks_the_counts_are_those_of_a_whole_walk(source: str, every: int) -> None:
    measurement = Measurement(GlanceFold())
    frames = frames_of(source)
    for number, frame in enumerate(frames, start=1):
        measurement.advance((frame,))
        if number % every and number != len(frames):
            continue
        results, (glance,) = measurement.results, measurement.beside
        glance.refresh(results)
        assert list(map(told, glance.agents(results))) == list(map(told, agents(results)))
        assert glance.failures(results) == failures(results)
        assert glance.queue(results) == queue(measurement.ledger)
        assert glance.instruments() == subject(measurement.ledger, 0).instruments
        assert glance.running_best == running_best(validations(measurement.ledger))


def test_a_band_ends_where_the_instrument_changes_and_keeps_its_own_best() -> None:
    c = Chronicle()
    c.opened()
    for instrument, batch, score in (("a", 16, 0.5), ("a", 32, 0.7), ("b", 64, 0.6), ("a", 128, 0.4)):
        c.instrument = instrument
        c.runs(c.queues(c.proposes("tpe", batch=batch)), validation=score)
    measurement = Measurement(GlanceFold())
    measurement.advance(c.log.read())
    (glance,) = measurement.beside
    glance.refresh(measurement.results)
    assert [(b.instrument, b.first, b.last, b.best) for b in glance.bands] == [
        ("a", 1, 2, 0.7),
        ("b", 3, 3, 0.6),
        ("a", 4, 4, 0.4),
    ]


def test_completions_an_hour_are_counted_over_the_last_hour_alone() -> None:
    c = Chronicle()
    c.opened()
    for score in (0.5, 0.6):
        c.runs(c.queues(c.proposes("tpe", batch=16 if score == 0.5 else 64)), validation=score)
    c.waits(7200)
    c.runs(c.queues(c.proposes("tpe", batch=32)), validation=0.7)
    ledger = measured(c).ledger
    assert hourly(ledger, c.at) == 1.0
    assert hourly(ledger, ledger.opened_at) is None


def test_an_idle_worker_is_told_why() -> None:
    c = Chronicle()
    c.opened()
    assert idle(measured(c).ledger) == "nothing is queued"
    idea = c.proposes("tpe")
    assert idle(measured(c).ledger) == "ideas wait for a verdict"
    c.queues(idea)
    assert idle(measured(c).ledger) == "work waits: a pack is being made"
    c.closes("enough")
    assert idle(measured(c).ledger) == "the search is closed"
