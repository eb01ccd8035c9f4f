import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.api import stats as tables
from statsmodels.formula.api import ols

from replay.statistics import effects
from replay.statistics.effects import Group, balanced, groups_of, in_brief, one_way, two_way

pytestmark = pytest.mark.filterwarnings("error")

SIZES, MEANS = (10, 40, 80, 25), (0.0, 0.5, 1.0, -0.5)


def sampled(seed, *, spread=1.0):
    chance = np.random.default_rng(seed)
    return [list(mean + spread * chance.standard_normal(size)) for size, mean in zip(SIZES, MEANS, strict=True)]


def share(spread=1.0):
    """Return the population's eta2 under these sizes."""
    variance = float(np.repeat(MEANS, SIZES).var())
    return variance / (variance + spread**2)


def compared(groups):
    return one_way([in_brief(group) for group in groups])


def crossed(seed, *, n=240, empty=False):
    """Two factors, unbalanced, with main effects and an interaction; perhaps with a cell that nobody ran."""
    chance = np.random.default_rng(seed)
    one = chance.choice(list("abc"), n, p=(0.6, 0.3, 0.1))
    other = chance.choice(list("wxyz"), n, p=(0.4, 0.3, 0.2, 0.1))
    score = chance.standard_normal(n) + (one == "a") + 0.5 * (other == "w") + (one == "b") * (other == "x")
    kept = ~((one == "c") & (other == "z")) if empty else np.ones(n, dtype=bool)
    return list(one[kept]), list(other[kept]), list(score[kept])


@pytest.mark.parametrize("seed", range(5))
def test_one_way_is_scipys_and_statsmodels_is_too(seed):
    groups = sampled(seed)
    found, reference = compared(groups), stats.f_oneway(*groups)
    assert found.f == pytest.approx(reference.statistic)
    assert 10**found.log10_p == pytest.approx(reference.pvalue, rel=1e-8)
    frame = pd.DataFrame({"y": np.concatenate(groups), "g": np.repeat(list("abcd"), SIZES)})
    table = tables.anova_lm(ols("y ~ C(g)", frame).fit())
    assert found.ssb == pytest.approx(table.loc["C(g)", "sum_sq"])
    assert found.eta2 == pytest.approx(table.loc["C(g)", "sum_sq"] / table["sum_sq"].sum())


@pytest.mark.parametrize("seed", range(5))
def test_two_way_is_statsmodels_type_two_with_interaction(seed):
    one, other, score = crossed(seed)
    found = two_way(one, other, score, ("one", "other"))
    frame = pd.DataFrame({"one": one, "other": other, "y": score})
    table = tables.anova_lm(ols("y ~ C(one) * C(other)", frame).fit(), typ=2)
    for term, name in zip(found.terms, ("C(one)", "C(other)", "C(one):C(other)"), strict=True):
        assert term.ss == pytest.approx(table.loc[name, "sum_sq"], rel=1e-9)
        assert (term.freedom, found.freedom) == (table.loc[name, "df"], table.loc["Residual", "df"])
        assert term.f == pytest.approx(table.loc[name, "F"], rel=1e-9)
        assert 10**term.log10_p == pytest.approx(table.loc[name, "PR(>F)"], rel=1e-8)
    assert found.residual == pytest.approx(table.loc["Residual", "sum_sq"])


def test_an_empty_cell_takes_its_degree_from_the_interaction():
    full, holed = (two_way(*crossed(1, empty=empty), ("one", "other")) for empty in (False, True))
    assert (full.cells, holed.cells, holed.cells_possible) == (12, 11, 12)
    assert [term.freedom for term in full.terms] == [2, 3, 6]
    assert [term.freedom for term in holed.terms] == [2, 3, 5]
    assert holed.freedom == len(crossed(1, empty=True)[2]) - 11


def test_on_a_balanced_table_the_terms_add_up_to_the_model():
    one, other = list("aabb") * 30, list("xyxy") * 30
    score = list(np.random.default_rng(0).standard_normal(120))
    found = two_way(one, other, score, ("one", "other"))
    assert sum(term.eta2 for term in found.terms) == pytest.approx(found.eta2_model)


def test_omega2_takes_the_bias_out_of_eta2():
    """Groups that differ in nothing: eta2 averages (groups - 1) / (n - 1)."""
    chance = np.random.default_rng(0)
    found = [compared([list(group) for group in chance.standard_normal((6, 8))]) for _ in range(200)]
    assert np.mean([each.eta2 for each in found]) == pytest.approx(5 / 47, abs=0.02)
    assert np.mean([each.omega2 for each in found]) < 0.03


def test_the_planted_share_is_recovered():
    for spread in (0.3, 1.0, 3.0):
        found = [compared(sampled(seed, spread=spread)).omega2 for seed in range(60)]
        assert np.mean(found) == pytest.approx(share(spread), abs=0.02)


def covered(seeds, spread=1.0):
    found = [compared(sampled(seed, spread=spread)) for seed in seeds]
    return sum(each.eta2_low <= share(spread) <= each.eta2_high for each in found) / len(found)


def test_the_interval_covers_the_populations_share():
    assert covered(range(60)) >= 0.88


@pytest.mark.prove
@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_the_interval_covers_the_populations_share_over_five_hundred_samples(spread):
    assert 0.92 <= covered(range(500), spread) <= 0.98


@pytest.mark.parametrize("noncentrality", [0.0, 0.3, 12.0, 400.0, 5000.0])
def test_the_noncentral_f_is_scipys_where_scipy_has_one(noncentrality):
    for f in (0.1, 1.0, 3.0, 40.0, 449.0):
        reference = stats.ncf.cdf(f, 11, 1287, noncentrality) if noncentrality else stats.f.cdf(f, 11, 1287)
        assert effects.noncentral_f(f, 11, 1287, noncentrality) == pytest.approx(reference, abs=1e-9)


def test_a_small_effect_among_very_many_runs_has_an_interval():
    """Ten groups of a thousand that hardly differ, where scipy's noncentral F ends in a NaN."""
    for seed in range(20):
        found = compared([list(group) for group in np.random.default_rng(seed).random((10, 1047))])
        assert 0.0 <= found.eta2_low <= found.eta2_high < 0.01


def test_the_interval_holds_zero_where_nothing_differs():
    found = compared([list(np.random.default_rng((7, group)).standard_normal(30)) for group in range(4)])
    assert found.eta2_low == 0.0
    assert found.eta2_low <= found.omega2 <= found.eta2_high


def test_balanced_subsamples_take_the_size_of_groups_out():
    groups = dict(zip("abcd", sampled(3), strict=True))
    found = balanced(groups, 10)
    assert (found.groups, found.size) == (4, 10)
    equal = float(np.var(MEANS))
    assert found.eta2_low < equal / (equal + 1) < found.eta2_high
    assert found == balanced(dict(reversed(groups.items())), 10)


def test_groups_that_are_too_small_take_no_part():
    assert list(groups_of({"b": [1.0] * 12, "a": [2.0] * 10, "c": [0.0] * 9}, at_least=10)) == ["a", "b"]


@pytest.mark.parametrize(
    "groups",
    [[], [[0.5] * 20], [[0.5], [0.6]], [[0.5] * 9, [0.5] * 9], [[0.1] * 9, [0.9] * 9]],
    ids=["none", "one", "no freedom", "all equal", "nothing inside"],
)
def test_too_little_to_compare_is_no_comparison(groups):
    assert compared(groups) is None


def test_too_little_to_cross_is_no_table():
    assert two_way([], [], [], ("a", "b")) is None
    assert two_way(["x", "y"], ["u", "u"], [0.1, 0.2], ("a", "b")) is None
    assert two_way(["x", "y"], ["u", "v"], [0.1, 0.2], ("a", "b")) is None
    assert two_way(list("xxyy"), list("uvuv"), [0.5] * 4, ("a", "b")) is None
    assert two_way(list("xxyy") * 3, list("uvuv") * 3, [0.5] * 12, ("a", "b")) is None


def test_too_little_to_balance_is_no_comparison():
    assert balanced({}, 10) is None
    assert balanced({"a": [0.1] * 20, "b": [0.2] * 9}, 10) is None
    assert balanced({"a": [0.1] * 20, "b": [0.2] * 20}, 10) is None


def test_groups_that_barely_differ_inside_have_a_p_that_is_a_number():
    found = compared([[0.1 + 1e-9 * n for n in range(500)], [0.9 + 1e-9 * n for n in range(500)]])
    assert math.isfinite(found.log10_p)
    assert found.log10_p < -1000
    assert found.eta2 == pytest.approx(1.0)
    assert 0.999 < found.eta2_low <= found.eta2_high <= 1.0


def test_the_interval_of_a_vast_share_goes_on_where_the_exact_one_ends(monkeypatch):
    exact = one_way([Group(count=200, mean=m, std=0.01) for m in (0.1, 0.6)])
    monkeypatch.setattr(effects, "VAST", 1.0)
    near = one_way([Group(count=200, mean=m, std=0.01) for m in (0.1, 0.6)])
    assert (near.eta2_low, near.eta2_high) == pytest.approx((exact.eta2_low, exact.eta2_high), rel=1e-4)
