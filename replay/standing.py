"""How every campaign of a home stands: what its log says without being folded, and what folding adds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from events import campaigns, listing
from events.campaigns import Place
from events.errors import LogError
from replay.errors import ReplayError
from replay.leaderboard import leaderboard
from replay.measures import Measurement
from replay.pages.tables import TOO_FEW, folded, table


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign of a list.

    Attributes:
        at: time of the last fact, microseconds since 1970 UTC; None without facts.
        size: bytes of everything that the campaign keeps.
        problem: why it cannot be read or folded, None when it can.
        completed: experiments; `best` the best sound validation AP among them, by `agent`.
        usd, gpu_seconds: spent so far, reservations included.
    """

    name: str
    state: listing.State
    frames: int
    at: int | None
    size: int
    path: str
    problem: str | None = None
    completed: int | None = None
    best: float | None = None
    agent: str | None = None
    usd: float | None = None
    gpu_seconds: float | None = None


def standing(place: Place) -> Standing:
    """Look at one campaign; what cannot be read is said in `problem`, never raised."""
    row = listing.row(place)
    seen = Standing(**msgspec.structs.asdict(row))
    if row.problem is not None:
        return seen
    try:
        return _folded(row)
    except (LogError, ReplayError) as error:
        return msgspec.structs.replace(seen, problem=str(error))


def page(standings: Sequence[Standing]) -> str:
    """Return a line a campaign for a terminal, problems below the table."""
    rows = [(s.name, s.state, s.completed, s.best, s.usd, _size(s.size), _when(s.at)) for s in standings]
    lines = table(("campaign", "state", "done", "best AP", "USD", "size", "last fact, UTC"), rows)
    problems = [f"{s.name}: {s.problem}" for s in standings if s.problem is not None]
    return "\n".join([*(line.replace(TOO_FEW, f"{'-':>{len(TOO_FEW)}}") for line in lines), folded(problems)]).rstrip()


def _folded(row: listing.Row) -> Standing:
    measurement = Measurement()
    with closing(campaigns.open(row.path)) as log:
        measurement.advance(log.read())
    best = next(iter(leaderboard(measurement.ledger, top=1)), None)
    search, cycles, _ = measurement.results
    return Standing(
        **msgspec.structs.asdict(row),
        completed=len(measurement.ledger.completed),
        best=best.validation if best is not None else None,
        agent=best.agent if best is not None else None,
        usd=sum(agent.usd for agent in cycles.agents.values()),
        gpu_seconds=search.gpu_seconds.value(),
    )


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _when(at: int | None) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M}" if at is not None else "-"
