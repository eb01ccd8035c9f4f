"""How fast the log is, measured beside its yardsticks in turns, in the same run on the same disk.

    python -m tests.benchmarks.log [FOLDER]        # or: just bench log

1. Append to acknowledged, every frame synced, nothing else going on, beside one fdatasync of 4 KiB: at most 3 times.
2. Experiments a second of 16 workers that train nothing, beside Optuna's journal storage with as many parameters and
   reported values, which syncs each append too: at least 30 times. An experiment of ours is three frames, assigned,
   started and completed, each under the fence of its lease and each waiting for its acknowledgement. Optuna's workers
   are 16 processes on one journal, as it is meant to be shared; the last line gives 16 threads of one process as well,
   which share a lock and a cache, without a target.

FOLDER is where the files lie, the current one when it is not given; the disk is what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import optuna
from optuna.storages.journal import JournalFileBackend

from events import facts, subjects
from events.folder import Campaign
from events.log import Fence, Frame
from events.space import Choice
from events.spaces import PAPER
from events.wire import jetstream, server
from events.wire.jetstream import JetStreamLog

NAME = "bench"
WORKERS = 16
VALUES = 15
ROUNDS = 4
OURS, THEIRS = 60, 3
"""Experiments of one worker in one round."""

IDLE = 150
"""Appends, and fdatasyncs, of one round."""


def main() -> None:
    """Measure and print."""
    where = Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=where) as name:
        folder = Path(name)
        with server.running(Campaign(folder / NAME)) as running:
            jetstream.create(running.credential("owner"), NAME).close()
            with jetstream.connect(running.credential("owner"), NAME) as log:
                syncs, appends = _alternate(log, folder / "yardstick")
                ours, processes, threads = _compare(log, folder)
    append, sync = median(appends), median(syncs)
    print(f"{'what':52} {'measured':>11} {'yardstick':>11} {'ratio':>6}  target")
    _row("append to acknowledged / fdatasync of 4 KiB", (append * 1e3, sync * 1e3, "ms"), append / sync <= 3, "<= 3")
    _row("experiments / Optuna's journal, 16 processes", (ours, processes, "/s"), ours / processes >= 30, ">= 30")
    _row("experiments / Optuna's journal, 16 threads", (ours, threads, "/s"), None, "none")
    tenth = sorted(appends)[len(appends) * 9 // 10] / sorted(syncs)[len(syncs) * 9 // 10]
    print(f"ratio of the 90th percentiles, append to fdatasync: {tenth:.1f}")


def _row(what: str, numbers: tuple[float, float, str], met: bool | None, target: str) -> None:
    measured, yardstick, unit = numbers
    verdict = {True: "met", False: "missed", None: ""}[met]
    digits = 3 if unit == "ms" else 1
    cells = f"{measured:>8.{digits}f} {unit} {yardstick:>8.{digits}f} {unit}"
    print(f"{what:52} {cells} {measured / yardstick:>6.1f}  {target} {verdict}")


def _alternate(log: JetStreamLog, path: Path) -> tuple[list[float], list[float]]:
    # In turns, so that a disk that is busy with something else is busy for both.
    syncs: list[float] = []
    appends: list[float] = []
    last = 0
    with path.open("wb", buffering=0) as file:
        for n in range(ROUNDS * IDLE):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            syncs.append(time.perf_counter() - start)
            frame = _frame("worker-idle", "p-idle", n, _completed(f"e-idle-{n}"))
            start = time.perf_counter()
            last = log.append(frame, expecting=Fence(subjects.own(NAME, "worker-idle"), last)).sequence
            appends.append(time.perf_counter() - start)
    return syncs, appends


def _compare(log: JetStreamLog, folder: Path) -> tuple[float, float, float]:
    """Return experiments a second: ours, Optuna's in processes, Optuna's in threads."""
    seconds = [0.0, 0.0, 0.0]
    shared, alone = str(folder / "processes.log"), str(folder / "threads.log")
    for journal in (shared, alone):
        _study(journal, create=True)
    for turn in range(ROUNDS):
        seconds[0] += _timed(partial(_experiments, log, turn))
        seconds[1] += _processes(shared)
        seconds[2] += _timed(partial(_study(alone).optimize, _objective, n_trials=THEIRS * WORKERS, n_jobs=WORKERS))
    ours, theirs = ROUNDS * WORKERS * OURS, ROUNDS * WORKERS * THEIRS
    return ours / seconds[0], theirs / seconds[1], theirs / seconds[2]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _experiments(log: JetStreamLog, turn: int) -> None:
    workers = [threading.Thread(target=_work, args=(log, f"{turn}-{n}")) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _work(log: JetStreamLog, name: str) -> None:
    worker, scheduler = f"worker-{name}", f"scheduler-{name}"
    number = count(1)
    for n in range(OURS):
        experiment, pack, last = f"e-{name}-{n}", f"p-{name}-{n}", 0
        said = (
            (scheduler, _assigned(experiment, pack, worker)),
            (worker, _started(experiment, pack, worker)),
            (worker, _completed(experiment)),
        )
        for author, fact in said:
            frame = _frame(author, pack, next(number), fact)
            last = log.append(frame, expecting=Fence(subjects.pack(NAME, pack), last)).sequence


def _frame(author: str, pack: str, n: int, fact: facts.Fact) -> Frame:
    return Frame(subjects.subject(NAME, "pack", pack, author), f"{author}:{n}", (fact,))


def _assigned(experiment: str, pack: str, worker: str) -> facts.Assigned:
    execution = facts.Execution()
    return facts.Assigned(
        experiment=experiment, attempt=1, pack=pack, lane=0, worker=worker, seed=7, execution=execution, at=1
    )


def _started(experiment: str, pack: str, worker: str) -> facts.Started:
    return facts.Started(
        experiment=experiment,
        attempt=1,
        pack=pack,
        lane=0,
        worker=worker,
        seed=7,
        instrument="9" * 64,
        platform={"device": "cpu", "lanes": "1", "torch": "2.11.0", "numpy": "2.3.0", "python": "3.11"},
        at=1,
    )


def _completed(experiment: str) -> facts.Completed:
    values = tuple(1 / (n + 3) for n in range(VALUES))
    return facts.Completed(
        experiment=experiment,
        attempt=1,
        validation=values[-1],
        test=values[-2],
        noise=0.03,
        epoch=VALUES,
        curves=facts.Curves(loss=values, validation=values, learning_rate=values),
        gpu_seconds=0.0,
        peak_memory=1 << 30,
        checkpoint="a" * 64,
        at=1,
    )


def _processes(journal: str) -> float:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["optuna"])
    ready, done = context.Barrier(WORKERS + 1), context.Barrier(WORKERS + 1)
    workers = [context.Process(target=_optuna_worker, args=(journal, ready, done)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    ready.wait()
    seconds = _timed(done.wait)
    for worker in workers:
        worker.join()
    return seconds


def _optuna_worker(journal: str, ready: Barrier, done: Barrier) -> None:
    study = _study(journal)
    ready.wait()
    study.optimize(_objective, n_trials=THEIRS)
    done.wait()


def _study(journal: str, *, create: bool = False) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.JournalStorage(JournalFileBackend(journal))
    return optuna.create_study(
        study_name=NAME, storage=storage, sampler=optuna.samplers.RandomSampler(seed=None), load_if_exists=not create
    )


def _objective(trial: optuna.Trial) -> float:
    for dimension in PAPER.dimensions:
        if isinstance(dimension, Choice):
            trial.suggest_categorical(dimension.name, dimension.values)
        else:
            trial.suggest_float(dimension.name, dimension.low, dimension.high, log=dimension.scale == "log")
    for step in range(VALUES):
        trial.report(1 / (step + 3), step)
    return 0.5


if __name__ == "__main__":
    main()
