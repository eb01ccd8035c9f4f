"""Microseconds since 1970 UTC, read from and written as ISO 8601; nothing here asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(at: int) -> str:
    """Return a moment as `2026-05-01 12:00:00 UTC`."""
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S} UTC"


def parsed(text: str) -> int | None:
    """Return the microseconds of an ISO 8601 moment, UTC where it names no zone; None for anything else.

    What `shown` writes is read too.
    """
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def lasted(seconds: float) -> str:
    """Return a duration in the unit that suits it: s, min or h."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
