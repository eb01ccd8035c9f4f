"""What completed runs scored at each lead: seconds before its event that a clip ends; the mean is the Nexar measure."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from events.envelope import Fact
from events.facts import Completed
from events.log import Recorded
from replay.folds import Handler

Judged = dict[str, tuple[float, float]]


class Leads(msgspec.Struct, frozen=True, kw_only=True):
    """A run's average precision at each lead, by seconds as text, and its mean over leads; test where asked for."""

    experiment: str
    validation: dict[str, float]
    mean: float
    test: dict[str, float] | None = None
    test_mean: float | None = None


def _completed(state: dict[str, Judged], fact: Completed, recorded: Recorded, index: int) -> None:
    if fact.leads:
        state[fact.experiment] = fact.leads


class LeadsFold:
    """Folds a log into what each completed experiment scored at each lead; runs without leads are not in it."""

    handlers: Mapping[type[Fact], Handler] = {Completed: _completed}

    def initial(self) -> dict[str, Judged]:
        """Return no scores."""
        return {}

    def result(self, state: dict[str, Judged]) -> dict[str, Judged]:
        """Return the scores by experiment."""
        return state


def leads(experiment: str, judged: Judged, *, with_test: bool = False) -> Leads:
    """Return one experiment's scores at each lead, in the order of the leads."""
    order = sorted(judged, key=float)
    validation, test = ({lead: judged[lead][part] for lead in order} for part in (0, 1))
    return Leads(
        experiment=experiment,
        validation=validation,
        mean=_mean(validation),
        test=test if with_test else None,
        test_mean=_mean(test) if with_test else None,
    )


def _mean(at: dict[str, float]) -> float:
    return math.fsum(at.values()) / len(at)
