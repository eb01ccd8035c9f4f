"""No dead dimension: each, changed alone from a random base, changes what its stages make, and nothing it must not."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch

from kernels.canaries import made, oracles, tracing
from kernels.canaries.canary import ALLOWED, Canary, Misfit
from kernels.canaries.tracing import Subject, Trace
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.forward import Size
from kernels.outcomes import Failed
from kernels.wiring import CONDITIONAL, LOSSES, POOLINGS, SCHEDULERS, Stage, stages

VALUES: Mapping[str, tuple[Any, ...]] = {
    "backbone": made.BACKBONES,
    "encoder": tuple(ENCODERS),
    "pooling": POOLINGS,
    "loss": LOSSES,
    "scheduler": SCHEDULERS,
    "batch": (8, 12, 16),
    "length": (8, 12, 32),
    "epochs": (2, 3, 4),  # no fewer: in three steps a cosine and a line are the same schedule
    "learning_rate": (3e-3, 1e-2, 2e-2),
    "weight_decay": (0.0, 0.05, 0.2),
    "dropout": (0.0, 0.2, 0.4),
    "oversampling": (1.0, 2.0, 3.0),
    "mixup": (0.0, 0.2, 0.4),
    "noise": (0.0, 0.1, 0.3),
    "focal_gamma": (0.0, 2.0, 3.0),
    "focal_alpha": (0.25, 0.5, 0.75),
    "smoothing": (0.05, 0.1, 0.2),
}
FEEDS: Mapping[Stage, tuple[Stage, ...]] = {
    "parameters": ("forward",),
    "schedule": ("forward", "update"),  # the bypass of Zipformer opens with the run's progress
    "batch": ("forward", "loss"),
    "forward": ("loss",),
    "loss": ("gradient",),
    "gradient": ("update",),
    "update": (),
}
SEED: tuple[Stage, ...] = ("parameters", "batch")


class Laboratory:
    """Traces runs on made data, each configuration once.

    Args:
        seed: of the base, the data and the runs.
    """

    def __init__(self, seed: int, *, size: Size, device: str) -> None:
        self.seed, self.size, self.device = seed, size, device
        self._data: dict[str, Dataset] = {name: made.mechanical(seed, backbone=name) for name in made.BACKBONES}
        self._traces: dict[str, Trace] = {}

    @property
    def allowed(self) -> float:
        """How far what must be the same may be apart on this device."""
        return ALLOWED[self.device.partition(":")[0]]

    def refuses(self, misfit: Misfit) -> bool:
        """Whether it is more than rounding; what is not a number always is."""
        return not misfit.error <= self.allowed

    def trace(self, configuration: Mapping[str, Any], seed: int | None = None) -> Trace:
        """What a run does; raises whatever it raises."""
        subject = Subject(configuration, self.seed if seed is None else seed, self.size)
        key = f"{sorted(configuration.items())} {subject.seed}"
        if key not in self._traces:
            data = self._data[configuration["backbone"]]
            self._traces[key] = tracing.trace(subject, data, device=self.device)
        return self._traces[key]

    def misfits(self, seen: Trace) -> list[Misfit]:
        """How a run did other than its configuration says; see `oracles`."""
        return oracles.misfits(seen, self._data[seen.configuration["backbone"]], allowed=self.allowed)


def base(seed: int) -> dict[str, Any]:
    """A configuration drawn from `VALUES`."""
    rng = made.generator(seed, made.STREAM + 21)
    drawn = {name: values[int(rng.integers(len(values)))] for name, values in VALUES.items()}
    return _conditioned(drawn, drawn["loss"])


def canaries(laboratory: Laboratory) -> Iterator[Canary]:
    """Whether each stage of the base is what it must be; then one canary for each dimension, and the seed.

    A value that cannot be told from another, or from its absence, is a problem of its dimension.
    """
    whole, start = _whole(laboratory.seed), base(laboratory.seed)
    found = _attempted(laboratory, start)
    blamed = {misfit.stage for misfit in found if laboratory.refuses(misfit)}
    for stage in (*FEEDS, "evaluation", *(["wiring"] if "wiring" in blamed else [])):
        here = (misfit for misfit in found if misfit.stage == stage)
        worst = max(here, key=lambda misfit: misfit.error, default=Misfit(stage, 0.0, ""))
        yield Canary("stage", stage, worst.error, laboratory.allowed, worst.problem if stage in blamed else None)
    if "wiring" in blamed:
        return
    for name, values in VALUES.items():
        own = _conditioned(whole, _CONDITIONS.get(name, start["loss"]))
        yield _dimension(laboratory, name, {value: _with(whole, own, name, value) for value in values}, blamed)
    yield _seeded(laboratory, start)


_CONDITIONS = {key: loss for loss, rules in CONDITIONAL.items() for key in rules}


def _whole(seed: int) -> dict[str, Any]:
    """The base with every key, whether its loss asks for it or not."""
    rng = made.generator(seed, made.STREAM + 21)
    return {name: values[int(rng.integers(len(values)))] for name, values in VALUES.items()}


def _conditioned(whole: Mapping[str, Any], loss: str) -> dict[str, Any]:
    kept = {key: value for key, value in whole.items() if _CONDITIONS.get(key, loss) == loss}
    return kept | {"loss": loss}


def _attempted(laboratory: Laboratory, configuration: Mapping[str, Any]) -> list[Misfit]:
    """The misfits of a run; one that raises or fails is a misfit of its wiring."""
    try:
        seen = laboratory.trace(configuration)
        found = laboratory.misfits(seen)
        if isinstance(seen.outcome, Failed) and not any(map(laboratory.refuses, found)):
            found.append(Misfit("evaluation", float("inf"), f"a run {seen.outcome.kind}: {seen.outcome.detail}"))
        return found
    except Exception as raised:  # noqa: BLE001 # whatever a run raises is the canary's finding
        return [Misfit("wiring", float("inf"), f"{type(raised).__name__}: {raised}")]


def _with(whole: Mapping[str, Any], own: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    return _conditioned({**whole, **own, name: value}, value if name == "loss" else own["loss"])


def _dimension(
    laboratory: Laboratory, name: str, variants: Mapping[Any, Mapping[str, Any]], blamed: set[str]
) -> Canary:
    for value, configuration in variants.items():
        for misfit in _attempted(laboratory, configuration):
            if laboratory.refuses(misfit) and misfit.stage not in blamed:
                problem = f"with {name} = {value}, {misfit.stage}: {misfit.problem}"
                return Canary("dimension", name, misfit.error, laboratory.allowed, problem)
    return _compared(name, [(f"{name} = {v}", laboratory.trace(c)) for v, c in variants.items()], stages()[name])


def _compared(name: str, seen: Sequence[tuple[str, Trace]], acts: Sequence[Stage]) -> Canary:
    """Whether runs that differ in one dimension differ in what its stages made, and in nothing that comes before."""
    least = np.inf
    reach = set(acts)
    for stage in FEEDS:
        if stage in reach:
            reach |= set(FEEDS[stage])
    for (said, one), (also, other) in combinations(seen, 2):
        for stage in FEEDS:
            if stage in acts and tracing.same(one.product(stage), other.product(stage)):
                return Canary("dimension", name, 0.0, None, f"{said} and {also} make the same {stage}")
            if stage not in reach and not tracing.same(one.product(stage), other.product(stage)):
                far = tracing.apart(one.product(stage), other.product(stage))
                problem = f"{said} and {also} make another {stage}, which is none of its stages: {', '.join(acts)}"
                return Canary("dimension", name, far, 0.0, problem)
        least = min(least, *(tracing.apart(one.product(stage), other.product(stage)) for stage in acts))
    return Canary("dimension", name, least, None)


def _seeded(laboratory: Laboratory, start: Mapping[str, Any]) -> Canary:
    """Whether another seed is another run, and the same seed the same run."""
    seed = laboratory.seed
    again = Laboratory(seed, size=laboratory.size, device=laboratory.device)
    one, twice, other = laboratory.trace(start), again.trace(start), laboratory.trace(start, seed + 1)
    for stage in FEEDS:
        if not tracing.same(one.product(stage), twice.product(stage)):
            far = tracing.apart(one.product(stage), twice.product(stage))
            return Canary("dimension", "seed", far, 0.0, f"the same seed made another {stage}")
    for name in ("clips", "partners", "shares"):
        if (name != "shares" or start["mixup"]) and torch.equal(one.made["plan"][0][name], other.made["plan"][0][name]):
            return Canary("dimension", "seed", 0.0, None, f"another seed draws the same {name}")
    return _compared("seed", [(f"seed = {seed}", one), (f"seed = {seed + 1}", other)], SEED)
