import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from replay.statistics import tails
from replay.statistics.draws import draws, orders

pytestmark = pytest.mark.filterwarnings("error")

FREEDOM = st.integers(1, 3000)
DEEP = -600.0
"""Below, scipy's own tails underflow."""


@given(st.floats(1e-3, 500), FREEDOM, FREEDOM)
def test_the_f_tail_is_scipys_as_long_as_scipy_has_one(f, between, within):
    reference = stats.f.logsf(f, between, within)
    if reference > DEEP:
        assert tails.log_f_tail(f, between, within) == pytest.approx(reference, rel=1e-9, abs=1e-9)


@given(st.floats(1e-3, 2000), st.integers(1, 200))
def test_the_chi_square_tail_is_scipys(x, freedom):
    reference = stats.chi2.logsf(x, freedom)
    if reference > DEEP:
        assert tails.log_chi2_tail(x, freedom) == pytest.approx(reference, rel=1e-9, abs=1e-9)


@given(st.floats(-40, 40), FREEDOM)
def test_both_tails_of_t_are_twice_scipys(t, freedom):
    reference = min(0.0, stats.t.logsf(abs(t), freedom) + math.log(2))
    if reference > DEEP:
        assert tails.log_t_tails(t, freedom) == pytest.approx(reference, rel=1e-8, abs=1e-8)


@given(st.integers(1, 60), st.data())
def test_the_hypergeometric_tail_is_scipys(total, data):
    drawn, marked = (data.draw(st.integers(0, total)) for _ in range(2))
    found = data.draw(st.integers(0, total))
    reference = stats.hypergeom.sf(found - 1, total, marked, drawn)
    assert math.exp(tails.log_hypergeometric_tail(drawn, marked, total, found)) == pytest.approx(reference, abs=1e-10)


def test_a_tail_far_below_the_smallest_float_is_still_a_number():
    deep = tails.log_f_tail(1e4, 5, 5000)
    assert stats.f.sf(1e4, 5, 5000) == 0.0
    # the leading term of the incomplete beta function, as x goes to 0: x^a / (a B(a, b))
    x = 5000 / (5000 + 5 * 1e4)
    assert deep == pytest.approx(2500 * math.log(x) - math.log(2500) - special.betaln(2500, 2.5), rel=1e-3)
    assert tails.told(tails.log10(deep)).startswith("p = ")
    assert tails.told(-430.2466) == "p = 5.7e-431"
    assert tails.told(math.log10(0.03)) == "p = 0.0300"


def test_nothing_is_beyond_certainty():
    assert tails.log_f_tail(0.0, 3, 3) == tails.log_chi2_tail(0.0, 3) == tails.log_t_tails(0.0, 3) == 0.0


def test_draws_depend_on_their_purpose_and_on_nothing_else():
    assert list(draws("one").random(3)) == list(draws("one").random(3))
    assert list(draws("one").random(3)) != list(draws("other").random(3))


def test_orders_are_shuffles_in_bounded_batches_and_a_longer_list_begins_with_the_shorter_ones():
    batches = list(orders("x", 700_000, 3))
    assert [rows.shape for rows in batches] == [(1, 700_000)] * 3
    short, long = (next(orders("x", 50, turns)) for turns in (4, 9))
    assert (long[:4] == short).all()
    assert sorted(long[8]) == list(range(50))
