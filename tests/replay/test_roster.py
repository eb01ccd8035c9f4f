"""The roster: every order, with what has no value last, and predicates that mean what the log says."""

from __future__ import annotations

import pytest

from events.predicates import PredicateInvalid
from replay.ledger import Ledger
from replay.roster import columns, entry, order, predicate
from tests.replay.tales import busy, measured
from tests.tui.watching import eventful


def ledger() -> Ledger:
    return measured(eventful()).ledger


def test_every_column_sorts_both_ways_and_what_has_no_value_stands_last() -> None:
    kept = ledger()
    for by in columns(kept):
        up, down = order(kept, by=by), order(kept, by=by, downward=True)
        assert sorted(up) == sorted(down) == sorted(kept.experiments)
    scores = [entry(kept, name).validation for name in order(kept, by="validation", downward=True)]
    told = [score for score in scores if score is not None]
    assert told == sorted(told, reverse=True)
    assert scores[len(told) :] == [None] * (len(scores) - len(told))


def test_equals_keep_the_order_of_queueing() -> None:
    kept = ledger()
    names = order(kept, by="backbone")
    for backbone in ("appearance", "motion"):
        alike = [entry(kept, name).number for name in names if entry(kept, name).configuration["backbone"] == backbone]
        assert alike == sorted(alike)


def test_an_unknown_column_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        order(ledger(), by="colour")


def test_a_predicate_leaves_exactly_the_runs_that_it_means() -> None:
    kept = ledger()
    where = predicate(kept, "validation > 0.6 and backbone == motion")
    found = order(kept, where=where)
    assert found
    meant = [
        row.experiment
        for row in (entry(kept, name) for name in order(kept))
        if row.validation is not None and row.validation > 0.6 and row.configuration["backbone"] == "motion"
    ]
    assert found == meant
    assert set(order(kept, where=predicate(kept, "status == running"))) == {"e-30", "e-31"}


def test_a_predicate_that_is_none_says_where_it_goes_wrong() -> None:
    with pytest.raises(PredicateInvalid, match="did you mean validation"):
        predicate(ledger(), "validaton > 0.5")


def test_a_campaign_that_was_never_opened_has_an_empty_roster() -> None:
    assert order(Ledger()) == []
    assert "validation" in columns(Ledger())
    assert len(order(measured(busy(5)).ledger)) > 0
