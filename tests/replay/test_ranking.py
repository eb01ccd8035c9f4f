"""The ranking keeps the best in order and sorts the others only for who asks."""

import random

from replay.leaderboard import leaderboard
from replay.ranking import KEPT, enter, ranked
from tests.replay import tales


def test_the_best_that_are_kept_are_those_of_all_with_the_earlier_higher_among_equals() -> None:
    chance, foremost, every = random.Random(0), [], []
    for place in range(1, 4 * KEPT):
        every.append((round(chance.random(), 2), -place))
        enter(foremost, every[-1])
        assert foremost == sorted(every)[-KEPT:]


def test_all_results_are_ranked_behind_those_that_are_kept_too() -> None:
    ledger = tales.measured(tales.busy(3 * KEPT)).ledger
    assert len(ledger.completed) > 2 * KEPT == 2 * len(ledger.foremost)
    outcomes = [(ledger.experiments[name].outcome, -place) for place, name in enumerate(ledger.completed, start=1)]
    assert list(ranked(ledger)) == sorted(((made.validation, place) for made, place in outcomes), reverse=True)


def test_a_leaderboard_of_all_goes_on_behind_the_kept_ones() -> None:
    ledger = tales.measured(tales.busy(2 * KEPT)).ledger
    rows = leaderboard(ledger)
    assert [row.rank for row in rows] == list(range(1, len(ledger.completed) + 1))
    order = [(row.validation, -row.completion) for row in rows]
    assert order == sorted(order, reverse=True)
