"""The agent: one cycle at a time, begun when its own ideas run low, and always ended by an answer or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from actors.agent import BARREN, Agent, Plan
from actors.asking.trials import history
from actors.judgement.budgets import Budget
from actors.orders import Answered, Propose, Refused, Suggestion
from actors.role import Known
from events.facts import AgentJoined, AnswerReceived, AnswerRefused, CycleStarted, IdeaDeclined, IdeaProposed, Queued
from tests.actors.scene import Scene
from tests.chronicle import Chronicle

PLAN = Plan(name="a", policy="uniform", ideas=2, backlog=2)


@pytest.fixture
def scene(tale: Chronicle) -> Scene:
    return Scene(tale, Agent(PLAN))


def answer(scene: Scene, name: str, *changes: dict[str, Any]) -> Answered:
    ideas = tuple(Suggestion(scene.chronicle.configuration(**change), "because") for change in changes)
    return Answered(id=name, text="ideas", model="uniform", ideas=ideas, seconds=0.5, usd=0.25)


def test_an_agent_says_nothing_before_the_campaign_is_opened() -> None:
    assert Scene(Chronicle(), Agent(PLAN)).decides() is None


def test_an_agent_joins_once_with_its_settings(scene: Scene) -> None:
    (joined,) = scene.says()
    assert isinstance(joined, AgentJoined)
    assert joined.settings == {"name": "a", "policy": "uniform", "ideas": 2, "sweep": 0, "backlog": 2}
    assert isinstance(scene.says()[0], CycleStarted)


def test_the_intent_of_a_cycle_is_written_before_the_policy_is_asked(scene: Scene) -> None:
    scene.says()
    decision = scene.decides()
    assert decision is not None
    (started,), (order,) = decision.facts, decision.orders
    assert isinstance(started, CycleStarted)
    assert isinstance(order, Propose)
    assert (order.id, order.key) == (started.cycle, started.key)


def test_a_cycle_that_is_under_way_is_waited_for(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    assert scene.decides(underway=frozenset({started.cycle})) is None


def test_an_answer_is_recorded_with_its_ideas_and_its_cost_in_one_frame(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    result = answer(scene, started.cycle, {"pooling": "max"}, {"pooling": "last"})
    decision = scene.decides(results={started.cycle: result})
    assert decision is not None
    received, *ideas = decision.facts
    assert isinstance(received, AnswerReceived)
    assert (received.usd, received.text.head) == (0.25, "ideas")
    assert [idea.configuration["pooling"] for idea in ideas if isinstance(idea, IdeaProposed)] == ["max", "last"]
    assert decision.settles == (started.cycle,)
    assert all(fact.cause is not None for fact in decision.facts)


def test_after_a_crash_an_open_cycle_is_refused_as_interrupted_and_a_new_one_starts(scene: Scene) -> None:
    scene.says()
    (first,) = scene.says()
    reborn = Scene(scene.chronicle, Agent(PLAN))
    (refused,) = reborn.says()
    (second,) = reborn.says()
    assert isinstance(refused, AnswerRefused)
    assert "interrupted" in refused.reason
    assert isinstance(second, CycleStarted)
    assert second.cycle != first.cycle


def test_a_policy_that_fails_ends_the_cycle_with_its_own_words(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    (refused,) = scene.says(results={started.cycle: Refused(started.cycle, "no such model")})
    assert isinstance(refused, AnswerRefused)
    assert refused.reason == "no such model"


def test_an_agent_asks_again_only_when_fewer_of_its_ideas_wait_than_its_backlog(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    result = answer(scene, started.cycle, {"pooling": "max"}, {"pooling": "last"})
    _, one, other = scene.says(results={started.cycle: result})
    assert scene.decides() is None
    verdict = "cycle", started.cycle
    scene.chronicle.says("scheduler", *verdict, Queued(experiment="e-1", idea=one.idea, priority=0.5, terms={}))
    assert scene.decides() is None
    scene.chronicle.says("scheduler", *verdict, IdeaDeclined(idea=other.idea, reason="twin", rule="twin"))
    decision = scene.decides()
    assert decision is not None
    assert isinstance(decision.facts[0], CycleStarted)


def test_ideas_of_others_do_not_fill_an_agents_backlog(scene: Scene) -> None:
    scene.says()
    scene.chronicle.cycle("b", {"pooling": "max"}, {"pooling": "last"}, {"pooling": "mean"})
    assert isinstance(scene.says()[0], CycleStarted)


@pytest.mark.parametrize("news", [{"stopping": True}, {"leaving": True, "stopping": True}])
def test_an_agent_that_is_asked_to_stop_begins_nothing(scene: Scene, news: dict[str, bool]) -> None:
    scene.says()
    assert scene.decides(**news) is None


def test_an_agent_that_stops_still_records_the_answer_that_comes(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    assert scene.decides(stopping=True, underway=frozenset({started.cycle})) is None
    result = answer(scene, started.cycle, {"pooling": "max"})
    assert isinstance(scene.says(stopping=True, results={started.cycle: result})[0], AnswerReceived)


def test_an_agent_that_leaves_refuses_what_it_still_waits_for(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    (refused,) = scene.says(stopping=True, leaving=True, underway=frozenset({started.cycle}))
    assert isinstance(refused, AnswerRefused)


def test_after_the_close_an_agent_records_its_open_cycle_and_starts_no_other(scene: Scene) -> None:
    scene.says()
    (started,) = scene.says()
    scene.chronicle.closes()
    assert isinstance(scene.says(results={started.cycle: answer(scene, started.cycle, {})})[0], AnswerReceived)
    assert scene.decides() is None


def test_an_agent_without_a_new_idea_for_long_falls_silent(scene: Scene) -> None:
    scene.says()
    for _ in range(BARREN):
        (started,) = scene.says()
        assert isinstance(started, CycleStarted)
        scene.says(results={started.cycle: Refused(started.cycle, "nothing new")})
    assert scene.decides() is None


def test_what_policies_are_told_is_every_result_in_the_order_of_completion_then_what_is_open(tale: Chronicle) -> None:
    first, second, third, fourth = (tale.queues(tale.proposes(agent)) for agent in ("a", "b", "a", "b"))
    tale.runs(second, validation=0.7)
    tale.runs(first, validation=0.6)
    tale.assigns(third)
    tale.starts(third)
    tale.fails(third)
    tale.abandons(third)
    known = Known()
    known.advance(tale.log.read())
    told = history(known.ledger)
    assert [(t.agent, t.validation, t.failed) for t in told.ended] == [
        ("b", 0.7, False),
        ("a", 0.6, False),
        ("a", None, True),
    ]
    assert [t.idea for t in told.open] == [known.ledger.experiments[fourth].idea]


@pytest.mark.parametrize(
    ("budget", "asks"),
    [
        (Budget(experiments=2), False),
        (Budget(experiments=3), True),
        (Budget(hours=0.2, timeout=719.0), False),
        (Budget(hours=0.2, timeout=600.0), True),
    ],
)
def test_nobody_is_asked_while_no_attempt_may_begin(tale: Chronicle, budget: Budget, asks: bool) -> None:
    done, running = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.runs(done)
    tale.assigns(running)
    decision = Scene(tale, Agent(PLAN, budget=budget)).decides()
    assert (decision is not None and isinstance(decision.facts[0], CycleStarted)) == asks
