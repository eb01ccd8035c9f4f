"""A briefing marks what a defect touched: not ranked, not compared, named."""

from __future__ import annotations

from replay.briefing import TOUCHED, Terms, briefing
from replay.failing import FailingFold
from replay.folds import run
from replay.measures import MEASURES
from tests.replay.shifting import Shifting


def _told(c: Shifting) -> str:
    search, _, repairs, failing = run(c.log, *MEASURES, FailingFold())
    return briefing(search.ledger, repairs, failing, Terms()).fresh


def test_a_touched_result_is_named_and_neither_ranked_nor_compared() -> None:
    c = Shifting()
    bad = c.done(0.9, pooling="last")
    idea = c.ledger.experiments[bad].idea
    child = c.done(0.8, parent=idea, batch=32)
    before = _told(c)
    assert "bug" not in before
    assert "-0.1000 AP" in before
    c.defect("pooling == last")
    after = _told(c)
    assert f"a bug touched these results and their AP is unknown: {idea} (measured as 0.9000)." in after
    assert f"| 1 | 0.8000 | 0.0300 | {c.ledger.experiments[child].idea} |" in after
    assert "no result to compare" in after


def test_many_touched_results_are_counted_and_none_is_left_to_rank() -> None:
    c = Shifting()
    for turn in range(TOUCHED + 2):
        c.done(0.5 + turn / 100, length=(8, 12, 16, 20, 32)[turn % 5])
    c.defect("everything")
    told = _told(c)
    assert "and 2 more." in told
    assert "No result can be ranked." in told
