"""How fast a full-size log is measured: archive to all exact measures and the digest, against decoding it alone.

    just bench replay                        # 10,469 experiments unless told otherwise: `just bench replay 2000`
    just bench replay --facts 1000000        # how time and memory grow, up to so many facts

The first table is of the campaign that `myriad simulate` plays: four ideas for each experiment, curves of 16 epochs in
the mean. It ends with the rows of a synthetic log, the dearest that we know: seeded draws from the space, four ideas a
cycle of which one runs, curves of 15 epochs, each verdict a frame of its own, which makes it two and a half times as
many frames. The second table is of synthetic logs too. Every time is processor time until the answer is there, not
until it is forgotten. The first table holds the best of nine turns where something is promised, else of three, in one
process, and loads in that process studies of the same size from Optuna's journal storage: of the experiments alone, and
of all the ideas, as our log holds them. Each row of the second table is one process of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from events.archives import archive
from events.facts import Curves
from events.log import LogReader, Recorded
from events.space import Choice, Dimension, Space
from replay.controls import ControlsFold
from replay.fleet import FleetFold
from replay.measures import MEASURES, Measurement
from replay.metrics import METRICS, metric
from replay.moments.snapshots import Timeline
from replay.statistics.findings import FINDINGS
from tests.benchmarks.simulation import played
from tests.chronicle import SPACE, Chronicle

FULL = 10_469
"""Completed runs of the paper's campaign."""

TURNS, PROMISED_TURNS = 3, 9
EVERY = 10
PROMISED = 6.0
"""Times that decoding alone takes; and times that Optuna needs of what we need."""


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


LOGS: dict[str, Callable[[int], LogReader]] = {"simulated": played, "synthetic": lambda many: synthetic(many).log}
"""What the first table is of; each is told how many experiments to complete."""


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time of the quickest of three turns; a busy machine slows all of them alike."""
    return min(spent(work) for _ in range(TURNS))


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time that one turn takes until its answer is there."""
    began = time.process_time()
    answer = work()
    seconds = time.process_time() - began
    del answer  # what forgetting it takes is nobody's wait
    return seconds


def decoded(path: Path) -> int:
    """Open, verify and decode; nothing else."""
    return sum(len(frame.facts) for frame in archive.open_file(path).read())


def measured(path: Path) -> Measurement:
    """Open, verify, decode, and measure to the digest."""
    measurement = Measurement()
    measurement.advance(archive.open_file(path).read())
    measurement.values()
    measurement.digest()
    return measurement


def read_out(path: Path) -> Measurement:
    """All that, and every exact measure as it went: the metrics by name, each with its series or table."""
    measurement = measured(path)
    for name in METRICS:
        metric(measurement, name)
    return measurement


def live(frames: Iterable[Recorded]) -> tuple[float, float]:
    """Seconds that values and digests take when asked for every ten completions: in all, and the slowest."""
    measurement, times, asked = Measurement(), [0.0], 0
    for frame in frames:
        measurement.advance((frame,))
        if (completed := len(measurement.ledger.completed)) >= asked + EVERY:
            asked = completed
            times.append(spent(lambda: (measurement.values(), measurement.digest())))
    return sum(times), max(times)


def travelled(path: Path, *, journeys: int = 60) -> tuple[float, list[float]]:
    """Seconds to fold with marks on the way, and seconds of each journey to a random position, ascending."""
    log, chance = archive.open_file(path), random.Random(0)
    timeline = Timeline(log, *MEASURES, FleetFold(), ControlsFold())
    folded = spent(timeline.catch_up)
    gc.freeze()
    positions = [log.last(), *(chance.randint(0, log.last()) for _ in range(journeys - 1))]
    return folded, sorted(spent(lambda position=position: timeline.at(position).results()) for position in positions)


class _Lines(BaseJournalBackend):
    """What Optuna would write to a journal file, kept in memory so that writing it takes seconds, not minutes."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        return iter(self.logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self.logs.extend(logs)


def journal(path: Path, measurement: Measurement, *, ideas: bool) -> None:
    """Write the log as an Optuna study: a trial for each experiment, or for each idea, those declined as pruned.

    The calls are those of ask, suggest, report and tell; the study's sampler is left out, since the values are known.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend, ledger, space = _Lines(), measurement.ledger, space_of(measurement)
    distributions = {dimension.name: distribution(dimension) for dimension in space.dimensions}
    storage = JournalStorage(backend)
    study = storage.create_new_study([StudyDirection.MAXIMIZE], "campaign")
    names = [ledger.experiments[name].idea for name in ledger.completed]
    for idea in (ledger.ideas[name] for name in (ledger.ideas if ideas else names)):
        trial = storage.create_new_trial(study)
        for dimension in space.active(idea.configuration):
            of = distributions[dimension.name]
            internal = of.to_internal_repr(idea.configuration[dimension.name])
            storage.set_trial_param(trial, dimension.name, internal, of)
        outcome = ledger.experiments[idea.experiment].outcome if idea.experiment is not None else None
        if outcome is None:
            storage.set_trial_state_values(trial, TrialState.PRUNED)
            continue
        for epoch, value in enumerate(outcome.curves.validation):
            storage.set_trial_intermediate_value(trial, epoch, value)
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [outcome.validation])
    with path.open("w") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in backend.logs)


def space_of(measurement: Measurement) -> Space:
    """Return the space that a log's opening names."""
    assert measurement.ledger.space is not None
    return measurement.ledger.space


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return a dimension as Optuna knows it."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.scale == "log")


def loaded(path: Path) -> list[FrozenTrial]:
    """Let Optuna load the study."""
    storage = JournalStorage(JournalFileBackend(str(path)))
    return optuna.load_study(study_name="campaign", storage=storage).get_trials(deepcopy=False)


def compare(experiments: int) -> None:
    """Print the first table."""
    with tempfile.TemporaryDirectory() as folder:
        campaign, dearest = (_written(log, experiments, Path(folder)) for log in LOGS)
        plain = _weighed(campaign)
        _against_ideas(campaign)
        series = best(lambda: read_out(campaign))
        print(f"and every series  {series:.2f} s with decoding, {series / plain:.2f} x decoding")
        _apart(measured(campaign))
        total, slowest = live(archive.open_file(campaign).read())
        asked = f"values and digest every {EVERY}, the slowest {slowest * 1e3:.1f} ms"
        print(f"live analyst      {total:.2f} s for {asked}")
        folded, journeys = travelled(campaign)
        middle, slow = journeys[len(journeys) // 2], journeys[-1]
        reached = f"{middle * 1e3:.0f} ms to a position, {slow * 1e3:.0f} ms to the worst of {len(journeys)}"
        print(f"time travel       {folded:.2f} s with marks on the way; then {reached}")
        _weighed(dearest)


def _written(log: str, experiments: int, folder: Path) -> Path:
    """Let another process make a log, so that this one begins as small as one that was asked to read it."""
    path = folder / f"{log}.myriad"
    command = [sys.executable, "-m", "tests.benchmarks.replay", str(experiments), "--write", log, "--into", str(path)]
    subprocess.run(command, check=True)
    return path


def _weighed(path: Path) -> float:
    """Print what a log holds, and what decoding and measuring it take, beside Optuna; return the first, in seconds.

    The three take turns, so that an hour at which the machine is slow is slow for all of them.
    """
    log, measurement, study = archive.open_file(path), measured(path), path.with_suffix(".log")
    ledger = measurement.ledger
    held = f"{len(ledger.completed)} experiments, {len(ledger.ideas)} ideas, {decoded(path)} facts"
    print(f"{path.stem + ' log':17} {held}, {log.last()} frames, archive {log.size / 1e6:.1f} MB")
    journal(study, measurement, ideas=False)
    del ledger, measurement
    works: tuple[Callable[[], object], ...] = (lambda: decoded(path), lambda: measured(path), lambda: loaded(study))
    turns = [[spent(work) for work in works] for _ in range(PROMISED_TURNS)]
    plain, exact, theirs = map(min, zip(*turns, strict=True))
    print(f"decode alone      {plain:.2f} s")
    print(
        f"measures, digest  {exact:.2f} s with decoding, {exact / plain:.2f} x decoding (promised at most {PROMISED:g})"
    )
    told = f"{theirs / exact:.2f} x all of ours (promised at least {PROMISED:g})"
    print(f"Optuna loads      {theirs:.2f} s, {_study(study, 'experiments')}: {told}")
    return plain


def _against_ideas(path: Path) -> None:
    """Print what Optuna takes to load a trial for each idea, as our log holds them."""
    study = path.with_suffix(".ideas.log")
    journal(study, measured(path), ideas=True)
    exact, seconds = best(lambda: measured(path)), best(lambda: loaded(study))
    print(f"Optuna loads      {seconds:.2f} s, {_study(study, 'ideas')}: {seconds / exact:.2f} x all of ours")


def _study(path: Path, name: str) -> str:
    return f"a study of {len(loaded(path))} trials, our {name}, journal {path.stat().st_size / 1e6:.1f} MB"


def _apart(measurement: Measurement) -> None:
    """Time what resamples, permutes or fits: none of it is part of the digest."""
    times = {name: spent(lambda name=name: metric(measurement, name)) for name in FINDINGS}
    slowest = sorted(times, key=lambda name: -times[name])[:4]
    told = ", ".join(f"{name} {times[name]:.2f}" for name in slowest)
    print(f"statistics apart  {sum(times.values()):.2f} s for {len(times)} of them; the longest {told}")


def grow(facts: int) -> None:
    """Print the second table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.myriad"
        experiments = math.ceil(facts / 13)
        archive.export(synthetic(experiments).log, path)
        print(
            f"{'facts':>10} {'seconds':>8} {'of it decoding':>15} {'us a fact':>10} {'peak MB':>8} {'bytes a fact':>13}"
        )
        rows = [_row(path, facts // part) for part in (16, 8, 4, 2, 1)]
    xs, ys = [math.log(row[0]) for row in rows], [math.log(row[1]) for row in rows]
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    print(f"time grows as facts to the power {slope / math.fsum((x - mean_x) ** 2 for x in xs):.3f}; 1 is linear")


def _row(path: Path, facts: int) -> tuple[int, float]:
    command = [sys.executable, "-m", "tests.benchmarks.replay", "--measure", str(path), "--facts", str(facts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    many, seconds, decoding, peak, empty = json.loads(done.stdout)
    each = f"{seconds / many * 1e6:9.1f}  {peak / 1e6:7.0f}  {(peak - empty) / many:12.0f}"
    print(f"{many:10}  {seconds:7.2f}  {decoding:14.2f}  {each}", flush=True)
    return many, seconds


def measure(path: Path, facts: int) -> None:
    """Measure the first facts of an archive; print how many, seconds, those of decoding, peak memory, and before."""
    empty, frames, many = _peak(), 0, 0
    began = time.process_time()
    for frame in archive.open_file(path).read():
        frames, many = frames + 1, many + len(frame.facts)
        if many >= facts:
            break
    decoding = time.process_time() - began
    measurement = Measurement()
    began = time.process_time()
    measurement.advance(islice(archive.open_file(path).read(), frames))
    measurement.values()
    measurement.digest()
    print(json.dumps([many, time.process_time() - began, decoding, _peak(), empty]))


def _peak() -> int:
    """Bytes of the most memory that this process ever held; `ru_maxrss` would begin with that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(prog="just bench replay")
    parser.add_argument("experiments", nargs="?", type=int, default=FULL)
    parser.add_argument("--facts", type=int)
    parser.add_argument("--write", choices=LOGS, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write is not None:
        archive.export(LOGS[asked.write](asked.experiments), asked.into)
    elif asked.measure is not None:
        measure(asked.measure, asked.facts)
    elif asked.facts is not None:
        grow(asked.facts)
    else:
        compare(asked.experiments)


if __name__ == "__main__":
    main()
