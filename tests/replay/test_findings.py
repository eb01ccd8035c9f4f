import random
import warnings

import msgspec
import pytest

from replay.briefing import SECTIONS
from replay.measures import Measurement
from replay.metrics import METRICS, TOO_FEW, MetricUnknown, metric
from replay.outlook import SENTENCES, outlook
from replay.pages.reports import metric_page, report_page
from replay.report import report
from replay.statistics.findings import BESIDE, FINDINGS
from tests.chronicle import SPACE, Chronicle
from tests.replay import tales
from tests.replay.test_poor_campaigns import POOR
from tests.replay.test_sections import WITHOUT

BEST = {"motion": 0.25, "appearance": 0.0}


@pytest.fixture(autouse=True)
def _every_warning_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def planted(n=240, *, seed=0):
    """Two agents: motion is better, one settles on it after a third; sweeps refine; a run breaks; a second era."""
    chance, c, idea = random.Random(seed), Chronicle(), ""
    c.opened()
    c.joins("tpe", "tpe")
    for turn in range(n):
        agent = ("tpe", "uniform")[turn % 2]
        settled = agent == "tpe" and turn > n // 3
        drawn = {choice.name: chance.choice(choice.values) for choice in SPACE.choices}
        drawn |= {"backbone": "motion", "encoder": "zipformer"} if settled else {}
        drawn |= {interval.name: interval.at(chance.random()) for interval in SPACE.intervals if not interval.when}
        sweeps = settled and turn % 4 == 0
        sections = SECTIONS if turn % 8 < 4 else WITHOUT
        origin, parents = ("sweep", (idea,)) if sweeps else ("agent", ())
        (idea,) = c.cycle(agent, drawn, origin=origin, parents=parents, sections=sections)
        scored = 0.4 + BEST[drawn["backbone"]] + 0.1 * chance.random() + 0.1 * turn / n
        experiment = c.queues(idea)
        c.instrument = f"instrument-{1 + 4 * turn // n // 3}"
        if turn == n // 2:
            c.assigns(experiment)
            c.starts(experiment)
            c.fails(experiment)
            c.repairs(experiment)
            c.requeues(experiment)
        c.runs(experiment, validation=scored, test=scored + 0.05 * chance.gauss(0, 1))
    return c


@pytest.fixture(scope="module")
def told():
    measurement = Measurement(*(fold for folds in BESIDE.values() for fold in folds))
    measurement.advance(planted().log.read())
    return measurement


@pytest.mark.parametrize("name", FINDINGS)
def test_every_finding_says_what_it_means_its_value_its_n_and_fits_the_page(told, name):
    found = metric(told, name)
    assert found.name == name
    assert found.value is not None
    assert found.note is None
    assert found.n > 0
    assert found.meaning
    assert found.rows
    assert max(map(len, metric_page(found).splitlines())) <= 80
    assert b"NaN" not in msgspec.json.encode(found)


@pytest.mark.parametrize("campaign", POOR)
@pytest.mark.parametrize("name", FINDINGS)
def test_a_poor_campaign_has_a_plain_answer(name, campaign):
    found = metric(tales.measured(POOR[campaign]()), name)
    assert (found.value is None) == (found.note is not None)
    assert found.note is None or found.note.startswith(TOO_FEW)
    assert b"Infinity" not in msgspec.json.encode(found)
    assert metric_page(found).startswith(name)


@pytest.mark.parametrize("name", FINDINGS)
@pytest.mark.parametrize("campaign", ["unopened", "empty", "failed"])
def test_where_nothing_completed_every_finding_says_too_few(name, campaign):
    assert metric(tales.measured(POOR[campaign]()), name).note.startswith(TOO_FEW)


@pytest.mark.parametrize(
    "name",
    sorted(
        FINDINGS.keys()
        - {"ablations", "shares", "heat_map", "pools", "coverage", "leaders", "first_uses", "cost", "policies"}
    ),
)
def test_where_all_score_the_same_nothing_is_estimated(name):
    assert metric(tales.measured(tales.equal(60)), name).value is None or name in ("phases", "divergence_decay")


def test_many_equal_runs_are_one_level_stretch():
    found = metric(tales.measured(tales.equal(60)), "phases")
    assert [row.kind for row in found.rows if hasattr(row, "kind")] == ["level"]


def test_what_was_planted_is_found(told):
    assert metric(told, "importance").value > 0.6
    assert metric(told, "importance").rows[0].component == "backbone"
    assert metric(told, "anova").value > 0.6
    assert metric(told, "shares").value == "backbone motion"
    assert metric(told, "sweeps").value > 1.5
    assert 0.5 < metric(told, "validation_test").value < 1.0
    assert metric(told, "attribution").rows[0].log10_p < -3


def test_importance_says_what_runs_drawn_at_random_show_by_themselves(told):
    said = metric(told, "importance").meaning
    assert "over the 120 runs drawn at random alone: architecture" in said


def test_anova_speaks_of_all_of_each_backbone_and_of_balanced_groups(told):
    subsets = [row.subset for row in metric(told, "anova").rows]
    assert subsets == [
        "all by backbone x encoder",
        "appearance by encoder",
        "motion by encoder",
        "era 1 by backbone x encoder",
        "era 2 by backbone x encoder",
        "3 of each, by backbone x encoder",
    ]


def test_runs_of_several_eras_are_compared_inside_each():
    c = Chronicle()
    c.opened()
    chance = random.Random(0)
    for turn in range(60):
        c.instrument = f"instrument-{1 + turn // 30}"
        backbone = ("motion", "appearance")[turn % 2]
        c.runs(c.queues(c.proposes("tpe", backbone=backbone)), validation=BEST[backbone] + chance.random() / 2)
    rows = metric(tales.measured(c), "anova").rows
    inside = {row.subset: row.n for row in rows if row.subset.startswith("era")}
    assert inside == {"era 1 by backbone x encoder": 30, "era 2 by backbone x encoder": 30}


def test_the_caveats_are_said_where_the_numbers_are(told):
    said = {name: " ".join(metric_page(metric(told, name)).split()) for name in FINDINGS}
    assert "30 of 100 simulated logs" in said["fits"]
    assert "`hyperparameters explain`: whatever the groups leave, noise and interactions included" in said["anova"]
    assert "It is no rate within a phase" in said["log_ratio"]
    assert "not that random search is better" in said["pools"]
    assert "nothing is selected on test" in said["validation_test"]
    assert "seed noise cannot be told apart" in said["importance"]


def test_findings_are_the_same_every_time_and_change_no_digest():
    one, two = (tales.measured(planted(120)) for _ in range(2))
    before = one.digest()
    assert [metric(one, name) for name in FINDINGS] == [metric(two, name) for name in FINDINGS]
    assert one.digest() == before == two.digest()
    assert not {*FINDINGS} & {*one.values()}


def test_no_finding_has_the_name_of_an_exact_measure():
    assert not {*FINDINGS} & {*METRICS}


def test_an_unknown_metric_lists_the_findings_too(told):
    with pytest.raises(MetricUnknown, match="innovation_law") as caught:
        metric(told, "accuracy")
    assert {*FINDINGS} <= {*caught.value.known}


def test_a_report_says_a_sentence_of_each_statistic(told):
    page, sentences = report_page(report(planted(160).log)), outlook(told.ledger)
    assert [each.metric for each in sentences] == [*SENTENCES]
    assert all(each.said != TOO_FEW and each.n == 240 for each in sentences)
    for name in SENTENCES:
        assert f"  {name}: " in page
    assert "misses the true c more often than not" in " ".join(page.split())


def test_a_report_of_one_run_says_too_few():
    said = {each.metric: each.said for each in outlook(tales.measured(tales.one()).ledger)}
    assert {*said.values()} == {TOO_FEW}
    assert outlook(Measurement().ledger)[0].n == 0
