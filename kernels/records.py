"""What becomes of each lane while it trains: its curves, its best epoch, and the outcome at the end."""

import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels import checkpoints, evaluation, foresight, precision
from kernels.checkpoints import Checkpoint
from kernels.datasets import Dataset, Part
from kernels.forward import Forward
from kernels.network import Network
from kernels.outcomes import Completed, Curves, Epoch, Failed, Outcome
from kernels.plans import Plan
from kernels.pooling import one_hot
from kernels.watching import Watch, nobody
from kernels.wiring import Pack

Floats = NDArray[np.float32]


@dataclass
class _Record:
    """One lane's history; `scores` are the validation logits of the best epoch."""

    losses: list[float] = field(default_factory=list)
    validations: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    bad_step: int | None = None
    scores: Floats = field(default_factory=lambda: np.empty(0, np.float32))


class Records:
    """Judges every lane of a pack after each epoch, and keeps the parameters of its best one."""

    def __init__(
        self, pack: Pack, data: Dataset, network: Network, plan: Plan, flat: Tensor, *, watch: Watch = nobody
    ) -> None:
        """Starts from the first parameters `flat` (E, P); on a GPU the peak of memory is counted from here."""
        self._pack, self._data, self._network, self._plan, device = pack, data, network, plan, flat.device
        self._records, self._watch = [_Record() for _ in pack.lanes], watch
        names = [lane.pooling for lane in pack.lanes]
        self._poolings = one_hot(names + names[:1] * (pack.capacity - len(names))).to(device)
        self._best, self._device = flat.clone(), device
        self._best_progress = torch.zeros(pack.capacity, device=device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def judge(self, epoch: int, flat: Tensor, losses: list[float], first_bad: list[int]) -> Iterator[Epoch]:
        """Scores the validation clips after an epoch (from 0) and reports the lanes that took part in it."""
        done = (epoch + 1) * self._plan.epoch_steps
        progress = self._progress(done)
        scores = self._score(self._data.validation, flat, progress)
        self._watch("validation", scores=torch.from_numpy(scores), flat=flat, progress=progress)
        for number, (lane, record) in enumerate(zip(self._pack.lanes, self._records, strict=True)):
            if epoch >= lane.epochs or record.bad_step is not None:
                continue
            if first_bad[number] >= 0 or not np.isfinite(scores[number]).all():
                record.bad_step = first_bad[number] if first_bad[number] >= 0 else done - 1
                continue
            value = precision.average_precision(scores[number], self._data.validation.labels)
            if value > max(record.validations, default=-1.0):
                self._best[number], self._best_progress[number] = flat[number], progress[number]
                record.scores = scores[number]
            record.losses.append(losses[number])
            record.validations.append(value)
            record.rates.append(float(self._plan.rates[done - 1, number]))
            yield Epoch(lane.experiment, number, epoch + 1, losses[number], value)

    def all_diverged(self) -> bool:
        """Whether no run is left to train."""
        return all(record.bad_step is not None for record in self._records)

    def outcomes(self) -> Iterator[Outcome]:
        """One outcome a lane; its time is left for whoever holds the clock."""
        tests = self._score(self._data.test, self._best, self._best_progress)
        self._watch("test", scores=torch.from_numpy(tests), flat=self._best, progress=self._best_progress)
        for number, record in enumerate(self._records):
            yield (
                self._failed(number, record)
                if record.bad_step is not None
                else self._completed(number, record, tests[number])
            )

    def _failed(self, number: int, record: _Record) -> Failed:
        experiment, step = self._pack.lanes[number].experiment, record.bad_step or 0
        return Failed(experiment, number, "diverged", step, f"the loss was not finite at step {step}", 0.0)

    def _completed(self, number: int, record: _Record, test_scores: Floats) -> Completed:
        content = checkpoints.encode(self._checkpoint(number))
        best = int(np.argmax(record.validations))
        return Completed(
            experiment=self._pack.lanes[number].experiment,
            lane=number,
            validation=record.validations[best],
            test=precision.average_precision(test_scores, self._data.test.labels),
            noise=precision.noise(record.scores, self._data.validation.labels),
            epoch=best + 1,
            curves=Curves(tuple(record.losses), tuple(record.validations), tuple(record.rates)),
            seconds=0.0,
            peak_memory=self._peak_memory(),
            checkpoint=content,
            digest=checkpoints.digest(content),
            leads=self._leads(record.scores, test_scores),
        )

    def _leads(self, validation_scores: Floats, test_scores: Floats) -> dict[float, tuple[float, float]]:
        validation, test = (
            foresight.judged(part.names, scores, part.labels)
            for part, scores in ((self._data.validation, validation_scores), (self._data.test, test_scores))
        )
        return {lead: (value, test[lead]) for lead, value in validation.items() if lead in test}

    def _checkpoint(self, number: int) -> Checkpoint:
        views = self._network.blueprint.views(self._best[number : number + 1])
        arrays = {name: view[0].cpu().numpy() for name, view in views.items()}
        shape, lane = self._pack.shape, self._pack.lanes[number]
        description = (
            asdict(shape)
            | asdict(self._network.size)
            | {
                "inputs": len(self._data.mean),
                "pooling": lane.pooling,
                "progress": float(self._best_progress[number]),
                "features": self._data.digest,
            }
        )
        return Checkpoint(arrays | {"input.mean": self._data.mean, "input.spread": self._data.spread}, description)

    def _progress(self, done: int) -> Tensor:
        ends = [self._plan.epoch_steps * lane.epochs for lane in self._pack.lanes]
        ends += [1] * (self._pack.capacity - len(ends))
        return torch.tensor([min(done / end, 1.0) for end in ends], device=self._device)

    def _score(self, part: Part, flat: Tensor, progress: Tensor) -> Floats:
        x = torch.from_numpy(part.values[:, -self._pack.shape.length :]).to(self._device)
        mask = torch.ones(x.shape[:2], dtype=torch.bool, device=self._device)
        through = Forward(self._network.blueprint.views(flat), progress, self._poolings)
        return evaluation.score(self._network, through, x, mask, self._pack.shape.batch)

    def _peak_memory(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        # Linux counts in KiB, macOS in bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
