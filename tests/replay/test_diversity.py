import math
import random

import pytest

from events.spaces import PAPER as SPACE
from replay.counts import PAPER, SMALL
from replay.diversity import Diversity, cells, entropy, highest, project, projections, series
from tests.replay import tales

AUTHOR = {"backbone_encoder": 2, "loss_pooling": 2, "author": 4}


def drawn(n, seed=0):
    chance = random.Random(seed)
    return [{choice.name: chance.choice(choice.values) for choice in SPACE.choices} for _ in range(n)]


def test_architecture_and_training_are_the_papers_dimensions():
    parts = projections(SPACE)
    assert parts["architecture"] == ("backbone", "encoder", "pooling")
    assert parts["training"] == ("scheduler", "batch", "length", "epochs")
    assert len(parts["whole"]) == 8
    assert {part: len(parts[part]) for part in AUTHOR} == AUTHOR


@pytest.mark.parametrize("n", [1, 2, 199, 200, 201, 450, 2300])
def test_the_latest_entropy_is_that_of_the_last_window(n):
    points, diversity = drawn(n), Diversity(dimensions=projections(SPACE))
    for point in points:
        diversity.add("tpe", point)
    for part, dimensions in projections(SPACE).items():
        last = [project(point, dimensions) for point in points][-PAPER.length(n) :]
        expected = entropy(last)
        measured = diversity.entropy(part)
        assert measured == expected if expected is None else math.isclose(measured, expected, abs_tol=1e-12)


def test_each_agent_has_a_window_over_its_own_sequence():
    points, diversity = drawn(500), Diversity(dimensions=projections(SPACE))
    for turn, point in enumerate(points):
        diversity.add("ab"[turn % 2], point)
    own = [project(point, projections(SPACE)["author"]) for point in points[::2]][-200:]
    assert math.isclose(diversity.entropy("author", "a"), entropy(own), abs_tol=1e-12)
    assert diversity.entropy("author", "nobody") is None


@pytest.mark.parametrize("window", [PAPER, SMALL])
@pytest.mark.parametrize("n", [0, 1, 7, 230, 1000])
def test_a_series_reads_each_window_as_the_definition_does(window, n):
    sequence = [project(point, ("backbone", "loss")) for point in drawn(n)]
    length, step = window.length(n), window.step(n)
    readings = series(sequence, window)
    assert [reading.n for reading in readings] == [at for at in range(1, n + 1) if at % step == 0 or at == n]
    for reading in readings:
        stretch = sequence[max(0, reading.n - length) : reading.n]
        expected = entropy(stretch)
        assert reading.window == len(stretch)
        assert reading.value is expected or math.isclose(reading.value, expected, abs_tol=1e-12)


def test_entropy_agrees_with_scipy():
    from collections import Counter

    from scipy.stats import entropy as reference

    sequence = [project(point, ("backbone", "encoder")) for point in drawn(300)]
    assert math.isclose(entropy(sequence), reference(list(Counter(sequence).values()), base=2), rel_tol=1e-12)


def test_no_window_can_hold_more_than_its_length_or_the_parts_cells():
    assert highest(SPACE, ("backbone",), 200) == math.log2(6)
    assert highest(SPACE, projections(SPACE)["whole"], 200) == math.log2(200)
    assert highest(SPACE, ("backbone",), 0) == 0.0


def test_the_sequence_is_of_completions_unless_proposals_are_asked_for():
    c = tales.busy(20)
    ledger = tales.measured(c).ledger
    assert len(cells(ledger, ("backbone",))) == len(ledger.completed)
    assert len(cells(ledger, ("backbone",), over="proposed")) == len(ledger.ideas) > len(ledger.completed)
    mine = [name for name in ledger.completed if ledger.author(name) == "tpe"]
    assert cells(ledger, ("backbone",), agent="tpe") == [(ledger.configuration(e)["backbone"],) for e in mine]


def test_a_proposal_without_a_dimension_is_in_no_cell():
    c = tales.one()
    ledger = tales.measured(c).ledger
    ledger.ideas["i-1"].configuration.pop("backbone")
    assert cells(ledger, ("backbone",), over="proposed") == []
    assert len(cells(ledger, ("encoder",), over="proposed")) == 1
