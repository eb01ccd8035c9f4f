"""The ranking: results by validation AP, the earlier one higher among equals; the best are kept in this order.

A result is its validation AP and its place in the order of completion, from -1 downward, so that larger is better.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replay.ledger import Ledger

KEPT = 100
"""Results that are kept in order: whoever asks for leaders need not sort ten thousand, and few of those come in."""

Result = tuple[float, int]


def enter(foremost: list[Result], result: Result) -> None:
    """Let a result in among the best, which ascend, if it is one of them."""
    if len(foremost) < KEPT or result > foremost[0]:
        insort(foremost, result)
        del foremost[:-KEPT]


def ranked(ledger: Ledger) -> Iterator[Result]:
    """Yield every result, the best first; those behind the best `KEPT` are sorted when somebody asks for them."""
    yield from reversed(ledger.foremost)
    if (left := len(ledger.completed) - len(ledger.foremost)) > 0:
        outcomes = enumerate((ledger.experiments[name].outcome for name in ledger.completed), start=1)
        results = ((outcome.validation, -place) for place, outcome in outcomes if outcome is not None)
        yield from reversed(sorted(results)[:left])
