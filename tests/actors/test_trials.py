"""What a policy is told of results that a defect touched: what is known now, or nothing."""

from __future__ import annotations

from actors.asking.trials import Trials
from replay.folds import Pass
from replay.ledger import LedgerFold
from tests.replay.shifting import Shifting


def test_a_policy_is_told_what_is_known_now_as_soon_as_it_is_known() -> None:
    c, passing, trials = Shifting("broken"), Pass(LedgerFold()), Trials()

    def told() -> list[float | None]:
        passing.advance(c.log.read(passing.through))
        return [trial.validation for trial in trials.history(passing.results()[0]).ended]

    result = c.done(0.9, pooling="last")
    c.done(0.7)
    assert told() == [0.9, 0.7]
    c.defect("pooling == last")
    assert told() == [0.7]
    c.instrument = "mended"
    c.fix()
    c.again(result, 0.45)
    c.done(0.8)
    assert told() == [0.45, 0.7, 0.8]
