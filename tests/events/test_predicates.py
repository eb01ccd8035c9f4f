"""The predicate language: what it means, what it refuses, and that a tree's words read back as the tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.conditions import Among, Comparison, Everything, Joined, Not, Predicate, condition
from events.predicates import DEEPEST, LONGEST, PredicateInvalid, configurations, matches, names_of, parse, runs
from events.spaces import PAPER

ROW = {"pooling": "attention", "learning_rate": 2e-3, "batch": 16, "backbone": "vjepa2", "agent": "agent-tpe", "era": 2}

WORDS = st.sampled_from(
    ["attention", "e-78", "motion+still", "a.b/c", "with space", "in", "not", "it's", '"', "9lives"]
)
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15))
VALUES = st.one_of(WORDS, NUMBERS)
NAMES = st.sampled_from(["pooling", "learning_rate", "agent", "validation"])
LEAVES: st.SearchStrategy[Predicate] = st.one_of(
    st.just(Everything()),
    st.builds(Comparison, NAMES, st.sampled_from(["==", "!="]), VALUES),
    st.builds(Comparison, NAMES, st.sampled_from(["<", "<=", ">", ">="]), NUMBERS),
    st.builds(Comparison, NAMES, st.just("~"), WORDS),
    st.builds(Among, NAMES, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(Joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
ROWS = st.dictionaries(NAMES, st.one_of(VALUES, st.none()))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("pooling == attention", True),
        ("pooling != attention", False),
        ("'attention'==pooling", None),
        ("learning_rate > 1e-3 and backbone in (vjepa2, convnext)", True),
        ("not (agent == agent-tpe or era > 3)", False),
        ("backbone not in (vjepa2)", False),
        ("pooling == mean or batch == 16 and era >= 3", False),
        ("(pooling == mean or batch == 16) and era <= 2", True),
        ("agent ~ agent-", True),
        ("agent ~ 'scheduler'", False),
        ("everything", True),
        ("not everything", False),
        ("not not batch in (16, 32)", True),
        ("focal_gamma > 0", False),
        ("focal_gamma != 1", False),
        ("not focal_gamma == 1", True),
    ],
)
def test_a_predicate_means_what_it_says(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(PredicateInvalid):
            parse(text)
    else:
        assert matches(parse(text, runs(PAPER)), ROW) is holds


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("", 1, "the end stands where a name"),
        ("poling == mean", 1, "did you mean pooling?"),
        ("pooling = mean", 9, "write '=='"),
        ("pooling == atention", 12, "did you mean attention?"),
        ("pooling > mean", 11, "needs a number"),
        ("pooling > 3", 11, "has no order"),
        ("batch == 17", 10, "not one of 16, 32"),
        ("learning_rate == fast", 18, "needs a number"),
        ("agent == 3", 10, "is a word"),
        ("era ~ 2", 7, "beginning of a word"),
        ("test > 0.9", 1, "nothing is selected on test scores"),
        ("pooling == mean batch == 16", 17, "'and', 'or' or the end"),
        ("(pooling == mean", 17, "the end stands where ')'"),
        ("pooling in mean", 12, "'(' after in"),
        ("pooling in ()", 13, "a value to compare pooling with"),
        ("pooling == 'mean", 12, "a value to compare pooling with"),
        ("pooling == mean; rm", 16, "';' stands where"),
        ("era == 99999999999999999", 8, "beyond 2^53"),
        ("a == " + "b" * LONGEST, LONGEST, "characters"),
        ("(" * 900 + "era == 1" + ")" * 900, DEEPEST + 1, "within one another"),
    ],
)
def test_what_is_no_predicate_is_refused_with_its_place(text: str, at: int, reason: str) -> None:
    with pytest.raises(PredicateInvalid, match="at character") as refused:
        parse(text, runs(PAPER))
    assert refused.value.at == at
    assert reason in str(refused.value)


def test_bans_speak_of_configurations_alone() -> None:
    with pytest.raises(PredicateInvalid, match="there is no validation"):
        parse("validation > 0.9", configurations(PAPER))


def test_other_words_for_a_dimension_or_a_value_become_the_spaces_own() -> None:
    found = parse("temporal_encoder == retnet and backbone == vjepa2_vitl14", configurations(PAPER))
    assert str(found) == "encoder == retnet and backbone == vjepa2"
    assert [*names_of(found)] == ["encoder", "backbone"]


def test_a_dimension_named_as_a_run_field_wins() -> None:
    assert runs(PAPER)["noise"] is PAPER["noise"]


@given(TREES)
def test_a_trees_words_read_back_as_the_tree(tree: Predicate) -> None:
    assert parse(str(tree)) == tree


@given(TREES, ROWS)
def test_a_predicate_and_its_opposite_part_all_rows(tree: Predicate, row: dict[str, Any]) -> None:
    assert matches(Not(tree), row) is not matches(tree, row)


@given(TREES, ROWS)
def test_a_condition_says_what_its_predicate_does(tree: Predicate, row: dict[str, Any]) -> None:
    assert condition(tree)(row) is matches(tree, row)


@given(TREES, TREES, ROWS)
def test_and_and_or_are_those_of_logic(one: Predicate, other: Predicate, row: dict[str, Any]) -> None:
    both, either = (matches(Joined(word, (one, other)), row) for word in ("and", "or"))
    assert both is (matches(one, row) and matches(other, row))
    assert either is (matches(one, row) or matches(other, row))


@given(NAMES, VALUES, ROWS)
def test_a_name_that_a_run_does_not_have_makes_every_comparison_false(
    name: str, value: Any, row: dict[str, Any]
) -> None:
    row[name] = None
    assert not any(matches(Comparison(name, sign, value), row) for sign in ("==", "!=", "<", "<=", ">", ">=", "~"))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    places = []
    try:
        parse(text, runs(PAPER))
    except PredicateInvalid as refused:
        places.append(refused.at)
    assert all(1 <= at <= len(text) + 1 for at in places)
