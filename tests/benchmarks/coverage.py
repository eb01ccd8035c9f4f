"""How often the 95% intervals of the statistics hold the truth: over simulated logs whose truth was planted.

    just bench coverage [LOGS]               # 500 unless told otherwise; prints the table that docs/coverage.md keeps

Every figure goes the whole way: a log is written, folded, and asked for the metric by its name.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from replay.measures import Measurement
from replay.metrics import metric
from tests.replay import planted

LOGS = 500


class Claim(NamedTuple):
    """An interval and what it should hold; `truth` None means the mean of the estimates over all logs."""

    what: str
    metric: str
    make: Callable[[int], Measurement]
    row: Callable[[Any], bool]
    value: str
    ends: tuple[str, str]
    truth: float | None
    note: str = ""


CLAIMS = (
    Claim(
        "architectures' share of variance",
        "anova",
        planted.search,
        lambda row: row.subset.startswith("all"),
        "eta2",
        ("eta2_low", "eta2_high"),
        planted.share(),
        "noncentral F; groups of one variance",
    ),
    Claim(
        "encoders' share over the space",
        "importance",
        planted.search,
        lambda row: row.component == "encoder",
        "uniform",
        ("low", "high"),
        planted.encoders(),
        "ridge expansion: **held too seldom** with 150 runs, and the report says so",
    ),
    Claim(
        "validation against test, Spearman's rho",
        "validation_test",
        planted.search,
        lambda row: row.group == "all",
        "rho",
        ("low", "high"),
        planted.spearman(),
        "Fisher's scale; normal scores",
    ),
    Claim(
        "sweeps' enrichment among the best tenth",
        "sweeps",
        planted.search,
        lambda row: row.origin == "sweep",
        "ratio",
        ("low", "high"),
        planted.enriched(),
        "Katz; 15 runs at the top",
    ),
    Claim(
        "mean of the 50 best of 75",
        "ablations",
        planted.search,
        lambda row: row.value == "appearance",
        "mean_top",
        ("low", "high"),
        None,
        "resampled: **a little wide**, and the report says so",
    ),
    Claim(
        "exponent of innovation",
        "innovation_law",
        planted.improving,
        lambda row: hasattr(row, "alpha"),
        "alpha",
        ("alpha_low", "alpha_high"),
        planted.ALPHA,
        "likelihood ratio",
    ),
    Claim(
        "exponent of the running best",
        "fits",
        planted.climbing,
        lambda row: row.model == "power" and row.ceiling is None,
        "c",
        ("c_low", "c_high"),
        planted.EXPONENT,
        "blocks of residuals: **does not hold it**, and the report says so",
    ),
)


class Coverage(NamedTuple):
    """What came of a claim: logs that had an interval, the truth, the mean estimate, and the share that held it."""

    claim: Claim
    logs: int
    truth: float
    mean: float
    held: float


def coverage(logs: int, claims: tuple[Claim, ...] = CLAIMS, *, first: int = 0) -> list[Coverage]:
    """Measure every claim over so many logs; claims about one kind of log read the same ones."""
    found: dict[str, list[tuple[float, float, float]]] = {claim.what: [] for claim in claims}
    for make in dict.fromkeys(claim.make for claim in claims):
        for seed in range(first, first + logs):
            measurement = make(seed)
            for claim in (each for each in claims if each.make is make):
                row = next(filter(claim.row, metric(measurement, claim.metric).rows), None)
                if row is not None and getattr(row, claim.ends[0]) is not None:
                    found[claim.what].append(tuple(getattr(row, name) for name in (claim.value, *claim.ends)))
    return [_summed(claim, found[claim.what]) for claim in claims]


def _summed(claim: Claim, seen: list[tuple[float, float, float]]) -> Coverage:
    mean = math.fsum(value for value, _, _ in seen) / len(seen)
    truth = mean if claim.truth is None else claim.truth
    return Coverage(claim, len(seen), truth, mean, sum(low <= truth <= high for _, low, high in seen) / len(seen))


def table(rows: list[Coverage]) -> str:
    """Return the rows in Markdown."""
    lines = ["| what | `metric` | logs | truth | mean estimate | intervals that hold it | |", "|" + "---|" * 7]
    for claim, logs, truth, mean, held in rows:
        cells = (claim.what, claim.metric, str(logs), f"{truth:.4f}", f"{mean:.4f}", f"{held:.1%}", claim.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    print(table(coverage(int(sys.argv[1]) if len(sys.argv) > 1 else LOGS)))


if __name__ == "__main__":
    main()
