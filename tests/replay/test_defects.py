"""Defects: which results they touch, since when, until which fix; what was believed then and is known now."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from events import campaigns
from events.archives import archive
from events.predicates import RUN_FIELDS, matches
from replay.defects import known_now, row
from replay.errors import HistoryBroken
from replay.folds import run
from replay.leaderboard import leaderboard, left_out
from replay.ledger import Ledger, LedgerFold
from replay.lineage import lineage
from replay.measures import Measurement
from replay.pages.lineage import lineage_page
from replay.standing import standing
from tests.replay.shifting import Shifting


def _digest(c: Shifting) -> str:
    measurement = Measurement()
    measurement.advance(c.log.read())
    return measurement.digest()


def test_a_defect_touches_the_results_that_its_predicate_describes_from_its_first_position_on() -> None:
    c = Shifting()
    early = c.done(0.9, pooling="last")
    since = c.log.last() + 1
    late = c.done(0.8, pooling="last")
    other = c.done(0.7, pooling="mean")
    c.defect("pooling == last", since=since)
    later = c.done(0.6, pooling="last", loss="bce")
    assert c.ledger.defects.touched == {late: ("d-1",), later: ("d-1",)}
    assert [one.experiment for one in leaderboard(c.ledger)] == [early, other]
    assert left_out(c.ledger) == "2 of 4 results, touched by d-1, are left out"


def test_a_fix_clears_its_instrument_and_whatever_starts_after_it() -> None:
    c = Shifting("broken")
    touched = c.done(0.9)
    c.instrument = "mended"
    mended = c.done(0.8, pooling="mean")
    c.defect("everything")
    assert set(c.ledger.defects.touched) == {touched, mended}
    c.fix()
    assert set(c.ledger.defects.touched) == {touched}
    c.instrument = "other"
    after = c.done(0.7, pooling="max")
    assert after not in c.ledger.defects.touched


def test_two_defects_of_one_result_are_both_named_and_both_must_be_cleared() -> None:
    c = Shifting("broken")
    result = c.done(0.9, pooling="last")
    c.defect("pooling == last")
    c.defect("era == 1", name="d-2")
    assert c.ledger.defects.touched == {result: ("d-1", "d-2")}
    c.instrument = "mended"
    c.fix("d-1")
    c.again(result, 0.4)
    assert known_now(c.ledger, result) is None
    c.fix("d-2")
    assert known_now(c.ledger, result) == 0.4


def test_what_is_known_now_is_a_rerun_by_a_cleared_instrument_and_never_by_the_old_one() -> None:
    c = Shifting("broken")
    result, sound = c.done(0.9, pooling="last"), c.done(0.7)
    assert known_now(c.ledger, result) == 0.9
    c.defect("pooling == last")
    assert known_now(c.ledger, result) is None
    c.instrument = "mended"
    c.fix()
    c.instrument = "broken"
    c.again(result, 0.9)
    assert known_now(c.ledger, result) is None
    c.instrument = "mended"
    c.again(result, 0.45)
    assert (known_now(c.ledger, result), known_now(c.ledger, sound)) == (0.45, 0.7)


def test_a_lineage_tells_what_was_believed_then_and_is_known_now() -> None:
    c = Shifting("broken")
    result = c.done(0.9, pooling="last")
    assert "believed" not in lineage_page(lineage(c.log, result))
    c.defect("pooling == last")
    assert "AP 0.9000 +- 0.0300 believed then, unknown now (d-1)" in lineage_page(lineage(c.log, result))
    c.instrument = "mended"
    c.fix()
    c.again(result, 0.45)
    assert "believed then, known now 0.4500 (d-1)" in lineage_page(lineage(c.log, result))


def test_what_was_believed_then_is_still_there_at_the_moment_before() -> None:
    c = Shifting()
    c.done(0.9, pooling="last")
    before = c.log.last()
    c.defect("everything")
    then = run(c.log, LedgerFold(), until=before)[0]
    assert then.defects.touched == {}
    assert [one.validation for one in leaderboard(then)] == [0.9]
    assert leaderboard(c.ledger) == []


def test_the_list_of_campaigns_tells_the_best_sound_result(tmp_path: Path) -> None:
    c = Shifting()
    c.done(0.9, agent="uniform", pooling="last")
    c.done(0.7)
    c.defect("pooling == last")
    archive.export(c.log, tmp_path / "tale.myriad")
    (found,) = map(standing, campaigns.listing(tmp_path))
    assert (found.best, found.agent) == (0.7, "tpe")


def test_a_run_is_known_by_every_field_that_a_predicate_may_name() -> None:
    c = Shifting()
    result = c.done(0.9)
    known = row(c.ledger, result)
    assert set(known) == {*RUN_FIELDS, *c.ledger.ideas[c.ledger.experiments[result].idea].configuration}
    assert {name for name in RUN_FIELDS if known[name] is None} == {"failure", "numpy", "triton", "av"}


def test_a_recorded_predicate_that_cannot_be_read_is_told_with_its_position() -> None:
    c = Shifting()
    at = c.defect("pooling is last")
    with pytest.raises(HistoryBroken, match=f"position {at}.0: defect d-1: predicate"):
        run(c.log, LedgerFold())


def test_a_fix_of_a_defect_that_nobody_found_breaks_the_history() -> None:
    c = Shifting()
    c.fix("d-7")
    with pytest.raises(HistoryBroken, match="d-7"):
        run(c.log, LedgerFold())


def test_the_digest_covers_defects_and_opened_eras_where_there_are_any() -> None:
    c = Shifting()
    c.done(0.9)
    digests = [_digest(c)]
    c.era(1)
    digests.append(_digest(c))
    c.defect("everything")
    digests.append(_digest(c))
    c.fix()
    digests.append(_digest(c))
    assert len(set(digests)) == 4


def test_judging_each_result_as_it_comes_and_all_of_them_at_once_agree() -> None:
    one, other = Shifting(), Shifting()
    other.defect("pooling == last and validation > 0.52")
    for turn in range(30):
        for c in (one, other):
            c.done(0.5 + turn / 1000, pooling=("last", "mean", "max")[turn % 3], loss=("bce", "focal")[turn % 2])
    one.defect("pooling == last and validation > 0.52")
    assert one.ledger.defects.touched == other.ledger.defects.touched != {}


def test_results_judged_defect_by_defect_are_judged_as_if_all_were_known_at_once() -> None:
    random = Random(7)
    for where in ("everything", "pooling != mean", "loss == focal and batch >= 64", "era > 3", "worker ~ nobody"):
        c = Shifting("first")
        for step in range(60):
            match random.choice(("run", "run", "run", "found", "fixed", "instrument", "era")):
                case "run":
                    c.done(0.5, pooling=random.choice(("last", "mean")), loss=random.choice(("focal", "bce")))
                case "found":
                    since = random.choice((None, random.randint(1, c.log.last())))
                    c.defect(random.choice(("everything", where)), since=since, name=f"d-{random.randint(1, 3)}")
                    assert c.ledger.defects.touched == _judged_at_once(c.ledger)
                case "fixed" if c.ledger.defects.all:
                    c.fix(random.choice(sorted(c.ledger.defects.all)))
                    assert c.ledger.defects.touched == _judged_at_once(c.ledger)
                case "instrument":
                    c.instrument = f"made-{step}"
                case "era" if c.ledger.eras.current is None or not c.ledger.eras.current.declared:
                    c.era(5)


def _judged_at_once(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    judged = {}
    for name in ledger.completed:
        since, instrument = ledger.eras.since[name], ledger.experiments[name].attempts[-1].instrument
        touching = tuple(
            defect.defect
            for defect in ledger.defects.all.values()
            if since >= (defect.since or 0)
            and not defect.clears(instrument, since)
            and matches(defect.predicate, row(ledger, name))
        )
        judged |= {name: touching} if touching else {}
    return judged
