"""How fast a full-size log is measured: archive to all exact measures and the digest, against decoding it alone.

    just bench replay [EXPERIMENTS]          # 10,469 unless told otherwise

The log is synthetic and says nothing about a search: seeded draws from the space, four ideas a cycle of which one runs,
curves of 15 epochs. Every figure is processor time, the best of three, in one process.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from events import archive
from events.facts import Curves
from events.log import Recorded
from replay.measures import Measurement
from tests.chronicle import SPACE, Chronicle

FULL = 10_469
"""Completed runs of the paper's campaign."""

TURNS = 3
EVERY = 10


def synthetic(experiments: int, *, seed: int = 0) -> Chronicle:
    """A log of so many completed experiments and four times as many ideas."""
    chance, c = random.Random(seed), Chronicle("synthetic")
    c.opened(seed=seed)
    for turn in range(experiments):
        drawn = [{choice.name: chance.choice(choice.values) for choice in SPACE.choices} for _ in range(4)]
        kept, *others = c.cycle(("tpe", "uniform")[turn % 2], *drawn)
        for other in others:
            c.declines(other, "twin", twin=kept)
        curves = Curves(*(tuple(chance.random() for _ in range(15)) for _ in range(3)))
        c.runs(c.queues(kept), validation=chance.random(), curves=curves)
    return c


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time of the quickest of three turns; a busy machine slows all of them alike."""
    spent = []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def decoded(path: Path) -> int:
    """Open, verify and decode; nothing else."""
    return sum(len(frame.facts) for frame in archive.open_file(path).read())


def measured(path: Path) -> str:
    """Open, verify, decode, and measure to the digest."""
    measurement = Measurement()
    measurement.advance(archive.open_file(path).read())
    measurement.values()
    return measurement.digest()


def live(frames: Iterable[Recorded]) -> tuple[float, float]:
    """Seconds that values and digests take when asked for every ten completions: in all, and the slowest."""
    measurement, spent, asked = Measurement(), [0.0], 0
    for frame in frames:
        measurement.advance((frame,))
        if (completed := len(measurement.ledger.completed)) >= asked + EVERY:
            asked = completed
            began = time.process_time()
            measurement.values()
            measurement.digest()
            spent.append(time.process_time() - began)
    return sum(spent), max(spent)


def main() -> None:
    """Print the table."""
    experiments = int(sys.argv[1]) if len(sys.argv) > 1 else FULL
    c = synthetic(experiments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.myriad"
        archive.export(c.log, path)
        facts = decoded(path)
        plain, whole = best(lambda: decoded(path)), best(lambda: measured(path))
        print(f"log              {experiments} experiments, {facts} facts, archive {path.stat().st_size / 1e6:.1f} MB")
    spent, slowest = live(c.log.read())
    print(f"decode alone     {plain:.2f} s")
    print(f"all measures     {whole:.2f} s with decoding, {whole / plain:.2f} times decoding alone")
    print(f"live analyst     {spent:.2f} s for values and digest every {EVERY}, the slowest {slowest * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
