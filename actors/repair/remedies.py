"""The typed remedies: what can be done about a kind of failure without asking a model.

What changes only the execution keeps the configuration's meaning; what must change a dimension is a new idea, a child.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from actors.judgement.budgets import PATIENCE
from events.facts import Execution
from events.space import Choice, Configuration, Interval, Space
from replay.ledger import Attempt

MICRO_BATCHES = 8
"""The finest slicing of a batch; beyond it a batch of 16 would leave two clips a slice."""

COOLER = 0.3
"""Factor on the learning rate of a child of a diverged run."""


class Remedy(NamedTuple):
    """What to do, and why in words; `configuration` is a child's, `execution` the next attempt's."""

    kind: Literal["micro_batches", "patience", "extract", "retry", "child", "none"]
    diagnosis: str
    execution: Execution | None = None
    configuration: Configuration | None = None


def remedy(space: Space, configuration: Configuration, failed: Attempt, *, timeout: float) -> Remedy:
    """Choose the remedy of one failed attempt.

    Args:
        timeout: seconds that the campaign allows an attempt at first.
    """
    match failed.failure:
        case "out_of_memory":
            return _smaller(configuration, failed.execution)
        case "timeout":
            return _longer(space, configuration, failed.execution, timeout)
        case "diverged":
            return _cooler(space, configuration, failed.step)
        case "missing_features":
            return Remedy("extract", f"the features of {configuration['backbone']} are not in the cache")
        case _:
            return Remedy("retry", "the bench ended without a word; once may be chance")


def _smaller(configuration: Configuration, execution: Execution) -> Remedy:
    slices = execution.micro_batches * 2
    if slices > min(MICRO_BATCHES, int(configuration.get("batch", 1))):
        return Remedy("none", f"out of memory even in {execution.micro_batches} slices a batch")
    longer = msgspec.structs.replace(execution, micro_batches=slices)
    return Remedy("micro_batches", f"out of memory: the same batch in {slices} slices", execution=longer)


def _longer(space: Space, configuration: Configuration, execution: Execution, timeout: float) -> Remedy:
    if execution.timeout <= timeout:
        more = msgspec.structs.replace(execution, timeout=timeout * PATIENCE)
        return Remedy("patience", f"slower than {execution.timeout:g} s: once with {more.timeout:g} s", execution=more)
    epochs = space["epochs"] if "epochs" in space.names else None
    shorter = [v for v in epochs.values if v < configuration["epochs"]] if isinstance(epochs, Choice) else []  # type: ignore[operator] # epochs are numbers in every space that trains
    if not shorter:
        return Remedy("none", f"slower than {execution.timeout:g} s at the fewest epochs")
    child = {**configuration, "epochs": max(shorter)}
    return Remedy("child", f"slower than {execution.timeout:g} s: {child['epochs']} epochs", configuration=child)


def _cooler(space: Space, configuration: Configuration, step: int | None) -> Remedy:
    if "learning_rate" not in configuration:
        return Remedy("none", f"diverged at step {step}, and has no learning rate to lower")
    rate = space["learning_rate"]
    low = rate.low if isinstance(rate, Interval) else 0.0
    here = float(configuration["learning_rate"])
    if here <= low:
        return Remedy("none", f"diverged at step {step} at the lowest learning rate")
    child = {**configuration, "learning_rate": max(low, here * COOLER)}
    return Remedy("child", f"diverged at step {step} at learning rate {here:.3g}", configuration=child)
