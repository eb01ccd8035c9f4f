"""The ranking: results by validation AP, the earlier one higher among equals; the best are kept in this order."""

from __future__ import annotations

from bisect import insort
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay.ledger import Ledger

KEPT = 100
"""Results that are kept in order: nearly all who ask want fewer, and few of ten thousand come in."""


def enter(ledger: Ledger, validation: float) -> None:
    """Let the latest result in: validation AP, and its place from -1 downward, so that the larger is the better."""
    ledger.scores.append(validation)
    result, foremost = (validation, -len(ledger.scores)), ledger.foremost
    if len(foremost) < KEPT or result > foremost[0]:
        insort(foremost, result)
        del foremost[:-KEPT]


def best(ledger: Ledger, many: int) -> list[str]:
    """Return the experiments with the best results that no defect touches, the best first; fewer where so many are not.

    The best `KEPT` are at hand while there is no defect; others are looked for among all.
    """
    completed, touched = ledger.completed, ledger.defects.touched
    if not touched and many <= len(ledger.foremost):
        return [completed[-place - 1] for _, place in islice(reversed(ledger.foremost), many)]
    sound = [place for place, name in enumerate(completed) if name not in touched]
    return [completed[place] for place in nlargest(many, sound, key=ledger.scores.__getitem__)]
