"""The study's page, from its archives and repeats alone: Table 2's columns, an ANOVA a fleet, the winning backbones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from events import campaigns
from replay import folds
from replay.ledger import Ledger, LedgerFold
from replay.progress import running_best
from replay.runs import Floats, Run, grouped, runs
from replay.statistics.bands import band, null
from replay.statistics.draws import draws
from replay.statistics.effects import two_way
from replay.statistics.fits import fit

MARKS = (50, 100, 172)
RESAMPLES = 2_000

HEAD = """\
# The trained study

Written by `just study` from the archives beside it (`docs/study/*.myriad`), every number folded anew; `myriad replay
docs/study/NAME.myriad report` asks them anything else. Nothing here is simulated but the road.
"""

LIMITS = """\
## What this does not show

- The road is simulated; nothing here speaks of real traffic, nor of the six pretrained backbones.
- One world, one split, one search a policy: a difference between two searches is one draw, whatever its fit says.
- Validation has 177 clips of 1,500: two single runs closer than about twice the noise are not told apart. The best of
  many runs by validation is an optimistic number; its test AP stands beside it and was never selected on.
- A running best cannot fall, so R2 is high for any order of the runs: p says how high for shuffled ones.
- Shares of variance are of the configurations that were run, uniform ones here; another space has others.
"""


class Searched(NamedTuple):
    """One campaign's archive, folded."""

    name: str
    fleet: str
    policy: str
    ledger: Ledger
    done: list[Run]


def page(folder: Path) -> str:
    """The whole page, in Markdown."""
    found = [searched(path) for path in sorted(folder.glob("study-*.myriad"))]
    lines = [HEAD, *_run(found), *_fleets(), *_table_2(found), *_variance(found), *_backbones(found)]
    return "\n".join([*lines, *_seeds(repeats(folder / "repeats.jsonl")), LIMITS])


def searched(path: Path) -> Searched:
    """Fold one archive."""
    log = campaigns.open(str(path))
    try:
        (ledger,) = folds.run(log, LedgerFold())
    finally:
        log.close()
    _, fleet, policy = path.stem.split("-")
    return Searched(path.stem, fleet, policy, ledger, runs(ledger))


def repeats(path: Path) -> list[dict[str, Any]]:
    """The repeats that are whole on the disk."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # torn by a kill
    return rows


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(headers)} |"
    yield "|" + " --- |" * len(headers)
    for row in rows:
        yield f"| {' | '.join(map(_said, row))} |"
    yield ""


def winner(groups: dict[str, list[float]], name: str) -> tuple[str, str, float, float, float, float]:
    """The group of the highest mean and the next: the lead, its 95% interval, and the share of resamples it leads in.

    Scores are drawn again within each group, `RESAMPLES` times.
    """
    order = sorted(groups, key=lambda group: -float(np.mean(groups[group])))
    chance = draws(f"backbones of {name}")
    means = np.stack([_resampled(chance, groups[group]) for group in order])
    lead = float(np.mean(groups[order[0]]) - np.mean(groups[order[1]]))
    low, high = np.quantile(means[0] - means[1], (0.025, 0.975))
    return order[0], order[1], lead, float(low), float(high), float((means[0] >= means.max(0)).mean())


def _resampled(chance: np.random.Generator, scores: Sequence[float]) -> Floats:
    y = np.asarray(scores, dtype=np.float64)
    means: Floats = y[chance.integers(0, len(y), (RESAMPLES, len(y)))].mean(1)
    return means


def _run(found: list[Searched]) -> Iterator[str]:
    yield "## What was run"
    yield ""
    headers = ("campaign", "completed", "abandoned", "device hours", "instruments", "torch")
    rows = []
    for each in found:
        experiments = [each.ledger.experiments[run.experiment] for run in each.done]
        broken = sum(experiment.abandoned is not None for experiment in each.ledger.experiments.values())
        seconds = sum(experiment.gpu_seconds for experiment in each.ledger.experiments.values())
        instruments = {experiment.attempts[-1].instrument for experiment in experiments}
        versions = {experiment.attempts[-1].platform.get("torch", "?") for experiment in experiments}
        rows.append((each.name, len(each.done), broken, seconds / 3600, len(instruments), ", ".join(sorted(versions))))
    yield from table(headers, rows)


def _fleets() -> Iterator[str]:
    yield (
        "Both fleets drive the same roads (the same seeds, so the same motion and labels). Fleet a's recorders take a "
        "picture for every frame of the file, ten a second. Fleet b's take five a second and fill the frame before "
        "each with the same picture, so that two neighbouring frames show no motion. No backbone differs between them."
    )
    yield ""


def _table_2(found: list[Searched]) -> Iterator[str]:
    yield "## The searches (Table 2's columns; validation AP)"
    yield ""
    marks = [mark for mark in MARKS if all(len(each.done) >= mark for each in found)]
    marks = marks or [min(len(each.done) for each in found)]
    headers = ("campaign", *(f"AP@{mark}" for mark in marks), "c", "95% of c", "R2", "p of R2", "best", "its test")
    yield from table(headers, [_searching(each, marks) for each in found])


def _searching(each: Searched, marks: Sequence[int]) -> tuple[object, ...]:
    y = [run.validation for run in each.done]
    best, at = running_best(y), range(1, len(y) + 1)
    found, reach, shuffled = fit("power", at, best), band("power", at, best), null(y)
    c = reach.c if reach is not None else None
    champion = max(each.done, key=lambda run: run.validation)
    return (
        each.name,
        *(best[mark - 1] for mark in marks),
        found.c if found else None,
        f"{c[0]:.2f} to {c[1]:.2f}" if c else None,
        found.r2 if found else None,
        shuffled.p if shuffled else None,
        f"{champion.validation:.4f} (noise {champion.noise:.4f})",
        champion.test,
    )


def _variance(found: list[Searched]) -> Iterator[str]:
    yield "## Backbone and encoder (two-way analysis of variance, type II; uniform runs)"
    yield ""
    for each in (each for each in found if each.policy == "uniform"):
        one, other = ([str(run.configuration[name]) for run in each.done] for name in ("backbone", "encoder"))
        made = two_way(one, other, [run.validation for run in each.done], ("backbone", "encoder"))
        if made is None:
            yield f"Fleet {each.fleet}: {len(each.done)} runs are too few."
            yield ""
            continue
        yield f"Fleet {each.fleet}: n = {made.n}, {made.cells} of {made.cells_possible} cells."
        yield ""
        rows: list[tuple[object, ...]] = [
            (t.term, t.ss, t.freedom, t.f, f"10^{t.log10_p:.1f}", t.eta2, t.omega2) for t in made.terms
        ]
        rows.append(("residual", made.residual, made.freedom, "", "", 1 - made.eta2_model, ""))
        yield from table(("term", "SS", "df", "F", "p", "eta2", "omega2"), rows)


def _backbones(found: list[Searched]) -> Iterator[str]:
    yield "## The winning backbone (uniform runs; mean validation AP)"
    yield ""
    for each in (each for each in found if each.policy == "uniform"):
        groups = grouped(each.done, lambda run: str(run.configuration["backbone"]))
        scores = {name: [run.validation for run in group] for name, group in groups.items()}
        rows = [_row(name, group) for name, group in groups.items()]
        yield from table(("fleet", "backbone", "n", "mean", "sd", "best", "its test"), [(each.fleet, *r) for r in rows])
        if len(scores) > 1:
            first, second, lead, low, high, share = winner(scores, each.name)
            yield (
                f"Fleet {each.fleet}: **{first}** leads {second} by {lead:.4f} (95% of resamples {low:.4f} to "
                f"{high:.4f}) and is first in {share:.0%} of {RESAMPLES:,} resamples."
            )
            yield ""


def _row(name: str, group: list[Run]) -> tuple[object, ...]:
    scores, best = [run.validation for run in group], max(group, key=lambda run: run.validation)
    spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return name, len(group), float(np.mean(scores)), spread, best.validation, best.test


def _seeds(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield f"## One configuration, {len(rows)} seeds"
    yield ""
    configuration = json.dumps(rows[0]["configuration"])
    yield f"The best by validation of the first fleet, {rows[0]['experiment']}: `{configuration}`"
    yield ""
    told = []
    for scale in ("validation", "test"):
        y = np.array([row[scale] for row in sorted(rows, key=lambda row: row["seed"])])
        spread = float(y.std(ddof=1)) if len(y) > 1 else None
        told.append((scale, float(y.mean()), spread, float(y.min()), float(y.max())))
    yield from table(("scale", "mean", "sd", "lowest", "highest"), told)
    noise = math.sqrt(sum(row["noise"] ** 2 for row in rows) / len(rows))
    yield f"Resampling the validation clips of one run moves its AP by {noise:.4f} (standard deviation)."
    yield ""


def _said(value: object) -> str:
    if value is None:
        return "too few"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
