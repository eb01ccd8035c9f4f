"""Pages in little width: what has no room is named, and no sentence loses its end."""

from __future__ import annotations

import re

import pytest

from events import facts
from replay.measures import Measurement
from replay.portrait import Portrait, portrait
from tests.tui.test_tainted import pair
from tests.tui.test_views import golden
from tui.columns import cells_of
from tui.dynamics import page as dynamics
from tui.eras import page as eras
from tui.model import Model


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    """The golden campaign's portrait."""
    measurement = Measurement()
    measurement.advance(golden().read())
    return portrait(measurement)


@pytest.mark.parametrize("width", [40, 56, 76, 200])
def test_a_heat_map_names_the_columns_that_have_no_room(drawn: Portrait, width: int) -> None:
    lines = dynamics(drawn, width)
    at = next(nth for nth, line in enumerate(lines) if line.startswith("# backbone by encoder"))
    told = " ".join(lines[at + 1 : lines.index("", at)])
    assert all(name in told for name in {cell.column for cell in drawn.heat})
    assert ("no room here for" in told) == (width < 60)


def test_what_is_said_of_improvements_and_defects_is_wrapped_and_not_cut(drawn: Portrait) -> None:
    assert max(map(cells_of, dynamics(drawn, 64))) <= 64
    c, _, _ = pair()
    reason = "it reads padding wherever a clip is shorter than the batch is long, and says nothing of it at all"
    c.says(
        "person-test",
        "defect",
        "d-1",
        facts.DefectFound(defect="d-1", component="pooling", where="everything", reason=reason),
    )
    model = Model("tale")
    for recorded in c.log.read():
        model.take(recorded)
    lines = eras(*model.sight.trust(), 60)
    assert reason in " ".join(line.strip() for line in lines)
    assert max(map(cells_of, lines)) <= 60


def test_a_canarys_number_is_held_against_another_whether_at_most_or_at_least() -> None:
    c, _, _ = pair()
    canary = facts.Canary("law", "dropout", 7.0, 3.0)
    verified = facts.InstrumentVerified(instrument="beef", parts={}, canaries=(canary,), seconds=0.4)
    c.says("worker-cpu0-a", "worker", "cpu0-a", verified)
    model = Model("tale")
    for recorded in c.log.read():
        model.take(recorded)
    lines = [re.split(r"\s{2,}", line) for line in eras(*model.sight.trust(), 120)]
    assert ["canary", "of", "seen", "held against", "verdict"] in lines
    assert ["law", "dropout", "7", "3", "held"] in lines
