"""The campaign cut at its eras: gains at borders and within sum to the whole, and pieces are found where they are."""

import math
import warnings

import numpy as np
import pytest

from replay.runs import Run
from replay.statistics.piecewise import SETTLING, gains, pieces, piecewise
from replay.statistics.pools import expected_best


@pytest.fixture(autouse=True)
def _every_warning_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def done(*eras):
    """Runs with these scores in each era, in order."""
    scored = [(number, y) for number, scores in enumerate(eras, start=1) for y in scores]
    return [Run(n, f"e-{n}", "a", "agent", {}, y, y, 0.0, "", 1.0, era) for n, (era, y) in enumerate(scored, start=1)]


def law(a, b, c, n):
    return list(a - b * np.arange(1.0, n + 1) ** -c)


def test_gains_at_borders_and_within_eras_sum_to_the_whole():
    chance = np.random.default_rng(1)
    rows = gains(done(*(list(level + 0.1 * chance.random(60)) for level in (0.5, 0.7, 0.6))))
    assert [row.n for row in rows] == [60, 60, 60]
    whole = rows[-1].end - rows[0].start
    parts = [row.within for row in rows] + [row.border for row in rows[1:]]
    assert math.isclose(math.fsum(parts), whole, rel_tol=1e-12)
    assert rows[1].border > 0 > rows[2].border
    assert rows[0].border is rows[0].border_null is None


def test_a_border_that_changes_nothing_gains_what_its_null_says_on_average():
    chance = np.random.default_rng(2)
    seen, expected = [], []
    for _ in range(200):
        rows = gains(done(list(chance.random(50)), list(chance.random(50))))
        seen.append(rows[1].border)
        expected.append(rows[1].border_null)
    assert np.mean(seen) == pytest.approx(np.mean(expected), abs=0.02)
    y = [0.1, 0.5, 0.9]
    assert gains(done(y, [0.2]))[1].border_null == expected_best(y, [3])[0] - 0.9


def test_a_late_result_of_an_older_era_stays_with_it():
    late = done([0.5, 0.6], [0.9, 0.8])
    moved = [late[0], late[2], late[1], late[3]]
    assert [[run.experiment for run in piece.runs] for piece in pieces(moved)] == [["e-1", "e-2"], ["e-3", "e-4"]]


def test_jumps_at_the_eras_borders_make_the_pieces_better_than_one_law_and_than_borders_elsewhere():
    planted = [law(level, 0.1, 0.7, 150) for level in (0.6, 0.75, 0.9)]
    one, each = piecewise(done(*planted))[:2]
    assert (one.pieces, each.pieces, each.parameters) == (1, 3, 9)
    assert each.r2 > 0.999 > one.r2
    assert each.aic < one.aic - 100
    assert each.p < 0.02


def test_borders_in_a_single_law_are_no_better_than_borders_elsewhere():
    chance = np.random.default_rng(3)
    whole = law(0.9, 0.4, 0.5, 300) + 0.05 * chance.random(300)
    rows = piecewise(done(list(whole[:120]), list(whole[120:])))
    assert rows[1].p > 0.05


def test_scores_on_another_scale_are_pieces_only_where_the_best_starts_anew():
    rows = piecewise(done(law(0.95, 0.1, 0.7, 100), law(0.7, 0.2, 0.7, 100)))
    across, anew = rows[:2], rows[2:]
    assert {row.best for row in anew} == {"of the era so far"}
    assert across[1].r2 == pytest.approx(across[0].r2, abs=0.02)
    assert anew[1].r2 > 0.999
    assert anew[0].r2 < 0.9
    assert anew[1].p is None


@pytest.mark.parametrize("eras", [(), ([0.5],), ([0.5] * 30, [0.5] * 30), ([0.1, 0.9] * 20,)])
def test_one_era_or_nothing_that_varies_is_too_few(eras):
    assert piecewise(done(*eras)) == []


def test_short_and_constant_eras_are_pieces_of_one_level():
    rows = piecewise(done([0.1, 0.2], [0.5] * 40, law(0.9, 0.1, 1.0, 40)))
    assert rows[1].parameters == 1 + 1 + 3
    assert SETTLING == 10
    assert all(math.isfinite(row.aic) for row in rows)
