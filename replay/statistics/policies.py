"""Policies compared (Table 2): recorded, shuffled pool, TPE over the pool, oracle, and configurations drawn at random.

The first four run what the search made, so none could have found what it did not. The last is what a campaign's
own uniform agent ran, in exact expectation over its orders; where no agent drew at random there is no outcome
to read, and the answer is unknown. `actors` may simulate one; history never guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np

from replay.measures import Measurement
from replay.metrics import TOO_FEW, Metric
from replay.progress import running_best
from replay.runs import Run, runs
from replay.statistics.estimates import made
from replay.statistics.fits import fit
from replay.statistics.parzen import searches
from replay.statistics.pools import MARKS, expected_best, marks

RANDOM = "uniform"
"""The policy whose configurations are drawn evenly from the space."""

POINTS = 400
"""Points of a curve that are fitted, evenly spaced on a logarithmic scale."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One policy's best validation AP after so many runs; None beyond its last.

    Attributes:
        source: pool: what the search ran; generated: configurations of its own.
        n: runs that the policy has.
        ap_low, ap_high: of the searches, the worst and the best after the last mark; None where there is one curve.
        c, r2: of the power law on its curve, a free, as in the paper's table; see `fits` for how little c is known.
    """

    policy: str
    source: Literal["pool", "generated"]
    n: int
    ap_50: float | None
    ap_100: float | None
    ap_200: float | None
    ap_500: float | None
    ap_low: float | None
    ap_high: float | None
    c: float | None
    r2: float | None


def policies(measurement: Measurement) -> list[Compared]:
    """Compare the policies; none below five runs."""
    ledger = measurement.ledger
    done = runs(ledger)
    y = [run.validation for run in done]
    if ledger.space is None or not marks(len(y)):
        return []
    at = _points(len(y))
    best = running_best(y)
    rows = [
        _row("recorded", "generated", at, [best[n - 1] for n in at]),
        _row("shuffled pool", "pool", at, expected_best(y, at)),
        _tpe(measurement, done),
        _row("oracle", "pool", at, [best[-1]] * len(at)),
    ]
    drawn = [run.validation for run in done if run.agent in random_agents(measurement)]
    if drawn:
        few = _points(len(drawn))
        rows.append(_row("drawn at random", "generated", few, expected_best(drawn, few)))
    return rows


def random_agents(measurement: Measurement) -> set[str]:
    """Return the agents that draw every configuration evenly from the space."""
    cycles = measurement.results[1]
    return {agent.agent for agent in cycles.agents.values() if agent.policy == RANDOM}


def _tpe(measurement: Measurement, done: Sequence[Run]) -> Compared:
    space = measurement.ledger.space
    assert space is not None  # noqa: S101 # who calls has looked
    steps = min(len(done), MARKS[-1])
    curves = searches(space, [run.configuration for run in done], [run.validation for run in done], steps)
    at = _points(steps)
    mean = curves.mean(axis=0)
    last = max(mark for mark in marks(len(done)) if mark <= steps)
    ends = curves[:, last - 1]
    row = _row("TPE over the pool", "pool", at, [float(mean[n - 1]) for n in at], of=len(done))
    return msgspec.structs.replace(row, ap_low=float(ends.min()), ap_high=float(ends.max()))


def _row(
    policy: str, source: Literal["pool", "generated"], at: Sequence[int], best: Sequence[float], of: int = 0
) -> Compared:
    told = {n: float(value) for n, value in zip(at, best, strict=True)}
    law = fit("power", at, best)
    return Compared(
        policy=policy,
        source=source,
        n=of or at[-1],
        ap_50=told.get(50),
        ap_100=told.get(100),
        ap_200=told.get(200),
        ap_500=told.get(500),
        ap_low=None,
        ap_high=None,
        c=law.c if law is not None else None,
        r2=law.r2 if law is not None else None,
    )


def _points(n: int) -> list[int]:
    spread = {round(float(at)) for at in np.geomspace(1, n, min(n, POINTS))}
    return sorted({*spread, *(mark for mark in MARKS if mark <= n)})


def _marked(row: Compared) -> tuple[float | None, ...]:
    return (row.ap_50, row.ap_100, row.ap_200, row.ap_500)


def _policies(measurement: Measurement) -> Metric:
    rows = policies(measurement)
    known = any(row.policy == "drawn at random" for row in rows)
    told = "" if known else "; no agent drew at random, so that how a generated random search fares is unknown"
    reached = [[ap for ap in _marked(row) if ap is not None] for row in rows[:2]]
    return made(
        "policies",
        "best validation AP after 50, 100, 200 and 500 runs, and the power law on each curve (paper, Table 2): as "
        "recorded; a shuffled pool and a random agent's own runs in exact expectation; TPE over the pool's "
        f"configurations, mean of 10 searches; the oracle. The search made the pool, so speed in it is no merit of a "
        f"policy{told}; the value is recorded less shuffled after as many runs as there are marks for",
        rows,
        reached[0][-1] - reached[1][-1] if rows and reached[0] else None,
        n=len(measurement.ledger.completed),
        note=f"{TOO_FEW}: {MARKS[0]} runs are needed; see pools for smaller numbers",
    )


POLICIES: dict[str, Callable[[Measurement], Metric]] = {"policies": _policies}
