import numpy as np
import pytest
from scipy import stats

from replay.runs import Run, runs
from replay.statistics.association import association, attribution, enrichment, top_of
from replay.statistics.ranks import agreement, rank, ranks
from tests.chronicle import Chronicle
from tests.replay import tales

pytestmark = pytest.mark.filterwarnings("error")


def run(n, *, origin="agent", validation=0.5, test=0.5):
    return Run(n, f"e-{n}", "tpe", origin, {}, float(validation), float(test), 0.0, "", 0.0)


def dealt(seed, *, n=2000, share=0.076, gain=0.0):
    """Runs of which so many are sweeps, whose scores are so much better."""
    chance = np.random.default_rng(seed)
    swept = chance.random(n) < share
    scores = chance.standard_normal(n) + gain * swept
    return [run(i, origin="sweep" if s else "agent", validation=y) for i, (s, y) in enumerate(zip(swept, scores), 1)]  # noqa: B905 # of one length


def test_association_is_scipys():
    chance = np.random.default_rng(0)
    rows, columns = chance.integers(0, 3, 300), chance.integers(0, 4, 300)
    table = np.zeros((3, 4), dtype=int)
    np.add.at(table, (rows, columns), 1)
    found = association(zip(map(str, rows), map(str, columns), strict=True), what="row", by="column")
    reference = stats.chi2_contingency(table, correction=False)
    assert (found.chi2, found.freedom) == (pytest.approx(reference.statistic), reference.dof)
    assert 10**found.log10_p == pytest.approx(reference.pvalue)
    assert found.v == pytest.approx(stats.contingency.association(table))


def test_association_is_one_where_a_label_tells_the_other_and_nearly_zero_where_it_does_not():
    bound = association([("a", "x"), ("b", "y")] * 50, what="w", by="b")
    free = association([(a, b) for a in "ab" for b in "xy"] * 25, what="w", by="b")
    assert (bound.v, free.v, free.v_corrected) == (1.0, 0.0, 0.0)
    assert bound.v_corrected == pytest.approx(1.0, abs=0.01)


def test_few_expected_in_a_cell_are_said():
    assert association([("a", "x")] * 9 + [("b", "y")], what="w", by="b").sparse
    assert not association([(a, b) for a in "ab" for b in "xy"] * 25, what="w", by="b").sparse


def test_a_label_of_one_value_is_associated_with_nothing():
    assert association([], what="w", by="b") is None
    assert association([("a", "x"), ("a", "y")], what="w", by="b") is None


def test_attribution_asks_every_choice_of_agents_and_of_what_ran():
    measurement = tales.measured(tales.busy(60))
    found = attribution(measurement.ledger, runs(measurement.ledger))
    assert {(each.what, each.by) for each in found} >= {("backbone", "agent"), ("encoder", "completed")}
    ran = next(each for each in found if (each.what, each.by) == ("encoder", "completed"))
    assert ran.n == len(measurement.ledger.ideas)


def test_agents_with_habits_of_their_own_are_found():
    c = Chronicle()
    c.opened()
    for turn in range(30):
        c.runs(c.queues(c.proposes(("tpe", "uniform")[turn % 2], backbone=("motion", "appearance")[turn % 2])))
    ledger = tales.measured(c).ledger
    (found,) = (each for each in attribution(ledger, runs(ledger)) if each.by == "agent")
    assert (found.what, found.v) == ("backbone", 1.0)


def test_enrichment_is_one_where_the_origin_makes_no_difference():
    ratios = [enrichment(dealt(seed), "sweep", 100).ratio for seed in range(40)]
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)


def population(gain):
    many = dealt(10**6, n=200_000, gain=gain)
    return enrichment(many, "sweep", 10_000).ratio


def covered(seeds, gain):
    truth = population(gain)
    found = [enrichment(dealt(seed, gain=gain), "sweep", 100) for seed in seeds]
    return sum(each.low <= truth <= each.high for each in found) / len(found)


def test_the_interval_covers_a_planted_enrichment():
    assert covered(range(40), 0.5) >= 0.85


@pytest.mark.prove
@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_the_interval_covers_a_planted_enrichment_over_five_hundred_logs(gain):
    assert 0.92 <= covered(range(500), gain) <= 0.985


def test_its_p_is_fishers():
    done = dealt(3, n=400, gain=0.8)
    found = enrichment(done, "sweep", 40)
    a, b = found.in_top, found.of_origin - found.in_top
    table = [[a, 40 - a], [b, 360 - b]]
    assert found.p == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_nothing_can_be_enriched_in_an_empty_top_or_by_everyone():
    done = dealt(0, n=100)
    assert enrichment(done, "sweep", 0) is None
    assert enrichment(done, "sweep", 100) is None
    assert enrichment(done, "fixer", 10) is None
    assert enrichment([], "sweep", 10) is None
    assert [top_of(n) for n in (5, 200, 10_469)] == [0, 20, 100]


def test_ranks_and_their_correlation_are_scipys():
    chance = np.random.default_rng(0)
    one = chance.integers(0, 9, 80).astype(float)
    other = one + 3 * chance.standard_normal(80)
    found, reference = rank(list(one), list(other)), stats.spearmanr(one, other)
    assert list(ranks(one)) == list(stats.rankdata(one))
    assert found.rho == pytest.approx(reference.statistic)
    assert 10**found.log10_p == pytest.approx(reference.pvalue, rel=1e-8)


def correlated(seed, n=60, rho=0.6):
    chance = np.random.default_rng(seed)
    one = chance.standard_normal(n)
    return list(one), list(rho * one + np.sqrt(1 - rho**2) * chance.standard_normal(n))


def rank_covered(seeds):
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's rho of a Gaussian pair with correlation 0.6
    found = [rank(*correlated(seed)) for seed in seeds]
    return sum(each.low <= truth <= each.high for each in found) / len(found)


def test_the_interval_covers_a_planted_correlation():
    assert rank_covered(range(60)) >= 0.88


@pytest.mark.prove
def test_the_interval_covers_a_planted_correlation_over_five_hundred_samples():
    assert 0.92 <= rank_covered(range(500)) <= 0.98


def test_a_correlation_of_groups_that_turns_around_inside_them_is_seen():
    """Simpson's: inside each backbone test falls as validation rises, between them both rise."""
    groups = {
        name: [run(n, validation=base + n / 100, test=base - n / 100) for n in range(20)]
        for name, base in (("a", 0.2), ("b", 0.5), ("c", 0.8))
    }
    found = agreement([each for group in groups.values() for each in group], groups)
    assert found.whole.rho > 0.5
    assert found.within < -0.99
    assert found.reversed == ("a", "b", "c", "mean of the groups")


def test_a_correlation_that_only_ranks_the_groups_is_seen():
    chance = np.random.default_rng(1)
    groups = {
        name: [
            run(n, validation=base + v, test=base + t)
            for n, (v, t) in enumerate(0.02 * chance.standard_normal((40, 2)))
        ]
        for name, base in (("a", 0.2), ("b", 0.8))
    }
    found = agreement([each for group in groups.values() for each in group], groups)
    assert found.whole.rho > 0.6
    assert found.between_alone


def test_perfect_agreement_has_an_interval_and_a_p():
    found = rank([0.1, 0.2, 0.3, 0.4, 0.5], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.rho, found.high) == (1.0, pytest.approx(1.0))
    assert found.log10_p < -8


def test_three_pairs_or_constant_ones_have_no_correlation():
    assert rank([], []) is None
    assert rank([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) is None
    assert rank([1.0] * 9, list(range(9))) is None
    assert agreement([run(n) for n in range(9)], {}) is None
