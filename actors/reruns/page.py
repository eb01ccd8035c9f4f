"""A rerun beside its record, as text: the verdict, what it was judged by, and both curves."""

from __future__ import annotations

from collections.abc import Sequence

from actors.reruns.rerunning import Comparison
from replay.instruments import DIGITS
from replay.pages.tables import folded, table

LEVELS = "▁▂▃▄▅▆▇█"


def sentence(comparison: Comparison) -> str:
    """Return the verdict in one sentence."""
    record, again = comparison.record.validation, comparison.again.validation
    scores = f"validation AP {record:.6f} recorded, {again:.6f} again ({again - record:+.6f})"
    match comparison.verdict:
        case "equal":
            return f"{comparison.experiment} is equal to its record, bit for bit: {scores}"
        case "close":
            return f"{comparison.experiment} is within {comparison.tolerance:.4f} AP of its record: {scores}"
        case _ if comparison.tolerance:
            return f"{comparison.experiment} is more than {comparison.tolerance:.4f} AP from its record: {scores}"
        case _:
            what = ", ".join(comparison.unequal)
            return f"{comparison.experiment} is not its record, though nothing should differ ({what}): {scores}"


def page(comparison: Comparison) -> str:
    """Return the text of a comparison."""
    lines = [
        f"rerun      {sentence(comparison)}",
        f"instrument {comparison.instrument[:DIGITS]}"
        + (
            f", not the recorded one: {'; '.join(comparison.differing)}"
            if comparison.differing
            else ", the recorded one"
        ),
        f"platform   {'; '.join(comparison.moved) or 'the recorded one'}"
        + (", so that every bit must agree" if not (comparison.moved or comparison.differing) else ""),
    ]
    record, again = comparison.record, comparison.again
    lines += [
        "",
        f"recorded   {spark(record.curves.validation, again.curve)}  validation AP by epoch",
        f"again      {spark(again.curve, record.curves.validation)}",
        "",
        *table(("epoch", "AP recorded", "AP again", "loss recorded", "loss again"), _rows(comparison)),
    ]
    return folded(lines)


def spark(curve: Sequence[float], beside: Sequence[float] = ()) -> str:
    """Return a curve as bars, one an epoch, on the scale of both curves."""
    both = (*curve, *beside)
    low, high = min(both, default=0.0), max(both, default=0.0)
    width = (high - low) or 1.0
    return "".join(LEVELS[min(len(LEVELS) - 1, int((value - low) / width * len(LEVELS)))] for value in curve)


def _rows(comparison: Comparison) -> list[tuple[str, ...]]:
    record, again = comparison.record, comparison.again
    columns = (record.curves.validation, again.curve, record.curves.loss, again.loss)
    epochs = max(map(len, columns))
    cells = [[_cell(column, epoch) for column in columns] for epoch in range(epochs)]
    return [(str(epoch), *row) for epoch, row in enumerate(cells, start=1)]


def _cell(column: Sequence[float | None], epoch: int) -> str:
    value = column[epoch] if epoch < len(column) else None
    return f"{value:.6f}" if value is not None else "none"
