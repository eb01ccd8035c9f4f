"""How facts of older vocabularies are read today: one pure function from the old tag's mapping to the new one's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: dict[str, Upcaster] = {}


def upcast(fact: dict[str, Any]) -> dict[str, Any]:
    """Carry a fact through as many changes of the vocabulary as it has missed."""
    while (step := UPCASTERS.get(fact["type"])) is not None:
        fact = step(fact)
    return fact
