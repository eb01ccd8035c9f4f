"""Where two things differ first, by the path of the field: facts, configurations, whatever is plain underneath."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs; None stands for what is not there, too, and `missing` says on which side.

    Attributes:
        field: path of the field, such as `1.terms.novelty`; empty for the whole.
    """

    field: str
    one: Any
    other: Any
    missing: str | None = None


def differences(one: Any, other: Any, path: str = "") -> Iterator[Difference]:
    """Yield every field in which two plain or struct values differ, in their own order, the first one first."""
    a, b = (msgspec.to_builtins(value) for value in (one, other))
    yield from _walk(a, b, path)


def first_difference(one: Any, other: Any) -> Difference | None:
    """Return the first field in which they differ, None where they are equal."""
    return next(differences(one, other), None)


def _walk(one: Any, other: Any, path: str) -> Iterator[Difference]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            yield from _inside(one, other, key, f"{path}.{key}" if path else str(key))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        longer = range(max(len(one), len(other)))
        for index in longer:
            yield from _inside(
                dict(enumerate(one)), dict(enumerate(other)), index, f"{path}.{index}" if path else str(index)
            )
    elif type(one) is not type(other) or one != other:
        yield Difference(field=path, one=one, other=other)


def _inside(one: dict[Any, Any], other: dict[Any, Any], key: Any, path: str) -> Iterator[Difference]:
    if key not in one:
        yield Difference(field=path, one=None, other=other[key], missing="one")
    elif key not in other:
        yield Difference(field=path, one=one[key], other=None, missing="other")
    else:
        yield from _walk(one[key], other[key], path)
