"""A report's document as Markdown: tables and text, no figures, nothing in it that a renderer would take for markup."""

from __future__ import annotations

from collections.abc import Sequence

from replay.pages.document import Document, Section, Table

SPECIAL = {
    **{ord(mark): f"\\{mark}" for mark in "\\`*_{}[]#|~!$"},
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("\n"): " ",
    ord("\r"): " ",
}
"""What Markdown or a table of it reads as markup, what HTML does, and line ends, which would end a row."""


def markdown(document: Document) -> str:
    """Return the whole document; every string of the log is escaped."""
    lines = [f"# {plain(document.title)}", "", *_table(("", ""), document.facts)]
    for section in document.sections:
        lines += ["", *_section(section)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return a text that renders as itself."""
    return text.translate(SPECIAL)


def _section(section: Section) -> list[str]:
    lines = [f"## {plain(section.title)}"]
    for said in section.said:
        lines += ["", plain(said)]
    for table in section.tables:
        lines += ["", *_noted(table)]
    if not section.tables and not section.said:
        lines += ["", "none"]
    return lines


def _noted(table: Table) -> list[str]:
    return [*([f"{plain(table.note)}:", ""] if table.note else []), *_table(table.headers, table.rows)]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(headers), _row(["---"] * len(headers), raw=True), *(_row(row) for row in rows)]


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cells if raw else map(plain, cells))} |"
