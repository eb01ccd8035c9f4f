"""What a log shows of its own results before anybody declares it: reruns that disagree, canaries that came later."""

from __future__ import annotations

import pytest

from events import facts
from replay.discoveries import fact_of, of_canaries, of_reruns
from replay.folds import run
from replay.instruments import InstrumentsFold
from replay.ledger import LedgerFold
from tests.chronicle import PLATFORM
from tests.replay.shifting import PARTS, Shifting

DEAD = facts.Canary("dimension", "pooling", 0.0, None, "attention and mean make the same forward")
OLD, NEW = {"source/canaries/suite.py": "old"}, {"source/canaries/suite.py": "new"}


def _canaries(c: Shifting, instrument: str):
    ledger, known = run(c.log, LedgerFold(), InstrumentsFold())
    return list(of_canaries(ledger, known.all, instrument))


def _refused(c: Shifting, canary: facts.Canary = DEAD, platform: dict[str, str] = PLATFORM, **parts: str) -> None:
    """A worker says that a canary did not hold for the instrument."""
    said = facts.InstrumentRefused(
        instrument=c.instrument,
        parts=PARTS | parts,
        canaries=(canary,),
        seconds=1.0,
        reason=str(canary.problem),
        platform=platform,
    )
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", said)


def _compared(c: Shifting, experiment: str, verdict: str, tolerance: float = 0.0) -> None:
    said = facts.RunCompared(
        experiment=experiment,
        attempt=1,
        verdict=verdict,
        recorded=0.9,
        validation=0.7,
        tolerance=tolerance,
        instrument=c.instrument,
        platform={},
    )
    c.says("person-test", "analysis", "rerun", said)


def test_a_rerun_that_disagrees_bit_for_bit_is_a_defect_of_its_record_once() -> None:
    c = Shifting()
    one, other = c.done(0.9), c.done(0.8)
    _compared(c, one, "different")
    (found,) = of_reruns(c.ledger)
    assert (found.component, found.where, found.by) == ("reproduction", f"experiment == {one}", "a rerun")
    assert "0.900000 recorded, 0.700000 again" in found.reason
    fact = fact_of(c.ledger, found)
    c.says("analyst", "defect", fact.defect, fact)
    assert c.ledger.defects.touched == {one: ("d-1",)}
    assert list(of_reruns(c.ledger)) == []
    assert other in c.ledger.completed


@pytest.mark.parametrize(("verdict", "tolerance"), [("equal", 0.0), ("close", 0.1), ("different", 0.1)])
def test_a_rerun_elsewhere_or_within_its_tolerance_shows_no_defect(verdict: str, tolerance: float) -> None:
    c = Shifting()
    _compared(c, c.done(0.9), verdict, tolerance)
    assert list(of_reruns(c.ledger)) == []


def test_stricter_canaries_that_refuse_the_same_code_touch_what_it_measured_before() -> None:
    c = Shifting("first")
    c.verified(**OLD)
    one = c.done(0.9)
    c.instrument = "second"
    _refused(c, **NEW)
    (found,) = _canaries(c, "second")
    assert (found.component, found.where, found.by) == ("pooling", "instrument ~ first", "canary dimension")
    assert found.reason == f"second, the same but for its canaries, was refused: {DEAD.problem}"
    fact = fact_of(c.ledger, found)
    c.says("worker-cpu0-a", "defect", fact.defect, fact)
    assert c.ledger.defects.touched == {one: ("d-1",)}
    assert _canaries(c, "second") == []


def test_a_refusal_says_nothing_of_other_code_of_another_platform_or_where_no_canary_ran() -> None:
    c = Shifting("first")
    c.verified(**OLD)
    c.done(0.9)
    c.instrument = "changed"
    _refused(c, **NEW, **{"source/pooling.py": "cccc"})
    assert _canaries(c, "changed") == []
    c.instrument = "second"
    _refused(c, platform=PLATFORM | {"torch": "2.12.0"}, **NEW)
    assert _canaries(c, "second") == []
    unrun = facts.InstrumentRefused(
        instrument="first", parts={}, canaries=(), seconds=0.0, reason="no memory", platform=PLATFORM
    )
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", unrun)
    assert _canaries(c, "first") == []


def test_where_an_instrument_ran_on_two_platforms_the_refused_one_alone_is_touched() -> None:
    c = Shifting("first")
    c.verified(**OLD)
    c.done(0.9)
    newer = PLATFORM | {"torch": "2.12.0"}
    idea = c.proposes("tpe", length=12)
    experiment = c.queues(idea)
    pack = c.assigns(experiment)
    lease = c.lease(experiment)
    started = facts.Started(
        experiment=experiment,
        attempt=1,
        pack=pack,
        lane=0,
        worker=lease.worker,
        seed=7,
        instrument="first",
        platform=newer,
    )
    c.says(lease.worker, "pack", pack, started, cause=experiment)
    c.completes(experiment, validation=0.8)
    c.instrument = "second"
    _refused(c, platform=newer, **NEW)
    (found,) = _canaries(c, "second")
    assert found.where == "instrument ~ first and torch == '2.12.0'"
    fact = fact_of(c.ledger, found)
    c.says("worker-cpu0-a", "defect", fact.defect, fact)
    assert [*c.ledger.defects.touched] == [experiment]
