"""The fixer: each kind of failure, its typed remedy, and what never changes behind a configuration's back."""

from __future__ import annotations

from typing import Any

import pytest

from actors.fixer import Fixer
from actors.orders import Extract, Extracted, Refused
from actors.repair.remedies import COOLER, MICRO_BATCHES, PATIENCE, remedy
from events.facts import (
    DiagnosisMade,
    Execution,
    Fact,
    FailureKind,
    FeaturesExtracted,
    IdeaProposed,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
)
from replay.ledger import Attempt
from tests.actors.scene import Scene
from tests.chronicle import SPACE, Chronicle

TIMEOUT = 600.0


@pytest.fixture
def scene(tale: Chronicle) -> Scene:
    return Scene(tale, Fixer(timeout=TIMEOUT))


def failing(tale: Chronicle, kind: FailureKind, **changes: Any) -> str:
    experiment = tale.queues(tale.proposes("a", **changes))
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment, kind)
    return experiment


def proposed(facts: tuple[Fact, ...]) -> RemedyProposed:
    return next(fact for fact in facts if isinstance(fact, RemedyProposed))


def attempt(kind: FailureKind, **execution: Any) -> Attempt:
    return Attempt(
        attempt=1, pack="p", lane=0, worker="w", seed=1, execution=Execution(**execution), assigned_at=0,
        failure=kind, step=14,
    )  # fmt: skip


def test_a_fixer_has_nothing_to_say_about_runs_that_go_well(tale: Chronicle, scene: Scene) -> None:
    tale.runs(tale.queues(tale.proposes("a")))
    assert scene.decides() is None


def test_out_of_memory_is_answered_with_the_same_batch_in_more_slices(tale: Chronicle, scene: Scene) -> None:
    experiment = failing(tale, "out_of_memory")
    facts = scene.says()
    assert [type(fact) for fact in facts] == [DiagnosisMade, RemedyProposed, RemedyApplied]
    chosen = proposed(facts)
    assert (chosen.experiment, chosen.remedy, chosen.child) == (experiment, "micro_batches", None)
    assert chosen.execution is not None
    assert chosen.execution.micro_batches == 2
    assert scene.decides() is None


def test_slices_double_up_to_the_finest_and_no_further(tale: Chronicle) -> None:
    configuration, slices = tale.configuration(batch=128), []
    now = attempt("out_of_memory")
    while (chosen := remedy(SPACE, configuration, now, timeout=TIMEOUT)).execution is not None:
        slices.append(chosen.execution.micro_batches)
        now = attempt("out_of_memory", micro_batches=chosen.execution.micro_batches)
    assert slices == [2, 4, MICRO_BATCHES]
    assert (chosen.kind, chosen.configuration) == ("none", None)


def test_a_slow_run_gets_more_time_once_and_then_a_child_with_fewer_epochs(tale: Chronicle, scene: Scene) -> None:
    failing(tale, "timeout", epochs=20)
    chosen = proposed(scene.says())
    assert chosen.remedy == "patience"
    assert chosen.execution == Execution(timeout=TIMEOUT * PATIENCE)
    configuration = tale.configuration(epochs=20)
    again = remedy(SPACE, configuration, attempt("timeout", timeout=TIMEOUT * PATIENCE), timeout=TIMEOUT)
    assert again.kind == "child"
    assert again.configuration == {**configuration, "epochs": 15}


def test_a_slow_run_of_the_fewest_epochs_has_no_remedy_but_time(tale: Chronicle) -> None:
    slow = attempt("timeout", timeout=TIMEOUT * PATIENCE)
    assert remedy(SPACE, tale.configuration(epochs=5), slow, timeout=TIMEOUT).kind == "none"


def test_a_diverged_run_gets_a_cooler_child_by_the_fixer_with_the_run_as_parent(tale: Chronicle, scene: Scene) -> None:
    experiment = failing(tale, "diverged", learning_rate=1e-2, pooling="max")
    facts = scene.says()
    assert [type(fact) for fact in facts] == [DiagnosisMade, RemedyProposed, IdeaProposed, RemedyApplied]
    child = facts[2]
    assert isinstance(child, IdeaProposed)
    parent = scene.known.ledger.experiments[experiment].idea
    assert (child.agent, child.origin, child.parents) == ("fixer", "fixer", (parent,))
    before = scene.known.ledger.configuration(experiment)
    assert child.configuration == {**before, "learning_rate": pytest.approx(1e-2 * COOLER)}
    assert proposed(facts).child == child.idea


def test_a_child_is_never_cooled_out_of_the_space(tale: Chronicle) -> None:
    chosen = remedy(SPACE, tale.configuration(learning_rate=2e-5), attempt("diverged"), timeout=TIMEOUT)
    assert chosen.configuration is not None
    assert SPACE.problems(chosen.configuration) == ()
    coldest = remedy(SPACE, tale.configuration(learning_rate=1e-5), attempt("diverged"), timeout=TIMEOUT)
    assert coldest.kind == "none"


def test_missing_features_are_extracted_before_the_remedy_counts_as_applied(tale: Chronicle, scene: Scene) -> None:
    failing(tale, "missing_features", backbone="motion")
    decision = scene.decides()
    assert decision is not None
    (order,) = decision.orders
    assert order == Extract(id=decision.identity, backbone="motion")
    scene.says()
    assert scene.decides(underway=frozenset({order.id})) is None
    made = Extracted(order.id, "motion", "d" * 64, 90, 8, reused=False, seconds=1.0)
    facts = scene.says(results={order.id: made})
    assert [type(fact) for fact in facts] == [FeaturesExtracted, RemedyApplied]
    assert scene.decides() is None


@pytest.mark.parametrize("news", [{}, {"leaving": True, "stopping": True}])
def test_an_extraction_that_was_interrupted_is_refused(tale: Chronicle, scene: Scene, news: dict[str, bool]) -> None:
    failing(tale, "missing_features")
    scene.says()
    underway = frozenset({"r-1"}) if news else frozenset[str]()
    (refused,) = scene.says(underway=underway, **news)
    assert isinstance(refused, RemedyRefused)


def test_an_extraction_that_failed_is_refused_with_its_reason(tale: Chronicle, scene: Scene) -> None:
    failing(tale, "missing_features")
    scene.says()
    (refused,) = scene.says(results={"r-1": Refused("r-1", "the clips are gone")})
    assert isinstance(refused, RemedyRefused)
    assert refused.reason == "the clips are gone"


def test_a_crash_is_tried_again_unchanged(tale: Chronicle, scene: Scene) -> None:
    failing(tale, "crashed")
    chosen = proposed(scene.says())
    assert (chosen.remedy, chosen.execution, chosen.child) == ("retry", None, None)


def test_each_failed_attempt_is_repaired_once(tale: Chronicle, scene: Scene) -> None:
    experiment = failing(tale, "crashed")
    scene.says()
    assert scene.decides() is None
    tale.requeues(experiment)
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment, "crashed")
    diagnosis = scene.says()[0]
    assert isinstance(diagnosis, DiagnosisMade)
    assert (diagnosis.repair, diagnosis.attempt) == ("r-2", 2)


def test_a_lease_that_was_taken_back_is_nothing_to_repair(tale: Chronicle, scene: Scene) -> None:
    experiment = tale.queues(tale.proposes("a"))
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.loses("worker-cpu0-a")
    tale.revokes(experiment)
    assert scene.decides() is None
