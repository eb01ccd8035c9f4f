import pytest

from events.log import Recorded
from events.memory import MemoryLog
from replay.moments.moment import MomentUnknown, moment
from replay.times import parsed, shown
from tests.chronicle import START, Chronicle
from tests.replay import tales


def busy_now():
    c = Chronicle()
    c.opened()
    first, second, third = (c.queues(idea) for idea in c.cycle("tpe", {"batch": 16}, {"batch": 32}, {"batch": 64}))
    c.assigns(first)
    c.starts(first)
    c.assigns(second, on="worker-b-1")
    c.proposes("uniform")
    return c, first, second, third


def test_a_moment_shows_what_ran_what_waited_and_who_was_there():
    c, first, second, third = busy_now()
    now = moment(c.log, str(c.log.last()))
    assert [running.experiment for running in now.running] == [first, second]
    assert [waiting.experiment for waiting in now.waiting] == [third]
    assert [worker.worker for worker in now.workers] == ["worker-cpu0-a", "worker-b-1"]
    assert now.queue.unjudged == 1
    assert now.subject.through == now.last == c.log.last()


def test_a_past_position_shows_what_a_reader_saw_then():
    c, *_ = busy_now()
    c.completes("e-1", validation=0.8)
    middle = c.log.last()
    then = moment(c.log, str(middle))
    c.completes("e-2", validation=0.9)
    again = moment(c.log, str(middle))
    assert again.leaders == then.leaders
    assert again.digest == then.digest
    assert [row.experiment for row in moment(c.log, str(c.log.last())).leaders] == ["e-2", "e-1"]


def test_a_position_inside_a_frame_means_the_whole_frame():
    c = tales.busy(5)
    assert moment(c.log, "10.0").digest == moment(c.log, "10").digest


def test_a_time_means_everything_before_the_first_later_word():
    c = tales.busy(5)
    frames = list(c.log.read())
    at = moment(c.log, shown(frames[19].facts[0].at).replace(" UTC", "Z"))
    assert at.subject.through == 20
    assert at.digest == moment(c.log, "20").digest


def test_before_the_first_word_there_is_nothing():
    then = moment(tales.busy(3).log, "1999-12-31")
    assert (then.subject.through, then.at, then.leaders, then.values["completed"]) == (0, 0, [], 0)


def test_times_are_utc_where_they_name_no_zone():
    assert parsed("2025-06-15T15:06:40") == parsed("2025-06-15T15:06:40Z") == START
    assert parsed("2025-06-15T17:06:40+02:00") == START
    assert shown(START) == "2025-06-15 15:06:40 UTC"


@pytest.mark.parametrize("where", ["yesterday", "-3", "12.x", ""])
def test_what_is_neither_position_nor_time_is_refused(where):
    with pytest.raises(MomentUnknown, match="neither a position such as 120 nor a time"):
        moment(tales.one().log, where)


def test_a_position_beyond_the_end_names_the_end():
    c = tales.one()
    with pytest.raises(MomentUnknown, match=f"ends at {c.log.last()}"):
        moment(c.log, "10000")


def test_a_fact_that_its_frame_does_not_hold_is_refused():
    c = tales.one()
    held = len(next(iter(c.log.read(1))).facts)
    assert moment(c.log, f"2.{held - 1}").subject.through == 2
    with pytest.raises(MomentUnknown, match=rf"no position 2\.{held}: its last fact is 2\.{held - 1}"):
        moment(c.log, f"2.{held}")
    with pytest.raises(MomentUnknown, match=r"no position 0\.0: the first frame is 1"):
        moment(c.log, "0.0")


def test_a_message_that_no_author_signed_ends_no_journey():
    log = MemoryLog("tale")
    frames = list(tales.busy(3).log.read())
    stray = Recorded(len(frames) + 1, f"{frames[-1].subject}", "", b"what a server answered")
    log.restore([*frames, stray])
    assert moment(log, str(stray.sequence)).digest == moment(log, str(len(frames))).digest
