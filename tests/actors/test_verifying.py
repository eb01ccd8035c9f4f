"""Nothing trains unverified: canaries before the first run, an era for each instrument, an end where one is refused."""

from __future__ import annotations

import pytest

from actors.benches.vetting import Verified, Verify
from actors.judgement.budgets import Budget
from actors.orders import Refused
from actors.scheduler import Scheduler
from actors.worker import Worker
from events.blobs import Blobs
from events.facts import (
    Assigned,
    CampaignClosed,
    Canary,
    DefectFound,
    EraOpened,
    FilesShared,
    InstrumentRefused,
    InstrumentVerified,
    WorkerJoined,
    WorkerRetired,
)
from tests.actors.scene import Scene
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle

ME, OTHER = "worker-cpu0-a", "worker-cpu1-b"
SAW = (Canary("dimension", "pooling", 0.2, None),)


def working(tale: Chronicle, blobs: Blobs, name: str = ME, instrument: str = INSTRUMENT) -> Scene:
    role = Worker(name, device="cpu", lanes=1, platform=PLATFORM, instrument=instrument, blobs=blobs, vetted=True)
    return Scene(tale, role)


def scheduling(tale: Chronicle) -> Scene:
    return Scene(tale, Scheduler(Budget(), agents=1, silence=10.0, vetted=True))


def verified(tale: Chronicle, instrument: str = INSTRUMENT, **parts: str) -> None:
    fact = InstrumentVerified(instrument=instrument, parts=parts, canaries=SAW, seconds=2.0)
    tale.says(ME, "worker", ME, fact)


def joined(scene: Scene) -> Verify:
    decision = scene.decides()
    assert decision is not None
    scene.says()
    (order,) = decision.orders
    assert isinstance(order, Verify)
    return order


@pytest.fixture
def scene(tale: Chronicle, blobs: Blobs) -> Scene:
    return working(tale, blobs)


def test_a_worker_has_the_canaries_run_when_it_joins_and_says_what_they_saw_once(scene: Scene) -> None:
    order = joined(scene)
    assert scene.decides(underway=frozenset({order.id})) is None
    result = Verified(order.id, INSTRUMENT, {"split": "s"}, SAW, 2.0)
    decision = scene.decides(results={order.id: result})
    assert decision is not None
    assert decision.settles == (order.id,)
    (said,) = scene.says(results={order.id: result})
    assert isinstance(said, InstrumentVerified)
    assert (said.instrument, said.parts, said.canaries) == (INSTRUMENT, {"split": "s"}, SAW)
    assert scene.decides(results={order.id: result}) is None


def test_where_the_log_has_a_verdict_no_canary_is_run_again(tale: Chronicle, blobs: Blobs) -> None:
    joined(working(tale, blobs))
    verified(tale)
    second = working(tale, blobs, OTHER)
    decision = second.decides()
    assert decision is not None
    assert decision.orders == ()
    second.says()
    assert second.decides() is None


def test_another_version_of_a_library_has_the_canaries_run_again_and_its_own_verdict(
    tale: Chronicle, blobs: Blobs
) -> None:
    first = working(tale, blobs)
    order = joined(first)
    first.says(results={order.id: Verified(order.id, INSTRUMENT, {}, SAW, 2.0)})
    newer = PLATFORM | {"torch": "2.12.0"}
    role = Worker(OTHER, device="cpu", lanes=1, platform=newer, instrument=INSTRUMENT, blobs=blobs, vetted=True)
    second, scheduler = Scene(tale, role), scheduling(tale)
    order = joined(second)
    tale.queues(tale.proposes("a"))
    (said,) = second.says(results={order.id: Verified(order.id, INSTRUMENT, {}, SAW, 2.0, "dimension, pooling: dead")})
    assert isinstance(said, InstrumentRefused)
    assert said.platform == newer
    assert [fact.worker for fact in scheduler.all() if isinstance(fact, Assigned)] == [ME]
    tale.says(ME, "worker", ME, WorkerRetired(worker=ME, reason="asked to stop"))
    tale.queues(tale.proposes("a", length=12))
    assert [fact for fact in scheduler.all() if isinstance(fact, Assigned)] == []


def test_a_canary_that_does_not_hold_and_a_bench_that_cannot_run_them_refuse_the_instrument(
    scene: Scene, tale: Chronicle, blobs: Blobs
) -> None:
    order = joined(scene)
    wrong = Verified(order.id, INSTRUMENT, {}, SAW, 2.0, "canary dimension, pooling: dead")
    (said,) = scene.says(results={order.id: wrong})
    assert isinstance(said, InstrumentRefused)
    assert said.reason == "canary dimension, pooling: dead"
    other = working(tale, blobs, OTHER, "instrument-2")
    order = joined(other)
    (said,) = other.says(results={order.id: Refused(order.id, "the bench was killed")})
    assert isinstance(said, InstrumentRefused)
    assert said.reason == "the canaries could not be run: the bench was killed"


def test_a_machine_that_failed_refuses_nothing_that_another_one_of_its_kind_verified_meanwhile(
    tale: Chronicle, blobs: Blobs
) -> None:
    scene = working(tale, blobs, OTHER)
    order = joined(scene)
    failed = {order.id: Refused(order.id, "the bench was killed")}
    decision = scene.decides(results=failed)
    assert decision is not None
    # what it would say must pass the fence of all workers, where the other's word is first
    assert decision.under == "worker"
    verified(tale)
    assert scene.decides(results=failed) is None


def test_a_worker_that_died_over_its_canaries_joins_once_more_and_has_them_run(scene: Scene) -> None:
    order = joined(scene)
    decision = scene.decides()
    assert decision is not None
    assert isinstance(decision.facts[0], WorkerJoined)
    assert [one.id for one in decision.orders if isinstance(one, Verify)] == [order.id]


def test_a_refused_instrument_is_looked_at_again_by_a_worker_that_joins_later(tale: Chronicle, blobs: Blobs) -> None:
    refused = InstrumentRefused(instrument=INSTRUMENT, parts={}, canaries=(), seconds=1.0, reason="no memory")
    tale.says(OTHER, "worker", OTHER, refused)
    scene = working(tale, blobs)
    order = joined(scene)
    assert scheduling(tale).all() == []
    (said,) = scene.says(results={order.id: Verified(order.id, INSTRUMENT, {}, SAW, 2.0)})
    assert isinstance(said, InstrumentVerified)
    assert [type(fact) for fact in scheduling(tale).all()] == [EraOpened]


def test_the_split_that_a_campaign_began_with_is_told_to_later_canaries(tale: Chronicle, blobs: Blobs) -> None:
    verified(tale, split="first")
    assert joined(working(tale, blobs, OTHER, "instrument-2")).split == "first"


def test_nothing_is_entrusted_to_a_worker_before_its_canaries_held(tale: Chronicle) -> None:
    scene = scheduling(tale)
    tale.worker_joins(ME)
    tale.queues(tale.proposes("a"))
    assert scene.decides() is None
    verified(tale)
    said = scene.all()
    assert [type(fact) for fact in said] == [EraOpened, Assigned]


def test_a_machine_of_another_version_gets_no_work_however_sound_it_is(tale: Chronicle) -> None:
    verified(tale)
    verified(tale, "instrument-2")
    tale.says("person-ann", "campaign", "files", FilesShared(instrument=INSTRUMENT, files={}))
    other = WorkerJoined(worker=OTHER, device="cpu", lanes=1, platform=PLATFORM, instrument="instrument-2")
    tale.says(OTHER, "worker", OTHER, other)
    tale.queues(tale.proposes("a"))
    scene = scheduling(tale)
    assert not [fact for fact in scene.all() if isinstance(fact, Assigned)]
    tale.worker_joins(ME)
    assert [fact.worker for fact in scene.all() if isinstance(fact, Assigned)] == [ME]


def test_the_first_verified_instrument_opens_era_1_and_another_the_next(tale: Chronicle) -> None:
    scene = scheduling(tale)
    verified(tale, losses="a", split="s")
    (first,) = scene.all()
    assert isinstance(first, EraOpened)
    assert (first.era, first.instrument, first.reason) == (1, INSTRUMENT, "the first verified instrument")
    verified(tale, losses="a", split="s")
    assert scene.all() == []
    verified(tale, "instrument-2", losses="b", split="s")
    (second,) = scene.all()
    assert isinstance(second, EraOpened)
    assert (second.era, second.instrument, second.reason) == (2, "instrument-2", "another instrument: losses")


def test_a_refused_instrument_ends_the_campaign_with_one_sentence_that_says_why(tale: Chronicle) -> None:
    scene = scheduling(tale)
    tale.worker_joins(ME)
    tale.queues(tale.proposes("a"))
    refused = InstrumentRefused(instrument=INSTRUMENT, parts={}, canaries=SAW, seconds=1.0, reason="pooling is dead")
    tale.says(ME, "worker", ME, refused)
    (closed,) = scene.all()
    assert isinstance(closed, CampaignClosed)
    assert closed.reason == f"instrument {INSTRUMENT[:12]} was refused before it trained anything: pooling is dead"


def test_a_campaign_goes_on_while_another_worker_may_still_train(tale: Chronicle) -> None:
    scene = scheduling(tale)
    tale.worker_joins(ME)
    other = WorkerJoined(worker=OTHER, device="cpu", lanes=1, platform=PLATFORM, instrument="instrument-2")
    tale.says(OTHER, "worker", OTHER, other)
    refused = InstrumentRefused(instrument=INSTRUMENT, parts={}, canaries=(), seconds=1.0, reason="dead")
    tale.says(ME, "worker", ME, refused)
    assert scene.all() == []
    tale.says(OTHER, "worker", OTHER, WorkerRetired(worker=OTHER, reason="asked to stop"))
    assert [type(fact) for fact in scene.all()] == [CampaignClosed]


def test_a_worker_whose_stricter_canaries_refuse_code_that_trained_declares_the_defect_before_it_leaves(
    tale: Chronicle, blobs: Blobs
) -> None:
    joined(working(tale, blobs))
    parts = {"source/pooling.py": "a", "source/canaries/suite.py": "old"}
    verified(tale, **parts)
    tale.runs(tale.queues(tale.proposes("a")), on=ME)
    stricter = working(tale, blobs, OTHER, "instrument-2")
    order = joined(stricter)
    dead = Canary("dimension", "pooling", 0.0, None, "attention is mean")
    refusal = Verified(
        order.id,
        "instrument-2",
        parts | {"source/canaries/suite.py": "new"},
        (dead,),
        2.0,
        "pooling: attention is mean",
    )
    (said,) = stricter.says(results={order.id: refusal})
    assert isinstance(said, InstrumentRefused)
    tale.closes()
    decision = stricter.decides()
    assert decision is not None
    assert decision.under == "defect"
    (found,) = stricter.says()
    assert isinstance(found, DefectFound)
    assert (found.component, found.where, found.by) == ("pooling", "instrument ~ instrument-1", "canary dimension")
    (left,) = stricter.says()
    assert isinstance(left, WorkerRetired)
