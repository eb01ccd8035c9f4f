import math

import numpy as np
import pytest
from scipy.optimize import minimize

from replay.progress import expected_improvements
from replay.statistics.innovation import decay, records

pytestmark = pytest.mark.filterwarnings("error")


def planted(seed, *, n=1000, k=0.6, alpha=0.5):
    """Scores that improve with probability k t^-alpha."""
    t = np.arange(1.0, n + 1)
    improves = np.random.default_rng(seed).random(n) < k * t**-alpha
    improves[0] = True
    return list(np.where(improves, np.cumsum(improves), 0.0))


def covered(seeds, make, truth):
    found = [law for seed in seeds if (law := decay(make(seed))) is not None]
    return sum(law.alpha_low <= truth <= law.alpha_high for law in found) / len(found)


def test_a_planted_law_is_recovered():
    found = [decay(planted(seed, n=3000)) for seed in range(20)]
    assert np.mean([law.alpha for law in found]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([math.log(law.k) for law in found]) == pytest.approx(math.log(0.6), abs=0.3)


def test_the_law_predicts_as_many_improvements_as_happened():
    """The likelihood with the zeros asks for it; the paper's fit without them predicts nine times more."""
    for seed in range(5):
        law = decay(planted(seed))
        assert law.predicted == pytest.approx(law.happened, rel=0.02)


def test_the_likelihood_is_as_large_as_a_free_search_makes_it():
    scores = planted(3)
    improves, t = np.diff(np.maximum.accumulate(scores)) > 0, np.arange(2, 1001)

    def lost(p):
        log_p = np.minimum(p[0] - p[1] * np.log(t), -1e-12)
        return -np.where(improves, log_p, np.log(-np.expm1(log_p))).sum()

    free = minimize(lost, (-1.0, 0.7), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    law = decay(scores)
    assert lost((math.log(law.k), law.alpha)) == pytest.approx(free.fun, abs=1e-4)


def test_the_interval_is_where_the_likelihood_ratio_is_not_rejected():
    assert covered(range(40), planted, 0.5) >= 0.85


@pytest.mark.prove
def test_intervals_of_a_planted_exponent_cover_over_five_hundred_logs():
    assert 0.92 <= covered(range(500), planted, 0.5) <= 0.98


@pytest.mark.prove
def test_intervals_cover_exchangeable_runs_whose_exponent_is_one_a_little_less_often():
    """Some seven improvements a log: the asymptotics of the likelihood are stretched."""
    assert 0.89 <= covered(range(500), lambda seed: list(np.random.default_rng(seed).random(1000)), 1.0) <= 0.98


def test_exchangeable_runs_are_not_told_from_their_null():
    laws = [decay(list(np.random.default_rng(seed).random(1000))) for seed in range(60)]
    rejected = [law.log10_p < math.log10(0.05) for law in laws if law is not None]
    assert np.mean(rejected) < 0.2
    assert np.median([law.alpha for law in laws if law is not None]) == pytest.approx(1.0, abs=0.15)


def test_a_search_that_learns_is_told_from_the_null():
    law = decay(planted(1))
    assert law.log10_p < -10
    assert records(planted(1)).p_many < 1e-6


def test_records_of_exchangeable_runs_are_counted_exactly():
    """All 720 orders of six distinct scores, against the recursion."""
    found = records([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert (found.happened, found.p_few) == (6, 1.0)
    assert found.p_many == pytest.approx(1 / 720)
    one = records([0.6, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert one.p_few == pytest.approx(1 / 6)
    assert one.expected == pytest.approx(expected_improvements(6))


def test_the_nulls_mean_and_deviation_are_those_of_simulated_orders():
    chance = np.random.default_rng(0)
    best = np.maximum.accumulate(chance.random((4000, 200)), axis=1)
    counted = 1 + (np.diff(best, axis=1) > 0).sum(axis=1)
    found = records(list(chance.random(200)))
    assert counted.mean() == pytest.approx(found.expected, abs=0.15)
    assert counted.std() == pytest.approx(found.deviation, abs=0.1)


@pytest.mark.parametrize("scores", [[], [0.5], [0.1, 0.2], [0.5] * 50, [0.1, 0.2, 0.3] + [0.0] * 40])
def test_two_improvements_or_fewer_have_no_law(scores):
    assert decay(scores) is None


def test_a_search_that_always_improves_has_no_law_either():
    assert decay([n / 100 for n in range(100)]) is None


def test_three_improvements_in_a_row_have_a_law_inside_its_bounds():
    law = decay([0.1, 0.2, 0.3, 0.4, *[0.0] * 60])
    assert law.alpha_low <= law.alpha <= law.alpha_high
    assert law.k * 2**-law.alpha <= 1.0
