"""How facts of older vocabularies are read today: one pure function from the old tag's mapping to the new one's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

_TERM = re.compile(r"(wish|novelty) (\d+(?:\.\d+)?)")


def _queued_in_terms(fact: dict[str, Any]) -> dict[str, Any]:
    """Read the terms of a priority from the words of the first vocabulary, to the two decimals that it wrote."""
    why = str(fact.pop("why"))
    return {**fact, "type": "Queued.2", "terms": {name: float(value) for name, value in _TERM.findall(why)}}


UPCASTERS: dict[str, Upcaster] = {"Queued": _queued_in_terms}

VOCABULARY = 1 + len(UPCASTERS)
"""Number of today's vocabulary: a changed meaning moves it; a new type, or a field with a default, does not."""


def upcast(fact: dict[str, Any]) -> dict[str, Any]:
    """Carry a fact through as many changes of the vocabulary as it has missed."""
    while (step := UPCASTERS.get(fact["type"])) is not None:
        fact = step(fact)
    return fact
