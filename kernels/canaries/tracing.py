"""One run seen from inside: all that its stages made, copied while it was trained as every run is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kernels import lanes, training
from kernels.datasets import Dataset
from kernels.forward import Size
from kernels.outcomes import Completed, Epoch, Failed
from kernels.wiring import Run, Stage, wire

Made = dict[str, Tensor]


@dataclass(frozen=True)
class Subject:
    """What is to be trained: a configuration, its seed, and a network's size."""

    configuration: Mapping[str, Any]
    seed: int
    size: Size


@dataclass(frozen=True)
class Trace:
    """What the first lane made, moment by moment, in order, on the CPU; see `watching.Watch`."""

    subject: Subject
    made: Mapping[str, list[Made]]
    epochs: tuple[Epoch, ...]
    outcome: Completed | Failed

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Of the run."""
        return self.subject.configuration

    @property
    def steps(self) -> int:
        """How often the parameters were changed."""
        return len(self.made["update"])

    @property
    def first(self) -> Tensor:
        """The parameters before the first step, (size,)."""
        return self.made["parameters"][0]["flat"]

    def before(self, step: int) -> Tensor:
        """The parameters that a step began with, (size,)."""
        return self.made["update"][step - 1]["flat"] if step else self.first

    def product(self, stage: Stage) -> list[Tensor]:
        """What a stage made in the first step, where nothing yet has come round to it from a later stage."""
        if stage == "schedule":
            plan = self.made["plan"][0]
            return [plan["rates"], plan["progress"]]
        held: Mapping[str, Tensor] = self.made[stage][0]
        return list(held.values())


def trace(subject: Subject, data: Dataset, *, device: str) -> Trace:
    """Trains a run, alone in its pack, and keeps all that it made.

    Raises:
        BadConfiguration: as `wiring.wire`.
    """
    made: dict[str, list[Made]] = {}

    def watch(moment: str, **seen: Tensor) -> None:
        axis = 1 if moment == "plan" else 0
        kept = {name: value.detach().select(axis, 0).to("cpu", copy=True) for name, value in seen.items()}
        made.setdefault(moment, []).append(kept)

    pack = wire([Run("canary", subject.configuration, subject.seed)], capacity=lanes.count(device))
    size = subject.size
    *epochs, outcome = training.train(
        pack, data, device=device, width=size.width, layers=size.layers, heads=size.heads, watch=watch
    )
    if isinstance(outcome, Epoch):
        raise ArithmeticError("a run ended without an outcome")
    return Trace(subject, made, tuple(e for e in epochs if isinstance(e, Epoch)), outcome)


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    """Whether two products are the same bits."""
    return len(one) == len(other) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )


def apart(one: list[Tensor], other: list[Tensor]) -> float:
    """How far two products are apart: the greatest difference, or by how many values the one has more."""
    if any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
        return float(abs(sum(a.numel() for a in one) - sum(b.numel() for b in other)))
    return max(float((a.double() - b.double()).abs().max()) for a, b in zip(one, other, strict=True) if a.numel())
