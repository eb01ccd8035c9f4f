"""The campaign file as it lies on the log, as plain data: what was allowed is read from the log, never from a disk."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

from events.envelope import Text
from events.errors import BlobMissing

Reading = Callable[[Text], str]
"""Returns the whole of a fact's text; raises `BlobMissing` where the rest of it is not at hand."""

Settings = dict[str, Any]


def at_hand(text: Text) -> str:
    """Return a text that lies whole in its fact; raises `BlobMissing` for a longer one."""
    if text.digest is not None:
        raise BlobMissing(text.digest, "only the fact is at hand, which keeps both ends of it")
    return text.head


def settings(text: Text, reading: Reading = at_hand) -> Settings | str:
    """Return a campaign file as nested mappings, or one sentence that says why it cannot be read."""
    try:
        return tomllib.loads(reading(text))
    except BlobMissing as error:
        return f"the campaign file cannot be read: {error}"
    except tomllib.TOMLDecodeError as error:
        return f"the campaign file is not TOML: {error}"


def flat(mapping: Settings, path: str = "") -> dict[str, Any]:
    """Return every value by its whole key, such as `budget.gpu_hours` or `agent.0.policy`."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        inner = dict(enumerate(value)) if isinstance(value, list) and _is_tables(value) else value
        if isinstance(inner, dict):
            found |= flat({str(name): item for name, item in inner.items()}, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


def _is_tables(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)
