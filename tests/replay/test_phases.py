import random

import numpy as np
import pytest

from replay.counts import Window
from replay.diversity import entropy
from replay.statistics.phases import author_ratio, log_fit, phases, rates, readings, sampling_noise

pytestmark = pytest.mark.filterwarnings("error")

WINDOW = Window(name="test", floor=200, share=10, step_floor=50, step_share=100)


def wandering(habits, *, length=800, seed=0):
    """Cells of a search that draws from so many habits in turn, each for `length` observations."""
    chance = random.Random(seed)
    return [(chance.randrange(many),) for many in habits for _ in range(length)]


def kinds(habits, **options):
    cells = wandering(habits, **options)
    found = phases(readings(cells, WINDOW), noise=sampling_noise(cells, WINDOW), window=WINDOW.length(len(cells)))
    return found, [phase.kind for phase in found if phase.kind != "level"]


def test_planted_phases_are_found_where_they_are():
    found, turns = kinds([16, 2, 16])
    assert turns == ["exploitation", "exploration"]
    falls, rises = (phase for phase in found if phase.kind != "level")
    # a change of habits shows while the window passes over it
    assert 700 <= falls.start <= 900 < falls.end <= 1150
    assert 1500 <= rises.start <= 1700 < rises.end <= 1950
    assert falls.change == pytest.approx(-3.0, abs=0.4)
    assert rises.change == pytest.approx(3.0, abs=0.4)


@pytest.mark.parametrize("habits", [[4, 32, 4, 32], [32, 4, 32, 4, 32]])
def test_every_planted_turn_is_found_and_none_besides(habits):
    for seed in range(5):
        _, turns = kinds(habits, seed=seed)
        planted = ["exploration" if later > earlier else "exploitation" for earlier, later in zip(habits, habits[1:])]  # noqa: B905, RUF007 # each with the next
        assert turns == planted


def test_a_search_of_one_habit_has_no_phase():
    """Sampling makes its entropy wander, and the wandering stays inside the noise."""
    assert [kinds([16, 16, 16], seed=seed)[1] for seed in range(20)].count([]) >= 18


def test_phases_tile_the_series():
    found, _ = kinds([16, 2, 16])
    for one, other in zip(found, found[1:]):  # noqa: B905, RUF007 # each with the next
        assert (one.end, one.last) == (other.start, other.first)
    assert (found[0].start, found[-1].end) == (250, 2400)


def test_readings_begin_when_the_window_is_full():
    cells = wandering([8])
    assert readings(cells, WINDOW)[0][0] == WINDOW.length(len(cells)) == 200
    assert readings(cells[:199], WINDOW) == []


def test_the_noise_is_the_deviation_of_the_entropy_of_such_windows():
    # a habit with unequal shares: where all are equal the first order vanishes
    chance = random.Random(1)
    shares = (0.5, 0.25, 0.125, 0.125)
    drawn = [[(cell,) for cell in chance.choices(range(4), shares, k=200)] for _ in range(400)]
    measured = np.std([entropy(cells) for cells in drawn])
    assert sampling_noise([cell for cells in drawn[:10] for cell in cells], WINDOW) == pytest.approx(measured, rel=0.15)


def test_the_ratio_is_of_the_changes_in_each_phase_and_undefined_within_the_noise():
    architecture, training = wandering([16, 2, 16]), wandering([4, 2, 4], seed=1)
    found, _ = kinds([16, 2, 16])
    rows = rates(found, architecture, training, WINDOW)
    assert [row.stretch for row in rows] == [*(phase.kind for phase in found), "whole"]
    falls = next(row for row in rows if row.stretch == "exploitation")
    assert falls.ratio == pytest.approx(3.0, rel=0.2)
    assert rows[-1].ratio is None
    assert abs(rows[-1].training) <= rows[-1].training_noise


def test_the_log_fit_is_numpys():
    points = [(n, 3.0 - 0.4 * np.log(n) + 0.01 * (n % 3)) for n in range(50, 1000, 50)]
    slope, height = np.polyfit(np.log([n for n, _ in points]), [y for _, y in points], 1)
    found = log_fit(points)
    assert (found.h0, found.k) == pytest.approx((height, -slope))
    assert author_ratio(points, points, points).ratio == pytest.approx(1.0)


@pytest.mark.parametrize("points", [[], [(50, 1.0)], [(n, 2.0) for n in range(50, 300, 50)]])
def test_too_few_readings_have_no_phases_and_no_fit(points):
    assert phases(points, noise=0.1, window=200) == []
    assert log_fit(points) is None if len({y for _, y in points}) < 2 else True
    assert author_ratio(points, points, points) is None


def test_a_constant_series_is_one_level_stretch():
    found = phases([(n, 0.0) for n in range(200, 1000, 50)], noise=0.0, window=200)
    assert [(phase.kind, phase.change) for phase in found] == [("level", 0.0)]


def test_no_cells_have_no_noise():
    assert sampling_noise([], WINDOW) == 0.0
    assert rates([], [], [], WINDOW) == []
