"""Plain text for a terminal of 80 columns: aligned tables, numbers as people read them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from events.space import Value

WIDTH = 80

TOO_FEW = "too few"

SHORT = {
    "batch": "b",
    "length": "l",
    "epochs": "e",
    "learning_rate": "lr",
    "weight_decay": "wd",
    "dropout": "drop",
    "oversampling": "over",
    "focal_gamma": "gamma",
    "focal_alpha": "alpha",
}
"""Names of dimensions as a leaderboard has room for them; a dimension without one keeps its own."""

Entry = str | int | float | None


def table(headers: Sequence[str], rows: Sequence[Sequence[Entry]]) -> list[str]:
    """Return the lines of a table: numbers to the right, words to the left, None as "too few"."""
    cells = [[entry(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    right = [all(_is_number(row[index]) for row in rows) for index in range(len(headers))]
    return [_line(cells, widths, right) for cells in (list(headers), *cells)]


def wide(headers: Sequence[str], rows: Sequence[Sequence[Entry]]) -> int:
    """Return the columns that a table needs, its indent included."""
    columns = zip(headers, *([entry(value) for value in row] for row in rows), strict=True)
    return sum(2 + max(map(len, column)) for column in columns)


def entry(value: Entry) -> str:
    """Return a table's text for a value: floats with four significant digits, enough for AP."""
    if value is None:
        return TOO_FEW
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def measured(value: float | None) -> str:
    """Return the text of an average precision or of its noise, "unknown" where nobody measured it."""
    return "unknown" if value is None else f"{value:.4f}"


def pairs(named: Mapping[str, Entry]) -> str:
    """Return `name value, name value`, or `none`."""
    return ", ".join(f"{name} {entry(value)}" for name, value in named.items()) or "none"


def brief(configuration: Mapping[str, Value], width: int) -> str:
    """Return a configuration on one line, words first as they are, then named numbers, cut at the width."""
    words = [str(value) for value in configuration.values() if isinstance(value, str)]
    numbers = {SHORT.get(name, name): value for name, value in configuration.items() if not isinstance(value, str)}
    return cut(" ".join([*words, *(f"{name}={_short(value)}" for name, value in numbers.items())]), width)


def folded(lines: Sequence[str], *, indent: int = 11) -> str:
    """Join the lines, those that are too long broken between words and continued under the indent."""
    fold = textwrap.TextWrapper(WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if len(line) <= WIDTH else fold.fill(line) for line in lines)


def cut(text: str, width: int) -> str:
    """Return the text, shortened to the width."""
    return text if len(text) <= width else text[: width - 3] + "..."


def _short(value: Value) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _is_number(value: Entry) -> bool:
    return not isinstance(value, str) or value.replace(".", "").isdecimal()


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    ]
    return cut("  " + "  ".join(padded).rstrip(), WIDTH)
