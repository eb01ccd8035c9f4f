"""Signs of life: only their absence has consequences, and only the absence that was listened to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from actors.agent import Plan
from actors.judgement.budgets import Budget
from actors.orders import Beat, Epoch
from actors.role import Known
from actors.vitals import ABSENT, EVERY, Ear, Heart
from events.blobs import Blobs
from events.errors import LogLost
from events.facts import WorkerLost
from tests.actors.company import Company
from tests.actors.waiting import eventually
from tests.chronicle import Chronicle

A, B = "worker-cpu0-a", "worker-cpu1-b"


class Air:
    """A side channel that hands on what a test lets through."""

    def __init__(self) -> None:
        self.heard: Callable[[str, bytes], None] = lambda author, payload: None
        self.sent: list[str] = []
        self.lost = False

    def publish_pulse(self, author: str, payload: bytes) -> None:
        if self.lost:
            raise LogLost("the connection broke")
        self.sent.append(author)
        self.heard(author, payload)

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        self.heard = heard
        return lambda: None

    def beat(self, author: str) -> None:
        self.heard(author, msgspec.json.encode(Beat(author)))


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fleet(tale: Chronicle) -> Known:
    """Two workers that joined."""
    for worker in (A, B):
        tale.worker_joins(worker)
    known = Known()
    known.advance(tale.log.read())
    return known


def listening(fleet: Known | None = None) -> tuple[Air, Time, Ear, list[str]]:
    air, time, met = Air(), Time(), list[str]()
    ear = Ear(air, lambda: met.append("met"), clock=time)
    if fleet is not None:
        ear.hear(fleet)
    return air, time, ear, met


def passes(time: Time, ear: Ear, known: Known, seconds: float) -> None:
    """Let time pass in steps in which somebody listens."""
    end = time.now + seconds
    while time.now < end:
        time.now = min(end, time.now + EVERY)
        ear.hear(known)


def test_silence_is_counted_from_the_last_sign_or_from_when_a_worker_was_first_known(
    fleet: Known,
) -> None:
    air, time, ear, _ = listening(fleet)
    passes(time, ear, fleet, 2.0)
    air.beat(A)
    passes(time, ear, fleet, 3.0)
    heard = ear.hear(fleet)
    assert heard.silences == {A: 3.0, B: 5.0}
    assert heard.unheard == {B}


def test_a_worker_that_comes_late_or_comes_back_is_not_silent_from_before_it_came(
    tale: Chronicle, fleet: Known
) -> None:
    _, time, ear, _ = listening(fleet)
    passes(time, ear, fleet, 60.0)
    tale.worker_joins("worker-cpu2-c")
    tale.loses(A)
    tale.worker_joins(A)
    fleet.advance(tale.log.read())
    assert ear.hear(fleet).silences == {A: 0.0, B: 60.0, "worker-cpu2-c": 0.0}


def test_the_first_sign_of_each_worker_wakes_whoever_waits_for_it(fleet: Known) -> None:
    air, _, _, met = listening(fleet)
    for author in (A, A, B, A):
        air.beat(author)
    assert len(met) == 2


def test_a_listener_that_was_away_counts_nobody_silent_for_that_time(fleet: Known) -> None:
    """A machine that slept, or a process that was stopped, must not lose every worker when it wakes."""
    air, time, ear, _ = listening(fleet)
    air.beat(A)
    passes(time, ear, fleet, 2.0)
    time.now += 3600.0
    assert ear.hear(fleet).silences[A] == 0.0
    passes(time, ear, fleet, 2.0)
    assert ear.hear(fleet).silences[A] == 2.0
    assert ABSENT < 3600.0


@pytest.mark.parametrize("payload", [b"", b"{", b'{"type":"rumour"}', b'{"type":"epoch"}'])
def test_what_is_no_pulse_is_no_sign_of_life_whoever_sent_it(fleet: Known, payload: bytes) -> None:
    air, _, ear, _ = listening()
    air.heard(A, payload)
    assert ear.hear(fleet).unheard == {A, B}
    assert ear.epochs == {}


def test_the_latest_epoch_of_each_worker_is_kept_for_the_screen() -> None:
    air, _, ear, _ = listening()
    for number in (1, 2):
        air.heard(A, msgspec.json.encode(Epoch(A, "e-1", number, 5, 0.5, 0.6)))
    assert ear.epochs[A].epoch == 2


def test_the_heart_beats_for_the_living_alone_and_lets_everybody_look_at_the_clock() -> None:
    air, living, ticks = Air(), [A, B], threading.Event()
    heart = Heart(air, lambda: list(living), ticks.set)
    heart.start()
    eventually(lambda: {A, B} <= set(air.sent))
    assert ticks.wait(20)
    living.remove(B)
    seen = len(air.sent)
    eventually(lambda: len(air.sent) > seen + 1)
    assert air.sent[-1] == A
    heart.stop()


def test_a_heart_whose_log_is_lost_stops_quietly() -> None:
    air = Air()
    air.lost = True
    heart = Heart(air, lambda: [A], lambda: None)
    heart.start()
    eventually(lambda: not heart._thread.is_alive())
    heart.stop()


class Weather:
    """Between the workers and the ear: drops, doubles, delays, reorders and garbles, but never for too long."""

    def __init__(self, air: Air, time: Time, draw: Random, *, calm: bool) -> None:
        self._air, self._time, self._draw, self._calm = air, time, draw, calm
        self._late: list[tuple[str, bytes]] = []
        self._through: dict[str, float] = {}

    def sends(self, author: str) -> None:
        payload = msgspec.json.encode(self._draw.choice((Beat(author), Epoch(author, "e-1", 3, 5, None, 0.5))))
        must = self._time.now - self._through.get(author, -99.0) > 8.0
        kind = "pass" if self._calm or must else self._draw.choice(("pass", "drop", "late", "twice", "garble"))
        if kind in ("pass", "twice"):
            self._through[author] = self._time.now
        for _ in range({"pass": 1, "twice": 2}.get(kind, 0)):
            self._air.heard(author, payload)
        if kind == "late":
            self._late.append((author, payload))
        if kind == "garble":
            self._air.heard(author, payload[: self._draw.randrange(len(payload))])
        self._draw.shuffle(self._late)
        while self._late and self._draw.random() < 0.5:
            self._air.heard(*self._late.pop())


def played(folder: Path, draw: Random, *, calm: bool) -> Company:
    """A campaign whose scheduler hears its workers through this weather; a turn takes one second of theirs."""
    air, time = Air(), Time()
    ear = Ear(air, lambda: None, clock=time)
    weather = Weather(air, time, draw, calm=calm)
    plans = (Plan(name="one", policy="uniform"), Plan(name="two", policy="uniform", sweep=2))
    company = Company(budget=Budget(experiments=10), plans=plans, blobs=Blobs(folder))
    company.hear = ear.hear

    def before() -> None:
        time.now += 1.0
        for name in company.members:
            if name.startswith("worker"):
                weather.sends(name)

    company.play(before=before)
    return company


def payloads(company: Company) -> list[Any]:
    return [recorded.payload for recorded in company.log.read()]


def test_scrambled_pulses_change_no_fact(tmp_path: Path) -> None:
    calm = played(tmp_path, Random(0), calm=True)
    assert len(calm.ledger.completed) == 10
    for seed in range(12):
        assert payloads(played(tmp_path, Random(seed), calm=False)) == payloads(calm)


def test_the_absence_of_pulses_is_a_fact_before_it_has_consequences(tmp_path: Path) -> None:
    """The guard of the test above, tripped: a worker that is never heard is lost on the log, and the other does all."""
    air, time = Air(), Time()
    ear = Ear(air, lambda: None, clock=time)
    company = Company(budget=Budget(experiments=4), blobs=Blobs(tmp_path))
    company.hear = ear.hear

    def before() -> None:
        time.now += 1.0
        air.beat(A)

    company.play(before=before, turns=200)
    assert {lost.worker for lost in company.facts(WorkerLost)} == {B}
    assert all(lost.silence > 10.0 for lost in company.facts(WorkerLost))
    assert {a.worker for e in company.ledger.experiments.values() for a in e.attempts} == {A}
    assert len(company.ledger.completed) == 4
