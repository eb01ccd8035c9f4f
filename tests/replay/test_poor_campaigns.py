"""Campaigns with too little to measure: every answer is a plain one, and nothing warns."""

import json
import random
import re
import warnings

import msgspec
import pytest

from events import facts
from events.archives import archive
from replay.digest import SCHEME
from replay.doors import DOORS, replay
from replay.measures import Measurement
from replay.metrics import METRICS, TOO_FEW, metric
from replay.moments.moment import moment
from replay.pages.document import document
from replay.pages.hypertext import hypertext
from replay.pages.markdown import markdown
from replay.pages.reports import metric_page, moment_page, report_page
from replay.report import folded, report, reported
from replay.statistics.findings import BESIDE, FINDINGS
from tests.chronicle import SPACE, Chronicle
from tests.replay import tales

POOR = {
    "unopened": tales.unopened,
    "empty": lambda: _opened(Chronicle()),
    "one": tales.one,
    "two": lambda: _scoring(0.4, 0.6),
    "failed": tales.failed,
    "equal": tales.equal,
    "lonely": lambda: tales.busy(30, agents=("tpe",)),
    "constant": lambda: _scoring(*[0.7] * 60),
    "zero": lambda: _scoring(*[0.0] * 30),
    "perfect": lambda: _scoring(*[1.0] * 30),
}
"""Constant, zero and perfect: configurations differ, and every run scores the same."""

ASKED = {
    "metric": ("running_best",),
    "at": ("0",),
    "lineage": ("e-1",),
    "diff": ("0",),
    "cycle": ("c-1",),
}
"""What a door is asked beside the campaign."""

DRAWN = ("figures",)
"""Tested where its figures are."""


def _opened(c):
    c.opened()
    return c


def _scoring(*scores):
    """Two agents, runs that differ, these scores, and an instrument that changes half-way."""
    c, chance = _opened(Chronicle()), random.Random(0)
    for turn, score in enumerate(scores):
        c.instrument = f"instrument-{1 + 2 * turn // len(scores)}"
        drawn = {choice.name: chance.choice(choice.values) for choice in SPACE.choices}
        c.runs(c.queues(c.proposes(tales.AGENTS[turn % 2], **drawn)), validation=score)
    return c


def _no_number(word):
    raise AssertionError(f"{word} in JSON")


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


@pytest.mark.parametrize("campaign", POOR)
@pytest.mark.parametrize("door", sorted(DOORS.keys() - {*DRAWN}))
def test_every_door_answers_a_poor_campaign_in_words_or_says_in_one_sentence_what_there_is_not(
    door, campaign, tmp_path, capsys
):
    path = tmp_path / "tale.myriad"
    archive.export(POOR[campaign]().log, path)
    codes = [replay(str(path), door, *ASKED.get(door, ()), *extra) for extra in ((), ("--json",))]
    told = capsys.readouterr()
    assert codes[0] == codes[1]
    if not told.out:
        assert codes[0] == 2
        assert told.err.count("\n") == 2
        return
    page, _, encoded = told.out[:-1].rpartition("\n")
    json.loads(encoded, parse_constant=_no_number)
    assert page
    assert not re.search(r"\b(nan|inf|None)\b", page)


@pytest.mark.parametrize("campaign", POOR)
def test_every_measure_of_a_poor_campaign_has_a_value_or_says_too_few(campaign):
    measurement = Measurement(*(fold for folds in BESIDE.values() for fold in folds))
    measurement.advance(POOR[campaign]().log.read())
    for name in (*METRICS, *FINDINGS):
        found = metric(measurement, name)
        assert (found.value is None) == (found.note is not None), name
        assert not re.search(rb"NaN|Infinity", msgspec.json.encode(found)), name


@pytest.mark.parametrize("campaign", ["unopened", "one", "constant"])
def test_the_report_of_a_poor_campaign_is_a_whole_document(campaign):
    measurement, checks = folded(POOR[campaign]().log)
    laid = document(reported(measurement, checks), measurement)
    for text in (markdown(laid), hypertext(laid, {})):
        assert all(name in text.replace("\\", "") for name in (*METRICS, *FINDINGS))
        assert not re.search(r"\b(nan|inf|None)\b", text)


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


def test_where_every_result_is_touched_a_report_says_that_none_counts_and_how_many_completed():
    c = tales.busy(6)
    found = facts.DefectFound(defect="d-1", component="pooling", where="everything", reason="it reads padding")
    c.says("person-test", "defect", "d-1", found)
    told = report_page(report(c.log))
    assert "Leaderboard: the best 0 of 6 completed" in told
    assert "nothing that counts has completed" in told
