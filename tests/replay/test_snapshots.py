import random

import msgspec
import pytest

from events.envelope import Position
from events.facts import Completed, Curves
from events.log import Recorded
from replay.analysis import SealsFold
from replay.controls import ControlsFold
from replay.errors import HistoryBroken
from replay.failing import FailingFold
from replay.fleet import FleetFold
from replay.folds import Fold, Pass
from replay.keeping import keeper_of
from replay.measures import MEASURES
from replay.milestones import MilestonesFold
from replay.queueing import VerdictsFold
from replay.snapshots import Timeline, state_of
from tests.replay import tales

FOLDS: tuple[Fold, ...] = (
    *MEASURES,
    *(FleetFold(), ControlsFold(), FailingFold(), MilestonesFold(), VerdictsFold(), SealsFold()),
)


def bytes_of(passing):
    return [msgspec.msgpack.encode(state) for state in passing.states]


def whole(log, through):
    passing = Pass(*FOLDS)
    passing.advance(frame for frame in log.read() if frame.sequence <= through)
    return passing


def test_a_journey_to_any_position_ends_where_folding_from_the_start_does():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=16, marks=8)
    timeline.catch_up()
    positions = [0, 1, log.last(), *random.Random(1).sample(range(2, log.last()), 10)]
    for position in positions:
        there, again = timeline.at(position), whole(log, position)
        assert there.through == again.through == position
        assert bytes_of(there) == bytes_of(again)
        assert there.states == again.states


def test_what_is_folded_on_from_a_mark_changes_no_other_journey():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=40, marks=8)
    timeline.catch_up()
    start = timeline.marks[1]
    before = bytes_of(timeline.at(start))
    further = timeline.at(start)
    further.advance(log.read(start))
    assert bytes_of(further) == bytes_of(timeline.head)
    assert bytes_of(timeline.at(start)) == before


def test_a_pass_that_stands_nearer_than_any_mark_goes_on_itself():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=60, marks=8)
    timeline.catch_up()
    here = timeline.at(timeline.marks[1] + 3)
    assert timeline.at(here.through + 5, here=here) is here
    assert bytes_of(here) == bytes_of(whole(log, here.through))
    back = timeline.at(here.through - 4, here=here)
    assert back is not here
    beyond = timeline.at(timeline.marks[-1] + 1, here=here)
    assert beyond is not here
    assert bytes_of(beyond) == bytes_of(whole(log, beyond.through))


def test_a_timeline_follows_a_log_that_grows():
    c = tales.busy(8)
    timeline = Timeline(c.log, *FOLDS, every=16, marks=4)
    timeline.catch_up()
    known = c.log.last()
    assert timeline.at(10_000).through == known
    c.runs(c.queues(c.proposes("tpe")), validation=0.99)
    assert timeline.at(10_000).through == c.log.last() > known
    timeline.advance(c.log.read())
    assert timeline.through == c.log.last()


def test_the_number_of_marks_stays_bounded_and_they_stay_spread():
    log = tales.busy(40).log
    timeline = Timeline(log, *FOLDS, every=1, marks=6)
    for frame in log.read():
        timeline.advance((frame,))
    assert 3 <= len(timeline.marks) <= 6
    gaps = [b - a for a, b in zip((0, *timeline.marks), (*timeline.marks, log.last()), strict=True)]
    assert max(gaps) <= log.last() / 2
    position = log.last() // 3
    assert bytes_of(timeline.at(position)) == bytes_of(whole(log, position))


def test_a_broken_frame_leaves_the_positions_before_it_reachable():
    c = tales.busy(10)
    sound = c.log.last()
    timeline = Timeline(c.log, *FOLDS, every=16)
    stray = Completed(
        experiment="e-none",
        attempt=1,
        validation=0.5,
        test=0.5,
        noise=0.0,
        epoch=1,
        curves=Curves((0.5,), (0.5,)),
        gpu_seconds=1.0,
        peak_memory=1,
    )
    c.says("worker-cpu0-a", "pack", "p-1", stray)
    with pytest.raises(HistoryBroken):
        timeline.catch_up()
    assert timeline.at(sound).through == sound
    with pytest.raises(HistoryBroken):
        timeline.at(sound + 1)


def test_marks_share_what_did_not_change_between_them():
    c = tales.busy(20)
    passing = Pass(*MEASURES)
    passing.advance(c.log.read())
    ledger, keeper = passing.states[0].ledger, keeper_of(state_of(MEASURES[0]))
    first = keeper.keep(passing.states[0], None)
    assert keeper.keep(passing.states[0], first) is first
    c.declines(c.proposes("tpe"))
    passing.advance(c.log.read())
    second = keeper.keep(passing.states[0], first)
    old, new = first.ledger.ideas.values, second.ledger.ideas.values
    assert all(one is other for one, other in zip(old, new, strict=False))
    assert (len(old), len(new)) == (len(ledger.ideas) - 1, len(ledger.ideas))
    assert second.ledger.experiments is first.ledger.experiments


def test_what_states_share_with_facts_is_never_changed_by_a_fold():
    log = tales.busy(30).log
    passing = Pass(*FOLDS)
    frames = list(log.read())
    passing.advance(frames)
    for frame in frames:
        fresh = Recorded(frame.sequence, frame.subject, frame.id, frame.payload)
        assert fresh.facts == frame.facts


class Unordered(msgspec.Struct):
    names: set[str]


class Mixed(msgspec.Struct):
    either: list[int] | None


@pytest.mark.parametrize("kind", [Unordered, Mixed, dict[str, object]])
def test_a_state_that_could_not_be_kept_exactly_is_refused(kind):
    with pytest.raises(TypeError, match="cannot be kept"):
        keeper_of(kind)


def test_a_position_of_a_frozen_struct_is_shared_not_copied():
    here = Position(3, 1)
    keeper = keeper_of(dict[str, Position])
    assert keeper.restored(keeper.keep({"a": here}, None))["a"] is here
