"""What can be said of a campaign without folding it: state, frames, the last fact's time, size."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from events import campaigns
from events.campaigns import Place
from events.errors import LogError
from events.log import LogReader
from events.wire import server

State = Literal["running", "open", "closed", "unreadable"]


TURNS = ("CampaignClosed", "CampaignReopened")
"""Facts of which the last one says whether a search is over."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign of a list.

    Attributes:
        at: time of the last fact, microseconds since 1970 UTC; None without facts.
        size: bytes of everything that the campaign keeps.
        problem: why it cannot be read, None when it can.
    """

    name: str
    state: State
    frames: int
    at: int | None
    size: int
    path: str
    problem: str | None = None


class _Peek(msgspec.Struct):
    type: str
    at: int = 0


_peek = msgspec.json.Decoder(list[_Peek]).decode


def row(place: Place) -> Row:
    """Look at one campaign; what cannot be read is said in `problem`, never raised."""
    path = place.file or (place.folder.path if place.folder else Path())
    try:
        log = campaigns.open(path)
        try:
            return _row(place, path, log)
        finally:
            log.close()
    except (LogError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        size = _size(path)
        return Row(
            name=place.name, state="unreadable", frames=0, at=None, size=size, path=str(path), problem=str(error)
        )


def _row(place: Place, path: Path, log: LogReader) -> Row:
    last = log.last()
    facts = [fact for recorded in log.read(max(0, last - 1)) for fact in _peek(recorded.payload)]
    at = max((fact.at for fact in facts), default=None)
    return Row(name=place.name, state=_state(place, log), frames=last, at=at, size=_size(path), path=str(path))


def _state(place: Place, log: LogReader) -> State:
    if place.folder is not None and server.address(place.folder) is not None:
        return "running"
    ours = log.read(0, f"myriad.{log.campaign}.campaign.*.*")
    turns = [fact.type for recorded in ours for fact in _peek(recorded.payload) if fact.type in TURNS]
    return "closed" if turns[-1:] == ["CampaignClosed"] else "open"


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
