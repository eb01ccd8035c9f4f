"""The JSON twins: what a panel shows, a script may read, at any moment, and with the same filter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.archives import archive
from replay.metrics import validations
from tests.replay.tales import busy, measured
from tui.doors import watch
from tui.reading import PANELS

GOLDEN = Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad"


def told(capsys: pytest.CaptureFixture[str], **asked: str) -> object:
    assert watch(str(GOLDEN), json=True, **asked) == 0  # type: ignore[arg-type] # every one asked for is a word
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("panel", [*PANELS, "e-2", "c-uniform-1"])
def test_every_panel_has_a_twin(panel: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, panel=panel)


def test_experiments_are_sorted_and_narrowed_as_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, panel="experiments", sort="-validation", where="validation > 0.8")
    assert isinstance(rows, list)
    scores = [row["validation"] for row in rows]
    every = sorted(validations(measured_golden()), reverse=True)
    assert scores == [score for score in every if score > 0.8]


def measured_golden() -> object:
    from replay.measures import Measurement

    measurement = Measurement()
    measurement.advance(archive.open_file(GOLDEN).read())
    return measurement.ledger


def test_a_twin_of_a_past_moment_ends_there(capsys: pytest.CaptureFixture[str]) -> None:
    overview = told(capsys, at="60")
    assert isinstance(overview, dict)
    assert overview["subject"]["through"] == 60
    facts = told(capsys, panel="facts", at="60", where="completed")
    assert isinstance(facts, list)
    assert facts
    assert all(fact["position"][0] <= 60 and "ompleted" in json.dumps(fact) for fact in facts)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"panel": "cellar"}, "there is no panel, experiment or cycle 'cellar'"),
        ({"panel": "experiments", "sort": "colour"}, "there is no column 'colour'"),
        ({"panel": "experiments", "where": "validaton > 1"}, "did you mean validation"),
        ({"at": "never"}, "'never' is no position"),
    ],
)
def test_what_cannot_be_shown_is_said(asked: dict[str, str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(str(GOLDEN), json=True, **asked) in (1, 2)  # type: ignore[arg-type] # every one is a word
    assert problem in capsys.readouterr().err


def test_the_dossier_says_the_same_as_the_ledger() -> None:
    from replay.dossier import ExperimentUnknown, dossier

    c = busy(12)
    known = measured(c)
    for name in known.ledger.completed:
        made = dossier(known.results, name, c.log.read())
        outcome = known.ledger.experiments[name].outcome
        assert outcome is not None
        assert made.entry.validation == outcome.validation
        assert made.validation == outcome.curves.validation
        assert [event.position for event in made.facts] == sorted(event.position for event in made.facts)
        assert sum(event.type == "Completed" for event in made.facts) == 1
    with pytest.raises(ExperimentUnknown, match="there is no experiment e-999"):
        dossier(known.results, "e-999", c.log.read())
