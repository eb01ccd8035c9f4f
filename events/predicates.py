"""Predicates: a small typed language that says which configurations, or which runs, are meant; for bans and defects.

    pooling == attention
    learning_rate > 1e-3 and backbone in (video, motion)
    not (agent == tpe or attempt > 1)

`or` binds weaker than `and`, that weaker than `not`. A comparison is NAME OPERATOR VALUE or NAME `in` (VALUE, ...), or
`not in`; the operators are == and != for anything, < <= > >= for numbers, and ~ for a word's beginning. A value is a
number, a word, or anything in single or double quotes. `everything` means every one. A name that a configuration or run
does not have (a dimension that is not active, an attempt that never started) makes its comparison false, whichever the
operator. Test scores have no name here: nothing is ever selected on them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from events.conditions import (
    KEYWORDS,
    ORDERS,
    WORD,
    Among,
    Comparison,
    Everything,
    Joined,
    Not,
    Operator,
    Predicate,
    matches,
    names_of,
)
from events.errors import LogError
from events.space import Choice, Dimension, Interval, Space, Value

__all__ = [
    "RUN_FIELDS",
    "Names",
    "Predicate",
    "PredicateInvalid",
    "configurations",
    "matches",
    "names_of",
    "parse",
    "runs",
]

Field = Literal["word", "number"]

RUN_FIELDS: dict[str, Field] = {
    "experiment": "word",
    "idea": "word",
    "agent": "word",
    "origin": "word",
    "status": "word",
    "worker": "word",
    "instrument": "word",
    "device": "word",
    "torch": "word",
    "numpy": "word",
    "triton": "word",
    "av": "word",
    "failure": "word",
    "era": "number",
    "attempt": "number",
    "seed": "number",
    "position": "number",
    "validation": "number",
    "best_epoch": "number",
    "gpu_seconds": "number",
}
"""What is known of a run beside its configuration: `attempt`, `worker`, `instrument`, `device`, `era`, `failure` of its
last attempt, `position` the sequence at which that one started, `device` the kind that its platform names, and `torch`,
`numpy`, `triton`, `av` the versions there."""

LONGEST, DEEPEST = 2000, 40
"""Characters of a predicate, and `not` and parentheses within one another, that are read."""

Names = Mapping[str, Dimension | Field]
"""The names that a predicate may use, other words for them among its keys."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<number>{_NUMBER})(?![A-Za-z0-9_.])|(?P<word>{WORD})"
    r"|(?P<sign>==|!=|<=|>=|[<>~(),])|(?P<end>$)|(?P<strange>\S))"
)


class PredicateInvalid(LogError):
    """A text is not a predicate.

    Attributes:
        text: the whole of it.
        at: where reading stopped, in characters from 1.
    """

    def __init__(self, text: str, at: int, reason: str) -> None:
        super().__init__(f"predicate {text[:LONGEST]!r}, at character {at}: {reason}")
        self.text = text
        self.at = at


def configurations(space: Space) -> Names:
    """Return the names of a predicate over configurations: the dimensions, with the other words for them."""
    others = {key: dimension for dimension in space.dimensions for key in dimension.keys}
    return {**others, **{dimension.name: dimension for dimension in space.dimensions}}


def runs(space: Space) -> Names:
    """Return the names of a predicate over runs: `RUN_FIELDS`, and the dimensions, which win where both have a name."""
    return {**RUN_FIELDS, **configurations(space)}


def parse(text: str, names: Names | None = None) -> Predicate:
    """Read a predicate; with `names` (see `configurations`, `runs`) its names and values are checked against them.

    Returns:
        the predicate, other words for a dimension or a value replaced by the space's own; its `str` reads back as
        itself.

    Raises:
        PredicateInvalid: where and why it is not one, with the nearest known name for a typo.
    """
    return _Reader(text, names).whole()


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    at: int

    @property
    def said(self) -> str:
        return repr(self.text) if self.text else "the end"


class _Reader:
    """Reads by recursive descent: one method a rule."""

    def __init__(self, text: str, names: Names | None) -> None:
        self._text = text
        self._names = names
        self._depth = 0
        if len(text) > LONGEST:
            raise self._wrong(LONGEST, f"it has {len(text)} characters, and {LONGEST} are allowed")
        self._tokens = [
            _Token(str(found.lastgroup), found[str(found.lastgroup)], found.start(str(found.lastgroup)) + 1)
            for found in _TOKEN.finditer(text)
        ]

    def whole(self) -> Predicate:
        found = self._joined("or")
        if (left := self._tokens[0]).kind != "end":
            raise self._expected("'and', 'or' or the end", left)
        return found

    def _joined(self, word: Literal["and", "or"]) -> Predicate:
        parts = [self._part(word)]
        while self._is(word):
            self._take()
            parts.append(self._part(word))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _part(self, word: str) -> Predicate:
        return self._joined("and") if word == "or" else self._one()

    def _one(self) -> Predicate:
        token = self._take()
        if token.text in ("not", "(") and token.kind != "quoted":
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._wrong(token.at, f"more than {DEEPEST} 'not' and parentheses within one another")
            inner: Predicate = Not(self._one()) if token.text == "not" else self._closed()
            self._depth -= 1
            return inner
        if token.kind == "word" and token.text == "everything":
            return Everything()
        if token.kind != "word" or token.text in KEYWORDS:
            raise self._expected("a name, 'not', '(' or 'everything'", token)
        return self._comparison(*self._name(token))

    def _closed(self) -> Predicate:
        inner = self._joined("or")
        if not self._is(")"):
            raise self._expected("')', 'and' or 'or'", self._tokens[0])
        self._take()
        return inner

    def _comparison(self, name: str, known: Dimension | Field | None) -> Predicate:
        sign = self._take()
        if sign.text == "not" and self._is("in"):
            self._take()
            return Not(self._among(name, known))
        if sign.text == "in":
            return self._among(name, known)
        for word in get_args(Operator):
            if sign.kind == "sign" and sign.text == word:
                value = self._take()
                return Comparison(name, word, self._value(name, known, word, value))
        if sign.text == "=":
            raise self._wrong(sign.at, "'=' compares nothing: write '=='")
        raise self._expected(f"a comparison after {name}: {', '.join(get_args(Operator))}, in or not in", sign)

    def _among(self, name: str, known: Dimension | Field | None) -> Among:
        if (opening := self._take()).text != "(":
            raise self._expected("'(' after in", opening)
        values = [self._value(name, known, "==", self._take())]
        while self._is(","):
            self._take()
            values.append(self._value(name, known, "==", self._take()))
        if (closing := self._take()).text != ")":
            raise self._expected("',' or ')'", closing)
        return Among(name, tuple(values))

    def _name(self, token: _Token) -> tuple[str, Dimension | Field | None]:
        if self._names is None:
            return token.text, None
        if (known := self._names.get(token.text)) is not None:
            return (token.text if isinstance(known, str) else known.name), known
        if token.text == "test":
            raise self._wrong(token.at, "nothing is selected on test scores; compare validation")
        near = difflib.get_close_matches(token.text, self._names, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise self._wrong(token.at, f"there is no {token.text}{meant} (there are {', '.join(self._names)})")

    def _value(self, name: str, known: Dimension | Field | None, sign: str, token: _Token) -> Value:
        if token.kind not in ("number", "word", "quoted") or (token.kind == "word" and token.text in KEYWORDS):
            raise self._expected(f"a value to compare {name} with", token)
        value: Value = token.text[1:-1] if token.kind == "quoted" else token.text
        if token.kind == "number":
            value = int(token.text) if re.fullmatch(r"[+-]?\d+", token.text) else float(token.text)
            if abs(value) > 2**53:
                raise self._wrong(token.at, f"{token.text} is beyond 2^53")
        if isinstance(known, Choice):
            value = known.aliases.get(str(value), value)
        if (problem := _misfit(name, known, sign, value)) is not None:
            raise self._wrong(token.at, problem)
        return value

    def _is(self, text: str) -> bool:
        return self._tokens[0].text == text and self._tokens[0].kind != "quoted"

    def _take(self) -> _Token:
        return self._tokens.pop(0) if self._tokens[0].kind != "end" else self._tokens[0]

    def _expected(self, what: str, found: _Token) -> PredicateInvalid:
        return self._wrong(found.at, f"{found.said} stands where {what} should")

    def _wrong(self, at: int, reason: str) -> PredicateInvalid:
        return PredicateInvalid(self._text, at, reason)


def _misfit(name: str, known: Dimension | Field | None, sign: str, value: Value) -> str | None:
    """Say why a value cannot be compared with a name so, or return None."""
    ordered, is_word = sign in ORDERS, isinstance(value, str)
    if (ordered or isinstance(known, Interval) or known == "number") and is_word:
        return f"{name} {sign} needs a number, not {value!r}"
    if sign == "~" and (not is_word or isinstance(known, Interval) or known == "number"):
        return f"{name} ~ needs the beginning of a word, and words to compare it with"
    if known == "word" and (ordered or not is_word):
        return f"{name} is a word: quote {value!r}, and use ==, !=, ~ or in"
    if isinstance(known, Choice) and not ordered and sign != "~" and (problem := known.problem(value)) is not None:
        near = difflib.get_close_matches(str(value), map(str, known.values), n=1)
        return f"{problem}{f'; did you mean {near[0]}?' if near else ''}"
    if isinstance(known, Choice) and ordered and any(isinstance(one, str) for one in known.values):
        return f"{name} has no order: use ==, !=, ~ or in"
    return None
