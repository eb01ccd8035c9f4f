"""The statistics of what made the scores, as metrics: importance, variance, ablations (paper, section 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from replay.ledger import Ledger
from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.runs import Run, architecture, by_dimensions, grouped, least, runs
from replay.statistics.ablations import ablations, heat_map, shares
from replay.statistics.association import top_of
from replay.statistics.effects import OneWay, balanced, groups_of, in_brief, one_way, two_way
from replay.statistics.estimates import made
from replay.statistics.importance import importance as decompose
from replay.statistics.policies import random_agents


def subsets(ledger: Ledger) -> list[OneWay]:
    """Compare architectures over all runs, inside each value of the first dimension, and inside each era."""
    done, groups = runs(ledger), architecture(ledger.space)
    if not groups:
        return []
    small, name = least(len(done)), " x ".join(groups)
    wanted = [(f"all by {name}", done, groups)]
    for value, inside in by_dimensions(done, groups[:1]).items() if len(groups) > 1 else ():
        wanted.append((f"{value} by {' x '.join(groups[1:])}", inside, groups[1:]))
    eras = grouped(done, lambda run: f"era {run.era}" if run.era is not None else "no era")
    if len(eras) > 1:
        wanted += [(f"{era} by {name}", inside, groups) for era, inside in eras.items()]
    found = (_compared(what, inside, by, small) for what, inside, by in wanted)
    return [each for each in found if each is not None]


def _compared(subset: str, done: Sequence[Run], by: Sequence[str], at_least: int) -> OneWay | None:
    groups = groups_of(_scored(done, by), at_least=at_least)
    return one_way([in_brief(group) for group in groups.values()], subset=subset)


def _scored(done: Sequence[Run], by: Sequence[str]) -> dict[str, list[float]]:
    return {name: [run.validation for run in group] for name, group in by_dimensions(done, by).items()}


def _importance(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    done = runs(ledger)
    found = decompose(ledger.space, done) if ledger.space is not None else None
    summed = (
        ""
        if found is None
        else (
            f"; by part, uniform: {_shared(found.parts)}, noise and unexplained "
            f"{found.unexplained + (found.noise or 0):.3f}; as sampled: {_shared(found.sampled)}; R2 {found.r2:.3f}, "
            f"{found.r2_left_out:.3f} left out; {found.repeats} repeats"
            + (f", seed noise {found.noise:.3f}" if found.noise is not None else ": seed noise cannot be told apart")
        )
    )
    summed += _at_random(measurement, done)
    return made(
        "importance",
        "each dimension's share of variance by a ridge expansion: uniform over the space, and as the policy sampled "
        "it; the ridge shrinks: over simulated logs of 150 runs intervals held the true share in 85 of 100; value: "
        f"the architecture's uniform share{summed}",
        found.rows if found else [],
        found.parts.get("architecture", 0.0) if found else None,
        n=len(done),
        unit="share of variance",
        note=f"{TOO_FEW}: three runs for each column of the expansion are needed",
    )


def _at_random(measurement: Measurement, done: Sequence[Run]) -> str:
    """Say what the runs that an agent drew evenly from the space show by themselves, where there are enough."""
    space, agents = measurement.ledger.space, random_agents(measurement)
    drawn = [run for run in done if run.agent in agents]
    found = decompose(space, drawn) if space is not None and 0 < len(drawn) < len(done) else None
    return f"; over the {len(drawn)} runs drawn at random alone: {_shared(found.parts)}" if found is not None else ""


def _shared(parts: dict[str, float]) -> str:
    return ", ".join(f"{part} {share:.3f}" for part, share in parts.items())


def _anova(measurement: Measurement) -> Metric:
    ledger = measurement.ledger
    done, groups = runs(ledger), architecture(ledger.space)
    rows: list[Any] = list(subsets(ledger))
    whole = rows[0] if rows and rows[0].subset.startswith("all") else None
    small = least(len(done))
    even = (
        balanced(_scored(done, groups), small, subset=f"{small} of each, by {' x '.join(groups)}") if groups else None
    )
    return made(
        "anova",
        f"one-way analysis of variance over groups of at least {small} runs; the value is eta2 of all runs, the "
        "paper's `architecture explains`, and rest its 1 - eta2, `hyperparameters explain`: whatever the groups leave, "
        "noise and interactions included, in the sample that the policy chose; see importance for the space",
        [*rows, *([even] if even else [])],
        whole.eta2 if whole else None,
        n=len(done),
        unit="share of variance",
        note=f"{TOO_FEW}: two groups of {small} runs that differ inside are needed",
    )


def _two_way(measurement: Measurement) -> Metric:
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    found = None
    if len(groups) == 2:
        one, other = ([str(run.configuration[name]) for run in done] for name in groups)
        found = two_way(one, other, [run.validation for run in done], (groups[0], groups[1]))
    return made(
        "two_way",
        f"two-way analysis of variance, {' x '.join(groups) or 'no groups'}, with interaction, type II; the value is "
        "the share of variance of all three terms",
        found.terms if found else [],
        found.eta2_model if found else None,
        n=len(done),
        unit="share of variance",
    )


def _ablations(measurement: Measurement) -> Metric:
    done, space = runs(measurement.ledger), measurement.ledger.space
    rows = ablations(done, [choice.name for choice in space.choices] if space is not None else [])
    return made(
        "ablations",
        "each value of each choice: best, mean of its 50 best with an interval (a little wide: in 98 of 100 simulated "
        "logs it held the mean that such runs have), median, mean; values were not tried equally often nor with equal "
        "companions; the value is the best of all",
        rows,
        max((row.best for row in rows), default=None),
        n=len(done),
    )


def _shares(measurement: Measurement) -> Metric:
    done, space = runs(measurement.ledger), measurement.ledger.space
    k = top_of(len(done))
    rows = shares(done, [choice.name for choice in space.choices] if space is not None else [], k)
    rows.sort(key=lambda row: -row.top)
    return made(
        "shares",
        f"each value's share of all runs, of the {k} best and of the {k} worst (paper: 100); the value has the largest "
        "share of the best",
        rows,
        f"{rows[0].dimension} {rows[0].value}" if rows else None,
        n=len(done),
        unit="share of runs",
    )


def _heat_map(measurement: Measurement) -> Metric:
    done, groups = runs(measurement.ledger), architecture(measurement.ledger.space)
    rows = heat_map(done, groups[0], groups[1]) if len(groups) > 1 else []
    full = [row for row in rows if row.mean is not None]
    return made(
        "heat_map",
        f"mean and best of each {' x '.join(groups[:2])} cell with at least 5 runs (paper, Figure 5); the value is the "
        "number of such cells",
        rows,
        len(full) or None,
        n=len(done),
    )


CONTRIBUTIONS: dict[str, Callable[[Measurement], Metric]] = {
    "importance": _importance,
    "anova": _anova,
    "two_way": _two_way,
    "ablations": _ablations,
    "shares": _shares,
    "heat_map": _heat_map,
}
