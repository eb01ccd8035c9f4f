"""Tables that fit: columns side by side in whatever width there is, the least important ones giving way first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content

from tui.telling import plain

GAP = 2
"""Cells between columns."""

NARROW = (("\x20", "\x7e"), ("\xa1", "\u02ff"), ("\u2010", "\u2027"), ("\u2500", "\u259f"), ("\u2800", "\u28ff"))
"""First and last of characters that take a cell each: Latin letters, dashes and dots, what charts are drawn with."""

_UNUSUAL = re.compile(f"[^{''.join(f'{first}-{last}' for first, last in NARROW)}]")


class Column(NamedTuple):
    """One column.

    Attributes:
        rank: 0 stays always; where room is short, the largest goes first, and one that says nothing is left out.
        right: numbers stand to the right.
        long: takes the room that the others leave and is cut there; other columns give way before it has less than
            so many cells. 0 for a column that is as wide as its widest word.
    """

    header: str
    rank: int = 0
    right: bool = False
    long: int = 0


def fit(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, least: dict[str, int] | None = None
) -> list[str]:
    """Return a heading and one line a row, none wider than `width` cells.

    Args:
        least: widths by heading that columns had before, kept up: a table that is scrolled should not breathe.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    if least is None:
        told = [nth for nth, column in enumerate(columns) if not column.rank or any(row[nth] for row in cells)]
        columns, cells = [columns[nth] for nth in told], [[row[nth] for nth in told] for row in cells]
    sizes = [[cells_of(cell) for cell in row] for row in cells]
    widths = [max([cells_of(column.header), *(row[nth] for row in sizes)]) for nth, column in enumerate(columns)]
    if least is not None:
        widths = [max(least.get(column.header, 0), own) for column, own in zip(columns, widths, strict=True)]
        least.update({column.header: own for column, own in zip(columns, widths, strict=True)})
    kept = [(nth, widths[nth], columns[nth].right) for nth in _kept(columns, widths, width)]
    headers = [column.header for column in columns]
    lines = []
    for row, sized in zip((headers, *cells), ([*map(cells_of, headers)], *sizes), strict=True):
        words = [_sized(row[nth], sized[nth], room, right=right) for nth, room, right in kept]
        lines.append(cut((" " * GAP).join(words).rstrip(), width))
    return lines


def cut(text: str, width: int) -> str:
    """Return a text that takes at most `width` cells, with an ellipsis where something is missing."""
    if cells_of(text) <= width:
        return text
    if not _UNUSUAL.search(text):
        return text[: max(0, width - 1)] + "…" * (width > 0)
    return Content(text).truncate(max(0, width), ellipsis=True).plain


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a text takes; most are of narrow characters, and quick to measure."""
    return len(text) if text.isascii() or not _UNUSUAL.search(text) else Content(text).cell_length


def _kept(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Return which columns stay, in order; shrinks the width of long ones to what is left."""
    kept = list(range(len(columns)))
    while True:
        fixed = sum(widths[nth] + GAP for nth in kept if not columns[nth].long) - GAP
        words = [nth for nth in kept if columns[nth].long]
        room = (width - fixed) // len(words) - GAP if words else 0
        least = max((min(columns[nth].long, widths[nth]) for nth in words), default=0)
        if fixed <= width and room >= least:
            break
        given = max(kept, key=lambda nth: (columns[nth].rank, nth))
        if columns[given].rank == 0:
            break
        kept.remove(given)
    for nth in words:
        widths[nth] = max(min(widths[nth], room), 0)
    return kept


def _sized(text: str, size: int, width: int, *, right: bool) -> str:
    if size > width:
        text = cut(text, width)
        size = cells_of(text)
    gap = " " * (width - size)
    return gap + text if right else text + gap
