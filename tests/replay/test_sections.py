"""What a section of the briefing was worth: what was planted is found, and models are not mixed."""

from __future__ import annotations

from random import Random

import pytest

from replay.briefing import SECTIONS
from replay.measures import Measurement
from replay.metrics import metric
from replay.statistics.sections import Worth, worths
from tests.chronicle import Chronicle

WITHOUT = tuple(section for section in SECTIONS if section != "genealogy")


@pytest.fixture
def tale() -> Chronicle:
    """A campaign that is open."""
    told = Chronicle()
    told.opened()
    return told


def asks(tale: Chronicle, agent: str, number: int, sections: tuple[str, ...], *, validation: float | None) -> None:
    """A cycle of one idea, which is declined or completes with this score."""
    (idea,) = tale.cycle(agent, {"dropout": number / 1000}, sections=sections)
    if validation is None:
        tale.declines(idea, "banned")
    else:
        tale.runs(tale.queues(idea), validation=validation)


def measured(tale: Chronicle) -> Measurement:
    measurement = Measurement()
    measurement.advance(tale.log.read())
    return measurement


def found(tale: Chronicle) -> dict[tuple[str, str], Worth]:
    return {(worth.section, worth.outcome): worth for worth in worths(measured(tale).results)}


def searching(tale: Chronicle, effect: float, *, policies: tuple[str, str] = ("claude", "claude")) -> None:
    """Two agents in turn, one of them without the genealogy, whose scores are lower by an effect."""
    draw = Random(1)
    for agent, policy in zip(("with", "less"), policies, strict=True):
        tale.joins(agent, policy)
    for number in range(40):
        told = number % 2 == 0
        score = 0.6 + draw.uniform(0, 0.1) - (0 if told else effect)
        asks(tale, ("less", "with")[told], number, SECTIONS if told else WITHOUT, validation=score)


def test_a_planted_effect_is_found_and_says_of_how_many_cycles(tale: Chronicle) -> None:
    searching(tale, 0.08)
    rows = found(tale)
    assert {section for section, _ in rows} == {"genealogy"}
    worth = rows["genealogy", "validation"]
    assert (worth.told, worth.untold, worth.alike) == (20, 20, ())
    assert worth.difference == pytest.approx(0.08, abs=0.03)
    assert worth.p < 0.01
    assert rows["genealogy", "accepted"].difference == 0.0
    assert rows["genealogy", "accepted"].p == 1.0


def test_where_there_is_no_effect_none_is_seen(tale: Chronicle) -> None:
    searching(tale, 0.0)
    assert found(tale)["genealogy", "validation"].p > 0.05


def test_what_another_model_was_told_says_nothing(tale: Chronicle) -> None:
    searching(tale, 0.2, policies=("claude", "gemini"))
    assert found(tale) == {}
    told = metric(measured(tale), "sections")
    assert told.value is None
    assert str(told.note).startswith("too few observations")


def test_ideas_that_are_declined_are_an_outcome_and_sections_that_go_together_are_named(tale: Chronicle) -> None:
    tale.joins("a", "claude")
    both = tuple(section for section in WITHOUT if section != "bans")
    for number in range(12):
        told = number % 3 != 0
        asks(tale, "a", number, SECTIONS if told else both, validation=0.5 if told else None)
    rows = found(tale)
    assert rows["bans", "accepted"].difference == 1.0
    assert rows["bans", "accepted"].p < 0.05
    assert rows["bans", "accepted"].alike == ("genealogy",)
    assert ("bans", "validation") not in rows, "no cycle without it has a score"


def test_the_metric_is_a_page_with_its_null(tale: Chronicle) -> None:
    searching(tale, 0.08)
    told = metric(measured(tale), "sections")
    assert told.value == 1.0
    assert "dealt anew" in told.null
    assert len(told.rows) == 2
