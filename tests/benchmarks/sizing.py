"""What a campaign of a million experiments on a thousand workers costs, from slopes that are measured here.

    just bench sizing [EXPERIMENTS] [WORKERS]        # of the larger simulated campaign, and workers: 1,200 and 1,000

Two simulated campaigns of the unchanged roles, one a third of the other, give messages, bytes, processor time and
memory for each further experiment; a real server gives what it appends, keeps and hands out; a campaign of as many
workers gives what a decision costs. Everything is bounded: some thousands of frames, a hundred connections. The rest
is arithmetic on these slopes, and is printed as such.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from actors.judgement.budgets import Budget
from actors.orders import Beat
from actors.role import Known, News
from actors.scheduler import Scheduler
from actors.virtual.laboratory import Laboratory, Setting
from actors.vitals import EVERY, Ear
from events.facts import WorkerRetired
from events.folder import Campaign
from events.log import Fence, Frame, Recorded
from events.memory import MemoryLog
from events.subjects import own, pulse, subject
from events.wire import jetstream, server
from events.wire.connection import Connection
from events.wire.jetstream import JetStreamLog
from events.wire.server import Running
from replay.fleet import Fleet

MILLION, SECONDS = 1_000_000, 390.0
"""Experiments to size for, and how long one takes: the middle of the paper's 3 to 10 minutes."""

WRITERS, APPENDS, CONNECTIONS, BEATS, DECISIONS = 16, 40, 100, 20_000, 20


def main() -> None:
    """Print the slopes, and what they come to."""
    experiments, workers = (int(word) for word in (*sys.argv[1:3], *("1200", "1000")[len(sys.argv[1:3]) :]))
    small, large = (_played(many, 16) for many in (experiments // 3, experiments))
    more = large.experiments - small.experiments
    frames, size = (large.frames - small.frames) / more, (large.bytes - small.bytes) / more
    print(f"slopes, from {small.experiments} to {large.experiments} simulated experiments")
    _row("messages an experiment", f"{frames:.2f}", ", ".join(f"{n} {many:.2f}" for n, many in large.kinds()))
    _row("bytes an experiment", f"{size:.0f}", f"{size / frames:.0f} a message, {large.candidates:.1f} candidates each")
    folding = (large.folding - small.folding) / more
    memory = (large.memory - small.memory) / more
    _row(
        "a role's fold",
        f"{folding * 1e6:.0f} us",
        f"of processor time an experiment, {folding / frames * 1e6:.0f} a message",
    )
    _row("a role's memory", f"{memory:.0f} B", "an experiment, resident")
    with tempfile.TemporaryDirectory() as folder, server.running(Campaign(Path(folder) / "sim")) as running:
        served = _served(running, large.log)
    _row("appended", f"{served.appended:.0f} /s", f"{WRITERS} fenced writers, every message synced")
    _row("handed out", f"{served.read:.0f} /s", f"messages to one reader, {served.read * size / frames / 1e6:.0f} MB/s")
    _row("store", f"{served.stored:.0f} B", "on the disk a message")
    _row("server's memory", f"{served.memory:.0f} B", f"a message; {served.connection / 1e3:.0f} kB a connection")
    _row("pulses", f"{served.pulses:.0f} /s", "into one listener")
    heard, looked = _ear(workers)
    _row("a pulse heard", f"{heard * 1e6:.1f} us", f"a look at {workers} workers {looked * 1e3:.2f} ms")
    few, many = _decision(50, experiments), _decision(workers, experiments)
    _row("a decision", f"{many * 1e3:.2f} ms", f"of the scheduler with {workers} workers; {few * 1e3:.2f} ms with 50")
    slopes = _Slopes(frames=frames, size=size, folding=folding, memory=memory, decision=many)
    _come_to(slopes, served, workers)


class _Slopes(msgspec.Struct):
    frames: float
    size: float
    folding: float
    memory: float
    decision: float


def _come_to(each: _Slopes, served: _Served, workers: int) -> None:
    rate, messages = workers / SECONDS, MILLION * each.frames
    print(f"\n{MILLION:,} experiments of {SECONDS:g} s on {workers} workers: {MILLION / rate / 86400:.1f} days")
    _row("experiments a second", f"{rate:.2f}", f"{rate * each.frames:.1f} messages, {rate * each.size / 1e3:.1f} kB")
    _row("messages", f"{messages / 1e6:.1f} million", f"{MILLION * each.size / 1e9:.1f} GB of facts")
    _row(
        "store", f"{messages * served.stored / 1e9:.1f} GB", f"{messages * served.memory / 1e9:.1f} GB of memory there"
    )
    folded = f"and {MILLION * each.folding / 60:.0f} minutes to fold all of it"
    _row("one role, one lending process", f"{MILLION * each.memory / 1e9:.1f} GB", folded)
    _row("who joins late reads", f"{messages / served.read / 60:.0f} min", "from the server, beside folding")
    print("\nshare of what one core, one server can do, at the end of it")
    shares = {
        "appends": rate * each.frames / served.appended,
        "the scheduler, folding and deciding": rate * (each.folding + each.frames * each.decision),
        "pulses into one ear": workers / EVERY / served.pulses,
        f"the log handed to {workers} processes": rate * each.frames * workers / served.read,
    }
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        _row(name, f"{share:.1%}", f"full at {workers / share ** BREAKS.get(name, 1.0):,.0f} workers")


BREAKS = {f"the log handed to {workers} processes": 0.5 for workers in (100, 1000, 10_000)}
"""What grows with the square of the workers: each message goes to each of them."""


class _Played(msgspec.Struct):
    log: MemoryLog
    experiments: int
    candidates: float
    frames: int
    bytes: int
    folding: float
    memory: float
    aggregates: dict[str, int]

    def kinds(self) -> list[tuple[str, float]]:
        """Messages an experiment, by aggregate."""
        return [(name, many / self.experiments) for name, many in sorted(self.aggregates.items(), key=lambda i: -i[1])]


class _Served(msgspec.Struct):
    appended: float
    read: float
    stored: float
    memory: float
    connection: float
    pulses: float


def _played(experiments: int, devices: int) -> _Played:
    log = MemoryLog("sim")
    Laboratory(Setting(experiments=experiments, devices=devices, bugs=()), log).play()
    frames = [Recorded(r.sequence, r.subject, r.id, r.payload) for r in log.read()]
    gc.collect()
    before, began = _resident(os.getpid()), time.process_time()
    known = Known()
    known.advance(frames)
    folding = time.process_time() - began
    memory = _resident(os.getpid()) - before
    return _Played(
        log=log,
        experiments=len(known.ledger.completed),
        candidates=len(known.ledger.ideas) / len(known.ledger.completed),
        frames=len(frames),
        bytes=sum(len(recorded.payload) for recorded in frames),
        folding=folding,
        memory=memory,
        aggregates=Counter(recorded.subject.split(".")[2] for recorded in frames),
    )


def _served(running: Running, told: MemoryLog) -> _Served:
    folder = running.folder
    with jetstream.create(running.credential("owner"), "sim") as log:
        memory, disk = _resident(running.pid), _on_disk(folder.store)
        log.restore(told.read())
        many = log.last()
        stored, kept = (_on_disk(folder.store) - disk) / many, (_resident(running.pid) - memory) / many
        began = time.perf_counter()
        assert sum(1 for _ in log.read()) == many
        read = many / (time.perf_counter() - began)
        appended = _appended(running)
        pulses = _pulsed(running, log)
    before = _resident(running.pid)
    open_ = [Connection(running.credential("owner")) for _ in range(CONNECTIONS)]
    connection = (_resident(running.pid) - before) / CONNECTIONS
    for one in open_:
        one.close()
    return _Served(appended, read, stored, max(kept, 0.0), max(connection, 0.0), pulses)


def _pulsed(running: Running, log: JetStreamLog) -> float:
    """Pulses a second that one listener takes in while others send them as fast as they can."""
    came, many = threading.Event(), itertools.count(1)
    log.subscribe_pulses(lambda author, payload: came.set() if next(many) == BEATS else None)
    log.last()
    with jetstream.connect(running.credential("owner"), "sim") as other:
        beat = msgspec.json.encode(Beat("worker-0"))

        async def send() -> None:
            for _ in range(BEATS):
                await other.connection.publish(pulse("sim", "worker-0"), beat)

        began = time.perf_counter()
        other.connection.run(send())
        came.wait(60)
        return BEATS / (time.perf_counter() - began)


def _appended(running: Running) -> float:
    """Messages a second of writers who each wait for the last one, as roles and workers do."""
    logs = [jetstream.connect(running.credential("owner"), "sim") for _ in range(WRITERS)]
    threads = [threading.Thread(target=_write, args=(log, f"worker-{n}")) for n, log in enumerate(logs)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for log in logs:
        log.close()
    return WRITERS * APPENDS / seconds


def _write(log: JetStreamLog, author: str) -> None:
    last = 0
    for number in range(1, APPENDS + 1):
        fact = WorkerRetired(worker=author, reason="x" * 400)
        frame = Frame(subject("sim", "worker", author, author), f"{author}:{number}", (fact,))
        last = log.append(frame, expecting=Fence(own("sim", author), last)).sequence


class _Silent:
    def __init__(self) -> None:
        self.heard: Callable[[str, bytes], None] = lambda author, payload: None

    def publish_pulse(self, author: str, payload: bytes) -> None:
        """Send nothing."""

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Keep whom to tell."""
        self.heard = heard
        return lambda: None


def _ear(workers: int) -> tuple[float, float]:
    """Processor time of a pulse that is heard, and of a look at everybody."""
    pulses = _Silent()
    ear, known = Ear(pulses, lambda: None), _present(workers)
    payload = {name: msgspec.json.encode(Beat(name)) for name in known.fleet.workers}
    began = time.process_time()
    for name, beat in payload.items():
        pulses.heard(name, beat)
    heard = (time.process_time() - began) / workers
    began = time.process_time()
    for _ in range(DECISIONS):
        ear.hear(known)
    return heard, (time.process_time() - began) / DECISIONS


class _Fleet(msgspec.Struct):
    fleet: Fleet


def _present(workers: int) -> _Fleet:
    from replay.fleet import Worker

    row = {"device": "cpu", "lanes": 1, "platform": {}, "instrument": "x", "joined_at": 0}
    return _Fleet(Fleet(workers={f"worker-{n}": Worker(worker=f"worker-{n}", **row) for n in range(workers)}))


def _decision(workers: int, experiments: int) -> float:
    """Processor time of one decision in the middle of a campaign of so many workers."""
    log = MemoryLog("sim")
    Laboratory(Setting(experiments=max(experiments, 2 * workers), devices=workers, bugs=()), log).play()
    frames = list(log.read())
    known, scheduler = Known(), Scheduler(Budget(experiments=MILLION), agents=2, silence=1e9)
    known.advance(frames[: len(frames) * 2 // 3])
    now = max(fact.at for fact in frames[len(frames) * 2 // 3].facts)
    scheduler.decide(known, now, News())
    began = time.process_time()
    for _ in range(DECISIONS):
        scheduler.decide(known, now, News())
    return (time.process_time() - began) / DECISIONS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _row(what: str, number: str, words: str = "") -> None:
    print(f"  {what:<42}{number:>14}  {words}")


if __name__ == "__main__":
    main()
