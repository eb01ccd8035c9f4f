"""What training reports: a line an epoch, and how each run ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Epoch:
    """One lane's epoch (from 1): mean training loss and validation average precision."""

    experiment: str
    lane: int
    epoch: int
    loss: float
    validation: float


@dataclass(frozen=True)
class Curves:
    """A value for each epoch: mean training loss, validation average precision, learning rate at its last step."""

    loss: tuple[float, ...]
    validation: tuple[float, ...]
    learning_rate: tuple[float, ...]


@dataclass(frozen=True)
class Completed:
    """A run that was trained to its end.

    `epoch` (from 1) is the first with the best validation average precision; `validation`, `test` and the checkpoint
    are of that epoch; `noise` is the standard deviation of `validation` under resampling; `seconds` is the pack's time
    divided by its runs; `peak_memory` is the pack's, in bytes (of the whole process on a CPU). `leads` has validation
    and test average precision at each lead, in seconds, of a task whose clips have leads.
    """

    experiment: str
    lane: int
    validation: float
    test: float
    noise: float
    epoch: int
    curves: Curves
    seconds: float
    peak_memory: int
    checkpoint: bytes
    digest: str
    leads: Mapping[float, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """A run that has no result: what happened at which step (from 0), in words."""

    experiment: str
    lane: int
    kind: Literal["diverged", "out_of_memory", "timeout", "crashed"]
    step: int
    detail: str
    seconds: float


Outcome = Completed | Failed
