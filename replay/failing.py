"""The latest failures as the log tells them: which run broke how, with the last line of its trace."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from events.envelope import Fact
from events.facts import Failed, FailureKind
from events.log import Recorded
from replay.folds import Handler

KEPT = 10
"""Failures that are remembered (paper, Appendix B: the last 10 failed experiments)."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that ended without a result; `said` is the last line of its trace that says anything."""

    experiment: str
    attempt: int
    kind: FailureKind
    step: int
    said: str


class Failing(msgspec.Struct, kw_only=True):
    """The latest failures, oldest first."""

    failures: list[Failure] = []


def _failed(failing: Failing, fact: Failed, recorded: Recorded, index: int) -> None:
    trace = fact.trace.tail or fact.trace.head
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    failure = Failure(
        experiment=fact.experiment,
        attempt=fact.attempt,
        kind=fact.kind,
        step=fact.step,
        said=lines[-1] if lines else "",
    )
    failing.failures = [*failing.failures, failure][-KEPT:]


class FailingFold:
    """Folds a log into its latest failures."""

    handlers: Mapping[type[Fact], Handler] = {Failed: _failed}

    def initial(self) -> Failing:
        """Return no failures."""
        return Failing()

    def result(self, state: Failing) -> Failing:
        """Return the failures themselves."""
        return state
