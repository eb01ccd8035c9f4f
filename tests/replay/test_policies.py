"""Policies compared: what reads configurations finds the good ones early, and what history lacks is unknown."""

import math
import random

import numpy as np
import pytest

from events.space import is_active
from replay.metrics import metric
from replay.statistics.parzen import STARTUP, features, searches
from replay.statistics.policies import policies
from replay.statistics.pools import expected_best
from tests.chronicle import SPACE, Chronicle
from tests.replay import tales

pytestmark = pytest.mark.filterwarnings("error")


def pool(n=400, *, seed=0):
    chance = random.Random(seed)
    points = []
    for _ in range(n):
        drawn = {choice.name: chance.choice(choice.values) for choice in SPACE.choices}
        here = [interval for interval in SPACE.intervals if is_active(interval, drawn)]
        drawn |= {interval.name: interval.at(chance.random()) for interval in here}
        points.append(SPACE.normal(drawn))
    return points


def score(point):
    """Three choices of eight and the learning rate make it; the best cell is one in 40 of the pool."""
    kept = (point["backbone"] == "motion") + (point["encoder"] == "retnet") + (point["pooling"] == "attention")
    return 0.5 + 0.12 * kept - 0.01 * abs(math.log10(point["learning_rate"]) + 3)


def test_a_pool_in_columns_has_one_value_of_each_dimension_a_row():
    points = pool(50)
    x, of = features(SPACE, points)
    assert x.shape == (50, len(of))
    for index in range(len(SPACE.dimensions)):
        assert (x[:, of == index].sum(axis=1) == 1).all()


def test_reading_configurations_finds_the_best_of_a_pool_sooner_than_a_shuffle():
    points = pool()
    scores = [score(point) for point in points]
    curves = searches(SPACE, points, scores, 100)
    assert (np.diff(curves, axis=1) >= 0).all()
    shuffled = expected_best(scores, range(1, 101))
    assert curves[:, STARTUP - 1].mean() == pytest.approx(shuffled[STARTUP - 1], abs=0.05)
    for n in (40, 70):
        assert curves[:, n - 1].mean() > shuffled[n - 1] + 0.01


def test_where_configurations_say_nothing_of_scores_it_is_a_shuffle():
    points, chance = pool(), np.random.default_rng(0)
    scores = list(chance.random(len(points)))
    curves = searches(SPACE, points, scores, 60, turns=60)
    assert curves[:, 49].mean() == pytest.approx(expected_best(scores, [50])[0], abs=0.015)


def test_a_search_runs_the_whole_pool_once_and_is_the_same_every_time():
    points = pool(30)
    scores = [score(point) for point in points]
    one, two = (searches(SPACE, points, scores, 30, turns=3) for _ in range(2))
    assert (one == two).all()
    assert (one[:, -1] == max(scores)).all()


def campaign(agents, n=120):
    c, points = Chronicle(), pool(n, seed=1)
    c.opened()
    for agent, policy in agents.items():
        c.joins(agent, policy)
    for turn, point in enumerate(points):
        agent = [*agents][turn % len(agents)]
        c.runs(c.queues(c.cycle(agent, point)[0]), validation=score(point))
    return c


def test_every_policy_of_table_2_is_there_where_an_agent_drew_at_random():
    measurement = tales.measured(campaign({"tpe": "tpe", "dice": "uniform"}))
    rows = {row.policy: row for row in policies(measurement)}
    assert [*rows] == ["recorded", "shuffled pool", "TPE over the pool", "oracle", "drawn at random"]
    assert rows["drawn at random"].n == 60
    assert rows["drawn at random"].ap_100 is None
    own = [
        r.outcome.validation
        for r in measurement.ledger.experiments.values()
        if measurement.ledger.author(r.experiment) == "dice"
    ]
    assert rows["drawn at random"].ap_50 == expected_best(own, [50])[0]
    assert rows["shuffled pool"].ap_50 <= rows["oracle"].ap_50
    assert rows["TPE over the pool"].ap_low <= rows["TPE over the pool"].ap_100 <= rows["TPE over the pool"].ap_high
    assert rows["recorded"].c is not None


def test_where_nobody_drew_at_random_the_answer_is_unknown_and_no_guess():
    measurement = tales.measured(campaign({"tpe": "tpe"}))
    assert "drawn at random" not in {row.policy for row in policies(measurement)}
    assert "is unknown" in metric(measurement, "policies").meaning
