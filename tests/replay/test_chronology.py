"""The chronology: every fact where it stands, held against a plain walk over the log."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from events.archives import archive
from events.envelope import Position
from events.facts import EraOpened, Started
from events.log import Recorded
from replay.moments.chronology import TROUBLE, Chronology
from tests.replay.shifting import Shifting
from tests.replay.tales import busy

GOLDEN = Path(__file__).parents[1] / "golden"


def frames_of(source: str) -> list[Recorded]:
    if source == "busy":
        return list(busy(40).log.read())
    if source == "shifting":
        return list(shifting().log.read())
    return list(archive.open_file(GOLDEN / f"{source}.myriad").read())


def shifting() -> Shifting:
    c = Shifting()
    for instrument, batch in (("first", 16), ("second", 32), ("second", 64), ("first", 128)):
        c.instrument = instrument
        c.runs(c.queues(c.proposes("tpe", batch=batch)), validation=0.5)
    return c


def folded(frames: list[Recorded]) -> Chronology:
    made = Chronology()
    for recorded in frames:
        made.extend([recorded])
    return made


@pytest.mark.parametrize("source", ["busy", "shifting", "vocabulary-1", "vocabulary-2"])
def test_every_fact_stands_where_a_walk_over_the_log_finds_it(source: str) -> None:
    frames = frames_of(source)
    made = folded(frames)
    positions = [position for recorded in frames for position, _ in recorded.positions()]
    assert [made.position(number + 1) for number in range(made.facts)] == positions
    assert made.troubles == [r.sequence for r in frames if any(isinstance(fact, TROUBLE) for fact in r.facts)]
    latest, seen = [0], 0
    for recorded in frames:
        seen = max(seen, *(fact.at for fact in recorded.facts))
        latest.append(seen)
    assert made.latest == latest
    for sequence in range(1, len(frames) + 1):
        assert made.latest[made.until(made.time(sequence))] == made.time(sequence)


def test_a_border_is_where_another_instrument_measures() -> None:
    frames = frames_of("shifting")
    named = [
        (recorded.sequence, fact.instrument)
        for recorded in frames
        for fact in recorded.facts
        if isinstance(fact, Started | EraOpened)
    ]
    changes = [after[0] for before, after in pairwise(named) if before[1] != after[1]]
    assert folded(frames).borders == changes
    assert len(changes) == 2


def test_a_frame_that_cannot_be_read_counts_as_one_fact() -> None:
    made = folded(frames_of("busy"))
    many = made.facts
    made.extend([Recorded(len(made.counts), "myriad.tale.pack.p-1.worker-a", "worker-a:1", b"[")])
    assert (made.facts, made.position(many + 1)) == (many + 1, Position(len(made.counts) - 1, 0))
