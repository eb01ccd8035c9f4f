"""The worker: what it holds it starts, what it starts it ends, once, and under its own lease alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.orders import Breakdown, Refused, Score, Train, Trained
from actors.worker import CHAMPIONS, Worker
from events.blobs import WHOLE, Blobs
from events.facts import Completed, Failed, Started, WorkerJoined, WorkerRetired
from tests.actors.scene import Scene
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle

ME, OTHER = "worker-cpu0-a", "worker-cpu1-b"


@pytest.fixture
def scene(tale: Chronicle, blobs: Blobs) -> Scene:
    role = Worker(ME, device="cpu", lanes=1, platform=PLATFORM, instrument=INSTRUMENT, blobs=blobs)
    scene = Scene(tale, role)
    scene.says()
    return scene


def leased(tale: Chronicle, **changes: Any) -> tuple[str, str]:
    tale._present.add(ME)
    experiment = tale.queues(tale.proposes("a", **changes))
    return experiment, tale.assigns(experiment, on=ME)


def score(experiment: str, validation: float = 0.7) -> Score:
    return Score(experiment, validation, 0.6, 0.03, 2, (0.7, 0.5), (0.6, 0.7), (0.1, 0.1), 12.0, 1000, "c" * 64)


def test_a_worker_joins_once_with_what_its_results_depend_on(tale: Chronicle, scene: Scene) -> None:
    (joined,) = tuple(tale.log.read())[-1].facts
    assert isinstance(joined, WorkerJoined)
    assert (joined.worker, joined.instrument, joined.platform) == (ME, INSTRUMENT, PLATFORM)
    assert scene.decides() is None


def test_a_run_is_started_on_the_log_before_the_bench_is_asked(tale: Chronicle, scene: Scene) -> None:
    experiment, pack = leased(tale)
    decision = scene.decides()
    assert decision is not None
    (started,), (order,) = decision.facts, decision.orders
    assert isinstance(started, Started)
    assert isinstance(order, Train)
    assert decision.lease == pack == order.id
    assert (started.experiment, started.seed, started.instrument) == (experiment, 7, INSTRUMENT)
    assert [(run.experiment, run.seed) for run in order.runs] == [(experiment, 7)]


def test_a_run_under_way_is_waited_for_and_ended_once(tale: Chronicle, scene: Scene) -> None:
    experiment, pack = leased(tale)
    scene.says()
    assert scene.decides(underway=frozenset({pack})) is None
    result = Trained(pack, (score(experiment),))
    (completed,) = scene.says(results={pack: result})
    assert isinstance(completed, Completed)
    assert (completed.validation, completed.gpu_seconds, completed.checkpoint) == (0.7, 12.0, "c" * 64)
    assert scene.decides(results={pack: result}) is None


def test_each_lane_of_a_pack_gets_its_own_start_and_its_own_end(tale: Chronicle, blobs: Blobs) -> None:
    scene = Scene(tale, Worker(ME, device="cpu", lanes=2, platform={}, instrument="x", blobs=blobs))
    scene.says()
    first, pack = leased(tale, pooling="max")
    second = tale.queues(tale.proposes("a", pooling="last"))
    lease = tale._leases[first]
    tale.says("scheduler", "pack", pack, msgspec.structs.replace(lease, experiment=second, lane=1, seed=8, cause=None))
    assert [fact.lane for fact in scene.says() if isinstance(fact, Started)] == [0, 1]
    ends = Trained(pack, (score(first), Breakdown(second, "diverged", 14, "nan", 3.0)))
    assert [type(fact) for fact in scene.says(results={pack: ends})] == [Completed, Failed]


def test_a_result_that_never_came_is_a_crash(tale: Chronicle, scene: Scene) -> None:
    leased(tale)
    scene.says()
    reborn = Scene(tale, scene.role)
    (failed,) = reborn.says()
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.trace.head) == ("crashed", "its bench left no word")


def test_a_crash_carries_the_reason_that_the_hands_gave(tale: Chronicle, scene: Scene) -> None:
    _, pack = leased(tale)
    scene.says()
    (failed,) = scene.says(results={pack: Refused(pack, "OSError: no such pipe")})
    assert isinstance(failed, Failed)
    assert failed.trace.head == "OSError: no such pipe"


def test_a_long_trace_keeps_both_ends_in_the_fact_and_lies_whole_in_the_blobs(
    tale: Chronicle, scene: Scene, blobs: Blobs
) -> None:
    experiment, pack = leased(tale)
    scene.says()
    trace = "first " + "x" * 2 * WHOLE + " last"
    (failed,) = scene.says(results={pack: Trained(pack, (Breakdown(experiment, "crashed", 3, trace, 1.0),))})
    assert isinstance(failed, Failed)
    assert failed.trace.head.startswith("first")
    assert failed.trace.tail.endswith("last")
    assert blobs.whole(failed.trace) == trace


def test_a_lease_that_was_taken_back_is_neither_started_nor_ended(tale: Chronicle, scene: Scene) -> None:
    experiment, pack = leased(tale)
    scene.says()
    tale.loses(ME)
    tale.revokes(experiment)
    decision = scene.decides(results={pack: Trained(pack, (score(experiment),))})
    assert decision is not None
    assert isinstance(decision.facts[0], WorkerJoined)


def test_a_worker_that_was_thought_lost_returns_only_after_its_lease_is_taken_back(
    tale: Chronicle, scene: Scene
) -> None:
    experiment, _ = leased(tale)
    scene.says()
    tale.loses(ME)
    assert scene.decides() is None
    tale.revokes(experiment)
    assert isinstance(scene.says()[0], WorkerJoined)
    assert scene.decides() is None


@pytest.mark.parametrize("end", ["stopping", "closed"])
def test_a_lost_worker_does_not_return_to_a_campaign_that_ends(tale: Chronicle, scene: Scene, end: str) -> None:
    tale.loses(ME)
    if end == "closed":
        tale.closes()
    assert scene.decides(stopping=end == "stopping") is None


def test_packs_of_other_workers_are_not_its_business(tale: Chronicle, scene: Scene) -> None:
    tale.assigns(tale.queues(tale.proposes("a")), on=OTHER)
    assert scene.decides() is None


def test_a_worker_that_is_asked_to_stop_ends_what_runs_and_retires(tale: Chronicle, scene: Scene) -> None:
    experiment, pack = leased(tale)
    scene.says()
    assert scene.decides(stopping=True, underway=frozenset({pack})) is None
    result = Trained(pack, (score(experiment),))
    assert isinstance(scene.says(stopping=True, results={pack: result})[0], Completed)
    (retired,) = scene.says(stopping=True)
    assert isinstance(retired, WorkerRetired)
    assert scene.decides(stopping=True) is None


def test_a_worker_that_leaves_does_not_wait_for_what_runs(tale: Chronicle, scene: Scene) -> None:
    _, pack = leased(tale)
    scene.says()
    (retired,) = scene.says(stopping=True, leaving=True, underway=frozenset({pack}))
    assert isinstance(retired, WorkerRetired)


def test_a_worker_that_stops_leaves_what_it_has_not_begun(tale: Chronicle, scene: Scene) -> None:
    leased(tale)
    assert isinstance(scene.says(stopping=True)[0], WorkerRetired)


def test_a_worker_retires_when_the_campaign_is_closed(tale: Chronicle, scene: Scene) -> None:
    tale.closes()
    (retired,) = scene.says()
    assert isinstance(retired, WorkerRetired)
    assert retired.reason == "the campaign is closed"


def test_weights_are_kept_of_runs_that_would_be_among_the_best(tale: Chronicle, scene: Scene) -> None:
    values = [0.5 + n / 100 for n in range(CHAMPIONS + 3)]
    lengths = iter((length, batch) for length in (8, 12, 16, 20) for batch in (16, 32, 64, 128))
    for validation in values:
        length, batch = next(lengths)
        tale.runs(tale.queues(tale.proposes("a", length=length, batch=batch)), on=OTHER, validation=validation)
    leased(tale, pooling="last")
    decision = scene.decides()
    assert decision is not None
    (order,) = decision.orders
    assert isinstance(order, Train)
    assert order.keep_from == sorted(values)[-CHAMPIONS]
