"""People in small campaigns: everything that a person may say is said, and what was not answered is said once more."""

from __future__ import annotations

from collections import Counter

import pytest

from actors.chaos.faults import Kind
from actors.chaos.network import View, Wire
from actors.chaos.people import MEANT, VERBS, People, Person, Verb, Word, words
from actors.pen import Pen
from actors.role import Decision
from events.envelope import Text
from events.facts import Banned, CampaignOpened, CampaignPaused, CampaignResumed
from events.spaces import PAPER

NOW = 1_750_000_000_000_000
FEW = range(1, 51)


@pytest.fixture
def wire() -> Wire:
    struck: Counter[Kind] = Counter()
    wire = Wire("ordeal", struck)
    opened = CampaignOpened(campaign="ordeal", file=Text(head="", length=0), space=PAPER, seed=1)
    pen = Pen(wire, View(wire, struck), "person-ordeal", lambda: NOW)  # type: ignore[arg-type] # a log and a feed are the verbs that a pen uses
    pen.write(Decision("campaign", "opening", (opened,)))
    return wire


def person(wire: Wire, *said: Verb) -> Person:
    spoken = tuple(Word(turn, verb, 0) for turn, verb in enumerate(said))
    return Person("person-1", wire, lambda: NOW, spoken)


def facts(wire: Wire) -> list[type]:
    return [type(fact) for recorded in wire.read(1) for fact in recorded.facts]


def test_every_verb_is_said_and_in_some_campaigns_nobody_speaks(wire: Wire) -> None:
    said = {word.verb for seed in FEW for word in words(seed, "person-1")}
    assert said == {*VERBS} - {"resume"}
    assert {*MEANT} == {*VERBS}
    assert {len(People(seed, wire, lambda: NOW).authors) for seed in FEW} == {0, 1, 2}


def test_who_asks_for_a_pause_ends_it(wire: Wire) -> None:
    one = person(wire, "pause")
    assert one.speak(0) == "pause"
    assert one.next is not None
    assert one.speak(one.next) == "resume"
    assert one.next is None
    assert facts(wire) == [CampaignPaused, CampaignResumed]


def test_a_word_that_was_not_answered_is_said_once_more_and_refused_where_it_was_written(wire: Wire) -> None:
    one = person(wire, "ban")
    wire.losing.add("person-1")
    assert one.speak(0) == "ban"
    assert one.speak(5) is None
    assert facts(wire) == [Banned]


def test_a_word_that_found_no_room_is_said_once_more_and_written_then(wire: Wire) -> None:
    one = person(wire, "ban")
    wire.full = 1
    assert one.speak(0) == "ban"
    assert facts(wire) == []
    assert one.speak(5) == "ban"
    assert facts(wire) == [Banned]


def test_a_person_who_has_not_read_the_latest_word_is_told_and_speaks_of_what_is_there(wire: Wire) -> None:
    first = person(wire, "pause")
    late = Person("person-2", wire, lambda: NOW, (Word(0, "pause", 1),))
    assert first.speak(0) == "pause"
    assert late.speak(0) is None
    assert facts(wire) == [CampaignPaused]
