"""The ranking keeps the best in order and looks for others only for who asks."""

import random

from events.facts import DefectFound
from replay.leaderboard import leaderboard
from replay.ledger import Ledger
from replay.ranking import KEPT, best, enter
from tests.replay import tales


def in_order(ledger: Ledger) -> list[str]:
    """The sound results as the definition has them."""
    sound = [name for name in ledger.completed if name not in ledger.defects.touched]
    outcome = {name: ledger.experiments[name].outcome for name in sound}
    return sorted(sound, key=lambda name: (-outcome[name].validation, ledger.experiments[name].completion))


def test_the_best_that_are_kept_are_those_of_all_with_the_earlier_higher_among_equals() -> None:
    chance, ledger, every = random.Random(0), Ledger(), []
    for place in range(1, 4 * KEPT):
        every.append((round(chance.random(), 2), -place))
        enter(ledger, every[-1][0])
        assert ledger.foremost == sorted(every)[-KEPT:]


def test_the_best_are_in_order_whether_few_are_asked_for_or_all() -> None:
    ledger = tales.measured(tales.busy(3 * KEPT)).ledger
    assert len(ledger.completed) > 2 * KEPT == 2 * len(ledger.foremost)
    for many in (0, 1, 20, KEPT, KEPT + 1, len(ledger.completed), 10 * KEPT):
        assert best(ledger, many) == in_order(ledger)[:many]


def test_what_a_defect_touches_is_not_among_the_best_however_many_there_are() -> None:
    c = tales.busy(2 * KEPT)
    found = DefectFound(defect="d-1", component="pooling", where="batch == 16", reason="it reads padding")
    c.says("person-1c2d3e", "defect", "d-1", found)
    ledger = tales.measured(c).ledger
    assert 0 < len(ledger.defects.touched) < len(ledger.completed)
    for many in (1, 20, KEPT, len(ledger.completed)):
        assert best(ledger, many) == in_order(ledger)[:many]


def test_a_leaderboard_of_all_goes_on_behind_the_kept_ones() -> None:
    ledger = tales.measured(tales.busy(2 * KEPT)).ledger
    rows = leaderboard(ledger)
    assert [row.rank for row in rows] == list(range(1, len(ledger.completed) + 1))
    assert [row.experiment for row in rows] == in_order(ledger)
