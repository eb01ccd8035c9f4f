"""One era of a log: its runs and what led to them, measured as if nothing else had been."""

from __future__ import annotations

import random
import warnings

import pytest

from events.log import LogReader
from replay.era_view import ALL, of_era, wanted
from replay.errors import QuestionUnknown
from replay.measures import Measurement
from replay.metrics import METRICS, metric
from replay.statistics.findings import BESIDE, FINDINGS
from tests.replay.shifting import Shifting


def _measured(log: LogReader, *beside: object) -> Measurement:
    measurement = Measurement(*beside)  # type: ignore[arg-type]
    measurement.advance(log.read())
    return measurement


@pytest.fixture(scope="module")
def two() -> Shifting:
    """Twelve runs of a first era, a refused idea and a failure; ten of a second, two of them children of the first."""
    c, chance = Shifting("first"), random.Random(1)
    c.era(1)
    for turn in range(12):
        agent = ("tpe", "uniform")[turn % 2]
        c.done(chance.random(), agent=agent, batch=(16, 32, 64)[turn % 3], pooling=("mean", "max")[turn % 2])
    kept, twin = c.cycle("tpe", {"length": 32}, {"length": 32})
    failing = c.queues(kept)
    c.declines(twin, twin=kept)
    c.assigns(failing)
    c.starts(failing)
    c.fails(failing)
    c.repairs(failing)
    c.abandons(failing)
    c.instrument = "second"
    c.era(2)
    for turn in range(10):
        parent = f"i-{turn + 1}" if turn < 2 else ""
        agent = ("tpe", "uniform")[turn % 2]
        c.done(chance.random(), agent=agent, parent=parent, batch=(64, 128)[turn % 2], loss=("bce", "focal")[turn % 2])
    c.queues(c.proposes("tpe", length=20))
    c.measures("m3:0")
    return c


def test_the_eras_of_a_log_part_its_runs_its_ideas_and_its_costs(two: Shifting) -> None:
    whole = _measured(two.log).values()
    parts = [_measured(of_era(two.log, number)[0]).values() for number in ("1", "2")]
    for name in ("proposed", "declined", "queued", "completed", "failed", "repairs"):
        assert sum(part[name] for part in parts) == whole[name]  # type: ignore[misc]
    assert (parts[0]["completed"], parts[1]["completed"]) == (12, 10)
    assert parts[0]["gpu_seconds"] + parts[1]["gpu_seconds"] == pytest.approx(whole["gpu_seconds"])  # type: ignore[operator]
    assert whole["best_validation"] == max(part["best_validation"] for part in parts)  # type: ignore[type-var]


def test_the_current_era_is_asked_where_none_is_named_and_all_for_what_compares_them(two: Shifting) -> None:
    view, told = of_era(two.log)
    assert _measured(view).values()["completed"] == 10
    assert told.startswith("era 2 of 2")
    assert of_era(two.log, ALL)[0] is two.log
    assert (wanted("leaderboard", None), wanted("piecewise", None), wanted("piecewise", "2")) == ("current", "all", "2")
    assert set(FINDINGS) >= {"piecewise", "era_gains"}


def test_a_log_of_one_era_is_its_own_view() -> None:
    c = Shifting()
    c.done(0.5)
    assert of_era(c.log)[0] is c.log


def test_an_era_that_is_not_there_is_named_with_those_that_are(two: Shifting) -> None:
    with pytest.raises(QuestionUnknown, match="there is no era 7; there are 1, 2"):
        of_era(two.log, "7")


@pytest.mark.parametrize("name", [*METRICS, *FINDINGS])
def test_every_measure_can_be_asked_of_one_era(two: Shifting, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in ("1", "2"):
            view = of_era(two.log, number)[0]
            found = metric(_measured(view, *BESIDE.get(name, ())), name)
            assert all(era.startswith(f"era {number}:") for era in found.eras)


def test_what_a_defect_touched_is_left_off_the_leaderboard_of_its_era_too(two: Shifting) -> None:
    c = Shifting("first")
    c.done(0.9, pooling="last")
    c.instrument = "second"
    kept = c.done(0.6)
    c.done(0.8, pooling="last")
    c.defect("pooling == last and era == 2")
    found = metric(_measured(of_era(c.log)[0]), "leaderboard")
    assert [row.experiment for row in found.rows] == [kept]
