"""A simulated campaign beside the published one: each number with its distance, and whether it was calibrated on it."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

from actors import published
from actors.laboratory import LATE, MENDED, START, Setting
from actors.surrogate import BUGS
from replay.ledger import Ledger
from replay.measures import Measurement
from replay.tables import table
from replay.troubles import at_once

Standing = Literal["set", "calibrated", "seen"]
"""Put in; fitted to, so that agreeing proves nothing; in view while others were fitted, so that it proves little."""


class Line(NamedTuple):
    """One number of both campaigns."""

    name: str
    here: float | None
    paper: float
    standing: Standing


def beside(measurement: Measurement, setting: Setting) -> list[Line]:
    """Return the comparison; only the published campaign's own size makes one."""
    ledger = measurement.ledger
    cycles, repairs = measurement.results[1], measurement.results[2]
    hours = measurement.results[0].gpu_seconds.value() / 3600
    days = (max((_ended(ledger, name) for name in ledger.completed), default=START) - START) / 86.4e9
    backbones = Counter(str(ledger.configuration(name)["backbone"]) for name in ledger.completed)
    many = len(ledger.completed)
    used = hours / (days * 24 * setting.devices) if days else None
    return [
        Line("experiments completed", many, published.RUNS, "set"),
        Line("candidates", len(ledger.ideas), published.CANDIDATES, "calibrated"),
        Line("cycles", sum(len(a.cycles) for a in cycles.agents.values()), published.CYCLES, "calibrated"),
        Line("days", days, published.DAYS, "calibrated"),
        Line("GPU-hours", hours, published.GPU_HOURS, "calibrated"),
        Line("utilisation", used, published.UTILISATION, "seen"),
        Line("repairs", len(repairs.repairs), published.REPAIRS, "calibrated"),
        Line("repairs right at once", at_once(measurement.results), published.REPAIRED_AT_ONCE, "seen"),
        Line(f"share of {LATE}", backbones[LATE] / many if many else None, published.FAVOURITE_SHARE, "seen"),
        Line(f"{LATE} among the best 100 on test", _among_best(ledger), 100, "seen"),
        *_best_by_era(ledger, setting),
        *_reach(ledger, setting),
    ]


def beside_page(lines: list[Line]) -> str:
    """Return the comparison as text."""
    rows = [(x.name, x.here, x.paper, None if x.here is None else x.here - x.paper, x.standing) for x in lines]
    return "\n".join(table(("beside the paper", "here", "paper", "distance", "was"), rows))


def _ended(ledger: Ledger, name: str) -> int:
    return ledger.experiments[name].attempts[-1].ended_at or START


def _among_best(ledger: Ledger) -> int:
    # the paper ranks by test AP; that is its own flaw, and only it makes the two numbers comparable
    best = sorted(ledger.completed, key=lambda name: -_test(ledger, name))[:100]
    return sum(ledger.configuration(name)["backbone"] == LATE for name in best)


def _best_by_era(ledger: Ledger, setting: Setting) -> list[Line]:
    if setting.bugs != BUGS:
        return []
    begins = [0, *(MENDED[bug] for bug in BUGS[1:])]
    ends = [MENDED["leak"], *begins[2:], None]
    lines = []
    for bug, since, until in zip(BUGS, begins, ends, strict=True):
        era = [n for n in ledger.completed if since <= _ended(ledger, n) - START and _is_before(ledger, n, until)]
        name = "best test AP before the leak was found" if bug == "leak" else f"best test AP once the {bug} was mended"
        best = max((_test(ledger, n) for n in era), default=None)
        lines.append(Line(name, best, published.BEST[bug], "calibrated"))
    return lines


def _is_before(ledger: Ledger, name: str, until: int | None) -> bool:
    return until is None or _ended(ledger, name) - START < until


def _reach(ledger: Ledger, setting: Setting) -> list[Line]:
    if setting.bugs != BUGS:
        return []
    ends = [_ended(ledger, name) - START for name in ledger.completed]
    last = max(MENDED.values())
    return [
        Line("runs before the leak was mended", _before(ends), published.LEAKED, "seen"),
        Line("runs after the last fix", sum(end >= last for end in ends), published.AFTER_THE_LAST_FIX, "seen"),
    ]


def _before(ends: list[int]) -> int:
    return sum(end < MENDED["leak"] for end in ends)


def _test(ledger: Ledger, name: str) -> float:
    outcome = ledger.experiments[name].outcome
    return outcome.test if outcome is not None else 0.0
