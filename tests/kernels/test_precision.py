"""Average precision is exact with ties, and its noise is the same each time."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.precision import average_precision, noise


def oracle(scores: list[int], labels: list[bool]) -> float:
    """Precision times gain in recall at each distinct threshold, from counting alone."""
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        chosen = [label for score, label in zip(scores, labels, strict=True) if score >= threshold]
        total += sum(chosen) / len(chosen) * (sum(chosen) - before)
        before = sum(chosen)
    return total / sum(labels)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30).filter(
        lambda x: any(b for _, b in x)
    )
)
def test_average_precision_counts_what_the_oracle_counts(pairs: list[tuple[int, bool]]) -> None:
    scores, labels = [score for score, _ in pairs], [label for _, label in pairs]
    found = average_precision(np.array(scores, np.float32), np.array(labels))
    assert found == pytest.approx(oracle(scores, labels), abs=1e-15)


def test_the_order_of_tied_clips_does_not_matter() -> None:
    results = {
        average_precision(np.array([1, 1, 1, 0], np.float32), np.array([*labels, True]))
        for labels in permutations([True, False, False])
    }
    assert len(results) == 1


def test_a_perfect_ranking_is_one_and_a_constant_score_is_the_share_of_positives() -> None:
    labels = np.array([True, True, False, False, False])
    assert average_precision(np.array([5, 4, 3, 2, 1], np.float32), labels) == 1.0
    assert average_precision(np.zeros(5, np.float32), labels) == pytest.approx(0.4)


def test_scores_that_are_not_finite_and_clips_without_a_positive_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        average_precision(np.array([np.nan, 1], np.float32), np.array([True, False]))
    with pytest.raises(ValueError, match="positive"):
        average_precision(np.array([0, 1], np.float32), np.array([False, False]))


def test_noise_is_the_same_each_time_and_smaller_with_more_clips() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2 == 0
    scores = (labels + rng.standard_normal(600)).astype(np.float32)
    few, many = noise(scores[:60], labels[:60]), noise(scores, labels)
    assert few == noise(scores[:60], labels[:60])
    assert 0 < many < few / 2
