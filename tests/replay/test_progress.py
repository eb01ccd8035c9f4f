import math

from hypothesis import given
from hypothesis import strategies as st

from replay.counts import Window
from replay.progress import Progress, expected_improvements, innovations, regret, running_best

TINY = Window(name="tiny", floor=4, share=3, step_floor=2, step_share=10)
SCORES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 0.9]), max_size=40)


def told(scores):
    progress = Progress()
    for n, score in enumerate(scores, start=1):
        progress.add(f"e-{n}", score)
    return progress


@given(SCORES)
def test_running_best_is_the_maximum_so_far(scores):
    assert running_best(scores) == [max(scores[:n]) for n in range(1, len(scores) + 1)]


@given(SCORES)
def test_an_improvement_beats_all_before_it_and_a_tie_does_not(scores):
    expected = [int(score > max(scores[:n], default=-1.0)) for n, score in enumerate(scores)]
    assert innovations(scores) == expected
    steps = told(scores).improvements
    assert [step.n for step in steps] == [n for n, improved in enumerate(expected, start=1) if improved]


@given(SCORES)
def test_the_innovation_rate_is_the_mean_of_the_last_window(scores):
    n = len(scores)
    recent = innovations(scores)[-TINY.length(n) :] if n else []
    assert told(scores).innovation(TINY) == (sum(recent) / len(recent) if recent else None)


@given(SCORES)
def test_regret_is_never_negative_and_ends_at_zero(scores):
    gaps = regret(scores) if scores else [0.0]
    assert min(gaps) >= 0.0
    assert gaps[-1] == 0.0
    assert gaps == sorted(gaps, reverse=True)


def test_the_best_of_equals_is_the_earliest():
    assert told([0.2, 0.9, 0.9]).best().experiment == "e-2"
    assert told([]).best() is None


def test_exchangeable_runs_improve_a_harmonic_number_of_times():
    # paper notes: 8.6 expected at n = 3,003
    assert math.isclose(expected_improvements(3003), 8.58, abs_tol=0.01)
    assert expected_improvements(0) == 0.0
