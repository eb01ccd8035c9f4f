import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from replay.counts import PAPER, SMALL, Total, Window, count, window_for
from replay.diversity import entropy

TINY = Window(name="tiny", floor=3, share=4, step_floor=2, step_share=10)
CELLS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 2)), max_size=60)


@given(CELLS)
def test_entropy_of_counts_is_the_entropy_of_the_definition(cells):
    fast, plain = count(cells).entropy(), entropy(cells)
    assert fast == plain if plain is None else math.isclose(fast, plain, abs_tol=1e-12)


@given(CELLS)
def test_entropy_is_the_same_bits_in_any_order(cells):
    assert count(cells).entropy() == count(reversed(cells)).entropy() == count(sorted(cells)).entropy()


def test_entropy_of_one_repeated_cell_is_zero():
    assert count(["a"] * 49).entropy() == 0.0


def test_entropy_of_all_different_cells_is_the_log_of_their_number():
    assert count(range(64)).entropy() == 6.0


def test_entropy_of_fewer_than_two_observations_is_undefined():
    assert count([]).entropy() is None
    assert count(["a"]).entropy() is None


@given(st.lists(st.integers(), max_size=120))
def test_a_window_ends_with_the_last_observation(items):
    length = min(len(items), TINY.length(len(items)))
    assert TINY.last(items) == items[len(items) - length :]


def test_the_papers_window_is_two_hundred_or_a_tenth_read_every_fifty_or_a_hundredth():
    assert [PAPER.length(n) for n in (10, 2000, 2010, 10_469)] == [200, 200, 201, 1046]
    assert [PAPER.step(n) for n in (10, 5000, 10_469)] == [50, 50, 104]


def test_small_campaigns_are_read_through_the_small_window():
    assert (window_for(399), window_for(400)) == (SMALL, PAPER)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), max_size=50))
def test_a_total_is_the_exact_sum_rounded_once(numbers):
    total = Total()
    for number in numbers:
        total.add(number)
    assert total.value() == math.fsum(numbers)
    assert total.value() == float(sum(map(Fraction, numbers), Fraction(0)))
