"""A rehearsal as text for a terminal."""

from __future__ import annotations

from typing import Any

from actors.hindsight.rehearsal import Other, Rehearsal
from replay.pages.tables import folded, table


def rehearsal_page(rehearsal: Rehearsal) -> str:
    """Return a rehearsal's text."""
    rows = [(one.role, _verdict(one), one.same, one.different, one.unknown) for one in rehearsal.roles]
    lines = [
        f"rehearsal  {rehearsal.verdict}: campaign {rehearsal.campaign} through position {rehearsal.through}",
        "",
        *table(("role", "decisions", "same", "different", "unknown"), rows),
    ]
    if rehearsal.first is not None:
        lines += ["", *_other(rehearsal.first)]
    lines += [f"unknown    {one.role}: {one.untold}" for one in rehearsal.roles if one.untold is not None]
    return folded(lines)


def _verdict(one: Any) -> str:
    return one.verdict if one.same or one.different or one.unknown else "never spoke"


def _other(other: Other) -> list[str]:
    return [
        f"first      position {other.position}, {other.role}, field {other.field}",
        f"  recorded {_shown(other.recorded)}",
        f"  today    {_shown(other.today)}",
    ]


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
