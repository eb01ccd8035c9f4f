"""Fenced blocks of a text, found in one pass: one that holds nothing but fences takes as much time as any other."""

from __future__ import annotations

import re
from typing import NamedTuple

_FENCE = re.compile(r"([ \t]*)(`{3,})([^`]*)")


class Block(NamedTuple):
    """What stands between two fences.

    Attributes:
        info: the words behind the opening fence, such as yaml.
        start: where in the text the opening fence begins.
        closed: whether there is a closing fence; a text that was cut has none.
    """

    info: str
    body: str
    start: int
    closed: bool


def blocks(text: str) -> list[Block]:
    """Return the blocks of a text, in order; its lines end in a line feed.

    A fence closes a block if it has at least as many marks as the one that opened it, no words, and no deeper a place.
    """
    found: list[Block] = []
    opened: tuple[re.Match[str], int] | None = None
    lines, at = text.split("\n"), 0
    first = 0
    for number, line in enumerate(lines):
        fence = _FENCE.fullmatch(line)
        if opened is None and fence is not None:
            opened, first = (fence, at), number + 1
        elif opened is not None and fence is not None and _closes(fence, opened[0]):
            found.append(_block(*opened, lines[first:number], closed=True))
            opened = None
        at += len(line) + 1
    return found if opened is None else [*found, _block(*opened, lines[first:], closed=False)]


def _block(fence: re.Match[str], start: int, lines: list[str], *, closed: bool) -> Block:
    return Block(fence[3].strip(), "".join(f"{line}\n" for line in lines), start, closed)


def _closes(fence: re.Match[str], opened: re.Match[str]) -> bool:
    return len(fence[2]) >= len(opened[2]) and not fence[3].strip() and len(fence[1]) <= len(opened[1])
