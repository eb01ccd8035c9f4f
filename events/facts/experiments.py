"""Facts of an experiment: queued, leased, run, ended."""

from __future__ import annotations

from typing import Literal

import msgspec

from events.envelope import Fact, Text


class Queued(Fact, frozen=True, kw_only=True, tag="Queued.2"):
    """An idea became an experiment.

    Attributes:
        priority: its place in the order, higher first.
        terms: what the priority was made of, by name; `Queued` of the first vocabulary said it in words.
    """

    experiment: str
    idea: str
    priority: float
    terms: dict[str, float]


class Execution(msgspec.Struct, frozen=True, gc=False):
    """How a run is carried out, which never changes what it means.

    Attributes:
        micro_batches: each batch is trained in so many slices with accumulated gradients.
        timeout: seconds after which the bench is killed.
    """

    micro_batches: int = 1
    timeout: float = 600.0


class Assigned(Fact, frozen=True, kw_only=True, tag="Assigned"):
    """An experiment is leased to a worker, in one lane of a pack; the pack is the lease."""

    experiment: str
    attempt: int
    pack: str
    lane: int
    worker: str
    seed: int
    execution: Execution


class LeaseRevoked(Fact, frozen=True, kw_only=True, tag="LeaseRevoked"):
    """A worker's right to speak about a pack has ended: it was lost, left in good order, or its runs were cancelled."""

    pack: str
    worker: str
    reason: Literal["lost", "retired", "cancelled"]


class Started(Fact, frozen=True, kw_only=True, tag="Started"):
    """A run began: `instrument` gives its number a meaning, `platform` may move its last bits."""

    experiment: str
    attempt: int
    pack: str
    lane: int
    worker: str
    seed: int
    instrument: str
    platform: dict[str, str]


class Curves(msgspec.Struct, frozen=True, gc=False):
    """One value an epoch: training loss (None where it was not finite), validation AP, learning rate."""

    loss: tuple[float | None, ...]
    validation: tuple[float, ...]
    learning_rate: tuple[float, ...] = ()


class Completed(Fact, frozen=True, kw_only=True, tag="Completed"):
    """A run ended with a result.

    Attributes:
        validation: average precision on the validation split at the chosen epoch; all selection reads this alone.
        test: average precision on the test split at that epoch; recorded, never selected on. None where there was none.
        noise: bootstrap standard deviation of `validation`, None where nobody measured it.
        epoch: the chosen one, best by validation, from 1.
        gpu_seconds: device time of the attempt.
        peak_memory: bytes, None where nobody measured it.
        checkpoint: sha256 of the weights, None where none were kept.
        leads: validation and test average precision of the clips of each lead, by seconds before the event; their means
            are the Nexar measure. Empty where clips have no leads.
    """

    experiment: str
    attempt: int
    validation: float
    test: float | None
    noise: float | None
    epoch: int
    curves: Curves
    gpu_seconds: float
    peak_memory: int | None
    checkpoint: str | None = None
    leads: dict[str, tuple[float, float]] = {}


FailureKind = Literal["out_of_memory", "diverged", "missing_features", "timeout", "crashed"]


class Failed(Fact, frozen=True, kw_only=True, tag="Failed"):
    """A run ended without a result: what kind of end, at which optimiser step, with the trace."""

    experiment: str
    attempt: int
    kind: FailureKind
    step: int
    trace: Text
    gpu_seconds: float


class Requeued(Fact, frozen=True, kw_only=True, tag="Requeued"):
    """The scheduler will run an experiment again; `attempt` is the coming one."""

    experiment: str
    attempt: int
    reason: str
    execution: Execution


class Abandoned(Fact, frozen=True, kw_only=True, tag="Abandoned"):
    """An experiment will not be tried again, and why."""

    experiment: str
    reason: str


class Boosted(Fact, frozen=True, kw_only=True, tag="Boosted"):
    """A person wants a queued experiment to run before others: what is added to its priority."""

    experiment: str
    by: float
    reason: str


class Cancelled(Fact, frozen=True, kw_only=True, tag="Cancelled"):
    """A person wants an experiment not to run, or to run no longer."""

    experiment: str
    reason: str


class Banned(Fact, frozen=True, kw_only=True, tag="Banned"):
    """Ideas that a predicate describes are declined from here on.

    Attributes:
        where: predicate over configurations; see `events.predicates`.
        cycles: after so many further cycles of the campaign the ban is lifted; None means by a person alone.
    """

    ban: str
    where: str
    reason: str
    cycles: int | None = None


class BanLifted(Fact, frozen=True, kw_only=True, tag="BanLifted"):
    """A ban ended, by its rule or by a person."""

    ban: str
    reason: str
