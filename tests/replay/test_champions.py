"""Nobody is champion before other seeds have told how much of a lead is luck."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from events import facts
from replay.champions import T95, RepeatsFold, champion, champion_sentence, interval
from replay.doors import replay
from replay.folds import run
from replay.ledger import LedgerFold
from replay.pages.trust import champion_page
from tests.replay.shifting import Shifting

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
    return champion(*run(c.log, LedgerFold(), RepeatsFold()), needed=needed)


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
