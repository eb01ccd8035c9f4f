"""The builder that every room's tests tell their logs with."""

import pytest

from events.authors import role_of
from events.errors import ConfigurationInvalid
from replay.cycles import CyclesFold
from replay.fleet import FleetFold
from replay.folds import run
from replay.repairs import RepairsFold
from tests.chronicle import SPACE, START, Chronicle
from tests.replay import tales


def test_every_frame_has_folded_all_before_it():
    for frame in tales.busy(12).log.read():
        assert {fact.through for fact in frame.facts} == {frame.sequence - 1}


def test_every_cause_is_an_earlier_fact():
    frames = {frame.sequence: frame for frame in tales.busy(12).log.read()}
    caused = [(frame, fact.cause) for frame in frames.values() for fact in frame.facts if fact.cause is not None]
    assert len(caused) > 50
    for frame, cause in caused:
        assert cause.sequence < frame.sequence
        assert cause.index < len(frames[cause.sequence].facts)


def test_message_ids_count_each_authors_frames():
    counts = {}
    for frame in tales.busy(12).log.read():
        counts[frame.author] = counts.get(frame.author, 0) + 1
        assert frame.id == f"{frame.author}:{counts[frame.author]}"
    assert {role_of(author) for author in counts} == {"person", "agent", "scheduler", "worker", "fixer"}


def test_time_is_virtual_and_passes_a_second_a_frame():
    c = Chronicle()
    c.opened()
    c.waits(60)
    c.joins("tpe")
    assert [frame.facts[0].at - START for frame in c.log.read()] == [1_000_000, 62_000_000]


def test_whoever_acts_without_a_word_joins_first():
    c = Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), on="worker-x-1")
    cycles, fleet = run(c.log, CyclesFold(), FleetFold())
    assert list(cycles.agents) == ["tpe"]
    assert list(fleet.workers) == ["worker-x-1"]


def test_a_configuration_is_a_whole_point_of_the_space():
    c = Chronicle()
    point = c.configuration(loss="bce", batch=64)
    assert SPACE.problems(point) == ()
    assert (point["batch"], "focal_gamma" in point) == (64, False)
    with pytest.raises(ConfigurationInvalid, match="batch = 7"):
        c.configuration(batch=7)


def test_a_whole_tale_folds_in_every_room_of_the_state():
    c = tales.busy(40)
    cycles, fleet, repairs = run(c.log, CyclesFold(), FleetFold(), RepairsFold())
    assert all(not cycle.open for cycle in cycles.cycles.values())
    assert all(worker.pack is None for worker in fleet.workers.values())
    assert {repair.status for repair in repairs.repairs.values()} == {"settled"}
