import random
from itertools import product

import numpy as np
import pytest

from events.space import Choice, Interval, Space, is_active
from replay.runs import Run
from replay.statistics.expansion import BETWEEN, contrasts, expand, how_often
from replay.statistics.importance import importance, repeated

pytestmark = pytest.mark.filterwarnings("error")

SMALL = Space(
    name="small",
    dimensions=(
        Choice(name="backbone", values=("a", "b", "c"), part="architecture", stage="batch"),
        Choice(name="encoder", values=("x", "y"), part="architecture", stage="parameters"),
        Choice(name="loss", values=("focal", "bce"), part="loss", stage="loss"),
        Interval(name="rate", low=1e-5, high=1e-2, scale="log", part="training", stage="schedule"),
        Interval(name="dropout", low=0.0, high=0.5, part="training", stage="forward"),
        Interval(name="gamma", low=0.5, high=5.0, part="loss", stage="loss", when={"loss": ("focal",)}),
    ),
)
BACKBONE, ENCODER = {"a": 0.2, "b": -0.1, "c": -0.1}, {"x": 0.05, "y": -0.05}
TOGETHER = {("a", "x"): 0.04, ("a", "y"): -0.04}
NOISE = 0.05


def drawn(chance, *, biased=False):
    """A configuration, uniform or of a policy that has settled on a backbone and a learning rate."""
    point = {c.name: chance.choices(c.values, (8, 1, 1)[: len(c.values)] if biased else None)[0] for c in SMALL.choices}
    for interval in SMALL.intervals:
        if is_active(interval, point):
            settled = biased and interval.name == "rate"
            point[interval.name] = interval.at(chance.betavariate(8, 8) if settled else chance.random())
    return SMALL.normal(point)


def score(point, chance, noise=NOISE):
    rate = SMALL["rate"].position(point["rate"])
    gamma = 0.06 * (2 * SMALL["gamma"].position(point["gamma"]) - 1) if "gamma" in point else 0.0
    together = TOGETHER.get((point["backbone"], point["encoder"]), 0.0)
    known = 0.5 + BACKBONE[point["backbone"]] + ENCODER[point["encoder"]] + together - 0.5 * (rate - 0.5) ** 2 + gamma
    return known + chance.gauss(0, noise)


def truth():
    """Each component's variance under the uniform measure, by hand."""
    table = np.array([[BACKBONE[b] + ENCODER[e] + TOGETHER.get((b, e), 0.0) for e in "xy"] for b in "abc"])
    backbone, encoder = table.mean(axis=1).var(), table.mean(axis=0).var()
    made = {
        "backbone": backbone,
        "encoder": encoder,
        "backbone x encoder": table.var() - backbone - encoder,
        "rate": 0.25 / 180,  # the variance of (u - 1/2)^2 is 1/180
        "gamma": 0.5 * 0.06**2 / 3,  # it exists in half of the cells
        "dropout": 0.0,
        "loss": 0.0,
    }
    total = sum(made.values()) + NOISE**2
    return {name: share / total for name, share in made.items()} | {"noise": NOISE**2 / total}


def campaign(n, *, seed=0, biased=False, repeats=0):
    chance = random.Random(seed)
    points = [drawn(chance, biased=biased) for _ in range(n)]
    points += [points[index % n] for index in range(repeats)]
    return [
        Run(i, f"e-{i}", "a", "agent", p, score(p, chance), 0.0, 0.0, "", 0.0) for i, p in enumerate(points, start=1)
    ]


def test_contrasts_are_orthonormal_over_equal_shares():
    for m in (2, 3, 6):
        columns = contrasts(m)
        assert np.allclose(columns.T @ columns / m, np.eye(m - 1))
        assert np.allclose(columns.mean(axis=0), 0.0)


def test_columns_are_orthonormal_over_the_space():
    plan, chance = expand(SMALL, 10_000), random.Random(0)
    rows = plan.rows([drawn(chance) for _ in range(20_000)])
    assert np.abs(rows.mean(axis=0)).max() < 0.05
    assert np.abs(rows.T @ rows / len(rows) - np.eye(plan.columns)).max() < 0.08


def test_an_interval_that_some_choices_lack_exists_as_often_as_they_are_not_taken():
    assert how_often(SMALL, SMALL["gamma"]) == 0.5
    assert how_often(SMALL, SMALL["rate"]) == 1.0


def test_as_many_columns_are_taken_as_runs_can_bear():
    assert expand(SMALL, 20) is None
    assert (expand(SMALL, 24).degree, expand(SMALL, 60).degree) == (1, 3)
    assert {len(component.names) for component in expand(SMALL, 60).components} == {1}
    parts = {component.part for component in expand(SMALL, 5_000).components if len(component.names) == 2}
    assert parts == {"architecture", BETWEEN}
    few = [component.part for component in expand(SMALL, 155).components if len(component.names) == 2]
    assert few == ["architecture"]


def test_the_planted_shares_are_recovered_from_a_uniform_sample():
    found, known = importance(SMALL, campaign(3000)), truth()
    for row in found.rows:
        assert row.uniform == pytest.approx(known.get(row.component, 0.0), abs=0.02), row.component
    assert found.unexplained == pytest.approx(known["noise"], abs=0.02)
    assert found.r2_left_out == pytest.approx(found.r2, abs=0.02)


def test_what_a_policy_settled_early_still_matters_in_the_space():
    """The learning rate hardly varies in this log: it makes little of the log's variance, and its own of space."""
    found, known = importance(SMALL, campaign(3000, biased=True)), truth()
    rows = {row.component: row for row in found.rows}
    assert rows["rate"].uniform == pytest.approx(known["rate"], abs=0.04)
    assert rows["rate"].sampled < known["rate"] / 3
    assert rows["backbone"].uniform == pytest.approx(known["backbone"], abs=0.05)


def test_shares_add_up():
    found = importance(SMALL, campaign(800, repeats=80))
    assert sum(found.parts.values()) + found.unexplained + found.noise == pytest.approx(1.0)
    assert sum(found.sampled.values()) == pytest.approx(found.r2)
    assert found.parts["architecture"] > found.parts["training"]


def test_seed_noise_is_told_apart_where_runs_repeat():
    none, some = importance(SMALL, campaign(800)), importance(SMALL, campaign(800, repeats=200))
    assert (none.noise, none.repeats) == (None, 0)
    assert some.repeats == 200
    assert some.noise == pytest.approx(truth()["noise"], abs=0.03)
    assert some.unexplained < 0.03
    pooled, _ = repeated(SMALL, campaign(800, repeats=200))
    assert pooled == pytest.approx(NOISE**2, rel=0.3)


def test_an_idle_dimension_has_no_share_after_its_own_noise_is_taken_out():
    idle = [
        row.uniform
        for seed in range(10)
        for row in importance(SMALL, campaign(300, seed=seed)).rows
        if row.component == "dropout"
    ]
    assert np.mean(idle) < 0.004


def covered(seeds, n):
    known, held = truth()["backbone"], []
    for seed in seeds:
        (row,) = (row for row in importance(SMALL, campaign(n, seed=seed)).rows if row.component == "backbone")
        held.append(row.low <= known <= row.high)
    return np.mean(held)


def test_the_interval_covers_the_planted_share():
    assert covered(range(25), 400) >= 0.8


@pytest.mark.prove
def test_the_interval_covers_the_planted_share_over_five_hundred_logs():
    assert 0.9 <= covered(range(500), 400) <= 0.98


def test_values_that_were_never_tried_are_counted():
    kept = [run for run in campaign(600) if run.configuration["backbone"] != "c"]
    (row,) = (row for row in importance(SMALL, kept).rows if row.component == "backbone")
    assert (row.tried, row.values) == (2, 3)


def test_pure_noise_is_unexplained():
    chance = random.Random(0)
    noise = [run._replace(validation=chance.random()) for run in campaign(600)]
    found = importance(SMALL, noise)
    assert found.unexplained > 0.9
    assert found.r2_left_out < 0.05


@pytest.mark.parametrize("many", [0, 1, 19, 20])
def test_too_few_runs_are_not_decomposed(many):
    assert importance(SMALL, campaign(many)) is None


def test_equal_scores_and_a_space_without_a_choice_are_not_decomposed():
    assert importance(SMALL, [run._replace(validation=0.5) for run in campaign(100)]) is None
    single = Space(name="one", dimensions=(Choice(name="only", values=("x",), part="data", stage="batch"),))
    assert importance(single, [run._replace(configuration={"only": "x"}) for run in campaign(100)]) is None


def test_scores_that_the_expansion_explains_wholly_are_explained():
    points = [dict(zip(("backbone", "encoder"), pair, strict=True)) for pair in product("abc", "xy")] * 20
    space = Space(name="two", dimensions=SMALL.choices[:2])
    done = [Run(i, "e", "a", "agent", p, BACKBONE[p["backbone"]], 0.0, 0.0, "", 0.0) for i, p in enumerate(points, 1)]
    found = importance(space, done)
    assert found.rows[0].component == "backbone"
    assert found.rows[0].uniform == pytest.approx(1.0, abs=1e-3)
    assert found.noise == pytest.approx(0.0, abs=1e-6)
