"""What each section of a briefing was worth: cycles that were told it beside those that were not, of one model alone.

Two agents of one policy and model, one of them with `without = ["genealogy"]`, are the experiment. Cycles are compared
within such a group only, so that the difference is not that of two models; what else an agent's file says is for the
person to keep alike. Sections that were always on or off together cannot be told apart, and each row names the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, get_args

import msgspec
import numpy as np

from replay.briefing import Section
from replay.cycles import Cycle
from replay.measures import Measurement, Results
from replay.metrics import TOO_FEW, Metric
from replay.statistics.draws import orders
from replay.statistics.estimates import made

SHUFFLES = 2000
"""Deals of the cycles that p is read from: of a group, to those that were told and those that were not."""

FEWEST = 3
"""Cycles of each kind below which a section is not judged."""


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """One section and one outcome of a cycle.

    Attributes:
        outcome: accepted: share of its ideas that were accepted; validation: mean AP of its ideas that completed.
        told, untold: cycles with and without the section that have the outcome, of groups that have both.
        difference: told less untold, each group by its share of the cycles.
        p: share of deals with a difference as large, of either sign.
        alike: other sections that were on and off with it.
    """

    section: str
    outcome: str
    told: int
    untold: int
    difference: float
    p: float
    alike: tuple[str, ...]


class _Seen(NamedTuple):
    """One cycle's outcome: of which group, and the sections that were on."""

    group: tuple[str, str]
    sections: frozenset[str]
    value: float


def worths(results: Results) -> list[Worth]:
    """Return every section that some cycles of a model were told and others were not."""
    outcomes: dict[str, Callable[[Results, Cycle], float | None]] = {"accepted": _accepted, "validation": _validation}
    found: list[Worth] = []
    for outcome, value in outcomes.items():
        seen = [*_seen(results, value)]
        found += [worth for section in get_args(Section) if (worth := _worth(section, outcome, seen)) is not None]
    return found


def _seen(results: Results, value: Callable[[Results, Cycle], float | None]) -> Iterator[_Seen]:
    cycles = results[1]
    for cycle in cycles.cycles.values():
        if cycle.prompt is None or cycle.open or cycle.refused is not None:
            continue
        agent = cycles.agents[cycle.agent]
        if agent.searches and (known := value(results, cycle)) is not None:
            yield _Seen((agent.policy, cycle.model or ""), frozenset(cycle.sections), known)


def _accepted(results: Results, cycle: Cycle) -> float | None:
    ideas = [results[0].ledger.ideas[name] for name in cycle.ideas]
    own = [idea.experiment is not None for idea in ideas if idea.origin == "agent"]
    return sum(own) / len(own) if own else None


def _validation(results: Results, cycle: Cycle) -> float | None:
    ledger = results[0].ledger
    ideas = [ledger.ideas[name] for name in cycle.ideas]
    own = [ledger.experiments[idea.experiment] for idea in ideas if idea.origin == "agent" and idea.experiment]
    touched = results[0].ledger.defects.touched
    scores = [run.outcome.validation for run in own if run.outcome is not None and run.experiment not in touched]
    return sum(scores) / len(scores) if scores else None


def _worth(section: str, outcome: str, seen: Sequence[_Seen]) -> Worth | None:
    groups: dict[tuple[str, str], list[_Seen]] = defaultdict(list)
    for one in seen:
        groups[one.group].append(one)
    both = [group for _, group in sorted(groups.items()) if len({section in one.sections for one in group}) == 2]
    cycles = [one for group in both for one in group]
    told = sum(section in one.sections for one in cycles)
    if min(told, len(cycles) - told) < FEWEST:
        return None
    difference, p = _difference(section, outcome, both)
    others = (name for name in get_args(Section) if name != section)
    alike = tuple(name for name in others if all((name in o.sections) == (section in o.sections) for o in cycles))
    return Worth(
        section=section,
        outcome=outcome,
        told=told,
        untold=len(cycles) - told,
        difference=difference,
        p=p,
        alike=alike,
    )


def _difference(section: str, outcome: str, groups: Sequence[Sequence[_Seen]]) -> tuple[float, float]:
    """Return the difference, and how often cycles that are dealt anew within their groups differ as much."""
    total = sum(map(len, groups))
    found = np.zeros(1 + SHUFFLES)  # as it was, then as it was dealt
    for number, group in enumerate(groups):
        values = np.array([one.value for one in group])
        told = np.array([section in one.sections for one in group])
        many = int(told.sum())
        rows = np.concatenate([*orders(f"sections {section} {outcome} {number}", len(group), SHUFFLES)])
        sums = np.concatenate([values[told].sum(keepdims=True), values[rows[:, :many]].sum(axis=1)])
        found += len(group) / total * (sums / many - (values.sum() - sums) / (len(group) - many))
    # sums in another order differ in their last bits
    as_large = int((np.abs(found[1:]) >= abs(found[0]) - 1e-12).sum())
    return float(found[0]), (1 + as_large) / (1 + SHUFFLES)


def _sections(measurement: Measurement) -> Metric:
    rows = worths(measurement.results)
    return made(
        "sections",
        "what cycles that were told a section of the briefing brought beside those that were not, of one model; the "
        "value is how many sections can be judged",
        rows,
        float(len({row.section for row in rows})) if rows else None,
        n=len(measurement.ledger.completed),
        unit="sections",
        note=f"{TOO_FEW}: no section was told in {FEWEST} cycles of a model and left out in {FEWEST} others of it",
    )


SECTIONS: dict[str, Callable[[Measurement], Metric]] = {"sections": _sections}
