"""Packs and runs as the tests of this room describe them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kernels import training
from kernels.datasets import Dataset, Part
from kernels.outcomes import Completed, Epoch, Outcome
from kernels.wiring import Run, wire

CONFIGURATION: Mapping[str, Any] = {
    "backbone": "motion",
    "encoder": "retnet",
    "pooling": "attention",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": 16,
    "length": 8,
    "epochs": 2,
    "learning_rate": 3e-3,
    "weight_decay": 1e-2,
    "dropout": 0.0,
    "oversampling": 1.0,
    "mixup": 0.0,
    "noise": 0.0,
}
SIZE = {"width": 16, "layers": 2, "heads": 2}


def configured(**changes: Any) -> dict[str, Any]:
    """The tests' configuration with some values changed."""
    return dict(CONFIGURATION) | changes


def trained(
    data: Dataset,
    *configurations: Mapping[str, Any],
    seeds: tuple[int, ...] = (5,),
    capacity: int | None = None,
    **how: Any,
) -> list[Outcome]:
    """The outcomes of configurations trained as one pack, seeds in turn."""
    runs = [Run(f"e-{n}", configuration, seeds[n % len(seeds)]) for n, configuration in enumerate(configurations)]
    pack = wire(runs, capacity=capacity or len(runs))
    items = list(training.train(pack, data, **({"device": "cpu"} | SIZE | how)))
    return [item for item in items if not isinstance(item, Epoch)]


def shortened(data: Dataset, clips: int) -> Dataset:
    """The same data with only the first training clips."""
    part = data.train
    return replace(data, train=Part(part.names[:clips], part.values[:clips], part.labels[:clips]))


def completed(data: Dataset, configuration: Mapping[str, Any], **how: Any) -> Completed:
    """The one outcome of one configuration that must end well."""
    (outcome,) = trained(data, configuration, **how)
    assert isinstance(outcome, Completed)
    return outcome


class Lessons:
    """The outcomes of configurations on one set of data, each trained once however often it is asked for."""

    def __init__(self, data: Dataset, **how: Any) -> None:
        self._data = data
        self._how = how
        self._learned: dict[tuple[tuple[str, Any], ...], Completed] = {}

    def of(self, configuration: Mapping[str, Any]) -> Completed:
        """The outcome of one configuration, which must end well."""
        key = tuple(sorted(configuration.items()))
        if key not in self._learned:
            self._learned[key] = completed(self._data, configuration, **self._how)
        return self._learned[key]
