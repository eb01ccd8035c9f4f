"""The space: what is a point of it, what identity means in it, and what narrowing leaves."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import ConfigurationInvalid, SpaceInvalid
from events.space import Choice, Configuration, Interval, Space, is_active, jaccard
from events.spaces import PAPER, over


@st.composite
def configurations(draw: st.DrawFn, space: Space = PAPER) -> Configuration:
    """Any point of a space."""
    values: Configuration = {choice.name: draw(st.sampled_from(choice.values)) for choice in space.choices}
    for interval in space.intervals:
        if is_active(interval, values):
            values[interval.name] = draw(st.floats(interval.low, interval.high))
    return values


def test_the_papers_space_has_108_000_cells() -> None:
    assert PAPER.cells == 108_000
    assert PAPER.cells == 6 * 5 * 4 * 3 * 3 * 4 * 5 * 5
    assert len(PAPER.dimensions) == 17


@given(configurations(), st.randoms(use_true_random=False))
def test_the_order_of_the_keys_changes_nothing(configuration: Configuration, chance: random.Random) -> None:
    items = list(configuration.items())
    chance.shuffle(items)
    assert PAPER.problems(dict(items)) == ()
    assert PAPER.fingerprint(dict(items)) == PAPER.fingerprint(configuration)
    assert list(PAPER.normal(dict(items))) == [d.name for d in PAPER.active(configuration)]
    assert PAPER.cell(dict(items)) == PAPER.cell(configuration)


@given(configurations(), configurations())
def test_a_fingerprint_is_equal_exactly_where_the_configurations_are(one: Configuration, other: Configuration) -> None:
    assert (PAPER.fingerprint(one) == PAPER.fingerprint(other)) == (PAPER.normal(one) == PAPER.normal(other))
    assert len(PAPER.fingerprint(one)) == 16


@given(configurations())
def test_the_canonical_form_is_its_own(configuration: Configuration) -> None:
    normal = PAPER.normal(configuration)
    assert PAPER.normal(normal) == normal
    assert PAPER.fingerprint(normal) == PAPER.fingerprint(configuration)


def test_an_integer_where_a_number_is_meant_is_the_same_number() -> None:
    whole = _example(oversampling=2)
    assert PAPER.fingerprint(whole) == PAPER.fingerprint(_example(oversampling=2.0))


@given(configurations(), configurations())
def test_similarity_of_cells_is_symmetric_and_counts_what_they_share(one: Configuration, other: Configuration) -> None:
    first, second = PAPER.cell(one), PAPER.cell(other)
    shared = sum(a == b for a, b in zip(first, second, strict=True))
    assert jaccard(first, second) == jaccard(second, first) == shared / (16 - shared)
    assert jaccard(first, first) == 1.0


def test_similarity_takes_the_values_of_eight_dimensions() -> None:
    cell = tuple(range(8))
    other = tuple(range(10, 18))
    values = [jaccard(cell, cell[:shared] + other[shared:]) for shared in range(9)]
    assert values == [0, 1 / 15, 2 / 14, 3 / 13, 4 / 12, 5 / 11, 6 / 10, 7 / 9, 1]
    assert jaccard((), ()) == 1.0


@given(st.sampled_from(PAPER.intervals), st.floats(0, 1))
def test_a_position_on_the_scale_is_a_value_of_the_interval_and_back(interval: Interval, position: float) -> None:
    value = interval.at(position)
    assert interval.low <= value <= interval.high
    assert interval.problem(value) is None
    assert interval.position(value) == pytest.approx(position, abs=1e-9)


@given(st.sampled_from(PAPER.intervals), st.data())
def test_bins_are_in_order_and_cover_the_interval(interval: Interval, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(*[st.floats(interval.low, interval.high)] * 2)))
    assert 0 <= interval.bin(low) <= interval.bin(high) <= interval.bins - 1
    assert interval.bin(interval.low) == 0
    assert interval.bin(interval.high) == interval.bins - 1


def test_bins_of_a_log_scale_are_equal_in_decades() -> None:
    rate = PAPER["learning_rate"]
    assert isinstance(rate, Interval)
    middles = [rate.at((n + 0.5) / rate.bins) for n in range(rate.bins)]
    assert [rate.bin(value) for value in middles] == list(range(15))
    ratios = {round(b / a, 9) for a, b in itertools.pairwise(middles)}
    assert ratios == {round(10 ** (3 / 15), 9)}


def test_an_interval_of_one_point_has_one_bin() -> None:
    point = Interval(name="x", low=2.0, high=2.0, part="data", stage="batch")
    assert (point.bin(2.0), point.position(2.0), point.at(0.7)) == (0, 0.0, 2.0)


@given(configurations())
def test_bins_name_the_active_continuous_dimensions(configuration: Configuration) -> None:
    bins = dict(PAPER.bins(configuration))
    assert set(bins) == {d.name for d in PAPER.intervals if d.name in configuration}
    assert ("focal_gamma" in bins) == (configuration["loss"] == "focal")


def _example(**changes: Any) -> Configuration:
    values: Configuration = {choice.name: choice.values[0] for choice in PAPER.choices}
    values |= {d.name: d.at(0.5) for d in PAPER.intervals if is_active(d, values)}
    return values | changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loss": "hinge"}, "loss = 'hinge' is not one of focal, bce, label_smoothing"),
        ({"batch": 16.0}, "batch = 16.0 is not one of"),
        ({"batch": True}, "batch = True is not one of"),
        ({"dropout": 0.51}, "dropout = 0.51 is outside [0, 0.5]"),
        ({"dropout": math.nan}, "dropout = nan is not a finite number"),
        ({"dropout": True}, "dropout = True is not a finite number"),
        ({"dropout": "0.1"}, "dropout = '0.1' is not a finite number"),
        ({"colour": "red"}, "colour is not a dimension"),
        ({"smoothing": 0.1}, "smoothing has no meaning here: it needs loss = label_smoothing"),
        ({"loss": "bce"}, "focal_gamma has no meaning here: it needs loss = focal"),
    ],
)
def test_each_mistake_of_a_configuration_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    problems = PAPER.problems(_example(**changes))
    assert sentence in "; ".join(problems)
    with pytest.raises(ConfigurationInvalid) as invalid:
        PAPER.normal(_example(**changes))
    assert invalid.value.problems == problems


def test_what_is_missing_is_named() -> None:
    configuration = _example()
    del configuration["pooling"], configuration["focal_alpha"]
    assert PAPER.problems(configuration) == ("pooling is missing", "focal_alpha is missing")


def test_narrowing_leaves_fewer_values_and_shorter_intervals() -> None:
    narrow = PAPER.narrowed({"epochs": (10, 5), "learning_rate": (1e-4, 1e-3)})
    assert narrow.cells == 108_000 * 2 // 5
    epochs, rate = narrow["epochs"], narrow["learning_rate"]
    assert isinstance(epochs, Choice)
    assert isinstance(rate, Interval)
    assert (epochs.values, rate.low, rate.high) == ((5, 10), 1e-4, 1e-3)


@given(configurations(PAPER.narrowed({"loss": ("bce", "focal"), "dropout": (0.1, 0.2)})))
def test_a_point_of_a_narrowed_space_is_a_point_of_the_space(configuration: Configuration) -> None:
    assert PAPER.problems(configuration) == ()


def test_a_dimension_that_narrowing_made_unreachable_is_gone() -> None:
    narrow = PAPER.narrowed({"loss": ("bce",)})
    assert not {"focal_gamma", "focal_alpha", "smoothing"} & set(narrow.names)
    with pytest.raises(SpaceInvalid, match="no dimension 'smoothing'"):
        narrow["smoothing"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": ("red",)}, "no dimension 'colour'"),
        ({"loss": ()}, "at least one value"),
        ({"loss": ("hinge",)}, "not one of"),
        ({"dropout": (0.1,)}, r"give \[low, high\]"),
        ({"dropout": (0.2, 0.1)}, r"give \[low, high\]"),
        ({"dropout": (0.2, 0.9)}, r"inside \[0, 0.5\]"),
    ],
)
def test_a_narrowing_that_is_none_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpaceInvalid, match=sentence):
        PAPER.narrowed(changes)


@pytest.mark.parametrize(
    "interval",
    [
        {"low": 2.0, "high": 1.0},
        {"low": math.nan, "high": 1.0},
        {"low": 0.0, "high": 1.0, "scale": "log"},
        {"low": 0.0, "high": 1.0, "when": {"loss": ("focal",)}},
    ],
)
def test_a_space_that_contradicts_itself_cannot_be_made(interval: dict[str, Any]) -> None:
    with pytest.raises(SpaceInvalid):
        Space(name="odd", dimensions=(Interval(name="x", part="data", stage="batch", **interval),))


def test_a_space_names_each_dimension_once() -> None:
    choice = Choice(name="x", values=(1,), part="data", stage="batch")
    with pytest.raises(SpaceInvalid, match="twice"):
        Space(name="odd", dimensions=(choice, choice))


def test_a_tasks_space_is_the_papers_with_its_own_backbones_and_encoders() -> None:
    space = over(("appearance", "motion"), ("retnet",))
    assert space.cells == 108_000 // 30 * 2
    assert space.names == PAPER.names
