"""Who leads at the end is run again under other seeds, within the budget, before anybody calls it champion."""

from __future__ import annotations

import pytest

from actors.analyst import Analyst
from actors.benches.scrutiny import Again, Repeat, Repeated
from actors.hindsight.rehearsal import rehearse
from actors.judgement import budgets
from actors.judgement.budgets import Budget
from actors.orders import Refused
from actors.scheduler import Scheduler
from events.facts import (
    CampaignReopened,
    DefectFound,
    LogSealed,
    MetricsMeasured,
    RepeatsBegun,
    RepeatsForgone,
    SeedsRepeated,
    WorkerRetired,
)
from replay.audit import audit
from replay.champions import champion
from tests.actors.scene import Scene
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle

WORKER = "worker-cpu0-a"


def told(*scores: float, repeats: int | None = 2, gpu_seconds: float = 10.0) -> Chronicle:
    """A closed campaign with these results, whose worker has left."""
    tale = Chronicle()
    tale.opened(seed=5, repeats=repeats)
    for number, score in enumerate(scores):
        idea = tale.proposes("a", length=(8, 12, 16, 20)[number])
        tale.runs(tale.queues(idea), validation=score, gpu_seconds=gpu_seconds)
    tale.closes()
    tale.says(WORKER, "worker", WORKER, WorkerRetired(worker=WORKER, reason="the campaign is closed"))
    return tale


def analysing(tale: Chronicle, budget: Budget | None = None) -> Scene:
    return Scene(tale, Analyst(every=100, controls=False, timeout=60.0, budget=budget))


def begins(scene: Scene) -> Repeat:
    """The order that goes with the next word, which must begin a repeat; the word is written."""
    decision = scene.decides()
    assert decision is not None
    (order,) = decision.orders
    assert isinstance(order, Repeat)
    (fact,) = scene.says()
    assert isinstance(fact, RepeatsBegun)
    assert (fact.experiment, fact.seeds, fact.timeout) == (order.experiment, order.seeds, order.timeout)
    return order


def ends(scene: Scene, order: Repeat, *scores: float | None) -> tuple[object, ...]:
    """What is said of a repeat whose runs had these scores; None for one that diverged."""
    runs = tuple(
        Again(seed, score, 3.0, None if score is not None else "diverged at step 7")
        for seed, score in zip(order.seeds, scores, strict=True)
    )
    result = Repeated(order.id, order.instrument, PLATFORM, runs)
    return scene.says(results={order.id: result})


def test_the_leader_is_run_again_seed_by_seed_before_the_log_is_sealed() -> None:
    tale = told(0.7, 0.9)
    scene = analysing(tale)
    seeds = []
    for score in (0.8, 0.84):
        order = begins(scene)
        assert (order.experiment, order.instrument, order.configuration["length"]) == ("e-2", INSTRUMENT, 12)
        assert scene.decides(underway=frozenset({order.id})) is None
        (said,) = ends(scene, order, score)
        assert isinstance(said, SeedsRepeated)
        seeds += said.seeds
    assert len({*seeds, 7}) == 3, "none of them is the leader's own"
    assert [type(fact) for fact in scene.all()] == [MetricsMeasured, LogSealed]
    made = champion(scene.known.measurement.ledger).champion
    assert made is not None
    assert (made.experiment, made.repeats) == ("e-2", 2)
    assert audit(tale.log).verdict != "broken"
    assert rehearse(tale.log, [Analyst(every=100, controls=False, timeout=0.0)]).verdict == "same"


@pytest.mark.parametrize("repeats", [0, None])
def test_nothing_is_repeated_where_the_file_leaves_it_to_a_person_or_the_log_is_older(repeats: int | None) -> None:
    assert [type(fact) for fact in analysing(told(0.9, repeats=repeats)).all()] == [MetricsMeasured, LogSealed]


def test_repeats_that_the_budget_cannot_pay_are_forgone_in_a_sentence_and_not_asked_for_again() -> None:
    tale = told(0.9, 0.8, gpu_seconds=50.0)
    scene = analysing(tale, Budget(gpu_hours=200 / 3600))
    said = [fact for fact in scene.all() if isinstance(fact, RepeatsForgone)]
    assert [(fact.experiment, fact.gpu_seconds) for fact in said] == [("e-1", 0), ("e-2", 0)]
    assert said[0].reason == "the budget of 0.0555556 GPU-hours has no room for 260 s more"
    assert scene.decides() is None
    assert scene.known.unrepeated is None
    tale.says("person-test", "campaign", "opening", CampaignReopened(reason="more"))
    tale.closes()
    assert begins(analysing(tale, Budget(gpu_hours=1.0))).experiment == "e-1"


def test_a_seed_that_does_not_train_forgoes_its_leader_and_the_next_one_is_tried() -> None:
    tale = told(0.7, 0.9)
    scene = analysing(tale)
    order = begins(scene)
    (lost,) = ends(scene, order, None)
    assert isinstance(lost, RepeatsForgone)
    assert lost.reason == f"seed {order.seeds[0]} did not train: diverged at step 7"
    assert lost.gpu_seconds == 3.0
    assert begins(scene).experiment == "e-1"
    assert rehearse(tale.log, [Analyst(every=100, controls=False, timeout=0.0)]).verdict == "same"


def test_a_bench_that_refuses_or_is_killed_costs_what_was_reserved() -> None:
    tale = told(0.9)
    scene = analysing(tale)
    order = begins(scene)
    (lost,) = scene.says(results={order.id: Refused(order.id, "Traceback ...\nkilled after 100 s")})
    assert isinstance(lost, RepeatsForgone)
    assert (lost.reason, lost.gpu_seconds) == ("killed after 100 s", order.timeout)
    assert rehearse(tale.log, [Analyst(every=100, controls=False, timeout=0.0)]).verdict == "same"


def test_repeats_that_died_with_their_process_are_begun_again_three_times_and_count_as_reserved() -> None:
    tale = told(0.9)
    orders = [begins(analysing(tale)) for _ in range(3)]
    assert len({order.id for order in orders}) == 3
    assert {order.seeds for order in orders} == {orders[0].seeds}
    scene = analysing(tale)
    (lost,) = scene.says()
    assert isinstance(lost, RepeatsForgone)
    assert lost.reason == "its repeats were begun 3 times, and no end of them came"
    scene.decides()
    ledger = scene.known.measurement.ledger
    assert ledger.repeats.open is None
    assert budgets.spent(ledger) == 10.0 + 3 * orders[0].timeout


def test_nobody_begins_a_repeat_after_a_stop_and_who_leaves_does_not_wait_for_one() -> None:
    tale = told(0.9)
    scene = analysing(tale)
    assert isinstance(scene.all(stopping=True)[-1], LogSealed)
    order = begins(analysing(tale))
    waiting = analysing(tale)
    underway = frozenset({order.id})
    assert waiting.decides(stopping=True, underway=underway) is None
    assert isinstance(waiting.says(stopping=True, leaving=True, underway=underway)[-1], LogSealed)


def test_a_leader_that_a_defect_touches_makes_room_for_the_next_one_to_be_repeated() -> None:
    tale = told(0.7, 0.9)
    scene = analysing(tale)
    for score in (0.8, 0.84):
        ends(scene, begins(scene), score)
    scene.all()
    assert scene.known.unrepeated is None
    found = DefectFound(defect="d-1", component="length", where="experiment == 'e-2'", reason="")
    tale.says("person-test", "defect", "d-1", found)
    assert begins(scene).experiment == "e-1"


def test_the_search_leaves_the_device_time_that_the_repeats_of_its_leader_may_take() -> None:
    tale = Chronicle()
    tale.opened(seed=5, repeats=3)
    tale.runs(tale.queues(tale.proposes("a")), validation=0.9, gpu_seconds=10.0)
    tale.queues(tale.proposes("a", length=12))
    ledger = Scene(tale, Scheduler(Budget(), agents=1, silence=10.0))
    ledger.decides()
    known = ledger.known.ledger
    budget = Budget(gpu_hours=400 / 3600, timeout=200.0)
    assert budgets.kept_back(budget, known) == 3 * 100.0
    assert budgets.room(budget, known, 0).seconds == pytest.approx(400 - 10 - 300)
    assert budgets.exhausted(budget, known, 0) == (
        "the budget of 0.111111 GPU-hours has no room for another attempt beside 300 s for the repeats of who leads"
    )
    assert budgets.exhausted(Budget(gpu_hours=600 / 3600, timeout=200.0), known, 0) is None
