"""The paper's figures, from the values that its author published, by our formulas."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import nnls

from replay.progress import expected_improvements
from replay.runs import Run
from replay.statistics.association import association, enrichment
from replay.statistics.bands import band
from replay.statistics.effects import Group, one_way, two_way
from replay.statistics.fits import MODELS, akaike, fit, fits, schwarz
from replay.statistics.phases import author_ratio, phases
from replay.statistics.pools import expected_best, weights

pytestmark = pytest.mark.filterwarnings("error")

FOLDER = Path(__file__).parent / "author"


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def series(name, key="H"):
    return [(row["t"], row[key]) for row in read("agent_dynamics")[name]]


def groups():
    stats = read("anova")["group_stats"].values()
    return [Group(count=each["count"], mean=each["mean"], std=each["std"]) for each in stats if each["count"] >= 10]


def test_table_3_follows_from_the_group_statistics():
    found, published = one_way(groups()), read("anova")["anova"]
    assert (found.groups, found.between, found.within, found.n) == (12, 11, 1287, 1299)
    for ours, theirs in (("f", "f_statistic"), ("eta2", "eta_squared"), ("ssb", "ssb"), ("ssw", "ssw")):
        assert math.isclose(getattr(found, ours), published[theirs], rel_tol=1e-12)
    assert (round(found.f, 3), round(found.eta2, 5)) == (449.331, 0.79341)
    assert found.rest == pytest.approx(1 - found.eta2)


def test_the_authors_p_value_is_the_floor_of_floats_and_ours_is_a_number():
    assert read("anova")["anova"]["p_value"] == np.finfo(float).eps / 2
    assert one_way(groups()).log10_p == pytest.approx(-430.2466, abs=1e-3)


def test_the_second_tasks_two_way_table_explains_three_quarters():
    published, one, other, scores = read("fedex_anova")["two_way_anova"], [], [], []
    for name, cell in published["combination_groups"].items():
        n, mean, std = cell["n"], cell["mean_ap"], cell["std_ap"]
        # any runs of that count, mean and deviation have the same sums of squares
        shape = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        scores += [float(y) for y in mean + shape * (std / shape.std() if n > 1 else 0.0)]
        one += [name.split("+")[0]] * n
        other += [name.split("+")[1]] * n
    found = two_way(one, other, scores, ("backbone", "encoder"))
    assert (found.cells, found.cells_possible, found.freedom) == (17, 20, published["residual"]["df"])
    assert found.residual == pytest.approx(published["residual"]["SS"])
    assert round(found.eta2_model, 3) == 0.752
    # the author's sums are not adjusted for one another, so only what all three explain is the same
    assert [term.freedom for term in found.terms] == [4, 3, 9]
    assert found.terms[0].ss != pytest.approx(published["backbone_effect"]["SS"], rel=1e-3)


def test_the_divergence_decays_as_the_author_fitted_it():
    spoken = [(n, bits) for n, bits in series("jsd_trajectory", "jsd") if bits > 0]
    assert spoken[0] == (1550, 0.475491)
    found = fit("exponential", *zip(*spoken, strict=True))
    assert (round(found.c, 4), round(found.a, 3), round(found.r2, 3)) == (0.0022, 0.110, 0.947)
    reach = band("exponential", *zip(*spoken, strict=True))
    assert reach.c[0] < found.c < reach.c[1]


def test_the_ratio_of_15_is_that_of_two_global_slopes_one_of_a_fit_that_explains_nothing():
    published = read("agent_dynamics")
    whole, architecture, training = (
        series(name) for name in ("entropy_trajectory", "entropy_arch_trajectory", "entropy_train_trajectory")
    )
    found = author_ratio(whole, architecture, training)
    # the published series has four decimals, and the divisor three figures
    assert found.ratio == pytest.approx(published["arch_vs_train_ratio"], rel=1e-4)
    assert (round(published["arch_vs_train_ratio"], 3), round(found.whole.r2, 3)) == (15.208, 0.351)
    assert found.whole.r2 == pytest.approx(published["entropy_fit"]["r2"], abs=1e-5)
    assert found.whole.k == pytest.approx(published["entropy_fit"]["k"], abs=1e-5)
    assert round(found.training.r2, 3) == 0.009


def test_the_phases_that_the_paper_saw_are_found():
    found = phases(series("entropy_trajectory"), noise=0.06, window=319)
    turns = [(phase.kind, phase.start, phase.end) for phase in found]
    # paper: 2.75 bits at 400, 0.78 at 800, 3.98 at 1,800
    assert turns[:3] == [
        ("exploration", 50, 400),
        ("exploitation", 400, 800),
        ("exploration", 800, 1800),
    ]
    assert [round(phase.last, 2) for phase in found[:3]] == [2.75, 0.78, 3.98]
    assert found[3].kind == "exploitation"
    assert found[-1].end == 3199


@pytest.mark.parametrize("name", ["convergence", "postbugfix_convergence"])
def test_the_stored_curves_order_the_models_as_the_paper_does(name):
    published = read(name)
    curve, compared = published["convergence_curve"], published["model_comparison"]
    found = [fit(model, curve["N"], curve["llm"]) for model in MODELS]
    ours = [each.model for each in sorted(found, key=lambda each: each.aic)]
    theirs = [
        {"power_law": "power"}.get(each, each) for each in sorted(compared, key=lambda each: compared[each]["aic"])
    ]
    assert ours == theirs == ["power", "logarithmic", "exponential"]


def test_the_published_criteria_follow_from_the_published_r2_by_our_formula():
    published, n = read("convergence")["model_comparison"], 1337
    power, logarithm = published["power_law"], published["logarithmic"]
    # AIC = 2k + n (ln(2 pi SSR / n) + 1) gives SSR, and the ratio of two of those is that of 1 - R2
    ssr = [n / (2 * math.pi) * math.exp((each["aic"] - 2 * k) / n - 1) for each, k in ((power, 3), (logarithm, 2))]
    assert ssr[0] / ssr[1] == pytest.approx((1 - power["r2"]) / (1 - logarithm["r2"]), rel=1e-9)
    for each, k, left in ((power, 3, ssr[0]), (logarithm, 2, ssr[1])):
        assert akaike(left, n, k) == pytest.approx(each["aic"])
        assert schwarz(left, n, k) == pytest.approx(each["bic"])


def test_the_unbounded_fit_breaks_the_bound_that_the_paper_states_and_the_bounded_one_keeps_it():
    published = read("postbugfix_convergence")
    curve = published["convergence_curve"]
    free, held = (fit("power", curve["N"], curve["llm"], ceiling=ceiling) for ceiling in (None, 1.0))
    assert published["power_law_fit"]["a"] > 1
    assert free.a > 1 >= held.a
    assert held.ssr > free.ssr
    # two samplings of one curve and one bound: the exponent is barely identified
    assert held.c / published["power_law_fit"]["c"] > 3
    low, high = (published["bootstrap"]["c"][key] for key in ("ci_lo", "ci_hi"))
    assert low < published["power_law_fit"]["c"] < free.c < held.c < high


@pytest.mark.parametrize("name", ["convergence", "postbugfix_convergence"])
@pytest.mark.parametrize("ceiling", [None, 1.0])
def test_the_stored_curves_have_intervals_that_hold_their_fits_and_overlap_the_authors(name, ceiling):
    published, model = read(name), "power"
    curve = published["convergence_curve"]
    found = fit(model, curve["N"], curve["llm"], ceiling=ceiling)
    reach = band(model, curve["N"], curve["llm"], ceiling=ceiling)
    for ours, value, theirs in ((reach.a, found.a, "a"), (reach.b, found.b, "b"), (reach.c, found.c, "c")):
        assert ours[0] <= value <= ours[1]
        assert ours[0] < published["bootstrap"][theirs]["ci_hi"]
        assert ours[1] > published["bootstrap"][theirs]["ci_lo"]
    # the author draws points as if they were independent runs: far wider, and no better
    assert reach.c[1] - reach.c[0] < published["bootstrap"]["c"]["ci_hi"] - published["bootstrap"]["c"]["ci_lo"]
    assert ceiling is None or reach.a[1] <= ceiling


@pytest.mark.parametrize(("name", "n"), [("convergence", 1337), ("postbugfix_convergence", 3003)])
def test_the_authors_shuffled_pool_is_an_expected_maximum(name, n):
    """Some pool of n scores has the author's curve as its exact expectation, to what 1,000 shuffles leave open."""
    curve = read(name)["convergence_curve"]
    at, published = curve["N"], np.array(curve["rand_mean"])
    by_rank = np.array([weights(n, many) for many in at])
    places = np.unique(np.geomspace(1, n, 120).astype(int)) - 1
    steps = np.cumsum(by_rank, axis=1)[:, places]  # a step up at rank i lifts all better ones too
    heights, _ = nnls(steps, published)
    pool = np.zeros(n)
    for place, height in zip(places, heights, strict=True):
        pool[: place + 1] += height
    expected = np.array(expected_best(list(pool), at))
    assert np.abs(expected - published)[1:].max() < 0.004
    assert expected[-1] == pytest.approx(pool.max(), abs=2e-4)


def test_the_authors_shuffled_pool_begins_at_the_pools_mean_and_ends_at_its_best():
    published, pool = read("convergence"), read("ablation")["pooling"]["Attention"]
    curve = published["convergence_curve"]["rand_mean"]
    # 1,000 shuffles leave a standard error of std / sqrt(1000) on the mean of one draw
    assert abs(curve[0] - pool["mean_ap_all"]) < 3 * pool["std_ap"] / math.sqrt(1000)
    assert published["ap_at_n"]["rand_1337"] == pytest.approx(pool["best_ap"], abs=1e-12)


def test_attribution_is_representative_of_encoders_as_published():
    published = read("representativeness")["encoder_stratified"]
    pairs = [
        (encoder, side)
        for side in ("attributed", "unattributed")
        for encoder, share in published[f"proportions_{side}"].items()
        for _ in range(round(share * published[f"n_{side}"]))
    ]
    found = association(pairs, what="encoder", by="attribution")
    assert (found.n, found.freedom) == (638 + 961, published["dof"])
    assert found.chi2 == pytest.approx(published["chi2"], rel=1e-9)
    assert 10**found.log10_p == pytest.approx(published["p_value"], rel=1e-9)
    assert round(found.v, 4) == published["cramers_v"]


def test_sweeps_are_enriched_by_1_7_and_barely_more_than_chance():
    """7.6% of 10,469 runs and 13 of the best 100, as the paper counts them."""
    n, swept = 10_469, 796
    origins = ["sweep"] * 13 + ["agent"] * (n - swept) + ["sweep"] * (swept - 13)
    done = [Run(i, "e", "a", origin, {}, -float(i), 0.0, 0.0, "", 0.0) for i, origin in enumerate(origins)]
    found = enrichment(done, "sweep", 100)
    assert round(found.ratio, 1) == 1.7
    assert 1.0 < found.low < 1.1
    assert 0.03 < found.p < 0.05


def test_a_power_law_that_drops_the_zeros_predicts_improvements_that_never_happened():
    published = read("convergence")
    law, best = published["innovation_rate"]["fit"], np.array(published["convergence_curve"]["llm"])
    predicted = sum(law["k"] * t ** -law["alpha"] for t in range(1, published["n_experiments"] + 1))
    happened = 1 + int((np.diff(best) > 0).sum())
    assert predicted > 5 * happened
    assert expected_improvements(published["n_experiments"]) < happened < 2.5 * expected_improvements(1337)


def test_every_model_is_offered_for_a_running_best():
    curve = read("convergence")["convergence_curve"]["llm"]
    assert {each.model for each in fits(curve)} == {*MODELS}
