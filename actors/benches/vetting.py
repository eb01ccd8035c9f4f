"""The order to run an instrument's canaries, and what they saw."""

from __future__ import annotations

import msgspec

from events.facts import Canary


class Verify(msgspec.Struct, frozen=True, tag="verify"):
    """Run the canaries of what would train now.

    Attributes:
        split: digest of the split that the campaign began with, empty where the log names none.
    """

    id: str
    split: str = ""


class Verified(msgspec.Struct, frozen=True, tag="verified"):
    """What the canaries of an instrument saw.

    Attributes:
        parts: digest of each part of the instrument, by name.
        problem: why it may not train, in one sentence; None where every canary held.
        platform: on which they were run; empty where nobody says.
    """

    id: str
    instrument: str
    parts: dict[str, str]
    canaries: tuple[Canary, ...]
    seconds: float
    problem: str | None = None
    platform: dict[str, str] = {}
