"""Campaigns with too little to measure: every answer is a plain one, and nothing warns."""

import warnings

import msgspec
import pytest

from replay.digest import SCHEME
from replay.metrics import METRICS, TOO_FEW, metric
from replay.moment import moment
from replay.pages import metric_page, moment_page, report_page
from replay.report import report
from tests.chronicle import Chronicle
from tests.replay import tales

POOR = {
    "unopened": tales.unopened,
    "empty": lambda: _opened(Chronicle()),
    "one": tales.one,
    "failed": tales.failed,
    "equal": tales.equal,
    "lonely": lambda: tales.busy(30, agents=("tpe",)),
}


def _opened(c):
    c.opened()
    return c


@pytest.fixture(autouse=True)
def _every_warning_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", POOR)
def test_every_answer_of_a_poor_campaign_is_text_and_json(name):
    c = POOR[name]()
    measurement = tales.measured(c)
    for answer in (report(c.log), moment(c.log, str(c.log.last())), *(metric(measurement, each) for each in METRICS)):
        assert b"NaN" not in msgspec.json.encode(answer)
    for page in (report_page(report(c.log)), moment_page(moment(c.log, "0"))):
        assert page
        assert max(map(len, page.splitlines())) <= 80
    for each in METRICS:
        assert metric_page(metric(measurement, each)).startswith(each)
    assert measurement.digest().startswith(f"{SCHEME}:")


@pytest.mark.parametrize("name", ["unopened", "empty", "failed"])
def test_where_nothing_completed_scores_and_entropies_are_unknown(name):
    values = tales.measured(POOR[name]()).values()
    unknown = [key for key in values if key.startswith(("entropy", "best", "divergence", "innovation"))]
    assert len(unknown) == 12
    assert [values[key] for key in unknown] == [None] * 12
    assert values["completed"] == 0


@pytest.mark.parametrize("name", ["leaderboard", "running_best", "innovation", "entropy", "divergence"])
def test_a_metric_of_nothing_says_that_observations_are_too_few(name):
    found = metric(tales.measured(tales.failed()), name)
    assert found.value is None
    assert found.note.startswith(TOO_FEW)
    assert TOO_FEW in metric_page(found)


def test_one_experiment_has_a_best_and_no_entropy():
    values = tales.measured(tales.one(0.7)).values()
    assert (values["best_validation"], values["innovation_rate"]) == (0.7, 1.0)
    assert (values["entropy_whole"], values["divergence"]) == (None, None)


def test_equal_runs_have_no_entropy_no_divergence_and_one_improvement():
    values = tales.measured(tales.equal(30)).values()
    assert (values["entropy_whole"], values["divergence"], values["improvements"]) == (0.0, 0.0, 1)


def test_a_lonely_agent_has_entropy_and_nobody_to_diverge_from():
    values = tales.measured(tales.busy(30, agents=("tpe",))).values()
    assert values["entropy_whole"] > 1.0
    assert values["divergence"] is None


def test_failures_are_counted_where_nothing_completes():
    c = tales.failed(5)
    told = report(c.log)
    assert told.failures.by_kind == {"diverged": 5}
    assert told.failures.abandoned == 5
    assert told.values["gpu_seconds"] == 15.0
    assert "nothing has completed" in report_page(told)
