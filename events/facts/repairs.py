"""Facts of a repair: what broke, and what is done about it."""

from __future__ import annotations

from typing import Literal

from events.envelope import Fact, Text
from events.facts.experiments import Execution, FailureKind


class DiagnosisMade(Fact, frozen=True, kw_only=True, tag="DiagnosisMade"):
    """The fixer says what broke one attempt of an experiment.

    Attributes:
        site: of a crash in what trains, the file, the function and the kind of error, None elsewhere; what breaks at
            one site is taken for one defect, whichever run met it.
    """

    repair: str
    experiment: str
    attempt: int
    kind: FailureKind
    diagnosis: str
    site: str | None = None


class RemedyProposed(Fact, frozen=True, kw_only=True, tag="RemedyProposed"):
    """The fixer says what it will do about it, before it does it.

    Attributes:
        remedy: micro_batches and patience change the execution alone; extract makes features; retry changes
            nothing; child is a new idea with another configuration; patch changes what trains, in a private copy;
            none gives the experiment up.
        patch: digest of `diff` and of what it is applied to.
        base: the adopted patch that `diff` is applied to, None for what is installed.
        diff: a unified diff over kernels/, as a model gave it.
        files: that it changes.
        explanation: of the patch, in the model's words; it is shown to people, never to another model.
    """

    repair: str
    experiment: str
    remedy: Literal["micro_batches", "patience", "extract", "retry", "child", "patch", "none"]
    execution: Execution | None = None
    child: str | None = None
    patch: str | None = None
    base: str | None = None
    diff: Text | None = None
    files: tuple[str, ...] = ()
    explanation: Text | None = None


class RemedyApplied(Fact, frozen=True, kw_only=True, tag="RemedyApplied"):
    """The remedy is in place; what follows is the scheduler's.

    Attributes:
        instrument: of a patch, that of the copy which it was tried in.
        canaries: that the copy passed.
        validation: average precision of the broken run, made again in that copy; no result of the search.
        seconds: that the trial took.
    """

    repair: str
    experiment: str
    instrument: str | None = None
    canaries: int = 0
    validation: float | None = None
    seconds: float = 0.0


class RemedyRefused(Fact, frozen=True, kw_only=True, tag="RemedyRefused"):
    """The remedy could not be put in place, and why.

    Attributes:
        again: the fixer goes on with this repair; False where the scheduler's turn has come.
        seconds: that the trial of a patch took.
    """

    repair: str
    experiment: str
    reason: str
    again: bool = False
    seconds: float = 0.0


class PatchAdopted(Fact, frozen=True, kw_only=True, tag="PatchAdopted"):
    """From here on everybody trains with a patch that held in its trial; `instrument` is what it makes of kernels/."""

    patch: str
    instrument: str
    reason: str = ""
