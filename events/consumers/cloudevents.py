"""Facts as CloudEvents 1.0, one JSON object a line (CNCF: CloudEvents 1.0.2, and its JSON Event Format)."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from events.consumers.tailing import EPOCH, Said
from events.subjects import matches

VERSION = "1.0"


def line(said: Said) -> str:
    """Return one fact as an event.

    `source` and `id` (the fact's position) name it for ever; `type` is the fact's own behind `myriad.`; `time` is the
    author's clock and says nothing about order; `data` is the fact as it was recorded. Of extensions there are
    `sequence`, which orders a campaign's events as text, and `frame`, the id of the frame that the fact came in.
    """
    event = {
        "specversion": VERSION,
        "id": str(said.position),
        "source": f"/myriad/{_campaign(said.subject)}",
        "type": f"myriad.{said.fact.get('type', 'unknown')}",
        "subject": said.subject,
        "time": _time(said.fact.get("at")),
        "datacontenttype": "application/json",
        "sequence": f"{said.position.sequence:016d}.{said.position.index:06d}",
        "frame": said.id,
        "data": said.fact,
    }
    return msgspec.json.encode({name: value for name, value in event.items() if value is not None}).decode()


def _campaign(subject: str) -> str:
    return subject.split(".")[1] if matches("myriad.*.>", subject) else "unknown"


def _time(at: object) -> str | None:
    """Say a clock as RFC 3339 does; None for one that it cannot say."""
    if not isinstance(at, int):
        return None
    try:
        return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return None
