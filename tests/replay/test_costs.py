"""What a search cost: money, device time, idle time by its cause, and repairs that were right at once."""

import math
from itertools import pairwise

import pytest

from events import facts
from replay.folds import run
from replay.measures import Measurement
from replay.metrics import metric
from replay.occupancy import OccupancyFold
from replay.statistics.costs import costs, mended, spending, used, wilson
from replay.statistics.findings import BESIDE
from tests.chronicle import Chronicle
from tests.replay import tales

WORKER = "worker-cpu0-a"


def shifts(c):
    return run(c.log, OccupancyFold())[0].workers


def seconds(c, worker=WORKER):
    return {what: many / 1e6 for what, many in shifts(c)[worker].spent.items()}


@pytest.fixture
def told():
    """A campaign with one device present; a second passes with every frame."""
    c = Chronicle()
    c.opened()
    c.joins("tpe")
    c.worker_joins(WORKER)
    return c


def test_a_device_that_nobody_asked_for_anything_is_idle_for_nothing(told):
    told.waits(58)
    told.says("agent-tpe", "cycle", "c-9", facts.CycleStarted(cycle="c-9", agent="tpe", key=1))
    assert seconds(told) == {"nothing": 59.0}


def test_idle_time_has_the_cause_that_held_while_it_passed(told):
    idea = told.proposes("tpe")  # asks at once, is answered a second later
    told.waits(9)
    experiment = told.queues(idea)
    told.waits(4)
    told.assigns(experiment, on=WORKER)
    told.waits(1)
    told.starts(experiment)
    told.waits(29)
    told.completes(experiment)
    told.closes()
    assert seconds(told) == {
        "nothing": 2.0,  # before the question, and after the run
        "answers": 1.0,
        "judging": 10.0,
        "dispatch": 5.0,
        "starting": 2.0,
        "training": 30.0,
    }


def test_a_pause_is_why_devices_are_idle_whatever_is_queued(told):
    told.queues(told.proposes("tpe"))
    before = seconds(told)
    told.says("person-test", "campaign", "pause", facts.CampaignPaused(reason="lunch"))
    told.waits(99)
    told.says("person-test", "campaign", "pause", facts.CampaignResumed(reason="back"))
    assert seconds(told) == before | {"dispatch": 1.0, "paused": 100.0}


def test_only_failed_runs_left_is_idle_for_repairs(told):
    experiment = told.queues(told.proposes("tpe"))
    told.assigns(experiment, on=WORKER)
    told.starts(experiment)
    told.fails(experiment)
    told.waits(7)
    told.requeues(experiment)
    assert seconds(told)["repairs"] == 8.0


def test_nothing_is_counted_before_a_worker_joins_after_it_left_or_after_the_close(told):
    told.says(WORKER, "worker", WORKER, facts.WorkerRetired(worker=WORKER, reason="done"))
    told.waits(1000)
    told.worker_joins("worker-cpu1-a")
    assert seconds(told) == {"nothing": 1.0}
    assert seconds(told, "worker-cpu1-a") == {}
    told.closes()
    told.waits(500)
    told.says("worker-cpu1-a", "worker", "w", facts.WorkerRetired(worker="worker-cpu1-a", reason="done"))
    assert seconds(told, "worker-cpu1-a") == {"nothing": 1.0, "closed": 501.0}
    assert shifts(told)["worker-cpu1-a"].present() == 1_000_000


def test_what_a_lost_worker_did_in_its_silence_is_not_known(told):
    experiment = told.queues(told.proposes("tpe"))
    told.assigns(experiment, on=WORKER)
    told.starts(experiment)
    told.waits(60)
    told.says("scheduler", "worker", WORKER, facts.WorkerLost(worker=WORKER, silence=20.0))
    spent = seconds(told)
    assert (spent["training"], spent["silent"]) == (41.0, 20.0)


def test_a_clock_that_jumps_back_takes_no_time_away(told):
    told.waits(100)
    told.queues(told.proposes("tpe"))
    before = sum(seconds(told).values())
    told.waits(-50)
    told.proposes("tpe")
    assert sum(seconds(told).values()) == before
    told.waits(100)
    told.proposes("tpe")
    assert sum(seconds(told).values()) > before


def test_every_second_of_a_device_is_told_once():
    c = tales.busy(40)
    for name, shift in shifts(c).items():
        joined = next(
            f.at for r in c.log.read() for f in r.facts if isinstance(f, facts.WorkerJoined) and f.worker == name
        )
        assert sum(shift.spent.values()) <= c.at - joined
    found = metric(tales_with(c, "utilisation"), "utilisation")
    shares = [row.share for row in found.rows if hasattr(row, "share") and row.share is not None]
    assert math.isclose(sum(shares), 1.0)
    assert 0 < found.value < 1
    assert found.value == shares[0]
    assert used(shifts(c))[0].what == "training"


def tales_with(c, name):
    measurement = Measurement(*BESIDE[name])
    measurement.advance(c.log.read())
    return measurement


def test_without_the_fleet_beside_the_measures_utilisation_is_unknown():
    assert metric(tales.measured(tales.busy(10)), "utilisation").value is None


def test_what_all_agents_spent_is_the_sum_of_each_and_of_the_log():
    c = tales.busy(40)
    measurement = tales.measured(c)
    rows = costs(measurement.results)
    values = measurement.values()
    assert [row.agent for row in rows] == ["all", "tpe", "uniform", "fixer"]
    assert math.isclose(rows[0].usd, values["usd"])
    assert math.isclose(rows[0].gpu_hours * 3600, values["gpu_seconds"])
    assert rows[0].improvements == values["improvements"] == sum(row.improvements for row in rows[1:])
    assert math.isclose(rows[0].gpu_hours_per_improvement, rows[0].gpu_hours / values["improvements"])
    assert math.isclose(rows[0].usd_per_completion, values["usd"] / values["completed"])


def test_what_was_spent_at_each_improvement_grows_to_no_more_than_the_whole():
    measurement = tales.measured(tales.busy(40))
    rows = spending(measurement.results)
    whole = costs(measurement.results)[0]
    assert len(rows) == whole.improvements
    for before, after in pairwise(rows):
        assert all(earlier < later for earlier, later in zip(before, after, strict=True))
    assert rows[-1][2] <= whole.usd
    assert rows[-1][3] <= whole.gpu_hours


def test_repairs_right_at_once_are_those_whose_very_next_run_completed(told):
    fates = {"right": "completes", "wrong": "fails", "open": None}
    for fate in fates.values():
        experiment = told.queues(told.proposes("tpe"))
        told.assigns(experiment, on=WORKER)
        told.starts(experiment)
        told.fails(experiment, "out_of_memory")
        told.repairs(experiment, "micro_batches")
        told.requeues(experiment, micro_batches=2)
        if fate is not None:
            told.assigns(experiment, on=WORKER)
            told.starts(experiment)
            getattr(told, fate)(experiment)
    rows = mended(tales.measured(told).results)
    assert [row.remedy for row in rows] == ["all", "micro_batches"]
    assert (rows[0].tried, rows[0].open, rows[0].right, rows[0].rate) == (3, 1, 1, 0.5)
    assert rows[0].low < 0.5 < rows[0].high


def test_a_lease_taken_back_says_nothing_of_the_remedy(told):
    experiment = told.queues(told.proposes("tpe"))
    told.assigns(experiment, on=WORKER)
    told.starts(experiment)
    told.fails(experiment)
    told.repairs(experiment, "retry")
    told.requeues(experiment)
    told.assigns(experiment, on=WORKER)
    told.revokes(experiment)
    assert mended(tales.measured(told).results)[0].open == 1
    told.requeues(experiment)
    told.runs(experiment, on="worker-cpu1-a")
    assert mended(tales.measured(told).results)[0].rate == 1.0


def test_wilsons_interval_is_that_of_the_papers_repairs():
    low, high = wilson(52, 64)
    # its ends are the shares from which 52 of 64 lies 1.96 of their own standard errors away
    for share in (low, high):
        assert abs(52 / 64 - share) / math.sqrt(share * (1 - share) / 64) == pytest.approx(1.959964, abs=1e-5)
    assert wilson(0, 5)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson(5, 5)[1] == pytest.approx(1.0)
