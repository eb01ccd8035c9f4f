"""The bench: the child process that trains; it holds features and a device, no connection and no key.

It reads a `Setup` and then orders from standard input, one JSON line each, and writes pulses and results to standard
output. It may hang, leak or be killed without harming anyone: its parent sees the pipe close.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from actors.benches.scrutiny import Again, Control, Controlled, Repeat, Repeated
from actors.benches.setups import Setup
from actors.benches.vetting import Verified, Verify
from actors.orders import (
    Breakdown,
    Describe,
    Described,
    Epoch,
    Extract,
    Extracted,
    Order,
    Prepare,
    Prepared,
    Progress,
    Refused,
    Result,
    Run,
    Score,
    Train,
    Trained,
)
from events.facts import Canary, Execution, FailureKind
from kernels import features, instrument, lanes, outcomes, wiring
from kernels.errors import KernelsError, MissingFeatures
from kernels.files import replacing
from kernels.tasks import command, preparation

if TYPE_CHECKING:
    from actors.benches.trainer import Trainer

Line = Result | Progress | Epoch

NO_WEIGHTS = 2.0
"""Validation AP from which weights are kept: of no run."""

PARTING = 1.0
"""Seconds that a script is given less than its run."""

_orders = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder()


class Bench:
    """Carries out orders, one after the other.

    Args:
        out: where lines go; nothing else may write there.
    """

    def __init__(self, setup: Setup, out: BinaryIO) -> None:
        self._setup = setup
        self._out = out
        self._task = Path(setup.task)
        self._cache = Path(setup.cache)
        self._program = command.Program(setup.program, setup.inputs) if setup.program else None
        self._trainer = None if setup.program else _trainer(setup)

    def say(self, line: Line) -> None:
        """Write one line."""
        self._out.write(_encoder.encode(line) + b"\n")
        self._out.flush()

    def carry_out(self, order: Order) -> Result:
        """Carry out one order; what goes wrong with it is its answer."""
        try:
            return self._result(order)
        except KernelsError as error:
            return Refused(id=order.id, reason=str(error))
        except Exception:  # noqa: BLE001 # whatever an order raises is its answer; the bench goes on
            return Refused(id=order.id, reason=traceback.format_exc())

    def _result(self, order: Order) -> Result:
        match order:
            case Describe():
                result: Result = self._describe(order)
            case Train():
                result = Trained(id=order.id, ends=self._train(order))
            case Extract():
                result = self._extract(order.id, order.backbone, processes=1)
            case Control():
                result = self._control(order)
            case Prepare():
                result = self._prepare(order)
            case Verify():
                result = self._verify(order)
            case Repeat():
                result = self._repeat(order)
            case _:
                result = Refused(id=order.id, reason="a bench does not propose")
        return result

    def _describe(self, order: Describe) -> Described:
        platform, many = instrument.platform(self._setup.device), lanes.count(self._setup.device)
        if self._program is not None:
            return Described(order.id, self._program.digest, platform, 1, self._program.parts())
        seen = self._instrument()
        return Described(order.id, seen.digest, platform, many, dict(seen.parts))

    def _instrument(self) -> instrument.Instrument:
        setup = self._setup
        size = {"width": setup.width, "layers": setup.layers, "heads": setup.heads}
        return instrument.describe(self._task, self._cache, setup.backbones, **size)

    def _verify(self, order: Verify) -> Verified:
        """Run every canary on what would train now; a script has none, and is trusted as it is."""
        began = time.perf_counter()
        if self._trainer is None:
            here, seconds = self._describe(Describe(id=order.id)), time.perf_counter() - began
            return Verified(order.id, here.instrument, here.parts, (), seconds, None, here.platform)
        seen, (found, problem) = self._instrument(), self._trainer.canaries(order.split)
        told = tuple(Canary(one.name, one.subject, _told(one.seen), one.allowed, one.problem) for one in found)
        seconds, platform = time.perf_counter() - began, instrument.platform(self._setup.device)
        return Verified(order.id, seen.digest, dict(seen.parts), told, seconds, problem, platform)

    def _repeat(self, order: Repeat) -> Repeated | Refused:
        """Train under each seed, as many side by side as there are lanes."""
        here, step = self._describe(Describe(id=order.id)), lanes.count(self._setup.device)
        if here.instrument != order.instrument:
            reason = f"{order.experiment} ran under instrument {order.instrument[:12]}, here is {here.instrument[:12]}"
            return Refused(id=order.id, reason=reason)
        ends: list[Score | Breakdown] = []
        execution = Execution(micro_batches=order.micro_batches, timeout=order.timeout)
        for first in range(0, len(order.seeds), step):
            runs = tuple(
                Run(f"{order.experiment}~{first + lane + 1}", 1, lane, order.configuration, seed)
                for lane, seed in enumerate(order.seeds[first : first + step])
            )
            found = {end.experiment: end for end in self._train(Train(order.id, runs, execution, NO_WEIGHTS))}
            ends += [found[run.experiment] for run in runs]
        told = tuple(_again(seed, end) for seed, end in zip(order.seeds, ends, strict=True))
        return Repeated(order.id, here.instrument, here.platform, told)

    def _train(self, order: Train) -> tuple[Score | Breakdown, ...]:
        began = time.perf_counter()
        ends: dict[str, Score | Breakdown] = {}
        try:
            for item in self._trained(order):
                if isinstance(item, outcomes.Epoch):
                    self.say(self._epoch(order, item))
                else:
                    ends[item.experiment] = (
                        self._score(item, order) if isinstance(item, outcomes.Completed) else _breakdown(item)
                    )
        except Exception as error:  # noqa: BLE001 # a run may raise anything; that is a fact about the run
            kind: FailureKind = "missing_features" if isinstance(error, MissingFeatures) else "crashed"
            share = (time.perf_counter() - began) / len(order.runs)
            for run in order.runs:
                trace = traceback.format_exc()
                ends.setdefault(run.experiment, Breakdown(run.experiment, kind, 0, trace, share))
        return tuple(ends.values())

    def _trained(self, order: Train) -> Iterator[outcomes.Epoch | outcomes.Outcome]:
        runs = [wiring.Run(run.experiment, run.configuration, run.seed) for run in order.runs]
        if self._trainer is not None:
            return self._trainer.train(runs, order)
        return self._commanded(command.Program(self._setup.program, self._setup.inputs), runs, order)

    def _commanded(
        self, program: command.Program, runs: list[wiring.Run], order: Train
    ) -> Iterator[outcomes.Epoch | outcomes.Outcome]:
        for lane, run in enumerate(runs):
            # Ended a little before its parent would end this process, so that its own last words are told.
            timeout = (order.execution.timeout - PARTING) / len(runs)
            folder = self._task.parent / "runs" / f"{run.experiment}-{order.runs[lane].attempt}"
            yield from command.run(program, run, folder, lane=lane, timeout=max(timeout, PARTING))

    def _epoch(self, order: Train, ended: outcomes.Epoch) -> Epoch:
        found = (r.configuration.get("epochs") for r in order.runs if r.experiment == ended.experiment)
        epochs = int(next(found) or ended.epoch)
        return Epoch(
            worker=self._setup.worker,
            experiment=ended.experiment,
            epoch=ended.epoch,
            epochs=epochs,
            loss=_finite(ended.loss),
            validation=ended.validation,
        )

    def _score(self, run: outcomes.Completed, order: Train) -> Score:
        return Score(
            experiment=run.experiment,
            validation=run.validation,
            test=run.test,
            noise=run.noise,
            epoch=run.epoch,
            loss=tuple(map(_finite, run.curves.loss)),
            curve=run.curves.validation,
            learning_rate=run.curves.learning_rate,
            gpu_seconds=run.seconds,
            peak_memory=run.peak_memory,
            checkpoint=self._keep(run) if run.validation >= order.keep_from else None,
            leads={f"{lead:g}": values for lead, values in run.leads.items()},
        )

    def _keep(self, run: outcomes.Completed) -> str | None:
        if not run.checkpoint:
            return None
        folder = Path(self._setup.checkpoints)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"{run.digest}.safetensors") as partial:
            partial.write_bytes(run.checkpoint)
        return run.digest

    def _extract(self, name: str, backbone: str, *, processes: int) -> Extracted:
        began = time.perf_counter()
        made = features.extract(
            self._task,
            backbone,
            self._cache,
            processes=processes,
            progress=lambda done, total: self.say(Progress(f"features: {backbone}", done, total)),
        )
        if self._trainer is not None:
            self._trainer.forget(backbone)
        return Extracted(
            id=name,
            backbone=backbone,
            digest=made.digest,
            clips=made.clips,
            width=made.width,
            reused=made.reused == made.clips,
            seconds=time.perf_counter() - began,
            problems=made.problems,
        )

    def _prepare(self, order: Prepare) -> Prepared:
        if self._program is not None:
            return Prepared(id=order.id, clips=0, reused=0, features=())
        names = [field.name for field in dataclasses.fields(preparation.Wanted)]
        ready = preparation.prepare(
            self._task,
            preparation.Wanted(**{name: getattr(order, name) for name in names}),
            processes=order.processes,
            progress=lambda done, total: self.say(Progress("clips", done, total)),
        )
        made = tuple(self._extract(order.id, name, processes=order.processes) for name in self._setup.backbones)
        problems = ready.problems + tuple(problem for features in made for problem in features.problems)
        return Prepared(order.id, ready.clips, ready.reused, made, problems, ready.total)

    def _control(self, order: Control) -> Controlled | Refused:
        if self._trainer is None:
            return Refused(id=order.id, reason="a script has no controls of ours")
        return self._trainer.control(order)


def _trainer(setup: Setup) -> Trainer:
    from actors.benches.trainer import Trainer  # noqa: PLC0415 # torch takes seconds, and a script needs none of it

    return Trainer(setup)


def main() -> None:
    """Serve orders from standard input until it closes, which also ends what is being trained, and every helper."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    setup = msgspec.json.decode(lines.get(), type=Setup)
    bench = Bench(setup, out)
    if setup.memory is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (setup.memory, setup.memory))
    while True:
        bench.say(bench.carry_out(_orders.decode(lines.get())))


def _listen(lines: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        lines.put(line)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def _breakdown(run: outcomes.Failed) -> Breakdown:
    return Breakdown(run.experiment, run.kind, run.step, run.detail, run.seconds)


def _again(seed: int, end: Score | Breakdown) -> Again:
    if isinstance(end, Score):
        return Again(seed, end.validation, end.gpu_seconds)
    return Again(seed, None, end.gpu_seconds, f"{end.kind} at step {end.step}")


def _told(seen: float | None) -> float | None:
    return seen if seen is None else _finite(seen)


def _finite(loss: float) -> float | None:
    return loss if abs(loss) != float("inf") and loss == loss else None  # noqa: PLR0124 # NaN alone differs from itself
