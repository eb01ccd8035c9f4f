"""The analyst: measures at its rhythm, holds the champion against controls, and seals what everybody else has said."""

from __future__ import annotations

import pytest

from actors.analyst import Analyst
from actors.benches.scrutiny import Control, Controlled
from actors.orders import Refused
from events.facts import (
    AnswerRefused,
    ControlMeasured,
    CycleStarted,
    DefectFound,
    LogSealed,
    MetricsMeasured,
    RunCompared,
    WorkerRetired,
)
from replay.audit import audit
from replay.seals import overall, verified
from tests.actors.scene import Scene
from tests.chronicle import INSTRUMENT, Chronicle

WORKER = "worker-cpu0-a"
LENGTHS = (8, 12, 16, 20, 32)


def analysing(tale: Chronicle, *, every: int = 2, controls: bool = False) -> Scene:
    return Scene(tale, Analyst(every=every, controls=controls, timeout=60.0))


def ended(tale: Chronicle, runs: int = 1) -> None:
    """A closed campaign whose worker has left."""
    for length in LENGTHS[:runs]:
        tale.runs(tale.queues(tale.proposes("a", length=length)), validation=length / 40)
    tale.closes()
    retires(tale)


def retires(tale: Chronicle) -> None:
    tale.says(WORKER, "worker", WORKER, WorkerRetired(worker=WORKER, reason="the campaign is closed"))


def test_the_search_is_measured_after_every_so_many_completions(tale: Chronicle) -> None:
    scene = analysing(tale, every=2)
    measured = []
    for length in LENGTHS:
        tale.runs(tale.queues(tale.proposes("a", length=length)))
        measured += [fact.values["completed"] for fact in scene.all() if isinstance(fact, MetricsMeasured)]
    assert measured == [2, 4]


def test_an_analyst_that_was_away_measures_once_for_all_it_missed(tale: Chronicle) -> None:
    for length in LENGTHS:
        tale.runs(tale.queues(tale.proposes("a", length=length)))
    assert [type(fact) for fact in analysing(tale, every=2).all()] == [MetricsMeasured]


def test_nothing_is_sealed_while_a_worker_is_there(tale: Chronicle) -> None:
    tale.runs(tale.queues(tale.proposes("a")))
    tale.closes()
    scene = analysing(tale)
    assert scene.decides() is None
    retires(tale)
    assert [type(fact) for fact in scene.says()] == [MetricsMeasured, LogSealed]


def test_nothing_is_sealed_while_an_idea_is_unjudged_a_cycle_open_or_a_failure_unsettled(tale: Chronicle) -> None:
    tale.joins("a")
    tale.says("agent-a", "cycle", "c-x", CycleStarted(cycle="c-x", agent="a", key=1))
    tale.closes()
    scene = analysing(tale)
    assert scene.decides() is None
    tale.says("agent-a", "cycle", "c-x", AnswerRefused(cycle="c-x", reason="interrupted"))
    idea = tale.proposes("a")
    assert scene.decides() is None
    experiment = tale.queues(idea)
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment)
    retires(tale)
    assert scene.decides() is None
    tale.abandons(experiment)
    assert scene.decides() is not None


@pytest.mark.parametrize("stopped", [True, False])
def test_a_seal_is_written_once_and_again_after_somebody_spoke(tale: Chronicle, stopped: bool) -> None:
    tale.runs(tale.queues(tale.proposes("a")))
    if not stopped:
        tale.closes()
    retires(tale)
    scene = analysing(tale)
    assert isinstance(scene.all(stopping=stopped)[-1], LogSealed)
    assert scene.decides(stopping=stopped) is None
    tale.joins("late")
    assert isinstance(scene.all(stopping=stopped)[-1], LogSealed)


def test_every_seal_and_measurement_is_what_a_replay_finds(tale: Chronicle) -> None:
    scene = analysing(tale, every=1)
    for length in LENGTHS:
        tale.runs(tale.queues(tale.proposes("a", length=length)), validation=length / 40)
        scene.all()
    tale.closes()
    retires(tale)
    scene.all()
    _, checks = verified(tale.log)
    assert len(checks) == len(LENGTHS) + 2
    assert overall(checks) == "held"


def test_the_champion_is_measured_against_its_controls_before_the_seal(tale: Chronicle) -> None:
    ended(tale, runs=3)
    scene = analysing(tale, controls=True, every=10)
    decision = scene.decides()
    assert decision is not None
    (order,) = decision.orders
    assert isinstance(order, Control)
    assert (order.experiment, order.configuration["length"]) == ("e-3", 16)
    scene.says()
    assert scene.decides(underway=frozenset({order.id})) is None
    result = Controlled(order.id, (0.5, 0.03), (0.6, 0.02))
    facts = scene.says(results={order.id: result})
    assert [(f.control, f.experiment, f.validation) for f in facts if isinstance(f, ControlMeasured)] == [
        ("shuffled_labels", "e-3", 0.5),
        ("linear", "e-3", 0.6),
    ]
    assert isinstance(scene.says()[-1], LogSealed)


def test_controls_that_were_interrupted_are_ordered_again(tale: Chronicle) -> None:
    ended(tale)
    first = analysing(tale, controls=True)
    first.says()
    decision = analysing(tale, controls=True).decides()
    assert decision is not None
    assert isinstance(decision.orders[0], Control)


def test_controls_that_cannot_be_had_do_not_keep_the_log_from_its_seal(tale: Chronicle) -> None:
    ended(tale)
    scene = analysing(tale, controls=True)
    scene.says()
    facts = scene.says(results={"control-e-1": Refused("control-e-1", "it diverges")})
    assert isinstance(facts[-1], LogSealed)


def test_a_person_who_leaves_does_not_wait_for_controls(tale: Chronicle) -> None:
    ended(tale)
    scene = analysing(tale, controls=True)
    scene.says()
    underway = frozenset({"control-e-1"})
    assert scene.decides(stopping=True, underway=underway) is None
    assert isinstance(scene.says(stopping=True, leaving=True, underway=underway)[-1], LogSealed)


def test_a_campaign_without_a_result_is_sealed_without_controls(tale: Chronicle) -> None:
    tale.closes()
    assert isinstance(analysing(tale, controls=True).says()[-1], LogSealed)


def test_a_stop_while_the_controls_are_made_leaves_them_to_the_next_run_which_measures_and_seals(
    tale: Chronicle,
) -> None:
    ended(tale)
    first = analysing(tale, controls=True)
    first.says()
    first.says(stopping=True, leaving=True, underway=frozenset({"control-e-1"}))
    assert first.decides(stopping=True, leaving=True) is None
    assert first.known.sealed
    assert first.known.uncontrolled is not None
    following = analysing(tale, controls=True)
    decision = following.decides()
    assert decision is not None
    assert isinstance(decision.orders[0], Control)
    following.says()
    result = {"control-e-1": Controlled("control-e-1", (0.5, 0.03), (0.6, 0.02))}
    facts = following.all(results=result)
    assert [type(fact) for fact in facts] == [ControlMeasured, ControlMeasured, MetricsMeasured, LogSealed]
    assert following.decides() is None
    assert following.known.uncontrolled is None


def test_nobody_begins_controls_after_a_stop(tale: Chronicle) -> None:
    ended(tale)
    assert isinstance(analysing(tale, controls=True).all(stopping=True)[-1], LogSealed)


def test_controls_that_failed_are_not_tried_again_by_the_same_process(tale: Chronicle) -> None:
    ended(tale)
    scene = analysing(tale, controls=True)
    scene.says()
    refused = {"control-e-1": Refused("control-e-1", "it diverges")}
    assert [type(fact) for fact in scene.all(results=refused)] == [MetricsMeasured, LogSealed]
    assert scene.decides(results=refused) is None


def test_what_a_rerun_shows_is_declared_as_a_defect_before_anything_is_sealed(tale: Chronicle) -> None:
    ended(tale, runs=2)
    compared = RunCompared(
        experiment="e-2",
        attempt=1,
        verdict="different",
        recorded=0.3,
        validation=0.1,
        tolerance=0.0,
        instrument=INSTRUMENT,
        platform={},
    )
    tale.says("person-test", "analysis", "rerun", compared)
    scene = analysing(tale, every=10)
    decision = scene.decides()
    assert decision is not None
    assert decision.under == "defect"
    (found,) = scene.says()
    assert isinstance(found, DefectFound)
    assert (found.where, found.by) == ("experiment == e-2", "a rerun")
    assert isinstance(scene.all()[-1], LogSealed)
    assert audit(tale.log).verdict != "broken"
