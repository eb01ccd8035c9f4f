"""Nobody is champion before other seeds have told how much of a lead is luck."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from events import facts
from replay.champions import T95, challenger, champion, champion_sentence, holder, interval, stood
from replay.doors import replay
from replay.folds import run
from replay.leaderboard import leaderboard
from replay.ledger import LedgerFold
from replay.pages.trust import champion_page
from tests.replay.shifting import Shifting
from tests.replay.tales import measured

GOLDEN = str(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")


def _repeats(c: Shifting, experiment: str, *scores: float, first: int = 100) -> None:
    said = facts.SeedsRepeated(
        experiment=experiment,
        seeds=tuple(range(first, first + len(scores))),
        validation=scores,
        instrument=c.instrument,
        platform={},
    )
    c.says("person-test", "analysis", "rerun", said)


def _made(c: Shifting, needed: int = 3):
    return champion(run(c.log, LedgerFold())[0], needed=needed)


def test_a_leader_is_a_candidate_until_its_seeds_are_repeated() -> None:
    c = Shifting()
    lucky = c.done(0.95)
    assert _made(c).champion is None
    assert champion_sentence(_made(c)).endswith(f"myriad rerun tale {lucky} --seeds 3 tells")
    _repeats(c, lucky, 0.7, 0.8)
    assert _made(c).champion is None
    _repeats(c, lucky, 0.75, first=200)
    made = _made(c).champion
    assert made is not None
    assert (made.experiment, made.repeats, made.interval.n) == (lucky, 3, 3)
    assert made.interval.mean == pytest.approx(0.75)
    assert f"{lucky} is champion: 0.7500 [" in champion_page(_made(c))


def test_the_champion_is_who_repeats_best_and_not_who_was_luckiest() -> None:
    c = Shifting()
    lucky, steady = c.done(0.95), c.done(0.9)
    _repeats(c, lucky, 0.6, 0.7, 0.65)
    _repeats(c, steady, 0.88, 0.9, 0.86)
    assert _made(c).champion.experiment == steady


def test_a_campaign_repeats_its_leader_and_then_whoever_scored_above_the_whole_interval_of_the_best_known() -> None:
    c = Shifting(repeats=2)
    first, second, third = c.done(0.95), c.done(0.94), c.done(0.6)
    assert challenger(c.ledger).experiment == first
    _repeats(c, first, 0.7, 0.71)
    assert challenger(c.ledger).experiment == second, "0.94 lies above the interval of 0.705"
    _repeats(c, second, 0.7, 0.9)
    assert challenger(c.ledger) is None, "0.6 may not be the better"
    assert third not in {one.experiment for one in _made(c).candidates if one.interval}
    assert [row.standing for row in stood(c.ledger, leaderboard(c.ledger))] == ["repeated", "champion", "candidate"]
    assert holder(c.ledger).experiment == second


def test_at_most_three_leaders_are_repeated_and_none_where_the_campaign_leaves_it_to_a_person() -> None:
    c = Shifting(repeats=2)
    runs = [c.done(0.9 + n / 100) for n in range(5)][::-1]
    for name in runs[:3]:
        assert challenger(c.ledger).experiment == name
        _repeats(c, name, 0.5, 0.5)
    assert challenger(c.ledger) is None
    for gate in (0, None):
        other = Shifting(repeats=gate)
        other.done(0.9)
        assert challenger(other.ledger) is None


def test_the_sentence_says_who_will_make_the_repeats_and_why_they_were_forgone() -> None:
    c = Shifting(repeats=4)
    one = c.done(0.9)
    assert champion_sentence(champion(c.ledger)).endswith("4 other seeds tell when the search has ended")
    c.closes()
    forgone = facts.RepeatsForgone(experiment=one, reason="the budget has no room")
    c.says("analyst", "analysis", "repeats", forgone)
    assert challenger(c.ledger) is None
    told = champion_sentence(champion(c.ledger))
    assert f"{one} is a candidate" in told
    assert told.endswith(f"forgone: the budget has no room; myriad rerun tale {one} --seeds 4 tells")


def test_repeats_under_another_instrument_and_touched_results_make_no_champion() -> None:
    c = Shifting("first")
    one, other = c.done(0.95, pooling="last"), c.done(0.9)
    c.instrument = "second"
    _repeats(c, other, 0.9, 0.9, 0.9)
    c.instrument = "first"
    _repeats(c, one, 0.9, 0.91, 0.92)
    assert _made(c).champion.experiment == one
    c.defect("pooling == last")
    assert _made(c).champion is None


def test_a_seed_that_is_repeated_twice_counts_once() -> None:
    c = Shifting()
    one = c.done(0.9)
    _repeats(c, one, 0.8, 0.81)
    _repeats(c, one, 0.8, 0.81)
    assert _made(c).candidates[0].repeats == 2


@pytest.mark.parametrize("scores", [[0.7, 0.8], [0.7, 0.8, 0.75], [0.5 + n / 100 for n in range(11)]])
def test_the_interval_is_student_s(scores: list[float]) -> None:
    found = interval(scores)
    low, high = stats.t.interval(0.95, len(scores) - 1, loc=found.mean, scale=stats.sem(scores))
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert tuple(pytest.approx(stats.t.ppf(0.975, df), abs=5e-4) for df in range(1, 11)) == T95


def test_the_door_says_that_nobody_is_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(GOLDEN, "champion") == 2
    assert "there is no champion yet" in capsys.readouterr().out


def test_repeats_are_digested_in_logs_that_tell_a_gate_and_in_no_older_one() -> None:
    for gate, changes in ((None, False), (0, True), (2, True)):
        c = Shifting(repeats=gate)
        one = c.done(0.9)
        before = measured(c).digest()
        _repeats(c, one, 0.7, 0.71)
        assert (measured(c).digest() != before) is changes
