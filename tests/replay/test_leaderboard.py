import math

from replay.leaderboard import leaderboard
from tests.chronicle import Chronicle
from tests.replay import tales


def scored(*runs):
    c = Chronicle()
    c.opened()
    for fields in runs:
        c.runs(c.queues(c.proposes("tpe")), **fields)
    return tales.measured(c).ledger


def test_rows_stand_by_validation_and_the_earlier_of_equals_is_higher():
    ledger = scored({"validation": 0.5}, {"validation": 0.8}, {"validation": 0.8}, {"validation": 0.6})
    rows = leaderboard(ledger)
    assert [row.experiment for row in rows] == ["e-2", "e-3", "e-4", "e-1"]
    assert [row.rank for row in rows] == [1, 2, 3, 4]


def test_test_scores_neither_order_the_rows_nor_show_unasked():
    ledger = scored({"validation": 0.5, "test": 0.99}, {"validation": 0.8, "test": 0.1})
    assert [row.experiment for row in leaderboard(ledger)] == ["e-2", "e-1"]
    assert [row.test for row in leaderboard(ledger)] == [None, None]
    assert [row.test for row in leaderboard(ledger, with_test=True)] == [0.1, 0.99]


def test_a_lead_within_the_noise_of_both_is_said_to_be_so():
    ledger = scored({"validation": 0.9, "noise": 0.03}, {"validation": 0.86, "noise": 0.03}, {"validation": 0.7})
    first, second, last = leaderboard(ledger)
    assert math.isclose(first.lead, 0.04)
    assert first.within_noise is True
    assert second.within_noise is False
    assert (last.lead, last.within_noise) == (None, None)


def test_the_last_row_shown_still_knows_its_lead():
    ledger = scored({"validation": 0.9}, {"validation": 0.5}, {"validation": 0.4})
    rows = leaderboard(ledger, top=2)
    assert len(rows) == 2
    assert math.isclose(rows[1].lead, 0.1)


def test_a_row_names_author_origin_and_the_whole_configuration():
    ledger = tales.measured(tales.busy(20)).ledger
    for row in leaderboard(ledger):
        assert row.configuration == ledger.configuration(row.experiment)
        assert row.agent == ledger.author(row.experiment)
    assert {row.origin for row in leaderboard(ledger)} == {"agent", "sweep", "fixer"}


def test_nothing_completed_is_an_empty_board():
    assert leaderboard(tales.measured(tales.failed()).ledger) == []
