"""A space that agents may widen: what the campaign file allows comes in as a fact, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from actors.asking import askers
from actors.campaign import parse
from actors.errors import CampaignFileInvalid
from actors.judgement.budgets import Budget
from actors.judgement.widening import Widen, problems, readable, sentences
from actors.policies.proposals import Terms, read
from actors.scheduler import Scheduler
from events.facts import CampaignClosed, IdeaDeclined, IdeaProposed, Queued, SpaceWidened
from events.spaces import over
from replay.measures import Measurement
from tests import tiny
from tests.actors.scene import Scene
from tests.chronicle import SPACE, Chronicle

RULE = Widen(at_most=2, within={"epochs": [1, 60], "backbone": ["video"]})
WHOLE = over(("appearance", "motion", "video"), tuple(str(value) for value in SPACE.choices[1].values))


def judging(tale: Chronicle, widen: Widen | None = RULE) -> Scene:
    return Scene(tale, Scheduler(Budget(), agents=1, silence=10.0, widen=widen))


def proposes(tale: Chronicle, **changes: Any) -> None:
    """An agent proposes a point of the space with values that may not be in it."""
    name = f"raw-{tale.log.last()}"
    point = tale.configuration() | changes
    idea = IdeaProposed(idea=name, agent="a", configuration=point, rationale="", origin="agent")
    tale.says("agent-a", "cycle", f"c-{name}", idea)


def test_a_new_value_within_the_rule_widens_the_space_in_the_frame_that_queues_its_idea(tale: Chronicle) -> None:
    proposes(tale, epochs=40)
    scene = judging(tale)
    widened, queued = scene.says()
    assert isinstance(widened, SpaceWidened)
    assert (widened.dimension, widened.value, widened.proposer) == ("epochs", 40, "a")
    assert widened.cause == queued.cause
    assert isinstance(queued, Queued)
    assert scene.decides() is None
    assert scene.known.ledger.space.choices[7].values == (5, 10, 15, 20, 30, 40)
    assert scene.known.ledger.widened == [("epochs", 40)]


def test_a_value_that_has_come_in_is_one_of_the_space_and_an_idea_with_it_can_be_a_twin(tale: Chronicle) -> None:
    for _ in range(2):
        proposes(tale, epochs=40)
    scene = judging(tale)
    said = scene.all()
    assert [type(fact) for fact in said] == [SpaceWidened, Queued, IdeaDeclined]
    assert said[-1].reason == "twin"  # type: ignore[attr-defined] # the line above says that it is a refusal


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 61}, "epochs = 61 is beyond what [widen] allows, a whole number from 1 to 60"),
        ({"backbone": "nowhere"}, "backbone = 'nowhere' is beyond what [widen] allows, one of video"),
        ({"length": 24}, "length = 24 is not one of 8, 12, 16, 20, 32"),
        ({"epochs": 40, "dropout": 0.9}, "dropout = 0.9 is outside [0, 0.5]"),
        ({"epochs": "40"}, "epochs = '40' is not one of 5, 10, 15, 20, 30"),
    ],
)
def test_whatever_the_rule_does_not_allow_is_declined_with_the_reason(
    tale: Chronicle, changes: dict[str, Any], sentence: str
) -> None:
    proposes(tale, **changes)
    (declined,) = judging(tale).says()
    assert isinstance(declined, IdeaDeclined)
    assert declined.reason == "invalid"
    assert sentence in declined.rule


def test_no_more_values_come_in_than_the_rule_counts_within_a_frame_and_across_frames(tale: Chronicle) -> None:
    scene = judging(tale)
    for epochs in (40, 41, 42):
        proposes(tale, epochs=epochs)
    said = scene.all()
    assert [type(fact) for fact in said] == [SpaceWidened, Queued, SpaceWidened, Queued, IdeaDeclined]
    assert said[-1].rule == "the space was widened by 2 values, and widen.at_most = 2"  # type: ignore[attr-defined] # see above


def test_without_a_rule_nothing_comes_in_and_after_the_close_nothing_does_either(tale: Chronicle) -> None:
    proposes(tale, epochs=40)
    assert [type(fact) for fact in judging(tale, None).says()] == [IdeaDeclined]
    late = Chronicle()
    late.opened()
    late.says("scheduler", "campaign", "search", CampaignClosed(reason="enough"))
    proposes(late, epochs=40)
    (declined,) = judging(late).says()
    assert isinstance(declined, IdeaDeclined)
    assert declined.reason == "budget"


def test_a_widened_search_has_one_digest_however_it_is_read_and_another_than_the_narrow_one(tale: Chronicle) -> None:
    proposes(tale, epochs=40)
    judging(tale).all()
    at_once, piecewise = Measurement(), Measurement()
    at_once.advance(tale.log.read())
    for recorded in tale.log.read():
        piecewise.advance((recorded,))
    assert at_once.digest() == piecewise.digest()
    narrow = Measurement()
    narrow.advance(list(tale.log.read())[:-1])
    assert narrow.digest() != at_once.digest()


def test_a_model_is_told_what_may_come_and_its_answer_is_read_so() -> None:
    told = sentences(RULE, SPACE, 0)
    assert told == (
        "- backbone may take a new value: one of video",
        "- epochs may take a new value: a whole number from 1 to 60",
        "- at most 2 new values in all",
    )
    assert sentences(RULE, SPACE, 2) == ()
    space = readable(RULE, SPACE)
    terms = Terms(space=space, parents={}, base=askers.based({}, SPACE), leading={}, fewest=1, most=4)
    reading = read("- epochs: 40\n  backbone: video\n  rationale: longer\n", terms, cut=False)
    (idea,) = reading.ideas
    assert (idea.configuration["epochs"], idea.configuration["backbone"]) == (40, "video")
    assert not read("- epochs: 61\n  rationale: too long\n", terms, cut=False).ideas


@pytest.mark.parametrize(
    ("within", "sentence"),
    [
        ({"epochs": [1, 2000]}, "widen.within.epochs: only 1 to 1000 can be trained here"),
        ({"length": [4, 64]}, "widen.within.length: only 2 to 32 can be trained here"),
        ({"epochs": [9, 3]}, "widen.within.epochs must be [lowest, highest], two whole numbers"),
        ({"backbone": ["vjepa9"]}, "widen.within.backbone: vjepa9 cannot be trained here"),
        ({"learning_rate": [1, 2]}, "widen.within.learning_rate is not a categorical dimension"),
    ],
)
def test_a_rule_for_what_cannot_be_trained_is_refused_with_the_reason(within: dict[str, Any], sentence: str) -> None:
    (problem,) = problems(Widen(within=within), SPACE, WHOLE, trained_here=True)
    assert problem.startswith(sentence)


def test_the_campaign_file_holds_the_rule_and_its_features_are_made() -> None:
    text = tiny.FILE + '\n[widen]\nat_most = 1\n[widen.within]\nbackbone = ["appearance"]\n'
    campaign = parse(text, file="it.toml")
    assert campaign.widen == Widen(at_most=1, within={"backbone": ["appearance"]})
    assert campaign.backbones == ("motion", "appearance")
    with pytest.raises(CampaignFileInvalid, match="nowhere cannot be trained here"):
        parse(text.replace('"appearance"', '"nowhere"'), file="it.toml")
