"""How ideas descend from ideas: depths, families, and children held against their parents and against chance."""

import pytest

from replay.statistics.genealogy import depth_and_score, depths, descents, generations
from tests.chronicle import Chronicle
from tests.replay import tales


@pytest.fixture
def family():
    """A root and two children, one above it beyond all noise, and a grandchild below its parent."""
    c = Chronicle()
    c.opened()
    (root,) = c.cycle("tpe", {"batch": 16})
    c.runs(c.queues(root), validation=0.5)
    low, high = c.cycle("tpe", {"batch": 32}, {"batch": 64}, parents=(root,))
    c.runs(c.queues(low), validation=0.4)
    c.runs(c.queues(high), validation=0.7)
    (grandchild,) = c.cycle("tpe", {"batch": 128}, origin="sweep", parents=(high, low))
    c.runs(c.queues(grandchild), validation=0.6)
    return c


def ledger_of(c):
    return tales.measured(c).ledger


def test_a_child_is_one_deeper_than_its_deepest_parent(family):
    assert [*depths(ledger_of(family)).values()] == [0, 1, 1, 2]
    family.cycle("tpe", {}, parents=("i-of-another-log",))
    assert [*depths(ledger_of(family)).values()][-1] == 0


def test_generations_count_their_ideas_their_parents_and_their_scores(family):
    rows = generations(ledger_of(family))
    assert [(row.depth, row.ideas, row.parents, row.completed) for row in rows] == [
        (0, 1, 1, 1),
        (1, 2, 2, 2),
        (2, 1, 0, 1),
    ]
    assert (rows[1].mean, rows[1].best) == (pytest.approx(0.55), 0.7)


def test_a_child_is_held_against_the_best_of_its_parents_and_against_chance(family):
    rows = {row.origin: row for row in descents(ledger_of(family))}
    assert [*rows] == ["all", "agent", "sweep"]
    assert (rows["all"].pairs, rows["all"].improved, rows["all"].beyond_noise) == (3, 1, 1)
    assert rows["sweep"].gain == pytest.approx(-0.1)
    # of four runs two are above the root, none above its better child
    assert rows["agent"].by_chance == pytest.approx(2 / 4)
    assert rows["sweep"].by_chance == 0.0
    assert rows["all"].low < rows["all"].rate < rows["all"].high


def test_a_child_of_another_era_is_held_against_nobody(family):
    family.instrument = "instrument-2"
    (late,) = family.cycle("tpe", {"epochs": 30}, parents=("i-1",))
    family.runs(family.queues(late), validation=0.9)
    assert descents(ledger_of(family))[0].pairs == 3
    assert [*depths(ledger_of(family)).values()][-1] == 1


def test_depth_and_score_are_correlated_where_there_are_enough(family):
    found = depth_and_score(ledger_of(family))
    assert found.n == 4
    assert depth_and_score(ledger_of(tales.one())) is None
    assert descents(ledger_of(tales.one())) == []
