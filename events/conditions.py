"""What a predicate is once it is read: a tree of comparisons, what it holds of, and its canonical words.

The language is described in `events.predicates`, which reads it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Literal

import msgspec

from events.space import Value

Operator = Literal["==", "!=", "<=", ">=", "<", ">", "~"]

ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
KEYWORDS = ("and", "or", "not", "in", "everything")
WORD = r"[A-Za-z_][A-Za-z0-9_.+:/-]*"


class Everything(msgspec.Struct, frozen=True, tag="everything"):
    """Holds always."""

    def __str__(self) -> str:
        return "everything"


class Comparison(msgspec.Struct, frozen=True, tag="comparison"):
    """NAME OPERATOR VALUE."""

    name: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {_shown(self.value)}"


class Among(msgspec.Struct, frozen=True, tag="among"):
    """NAME in (VALUE, ...), at least one."""

    name: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.name} in ({', '.join(map(_shown, self.values))})"


class Not(msgspec.Struct, frozen=True, tag="not"):
    """Holds where the other does not."""

    of: Predicate

    def __str__(self) -> str:
        return f"not {_inner(self.of)}"


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """Two or more, all of which (`and`) or any of which (`or`) hold."""

    word: Literal["and", "or"]
    of: tuple[Predicate, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(map(_inner, self.of))


Predicate = Everything | Comparison | Among | Not | Joined

Condition = Callable[[Mapping[str, object]], bool]
"""Says of a row whether it is one that a predicate means."""


def matches(predicate: Predicate, row: Mapping[str, object]) -> bool:
    """Say whether a configuration, or what is known of a run, is one that the predicate means.

    Args:
        row: values by name; None counts as a name that is not there.
    """
    match predicate:
        case Everything():
            return True
        case Comparison():
            found = row.get(predicate.name)
            return found is not None and _compares(predicate.operator, found, predicate.value)
        case Among():
            return (found := row.get(predicate.name)) is not None and found in predicate.values
        case Not():
            return not matches(predicate.of, row)
        case Joined():
            return (all if predicate.word == "and" else any)(matches(one, row) for one in predicate.of)


def condition(predicate: Predicate) -> Condition:
    """Return `matches` of one predicate, for whom many rows are asked about: the tree is walked once, not at each."""
    match predicate:
        case Everything():
            return lambda _: True
        case Comparison(name=name, operator=sign, value=value):
            if sign == "==":
                return lambda row: (found := row.get(name)) is not None and found == value
            return lambda row: (found := row.get(name)) is not None and _compares(sign, found, value)
        case Among(name=name, values=values):
            return lambda row: (found := row.get(name)) is not None and found in values
        case Not(of=inner):
            denied = condition(inner)
            return lambda row: not denied(row)
        case Joined(word=word, of=parts):
            return reduce(_both if word == "and" else _either, map(condition, parts))


def _both(one: Condition, other: Condition) -> Condition:
    return lambda row: one(row) and other(row)


def _either(one: Condition, other: Condition) -> Condition:
    return lambda row: one(row) or other(row)


def names_of(predicate: Predicate) -> Iterator[str]:
    """Yield every name that a predicate compares, in order."""
    match predicate:
        case Comparison() | Among():
            yield predicate.name
        case Not():
            yield from names_of(predicate.of)
        case Joined():
            for one in predicate.of:
                yield from names_of(one)


def _compares(sign: Operator, found: object, value: Value) -> bool:
    if sign in ("==", "!="):
        return (found == value) is (sign == "==")
    if sign == "~":
        return isinstance(found, str) and isinstance(value, str) and found.startswith(value)
    number = isinstance(found, int | float) and not isinstance(value, str)
    return number and ORDERS[sign](found, value)  # type: ignore[arg-type] # the line above says that both are numbers


def _inner(predicate: Predicate) -> str:
    return f"({predicate})" if isinstance(predicate, Joined) else str(predicate)


def _shown(value: Value) -> str:
    if not isinstance(value, str):
        return repr(value)
    if re.fullmatch(WORD, value) and value not in KEYWORDS:
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"
