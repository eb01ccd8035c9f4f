"""A campaign beside the published one: each number with its distance, and what the agreement of the two is worth.

`set` was put in. `calibrated` was fitted to, so that agreeing proves nothing. `seen` was in view while others were
fitted, so that it proves little. `held back` was out of sight while anything was fitted; it was looked at between fits,
which were made for other rows. Of a campaign that was not simulated nothing was fitted: its rows have no standing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import Literal

import msgspec

from replay import published
from replay.counts import PAPER
from replay.divergence import series as divergences
from replay.diversity import cells
from replay.diversity import series as entropies
from replay.ledger import Ledger
from replay.measures import Measurement
from replay.pages.tables import table
from replay.progress import innovations
from replay.statistics.costs import shifts_of, used
from replay.statistics.effects import groups_of, in_brief, one_way
from replay.statistics.pools import expected_best
from replay.troubles import at_once

Standing = Literal["set", "calibrated", "seen", "held back"]

SURROGATE = "surrogate"
"""What the platform of a simulated run names."""

BUGS = ("split", "loss", "pooling", "evaluation")
"""The components of the paper's four defects, in the order in which they were found."""

SILENT = BUGS[1:]
"""The paper does not say which three of the four were silent; the leak is the one that it counts apart."""

LATE, MAJORITY, LATELY = "vjepa2", 0.5, 200
SPAN = 3_199
"""Runs that the paper's trajectories of entropy and divergence are read over: its last ones with a date."""

DAY = 86_400e6
"""Microseconds."""

START = 400
"""Runs from which on its entropy is quoted."""

GROUPS = 10
"""Runs that a group needs in its analysis of variance."""


SHARE, AP = 0.1, 0.01
"""How far a number may lie from the paper's and count as reproduced: a tenth of it; an average precision 0.01."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One number of both campaigns.

    Attributes:
        here, distance: None where this campaign does not have it.
        bound: the distance up to which it counts as reproduced.
    """

    name: str
    here: float | None
    paper: float
    distance: float | None
    bound: float
    reproduced: bool
    standing: Standing | None


def is_simulated(ledger: Ledger) -> bool:
    """Say whether the runs of a log were answered by a surrogate: nothing was trained."""
    first = next(iter(ledger.completed), None)
    return first is not None and SURROGATE in ledger.experiments[first].attempts[-1].platform


def beside(measurement: Measurement) -> list[Line]:
    """Return the comparison; only the published campaign's own size and space make one."""
    ledger = measurement.ledger
    simulated = is_simulated(ledger)
    lines = [*_size(measurement), *_search(measurement), *_eras(ledger), *_dynamics(measurement)]
    return [_line(name, here, paper, standing if simulated else None) for name, here, paper, standing in lines]


def _line(name: str, here: float | None, paper: float, standing: Standing | None) -> Line:
    distance = None if here is None else here - paper
    bound = AP if " AP" in name else SHARE * paper
    reproduced = distance is not None and abs(distance) <= bound
    return Line(
        name=name, here=here, paper=paper, distance=distance, bound=bound, reproduced=reproduced, standing=standing
    )


def told(lines: list[Line]) -> list[str]:
    """Say what agreeing is worth here, and what was not reproduced."""
    unseen = [line for line in lines if line.standing == "held back"]
    missed = [line.name for line in lines if not line.reproduced and line.here is not None]
    absent = [line.name for line in lines if line.here is None]
    agreeing = sum(line.reproduced for line in unseen)
    apart = f"held back from every fit {len(unseen)} of {len(lines)} numbers, {agreeing} of them reproduced"
    bounds = f"further off than {SHARE:.0%} of the paper's number or {AP} of an AP"
    said = [
        f"{apart}; the others were set, fitted or in view: their agreeing proves nothing",
        f"cannot be reproduced, {bounds}: {'; '.join(missed) or 'nothing'}",
    ]
    return said + [f"this campaign has none: {'; '.join(absent)}"] * bool(absent)


def beside_lines(lines: list[Line]) -> list[str]:
    """Return the comparison as lines of text."""
    rows = [(x.name, x.here, x.paper, x.distance, *((x.standing,) * bool(x.standing))) for x in lines]
    standing = ("was",) * any(line.standing for line in lines)
    return [*table(("beside the paper", "here", "paper", "distance", *standing), rows), *told(lines)]


Row = tuple[str, float | None, float, Standing]


def _size(measurement: Measurement) -> Iterable[Row]:
    ledger, results = measurement.ledger, measurement.results
    many = len(ledger.completed)
    hours = results[0].gpu_seconds.value() / 3600
    days = (max((_ended(ledger, name) for name in ledger.completed), default=ledger.opened_at) - ledger.opened_at) / DAY
    uses = {use.what: use.share for use in used(shifts_of(measurement) or {})}
    cycles = sum(len(agent.cycles) for agent in results[1].agents.values())
    yield "experiments completed", many, published.RUNS, "set"
    yield "candidates", len(ledger.ideas), published.CANDIDATES, "calibrated"
    yield "cycles", cycles, published.CYCLES, "calibrated"
    yield "days", days, published.DAYS, "calibrated"
    yield "GPU-hours", hours, published.GPU_HOURS, "calibrated"
    yield "utilisation", uses.get("training"), published.UTILISATION, "seen"
    yield "repairs", len(results[2].repairs), published.REPAIRS, "calibrated"
    yield "repairs right at once", at_once(results), published.REPAIRED_AT_ONCE, "calibrated"


def _search(measurement: Measurement) -> Iterable[Row]:
    ledger = measurement.ledger
    many = len(ledger.completed)
    share = sum(_is_late(ledger, name) for name in ledger.completed) / many if many else None
    # the paper ranks by test AP; that is its own flaw, and only it makes the two numbers comparable
    best = sorted(ledger.completed, key=lambda name: -_test(ledger, name))[:100]
    yield f"share of {LATE}", share, published.FAVOURITE_SHARE, "seen"
    yield f"{LATE} of the best 100 on test", sum(_is_late(ledger, name) for name in best), 100, "seen"
    yield f"days to most runs on {LATE}", _adoption(ledger), published.ADOPTED, "held back"


def _eras(ledger: Ledger) -> Iterable[Row]:
    """Compare the eras of the paper's four bugs, where the log has them."""
    if tuple(defect.component for defect in ledger.defects.all.values()) != BUGS:
        return
    numbers, last = [1, 3, 4, 5], [name for name in ledger.completed if ledger.eras.of.get(name) == 5]
    for (bug, paper), number in zip(published.BEST.items(), numbers, strict=True):
        era = (_test(ledger, name) for name in ledger.completed if ledger.eras.of.get(name) == number)
        name = "best test AP, leak not found yet" if number == 1 else f"best test AP, {bug} mended"
        yield name, max(era, default=None), paper, "calibrated"
    touched = Counter(ledger.defects.all[d].component for found in ledger.defects.touched.values() for d in found)
    silent = sum(
        any(ledger.defects.all[defect].component in SILENT for defect in found)
        for found in ledger.defects.touched.values()
    )
    yield "runs the leak touched", touched["split"], published.LEAKED, "seen"
    yield "runs the three others touched", silent, published.SILENT, "held back"
    yield "runs after the last fix", len(last), published.AFTER_THE_LAST_FIX, "seen"
    yield from _after(ledger, last)


def _after(ledger: Ledger, last: list[str]) -> Iterable[Row]:
    """Compare what the paper reads from the runs after the last fix."""
    scores = [_validation(ledger, name) for name in last]
    running = list(accumulate(scores, max))
    for n, paper in published.SEARCHED.items():
        yield f"validation AP@{n} after it", running[n - 1] if len(running) >= n else None, paper, "held back"
    drawn = [n for n in published.POOL if n <= len(scores)]
    for n, best in zip(drawn, expected_best(scores, drawn), strict=True):
        yield f"best validation AP of {n} drawn after it", best, published.POOL[n], "calibrated"
    yield "improvements after it", sum(innovations(scores)) if scores else None, published.IMPROVED, "held back"
    groups: dict[str, list[float]] = {}
    for name in last:
        configuration = ledger.configuration(name)
        groups.setdefault(f"{configuration['backbone']} {configuration['encoder']}", []).append(_test(ledger, name))
    kept = groups_of(groups, at_least=GROUPS)
    effect = one_way([in_brief(scores) for scores in kept.values()]) if len(kept) > 1 else None
    yield "eta2 of architecture after it", effect.eta2 if effect else None, published.ETA2, "held back"


def _dynamics(measurement: Measurement) -> Iterable[Row]:
    search, ledger = measurement.results[0], measurement.ledger
    if not search.compared:
        return
    sequence = cells(ledger, search.compared)[-SPAN:]
    bits = [r.value for r in entropies(sequence, PAPER) if r.n >= START and r.value is not None]
    authors = [ledger.author(name) for name in ledger.completed][-SPAN:]
    known = list(search.divergence.ever)
    pairs = [pair for pair in zip(authors, sequence, strict=True) if pair[0] in known]
    apart = [r.cumulative for r in divergences(known, pairs, PAPER) if r.cumulative is not None]
    low, high = published.ENTROPY
    peak, end = published.DIVERGENCE
    yield f"least entropy, last {SPAN} runs", min(bits, default=None), low, "held back"
    yield f"most entropy, last {SPAN} runs", max(bits, default=None), high, "held back"
    yield f"most divergence, last {SPAN} runs", max(apart, default=None), peak, "held back"
    yield "divergence at the end", apart[-1] if apart else None, end, "held back"


def _adoption(ledger: Ledger) -> float | None:
    """Return the days from the first idea on the late backbone until most of the latest runs are on it."""
    ends = [(_ended(ledger, name), _is_late(ledger, name)) for name in ledger.completed]
    first = next((at for at, late in ends if late), None)
    held = list(accumulate((late for _, late in ends), initial=0))
    for n in range(LATELY, len(ends) + 1):
        if first is not None and held[n] - held[n - LATELY] > MAJORITY * LATELY:
            return (ends[n - 1][0] - first) / DAY
    return None


def _is_late(ledger: Ledger, name: str) -> bool:
    return ledger.configuration(name).get("backbone") == LATE


def _ended(ledger: Ledger, name: str) -> int:
    return ledger.experiments[name].attempts[-1].ended_at or ledger.opened_at


def _test(ledger: Ledger, name: str) -> float:
    outcome = ledger.experiments[name].outcome
    return outcome.test if outcome is not None and outcome.test is not None else 0.0


def _validation(ledger: Ledger, name: str) -> float:
    outcome = ledger.experiments[name].outcome
    return outcome.validation if outcome is not None else 0.0
