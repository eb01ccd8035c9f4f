"""From configuration mappings to a pack: the one way a run is described to this room, without torch.

A configuration is a plain mapping with every key of `KEYS`, plus those its loss asks for, and nothing else. What a
campaign may search is the campaign's affair; here a value is refused only when it could not be trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from kernels.encoders import ENCODERS
from kernels.errors import BadConfiguration, MixedPack

LONGEST = 32  # steps a clip has
POOLINGS = ("attention", "mean", "last", "max")
LOSSES = ("focal", "bce", "label_smoothing")
SCHEDULERS = ("cosine", "linear", "step")


Stage = Literal["parameters", "schedule", "batch", "forward", "loss", "gradient", "update"]


@dataclass(frozen=True)
class Shape:
    """What the runs of one pack share: their tensors' sizes and the features they read."""

    backbone: str
    encoder: str
    length: int
    batch: int


@dataclass(frozen=True)
class Lane:
    """One run's own values; `focal_gamma`, `focal_alpha` and `smoothing` are None where the loss does not use them."""

    experiment: str
    seed: int
    pooling: str
    loss: str
    scheduler: str
    epochs: int
    learning_rate: float
    weight_decay: float
    dropout: float
    oversampling: float
    mixup: float
    noise: float
    focal_gamma: float | None
    focal_alpha: float | None
    smoothing: float | None


@dataclass(frozen=True)
class Run:
    """An experiment to be wired: its name, its configuration and the seed of all its randomness (0 to 2^63 - 1)."""

    experiment: str
    configuration: Mapping[str, Any]
    seed: int


@dataclass(frozen=True)
class Pack:
    """Runs of one shape to be trained together; lanes beyond `lanes` are padding up to `capacity`."""

    shape: Shape
    lanes: tuple[Lane, ...]
    capacity: int


@dataclass(frozen=True)
class _Rule:
    stages: tuple[Stage, ...]
    allowed: str
    holds: Callable[[Any], bool]


def _one_of(stage: Stage, values: Sequence[str]) -> _Rule:
    return _Rule((stage,), " | ".join(values), lambda value: value in values)


def _whole(*stages: Stage, low: int, high: int) -> _Rule:
    return _Rule(
        stages,
        f"a whole number from {low} to {high}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
    )


def _number(stage: Stage, low: float, high: float, allowed: str) -> _Rule:
    return _Rule(
        (stage,),
        allowed,
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high,
    )


KEYS: dict[str, _Rule] = {
    "backbone": _Rule(("batch",), "the name of a backbone", lambda value: isinstance(value, str) and value != ""),
    "encoder": _one_of("parameters", tuple(ENCODERS)),
    "pooling": _one_of("forward", POOLINGS),
    "loss": _one_of("loss", LOSSES),
    "scheduler": _one_of("schedule", SCHEDULERS),
    "batch": _whole("batch", "schedule", low=1, high=4096),
    "length": _whole("batch", low=1, high=LONGEST),
    "epochs": _whole("schedule", low=1, high=10_000),
    "learning_rate": _number("schedule", 1e-12, 1e12, "a number above 0"),
    "weight_decay": _number("update", 0.0, 1e12, "a number from 0"),
    "dropout": _number("forward", 0.0, 0.99, "a number from 0 to 0.99"),
    "oversampling": _number("batch", 1.0, 1e3, "a number from 1 to 1000"),
    "mixup": _number("batch", 0.0, 1e3, "a number from 0 to 1000"),
    "noise": _number("batch", 0.0, 1e3, "a number from 0 to 1000"),
}
CONDITIONAL: dict[str, dict[str, _Rule]] = {
    "focal": {
        "focal_gamma": _number("loss", 0.0, 100.0, "a number from 0 to 100"),
        "focal_alpha": _number("loss", 0.0, 1.0, "a number from 0 to 1"),
    },
    "bce": {},
    "label_smoothing": {"smoothing": _number("loss", 0.0, 1.0, "a number from 0 to 1")},
}


def stages() -> dict[str, tuple[Stage, ...]]:
    """The stages of a step that each dimension acts on itself; what these feed changes with them, and nothing else."""
    rules = KEYS | {key: rule for conditional in CONDITIONAL.values() for key, rule in conditional.items()}
    return {key: rule.stages for key, rule in rules.items()}


def check(configuration: Mapping[str, Any]) -> None:
    """Refuses a configuration that has an unknown, missing or impossible key.

    Raises:
        BadConfiguration: naming the key, its value and what is allowed.
    """
    rules = KEYS | CONDITIONAL.get(str(configuration.get("loss")), {})
    for key, rule in rules.items():
        if key not in configuration:
            raise BadConfiguration(key, "missing", rule.allowed)
        if not rule.holds(configuration[key]):
            raise BadConfiguration(key, configuration[key], rule.allowed)
    for key, value in configuration.items():
        if key not in rules:
            known = ", ".join(rules)
            raise BadConfiguration(key, value, f"no such key with loss '{configuration['loss']}', but {known}")


def shape(configuration: Mapping[str, Any]) -> Shape:
    """The shape that a configuration trains in: runs of equal shape can share a pack.

    Raises:
        BadConfiguration: as `check`.
    """
    check(configuration)
    return Shape(*(configuration[key] for key in ("backbone", "encoder", "length", "batch")))


def wire(runs: Sequence[Run], *, capacity: int) -> Pack:
    """Puts runs of one shape into the lanes of a pack, in order.

    Args:
        runs: one to `capacity` runs.
        capacity: lanes of the platform (`lanes.count`).

    Raises:
        BadConfiguration: as `check`.
        MixedPack: there are too many runs, none, or runs of two shapes.
    """
    shapes = {shape(run.configuration) for run in runs}
    if len(shapes) != 1:
        raise MixedPack(f"a pack holds runs of one shape, got {len(shapes)}: {sorted(map(str, shapes))}")
    if len(runs) > capacity:
        raise MixedPack(f"a pack here has {capacity} lanes, got {len(runs)} runs")
    return Pack(shapes.pop(), tuple(map(_lane, runs)), capacity)


def _lane(run: Run) -> Lane:
    if not 0 <= run.seed < 2**63:
        raise BadConfiguration("seed", run.seed, "a whole number from 0 to 2^63 - 1")
    names = [field.name for field in fields(Lane) if field.name not in {"experiment", "seed"}]
    values: dict[str, Any] = {name: run.configuration.get(name) for name in names}
    return Lane(run.experiment, run.seed, **values)
