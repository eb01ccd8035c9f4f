import math

import msgspec
import pytest

from events import facts
from replay.metrics import METRICS, MetricUnknown, metric
from replay.moments.moment import moment
from replay.pages.reports import metric_page, moment_page, report_page
from replay.report import Report, report
from tests.replay import tales


def test_a_report_counts_each_agents_work_once():
    c = tales.busy(40)
    told = report(c.log)
    assert [row.agent for row in told.agents] == ["tpe", "uniform", "fixer"]
    for name in ("proposed", "declined", "queued", "completed"):
        assert sum(getattr(row, name) for row in told.agents) == told.values[name]
    assert sum(row.improvements for row in told.agents) == told.values["improvements"]
    assert math.isclose(sum(row.gpu_seconds for row in told.agents), told.values["gpu_seconds"])
    assert told.agents[0].origins.keys() == {"agent", "sweep"}


def test_a_report_counts_what_broke_and_what_was_mended():
    told = report(tales.busy(40).log)
    assert told.failures.by_kind["out_of_memory"] + told.failures.by_kind["diverged"] == told.values["failed"]
    assert told.failures.by_kind["lost"] == 4
    assert told.failures.remedies == {"micro_batches settled": 6}
    assert told.failures.recovered == 6
    assert told.queue.by_status["completed"] == told.values["completed"]
    assert told.queue.declined == {"twin": 40}


def test_a_report_says_its_scale_its_n_its_window_and_its_null():
    page = report_page(report(tales.busy(40).log))
    for said in ("scale      validation AP", "n = 41 completed", "window small: 20", "if runs were exchangeable"):
        assert " ".join(said.split()) in " ".join(page.split())


def test_test_scores_are_shown_on_request_alone():
    c = tales.busy(10)
    assert all(row.test is None for row in report(c.log).leaders)
    told = report(c.log, with_test=True)
    assert all(row.test is not None for row in told.leaders)
    assert "never selected on" in told.scale
    assert [row.experiment for row in told.leaders] == [row.experiment for row in report(c.log).leaders]


def test_a_report_shows_the_controls_beside_the_champion():
    c = tales.busy(5)
    control = facts.ControlMeasured(control="shuffled_labels", experiment="e-1", validation=0.31, noise=0.02)
    c.says("analyst", "analysis", "controls", control)
    told = report(c.log)
    assert [(each.control, each.validation) for each in told.controls] == [("shuffled_labels", 0.31)]
    assert "shuffled_labels  0.3100" in report_page(told)


def test_a_report_survives_its_json():
    told = report(tales.busy(20).log)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Report) == told


def test_pages_fit_eighty_columns():
    c = tales.busy(60)
    measurement = tales.measured(c)
    pages = [report_page(report(c.log, with_test=True)), moment_page(moment(c.log, "150"))]
    pages += [metric_page(metric(measurement, name)) for name in METRICS]
    for page in pages:
        assert max(map(len, page.splitlines())) <= 80


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_means_and_over_what(name):
    found = metric(tales.measured(tales.busy(30)), name)
    assert found.name == name
    assert found.meaning
    assert found.n > 0
    assert found.value is not None
    assert found.note is None


def test_a_series_ends_at_the_metrics_value():
    measurement = tales.measured(tales.busy(30))
    assert metric(measurement, "running_best").series["all"].rows[-1][1] == measurement.values()["best_validation"]
    assert metric(measurement, "entropy").series["whole"].rows[-1][2] == metric(measurement, "entropy").value
    last = metric(measurement, "divergence").series["all"].rows[-1]
    assert last[1] == measurement.values()["divergence"]


def test_every_named_value_is_a_metric_too():
    measurement = tales.measured(tales.busy(10))
    for name, value in measurement.values().items():
        assert metric(measurement, name).value == value


def test_an_unknown_metric_lists_those_that_there_are():
    with pytest.raises(MetricUnknown, match="running_best") as caught:
        metric(tales.measured(tales.one()), "accuracy")
    assert "entropy_whole" in caught.value.known


def test_a_report_shows_the_leaders_at_each_lead_and_their_mean_only_where_clips_have_leads():
    c = tales.busy(5)
    assert report(c.log).leads == []
    assert "Nexar AP" not in report_page(report(c.log))
    leads = {"1.5": (0.6, 0.5), "0.5": (0.9, 0.7), "1": (0.6, 0.6)}
    best = c.queues(c.proposes("tpe"))
    c.runs(best, validation=0.999, leads=leads)
    (told,) = report(c.log, with_test=True).leads
    assert (told.experiment, list(told.validation), told.validation["0.5"]) == (best, ["0.5", "1", "1.5"], 0.9)
    assert (round(told.mean, 12), round(told.test_mean or 0, 12)) == (0.7, 0.6)
    (hidden,) = report(c.log).leads
    assert hidden.test is None is hidden.test_mean
    assert "Nexar AP  at 0.5 s  at 1 s  at 1.5 s" in report_page(report(c.log))
