"""A model's answer as plain data: the YAML of a list of ideas, read by somebody who trusts nothing in it.

Every scalar stays a string: what a value means is for the space to say, and YAML's own guesses (`3e-4` is a word to it,
`no` is false, `1:30` is ninety) never apply. Anchors, aliases, tags, directives, deep or endless nesting, a key given
twice and a second document are refused. One unreadable idea does not cost the others.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from actors.errors import CampaignError
from actors.policies.fences import blocks

LONGEST = 65_536
"""Characters of an answer; a longer one is not looked into."""

EVENTS, DEPTH, SCALAR, IDEAS = 4_000, 4, 4_000, 50
"""Most parts of an answer, levels of its nesting, characters of one value, and ideas that are looked at one by one."""

Node = str | list["Node"] | dict[str, "Node"]

_ITEM = re.compile(r"^([ \t]*)- ", re.MULTILINE)


class Item(NamedTuple):
    """One idea as it was written: its number from 1, its fields, and why they could not be read, if so."""

    number: int
    fields: dict[str, Node]
    problem: str | None = None


class AnswerUnreadable(CampaignError):
    """An answer, or one idea of it, is no plain YAML."""


class AnswerRejected(AnswerUnreadable):
    """An answer is wrong as a whole: no part of it is looked at."""


def items(text: str, *, cut: bool = False) -> list[Item]:
    """Return the ideas of an answer, in order.

    Args:
        text: the raw answer; a fenced block in it counts alone.
        cut: it was cut at a limit, so that its last idea is not whole.

    Raises:
        AnswerUnreadable: it holds no list of ideas, in words for its author.
    """
    if len(text) > LONGEST:
        raise AnswerRejected(f"the answer has {len(text)} characters; at most {LONGEST} are read")
    body = _body(text)
    try:
        if cut:
            raise AnswerUnreadable("the answer was cut at its limit of tokens")
        return [_item(number, node) for number, node in enumerate(_listed(load(body)), start=1)]
    except AnswerRejected:
        raise
    except AnswerUnreadable:
        pieces = _pieces(body)
        if not (1 if cut else 2) <= len(pieces) <= IDEAS:
            raise
        return [
            _piece(number, piece, cut=cut and number == len(pieces)) for number, piece in enumerate(pieces, start=1)
        ]


def load(text: str) -> Node:
    """Return one YAML document as nested lists, mappings and strings.

    Raises:
        AnswerUnreadable: it is not YAML, or uses more of YAML than a plain document needs.
    """
    builder = _Builder()
    try:
        for count, event in enumerate(yaml.parse(text, Loader=yaml.BaseLoader)):
            if count > EVENTS:
                raise AnswerRejected(f"more than {EVENTS} values and brackets")
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise AnswerUnreadable(f"not YAML: {error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise AnswerUnreadable(f"not YAML: {str(error).splitlines()[0]}") from None
    if builder.root is None:
        raise AnswerUnreadable("empty")
    return builder.root


class _Builder:
    """Grows a tree from the parser's events, which come one by one however deep or long the text is."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._keys: list[str | None] = []

    def take(self, event: yaml.Event) -> None:
        """Take the next event; raises `AnswerUnreadable` for what a plain document does not have."""
        _refuse(event)
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise AnswerRejected("more than one document: give one list")
        if isinstance(event, yaml.ScalarEvent):
            if len(event.value) > SCALAR:
                raise AnswerUnreadable(f"a value of {len(event.value)} characters: at most {SCALAR}")
            self._add(str(event.value))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {})
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._open.pop()
            self._keys.pop()

    def _begin(self, node: Node) -> None:
        if len(self._open) == DEPTH:
            raise AnswerUnreadable(f"nested more than {DEPTH} levels deep")
        self._add(node)
        self._open.append(node)
        self._keys.append(None)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
        elif isinstance(parent := self._open[-1], list):
            parent.append(node)
        elif isinstance(parent, dict):
            self._pair(parent, node)

    def _pair(self, parent: dict[str, Node], node: Node) -> None:
        key = self._keys[-1]
        if key is not None:
            parent[key] = node
            self._keys[-1] = None
        elif not isinstance(node, str):
            raise AnswerUnreadable("a key is a list or a mapping: keys are words")
        elif node in parent:
            raise AnswerUnreadable(f"the key {shown(node)} is given twice")
        else:
            self._keys[-1] = node


def shown(text: str, width: int = 60) -> str:
    """Return a text of the answer as it may be repeated: escaped to plain characters and shortened."""
    plain = ascii(text)
    return plain if len(plain) <= width else plain[: width - 3] + "..."


def _refuse(event: yaml.Event) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise AnswerUnreadable("anchors and aliases are not allowed: write every value out")
    if getattr(event, "tag", None) is not None:
        raise AnswerUnreadable(f"the tag {shown(str(event.tag))} is not allowed: give plain values")
    if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
        raise AnswerUnreadable("directives are not allowed")


def _body(text: str) -> str:
    """Return what an answer says: its one fenced block, whether that ends or was cut, else all of it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = [block for block in blocks(text) if block.closed or block.body.strip()]
    if len(found) > 1:
        raise AnswerRejected(f"{len(found)} fenced blocks: give one list in one block")
    return found[0].body if found else text


def _listed(node: Node) -> list[Node]:
    if isinstance(node, dict) and len(node) == 1:
        (inner,) = node.values()
        node = inner if isinstance(inner, list) else node
    if isinstance(node, dict):
        return [node]
    if not isinstance(node, list) or not node:
        raise AnswerUnreadable("the answer is not a YAML list of ideas")
    return node


def _item(number: int, node: Node) -> Item:
    if isinstance(node, dict):
        return Item(number, node)
    what = "a list" if isinstance(node, list) else "the word " + shown(node)
    return Item(number, {}, f"it is {what}, not a mapping of keys to values")


def _pieces(body: str) -> list[str]:
    """Split a list into its items where a line begins one, at the indentation of the first."""
    first = _ITEM.search(body)
    if first is None:
        return []
    starts = [found.start() for found in _ITEM.finditer(body) if found[1] == first[1]]
    return [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def _piece(number: int, text: str, *, cut: bool) -> Item:
    if cut:
        return Item(number, {}, "it was cut off at the limit of tokens")
    try:
        (node,) = _listed(load(text))
    except AnswerUnreadable as error:
        return Item(number, {}, str(error))
    return _item(number, node)
