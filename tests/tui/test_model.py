"""The overview as data: replay's own answers, unmoved by what comes later, pulses in its lanes and nowhere else."""

from __future__ import annotations

import msgspec
import pytest

from events.envelope import Fact, Position
from events.log import LogReader, Recorded
from events.memory import MemoryLog
from replay.agents import agents
from replay.champions import stood
from replay.leaderboard import leaderboard
from replay.moments.moment import moment
from replay.progress import running_best
from replay.troubles import failures, queue
from tests.chronicle import Chronicle
from tests.replay.tales import busy, failed, measured
from tests.tui.watching import eventful
from tui.feed import Heard
from tui.links import Link
from tui.model import Model
from tui.overview import HEAD
from tui.pulses import Epoch, epoch_of
from tui.telling import WORDS, line, plain


def _read(log: LogReader) -> Model:
    model = Model(log.campaign)
    for frame in log.read():
        model.take(frame)
    return model


def _epoch(worker: str, experiment: str, *, epoch: int = 3) -> Epoch:
    return Epoch(worker=worker, experiment=experiment, epoch=epoch, epochs=10, loss=0.4, validation=0.61)


def test_every_number_is_the_one_that_replay_gives() -> None:
    c = eventful()
    shown, known = _read(c.log).overview(), measured(c)
    assert shown.leaders == stood(known.ledger, leaderboard(known.ledger, top=10))
    assert shown.agents == agents(known.results)
    assert shown.queue == queue(known.ledger)
    assert shown.failures == failures(known.results)
    curve = [known.ledger.experiments[name].outcome for name in known.ledger.completed]
    assert shown.running_best == running_best([outcome.validation for outcome in curve if outcome is not None])


def test_the_head_of_the_queue_is_in_the_order_of_a_past_moment() -> None:
    c = eventful()
    then = moment(c.log, str(c.log.last()))
    assert len(then.waiting) == 3
    assert _read(c.log).overview().waiting == then.waiting[:HEAD]
    assert _read(c.log).overview().subject == then.subject


def test_facts_and_the_time_of_the_last_are_counted_as_the_log_has_them() -> None:
    c = busy(5)
    everything = [fact for frame in c.log.read() for fact in frame.facts]
    shown = _read(c.log).overview()
    assert (shown.facts, shown.at) == (len(everything), everything[-1].at)
    assert [line.type for line in shown.latest] == [type(fact).__name__ for fact in everything][-100:]


def test_an_overview_stands_still_while_the_model_goes_on() -> None:
    frames = list(busy(30).log.read())
    model = Model("tale")
    for frame in frames[:150]:
        model.take(frame)
    early = model.overview()
    before = msgspec.json.encode(early)
    for frame in frames[150:]:
        model.take(frame)
    assert msgspec.json.encode(model.overview()) != before
    assert msgspec.json.encode(early) == before


def test_a_frame_that_comes_twice_counts_once() -> None:
    c = busy(4)
    model = _read(c.log)
    once = model.overview()
    for frame in c.log.read():
        model.take(frame)
    assert model.overview() == once


def test_a_worker_that_trains_shows_its_run_and_an_idle_one_shows_none() -> None:
    lanes = {lane.worker: lane for lane in _read(eventful().log).overview().lanes}
    assert [lanes[f"worker-cpu{n}-a"].started for n in (0, 1, 2)] == [True, True, False]
    assert lanes["worker-cpu2-a"].experiment is None
    assert lanes["worker-cpu0-a"].experiment != lanes["worker-cpu1-a"].experiment


def test_a_pulse_tells_the_epoch_of_its_lane_and_of_nothing_else() -> None:
    model = _read(eventful().log)
    before = model.overview()
    held = before.lanes[0]
    model.take(Heard(_epoch(held.worker, str(held.experiment))))
    after = model.overview()
    assert (after.lanes[0].epoch, after.lanes[0].epochs, after.lanes[0].validation) == (3, 10, 0.61)
    assert msgspec.structs.replace(after, lanes=before.lanes) == before


def test_a_pulse_from_a_worker_that_does_not_hold_the_run_tells_nothing() -> None:
    model = _read(eventful().log)
    before = model.overview()
    model.take(Heard(_epoch("worker-cpu9-z", str(before.lanes[0].experiment))))
    assert model.overview() == before


def test_a_run_that_is_tried_again_does_not_show_the_epoch_of_its_first_attempt() -> None:
    c = Chronicle()
    c.opened()
    run = c.queues(c.proposes("tpe"))
    c.assigns(run)
    c.starts(run)
    model = _read(c.log)
    model.take(Heard(_epoch("worker-cpu0-a", run)))
    assert model.overview().lanes[0].epoch == 3
    c.fails(run)
    c.requeues(run)
    c.assigns(run)
    for frame in c.log.read():
        model.take(frame)
    assert (model.overview().lanes[0].attempt, model.overview().lanes[0].epoch) == (2, None)


def test_pulses_are_forgotten_once_the_log_is_out_of_reach() -> None:
    model = _read(eventful().log)
    held = model.overview().lanes[0]
    model.take(Heard(_epoch(held.worker, str(held.experiment))))
    model.take(Link(state="lost", sentence="gone"))
    assert [lane.epoch for lane in model.overview().lanes] == [None, None, None]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [(b'[{"type":"FromTomorrow","at":9}]', "newer Myriad"), (b'[{"type":"Failed"', "is not a frame")],
)
def test_a_frame_that_cannot_be_folded_is_said_and_what_came_before_it_stands(payload: bytes, problem: str) -> None:
    c = busy(4)
    last = c.log.last()
    model = _read(c.log)
    before = model.overview()
    model.take(Recorded(last + 1, "myriad.tale.campaign.x.person-test", "person-test:9", payload))
    model.take(Recorded(last + 2, "myriad.tale.campaign.x.person-test", "person-test:10", payload))
    after = model.overview()
    assert problem in str(after.problem)
    assert str(last + 1) in str(after.problem)
    assert msgspec.structs.replace(after, problem=None, arrived=before.arrived, end=before.end) == before
    assert after.end == last + 2


def test_a_history_that_contradicts_itself_is_said() -> None:
    c = busy(2)
    c.says("scheduler", "campaign", "x", next(f for r in c.log.read() for f in r.facts if type(f).__name__ == "Queued"))
    c.abandons("e-nobody")
    assert "e-nobody was never queued" in str(_read(c.log).overview().problem)


def test_an_empty_log_has_an_overview_under_its_own_name() -> None:
    shown = _read(MemoryLog("nothing")).overview()
    assert (shown.subject.campaign, shown.facts, shown.leaders, shown.lanes) == ("nothing", 0, [], [])
    assert msgspec.json.decode(msgspec.json.encode(shown))["running_best"] == []


def test_failures_without_a_completion_have_an_overview() -> None:
    shown = _read(failed().log).overview()
    assert (shown.leaders, shown.failures.abandoned, shown.running_best) == ([], 5, [])
    assert {line.type for line in shown.troubles} == {"Failed", "Abandoned"}


def test_a_fact_without_words_of_its_own_is_told_by_its_fields() -> None:
    class Sighed(Fact, frozen=True, kw_only=True):
        who: str
        times: int

    assert Sighed not in WORDS
    assert line(Position(7, 1), "person-test", Sighed(who="somebody", times=3)).words == "who somebody, times 3"


def test_every_fact_of_an_eventful_campaign_says_something() -> None:
    assert all(line.words for line in _read(eventful().log).overview().latest)


def test_what_a_model_wrote_cannot_reach_the_terminal_as_commands() -> None:
    assert plain("a\x1b[31mred\x07\r\nnext\u202e line") == "a [31mred next line"


def test_a_pulse_in_anothers_name_or_in_unknown_words_is_no_pulse() -> None:
    pulse = msgspec.json.encode(_epoch("worker-cpu0-a", "e-1"))
    assert epoch_of("worker-cpu0-a", pulse) == _epoch("worker-cpu0-a", "e-1")
    assert epoch_of("worker-cpu1-a", pulse) is None
    assert epoch_of("worker-cpu0-a", b'{"type":"beat","worker":"worker-cpu0-a"}') is None
    assert epoch_of("worker-cpu0-a", b"\xff") is None
