"""A report's document as one HTML file that needs nothing else: style and figures inside, no script, texts escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from replay.pages.document import Document, Section, Table

ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc }
.wide { overflow-x: auto } nav a { margin-right: .8em }
table { border-collapse: collapse; font-size: 13px; margin: .6rem 0 } caption { text-align: left; color: #555 }
th, td { padding: .15rem .6rem; text-align: left; border-bottom: 1px solid #e4e4e4; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums } svg { max-width: 100%; height: auto }
@media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #161616 } figure { background: #fff }
  th, td { border-color: #333 } a { color: #7db8e8 } }
"""


def hypertext(document: Document, drawings: Mapping[str, str]) -> str:
    """Return the whole page.

    Args:
        document: what is told.
        drawings: SVG by the name of the figure, as matplotlib writes it.
    """
    title = escaped(document.title)
    links = "".join(f'<a href="#s{n}">{escaped(s.title)}</a>' for n, s in enumerate(document.sections))
    body = "\n".join(_section(number, section, drawings) for number, section in enumerate(document.sections))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<h1>{title}</h1>\n{_table(Table(headers=(), rows=document.facts))}\n<nav>{links}</nav>\n{body}\n"
        "</body>\n</html>\n"
    )


def escaped(text: str) -> str:
    """Return a text as HTML shows it, in an element or between quotes."""
    return text.translate(ESCAPES)


def inlined(svg: str, mark: str) -> str:
    """Return a drawing fit to stand inside a page: no prologue, metadata or comment, and ids that no other one has."""
    inner = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    inner = re.sub(r'\bid="', f'id="{mark}-', inner)
    return re.sub(r'(href="|url\()#', rf"\g<1>#{mark}-", inner)


def _section(number: int, section: Section, drawings: Mapping[str, str]) -> str:
    parts = [f'<section id="s{number}">', f"<h2>{escaped(section.title)}</h2>"]
    parts += [f"<p>{escaped(said)}</p>" for said in section.said]
    if section.figure is not None and section.figure in drawings:
        parts.append(f"<figure>{inlined(drawings[section.figure], f's{number}')}</figure>")
    parts += [_table(table) for table in section.tables]
    if not section.said and not section.tables:
        parts.append("<p>none</p>")
    return "\n".join((*parts, "</section>"))


def _table(table: Table) -> str:
    caption = f"<caption>{escaped(table.note)}</caption>" if table.note else ""
    head = f"<thead><tr>{_cells(table.headers, 'th')}</tr></thead>" if table.headers else ""
    rows = "\n".join(f"<tr>{_cells(row, 'td')}</tr>" for row in table.rows)
    return f'<div class="wide"><table>{caption}{head}<tbody>\n{rows}\n</tbody></table></div>'


def _cells(cells: Sequence[str], tag: str) -> str:
    return "".join(_cell(cell, tag) for cell in cells)


def _cell(cell: str, tag: str) -> str:
    number = tag == "td" and re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", cell) is not None
    opening = '<td class="number">' if number else f"<{tag}>"
    return f"{opening}{escaped(cell)}</{tag}>"
