"""What a report, a moment or a screen is about: the campaign, and how far its log was read."""

from __future__ import annotations

import msgspec

from replay.leaderboard import left_out
from replay.ledger import Ledger


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported on.

    Attributes:
        cells: of the campaign's space.
        opened_at: microseconds since 1970 UTC, by the clock of who opened it.
        instruments: those that completed runs were measured by; scores of different ones do not compare.
        left_out: what the leaderboard leaves out because defects touch it, None where nothing is.
        closed: the reason, None while the search is open.
        through: the last sequence that was folded.
        imported: from where its runs were brought, and what is not known of them; None for a search of ours.
    """

    campaign: str
    space: str | None
    cells: int
    seed: int
    opened_at: int
    instruments: tuple[str, ...]
    closed: str | None
    through: int
    left_out: str | None = None
    imported: str | None = None


def subject(ledger: Ledger, through: int) -> Subject:
    """Say what is reported on."""
    attempts = (ledger.experiments[name].attempts[-1] for name in ledger.completed)
    instruments = dict.fromkeys(attempt.instrument or "none stated" for attempt in attempts)
    return Subject(
        campaign=ledger.campaign,
        space=ledger.space.name if ledger.space is not None else None,
        cells=ledger.space.cells if ledger.space is not None else 0,
        seed=ledger.seed,
        opened_at=ledger.opened_at,
        instruments=tuple(instruments),
        closed=ledger.closed,
        through=through,
        imported=ledger.imported,
        left_out=left_out(ledger),
    )
