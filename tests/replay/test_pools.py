import math
import random
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.diversity import projections
from replay.runs import runs
from replay.statistics.ablations import ablations, coverage, first_uses, heat_map, leaders, ranked, shares
from replay.statistics.pools import expected_best, marks, shuffled_best, standings, weights
from tests.chronicle import SPACE, Chronicle
from tests.replay import tales

pytestmark = pytest.mark.filterwarnings("error")


@given(st.lists(st.sampled_from([0.1, 0.2, 0.4, 0.8]), min_size=1, max_size=6))
def test_the_expectation_is_the_mean_over_every_order(pool):
    orders = list(permutations(pool))
    for many, expected in enumerate(expected_best(pool, range(1, len(pool) + 1)), start=1):
        assert expected == pytest.approx(sum(max(order[:many]) for order in orders) / len(orders))


@pytest.mark.parametrize("many", [1, 7, 50, 199, 200])
def test_the_weights_are_the_binomials(many):
    exact = [math.comb(200 - i, many - 1) / math.comb(200, many) for i in range(1, 201)]
    assert list(weights(200, many)) == pytest.approx(exact, abs=1e-15)
    assert weights(200, many).sum() == pytest.approx(1.0)


def test_the_expectation_of_a_full_campaign_stays_finite():
    pool = list(np.random.default_rng(0).random(10_469))
    found = expected_best(pool, [1, 500, 5000, 10_469])
    assert found[0] == pytest.approx(np.mean(pool))
    assert found[-1] == pytest.approx(max(pool))
    assert found == sorted(found)


def test_shuffles_average_to_the_expectation():
    pool = list(np.random.default_rng(1).random(300))
    drawn = shuffled_best(pool, [5, 50])
    for column, expected in zip(drawn.T, expected_best(pool, [5, 50]), strict=True):
        assert abs(column.mean() - expected) < 4 * column.std() / math.sqrt(1000)


def test_a_search_that_climbs_stands_below_its_shuffled_pool_and_the_oracle_above_all():
    (row,) = standings([n / 60 for n in range(60)])[-1:]
    assert row.recorded < row.expected <= row.oracle
    assert row.below == 0.0
    assert standings([1.0] + [0.0] * 59)[0].below > 0.9


def test_an_exchangeable_search_stands_anywhere_in_its_pool():
    below = [standings(list(np.random.default_rng(seed).random(150)), shuffles=200)[0].below for seed in range(60)]
    assert 0.35 < np.mean(below) < 0.65


def test_marks_are_the_papers_where_they_are_reached():
    assert marks(10_469) == (50, 100, 200, 500)
    assert marks(150) == (50, 100)
    assert marks(60) == (5, 10, 20, 50)
    assert marks(4) == ()
    assert standings([0.5] * 4) == []


def test_equal_runs_stand_in_the_middle_of_their_pool():
    for row in standings([0.5] * 40):
        assert (row.recorded, row.below, row.oracle) == (0.5, 0.5, 0.5)
        assert row.expected == pytest.approx(0.5)


@pytest.fixture(scope="module")
def told():
    """A campaign in which motion is better, one agent uses it late, and sweeps are few."""
    chance, c = random.Random(0), Chronicle()
    c.opened()
    for turn in range(200):
        backbone = "motion" if turn % 2 and turn > 20 else "appearance"
        (idea,) = c.cycle(
            ("tpe", "uniform")[turn % 2],
            {"backbone": backbone, "encoder": ("zipformer", "retnet")[turn % 3 == 0]},
            origin="sweep" if turn % 10 == 9 else "agent",
        )
        c.runs(c.queues(idea), validation=0.5 + 0.3 * (backbone == "motion") + 0.1 * chance.random())
    return tales.measured(c).ledger


def test_an_ablation_compares_the_best_of_each_value(told):
    motion, appearance = ablations(runs(told), ["backbone"])
    scores = sorted(run.validation for run in runs(told) if run.configuration["backbone"] == "motion")
    assert (motion.value, motion.n, motion.best) == ("motion", len(scores), scores[-1])
    assert motion.mean_top == pytest.approx(np.mean(scores[-50:]))
    assert motion.low < motion.mean_top < motion.high + 0.01
    assert motion.mean_top > appearance.mean_top
    assert ablations(runs(told), ["backbone"]) == [motion, appearance]


def test_a_value_of_one_run_has_no_interval():
    (found,) = ablations(runs(tales.measured(tales.one()).ledger), ["backbone"])
    assert (found.n, found.low, found.high, found.std) == (1, None, None, 0.0)


def test_shares_of_the_top_and_of_the_bottom_add_up(told):
    rows = shares(runs(told), ["backbone", "encoder"], 20)
    for dimension in ("backbone", "encoder"):
        for side in ("top", "bottom", "overall"):
            assert sum(getattr(row, side) for row in rows if row.dimension == dimension) == pytest.approx(1.0)
    motion = next(row for row in rows if row.value == "motion")
    assert (motion.top, motion.bottom) == (1.0, 0.0)
    assert shares(runs(told), ["backbone"], 0) == []


def test_a_cell_of_the_heat_map_needs_five_runs():
    c = Chronicle()
    c.opened()
    for encoder, many in (("zipformer", 5), ("retnet", 4)):
        for _ in range(many):
            c.runs(c.queues(c.proposes("tpe", encoder=encoder)), validation=0.6)
    few, full = heat_map(runs(tales.measured(c).ledger), "backbone", "encoder")
    assert (few.n, few.mean, few.best) == (4, None, None)
    assert (full.n, full.mean, full.best) == (5, pytest.approx(0.6), 0.6)


def test_coverage_counts_cells_of_each_part(told):
    found = {row.part: row for row in coverage(told, runs(told), projections(SPACE))}
    assert (found["backbone_encoder"].cells, found["backbone_encoder"].completed) == (10, 4)
    assert found["whole"].share == 4 / SPACE.cells
    assert found["whole"].proposed == 4


def test_leaders_tell_their_origin_and_are_selected_on_validation(told):
    found = leaders(runs(told), ("backbone", "encoder"), 5)
    assert [row.experiment for row in found] == [run.experiment for run in ranked(runs(told))[:5]]
    assert all(row.architecture.startswith("motion+") for row in found)
    assert {row.origin for row in found} <= {"agent", "sweep"}


def test_first_uses_count_all_completions_and_the_agents_own(told):
    found = {(row.agent, row.value): row for row in first_uses(runs(told), "backbone")}
    late = found["uniform", "motion"]
    assert (late.n, late.own) == (22, 11)
    assert found["tpe", "appearance"].n == 1
    assert ("tpe", "motion") not in found
    assert sum(row.runs for row in found.values()) == 200
