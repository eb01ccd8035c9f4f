"""How long a whole simulated campaign takes, step by step, and how many campaigns under faults a minute holds.

    just bench simulation [EXPERIMENTS] [SEEDS]          # 10,469 and 200 unless told otherwise

Processor time of one process, each step once. The campaign's digest is printed, so that two machines can be compared.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from actors.chaos.ordeals import ordeals
from actors.virtual.laboratory import Laboratory, Setting
from events.archives import archive
from events.memory import MemoryLog
from replay.measures import Measurement

FULL, SEEDS = 10_469, 200

T = TypeVar("T")


def timed(what: str, work: Callable[[], T]) -> T:
    """Do something, print what it took, and return what it gave."""
    began = time.process_time()
    given = work()
    print(f"{what:24} {time.process_time() - began:.2f} s")
    return given


def played(experiments: int) -> MemoryLog:
    """Play one campaign of the default setting."""
    log = MemoryLog("sim")
    Laboratory(Setting(experiments=experiments), log).play()
    return log


def main() -> None:
    """Print the table."""
    experiments, seeds = (int(word) for word in (*sys.argv[1:3], *(str(n) for n in (FULL, SEEDS)[len(sys.argv) - 1 :])))
    print(f"{experiments} experiments, simulated; {seeds} seeds of faults")
    log = timed("played", lambda: played(experiments))
    whole = sha256()
    for recorded in log.read():
        whole.update(recorded.payload)
    measurement = Measurement()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sim.myriad"
        timed("archived", lambda: archive.export(log, path))
        timed("read and measured", lambda: measurement.advance(archive.open_file(path).read()))
        print(f"{'archive':24} {path.stat().st_size / 1e6:.1f} MB, {log.last()} frames")
    ideas, completed = len(measurement.ledger.ideas), len(measurement.ledger.completed)
    print(f"{'log':24} {ideas} candidates, {completed} completed, sha256 {whole.hexdigest()[:16]}")
    failed: list[int] = []
    timed(
        "under faults", lambda: ordeals(range(1, seeds + 1), lambda one: failed.extend([one.seed] * bool(one.problems)))
    )
    print(f"{'failed seeds':24} {len(failed)}")
    print(f"{'memory at most':24} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
