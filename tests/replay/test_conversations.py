"""Agents and their cycles: what was asked, answered, refused and paid, and what became of every idea."""

from __future__ import annotations

import pytest

from events import facts
from events.envelope import Text
from replay.caps import Caps, Opening, caps
from replay.conversations import CycleUnknown, conversation, speakers
from tests.chronicle import Chronicle
from tests.replay.tales import busy, measured


def test_a_cycle_tells_its_ideas_and_what_became_of_each() -> None:
    c = Chronicle()
    c.opened()
    ideas = c.cycle("tpe", {"batch": 16}, {"batch": 64}, {"batch": 32})
    c.runs(c.queues(ideas[0]), validation=0.8)
    c.declines(ideas[1], "twin", twin=ideas[0])
    results = measured(c).results
    made = conversation(results, next(iter(results[1].cycles)))
    assert [told.verdict for told in made.ideas] == ["completed", "twin", "unjudged"]
    assert [told.validation for told in made.ideas] == [0.8, None, None]
    assert (made.agent, made.status, made.accepted) == ("tpe", "answered", 1)


def test_an_unknown_cycle_says_how_many_there_are() -> None:
    results = measured(busy(5)).results
    with pytest.raises(CycleUnknown, match=f"{len(results[1].cycles)} had begun"):
        conversation(results, "c-nobody")


def test_the_health_of_an_agent_is_that_of_its_last_cycles() -> None:
    c = Chronicle()
    c.opened()
    for name in ("silent", "asking", "refused", "barren", "well", "away", "poor"):
        c.joins(name)
    c.says("agent-asking", "cycle", "c-a", facts.CycleStarted(cycle="c-a", agent="asking", key=1))
    kinds: dict[str, facts.RefusalKind] = {"refused": "answer", "away": "unreachable", "poor": "budget"}
    for name, kind in kinds.items():
        c.says(f"agent-{name}", "cycle", f"c-{name}", facts.CycleStarted(cycle=f"c-{name}", agent=name, key=1))
        refused = facts.AnswerRefused(cycle=f"c-{name}", reason="no", kind=kind, text=Text(head="?"))
        c.says(f"agent-{name}", "cycle", f"c-{name}", refused)
    for _ in range(3):
        c.declines(c.proposes("barren"), "invalid")
    c.queues(c.proposes("well"))
    health = {speaker.agent: speaker.health for speaker in speakers(measured(c).results)}
    assert health == {
        "silent": "silent",
        "asking": "asking",
        "refused": "refused",
        "barren": "barren",
        "well": "well",
        "away": "unreachable",
        "poor": "out of budget",
    }


def test_what_an_idea_and_an_improvement_cost_is_none_without_one() -> None:
    c = Chronicle()
    c.opened()
    c.joins("tpe")
    (speaker,) = speakers(measured(c).results)
    assert (speaker.usd_per_idea, speaker.usd_per_improvement, speaker.model) == (None, None, None)
    for speaker in speakers(measured(busy(20)).results):
        assert speaker.usd_per_idea == pytest.approx(speaker.usd / speaker.ideas)


def test_caps_are_those_of_the_campaign_file_and_none_where_it_says_nothing() -> None:
    text = '[budget]\nusd = 20\n[[agent]]\nname = "a"\nusd = 7.5\n[[agent]]\nname = "b"\n'
    assert caps(Opening(file=Text(head=text))) == Caps(usd=20.0, agents={"a": 7.5})
    assert caps(Opening()) == caps(Opening(file=Text(head="= no TOML"))) == Caps(usd=None, agents={})
