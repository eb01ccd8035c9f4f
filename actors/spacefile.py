"""A space of the user's own: a TOML file of dimensions, for a campaign whose task is a script of theirs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from actors.errors import CampaignFileInvalid
from events.errors import SpaceInvalid
from events.space import Choice, Dimension, Interval, Part, Space, Stage


class _Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    values: tuple[str | int, ...]
    part: Part = "training"
    stage: Stage = "forward"


class _Interval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    low: float
    high: float
    scale: str = "linear"
    when: dict[str, tuple[str | int, ...]] = {}
    bins: int = 10
    part: Part = "training"
    stage: Stage = "forward"


def read(path: Path) -> Space:
    """Return the space that a file describes: `name`, and a [[dimension]] with values, or with low and high, for each.

    Raises:
        CampaignFileInvalid: naming the dimension and what is wrong with it.
    """
    try:
        mapping = tomllib.loads(path.read_text())
    except OSError as error:
        raise CampaignFileInvalid(str(path), (f"cannot be read: {error.strerror}",)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CampaignFileInvalid(str(path), (f"is not TOML: {error}",)) from None
    rows = mapping.get("dimension")
    if not isinstance(rows, list) or not rows or set(mapping) - {"name", "dimension"}:
        raise CampaignFileInvalid(str(path), ("needs a name and a [[dimension]] for each dimension, and nothing else",))
    try:
        space = Space(name=str(mapping.get("name", path.stem)), dimensions=tuple(map(_dimension, rows)))
    except (msgspec.ValidationError, SpaceInvalid) as error:
        raise CampaignFileInvalid(str(path), (str(error),)) from None
    if not space.choices:
        raise CampaignFileInvalid(str(path), ("needs at least one dimension with values: the cells of the search",))
    return space


def _dimension(row: Any) -> Dimension:
    name = row.get("name", "?") if isinstance(row, dict) else "?"
    try:
        if "values" in row:
            choice = msgspec.convert(row, _Choice)
            if not choice.values:
                raise SpaceInvalid("values is empty")
            return Choice(**msgspec.structs.asdict(choice))
        interval = msgspec.convert(row, _Interval)
    except (msgspec.ValidationError, SpaceInvalid, TypeError) as error:
        raise SpaceInvalid(f"dimension {name}: {error}") from None
    if interval.scale not in {"linear", "log"} or interval.bins < 1:
        raise SpaceInvalid(f"dimension {name}: scale is linear or log, and bins at least 1")
    return Interval(**msgspec.structs.asdict(interval))
