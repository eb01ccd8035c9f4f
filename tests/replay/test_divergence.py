import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from replay.counts import PAPER, Window
from replay.divergence import Divergence, divergence, series
from tests.replay import tales

TINY = Window(name="tiny", floor=5, share=4, step_floor=3, step_share=10)
COUNTS = st.dictionaries(st.tuples(st.sampled_from("abcd")), st.integers(1, 30), min_size=1)


def plain(counts):
    """Definition 3 as it is written: the mean of the Kullback-Leibler divergences from the mean."""
    shares = [{cell: many / sum(agent.values()) for cell, many in agent.items()} for agent in counts]
    mean = Counter()
    for agent in shares:
        for cell, share in agent.items():
            mean[cell] += share / len(counts)
    return sum(p * math.log2(p / mean[cell]) for agent in shares for cell, p in agent.items()) / len(counts)


@given(st.lists(COUNTS, min_size=2, max_size=4))
def test_divergence_is_the_definition_and_lies_between_zero_and_log_k(counts):
    measured = divergence(counts)
    assert math.isclose(measured, plain(counts), abs_tol=1e-12)
    assert 0.0 <= measured <= math.log2(len(counts))


@given(COUNTS, COUNTS)
def test_two_agents_agree_with_scipy(one, other):
    cells = sorted({*one, *other})
    p, q = ([agent.get(cell, 0) / sum(agent.values()) for cell in cells] for agent in (one, other))
    reference = jensenshannon(p, q, base=2) ** 2
    # scipy takes a root of differences near zero; so its square is only good to 1e-9 there
    assert math.isclose(divergence([one, other]), reference, abs_tol=1e-9)


@given(st.lists(COUNTS, min_size=2, max_size=4))
def test_the_order_of_agents_and_of_cells_does_not_move_a_bit(counts):
    turned = [dict(reversed(agent.items())) for agent in reversed(counts)]
    assert divergence(counts) == divergence(turned)


def test_agents_of_one_habit_do_not_diverge_however_much_each_ran():
    assert divergence([{("a",): 1, ("b",): 2}, {("a",): 50, ("b",): 100}]) == 0.0
    assert divergence([{("a",): 3}] * 3) == 0.0


def test_agents_that_share_no_cell_diverge_wholly():
    assert divergence([{("a",): 3}, {("b",): 4}]) == 1.0
    assert math.isclose(divergence([{("a",): 3}, {("b",): 4}, {("c",): 1}]), math.log2(3))


@pytest.mark.parametrize("counts", [[], [{("a",): 3}], [{("a",): 3}, {}], [{}, {}]])
def test_divergence_is_undefined_for_one_agent_or_while_one_is_silent(counts):
    assert divergence(counts) is None


def test_what_is_counted_from_the_tape_equals_counting_again_at_every_step():
    chance, state, seen = random.Random(1), Divergence(TINY), []
    for agent in ("a", "b"):
        state.join(agent)
    for n in range(1, 120):
        seen.append((chance.choice("aab"), (chance.choice("xyz"),)))
        state.add(*seen[-1])
        recent = seen[-TINY.length(n) :]
        for sequence, value in ((seen, state.cumulative()), (recent, state.windowed())):
            counts = [Counter(cell for author, cell in sequence if author == agent) for agent in "ab"]
            expected = plain(counts) if all(counts) else None
            assert value is expected or math.isclose(value, expected, abs_tol=1e-12)


def test_a_series_reads_what_the_live_form_reads():
    sequence = [("ab"[turn % 2], (turn % 3,)) for turn in range(40)]
    readings = series(("a", "b"), sequence, TINY)
    assert [reading.n for reading in readings] == [*range(4, 41, 4)]
    state = Divergence(TINY)
    for agent, cell in sequence:
        state.add(agent, cell)
    assert readings[-1][1:] == (state.cumulative(), state.windowed())


def test_an_agent_that_joined_and_stays_silent_leaves_it_undefined():
    c = tales.one()
    c.joins("claude")
    assert tales.measured(c).values()["divergence"] is None


def test_the_fixer_mends_and_is_not_compared():
    search = tales.measured(tales.busy(30)).results[0]
    assert list(search.divergence.ever) == ["tpe", "uniform"]
    assert "fixer" in search.completed
    assert search.divergence.window == PAPER
