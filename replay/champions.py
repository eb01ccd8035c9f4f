"""The champion: the best sound result whose seed-repeat interval is known; until then a leader is a candidate.

The leader of many runs leads partly by luck: of 10,469 draws the highest is too high. Its configuration, run again
under other seeds, tells how much. The interval is Student's, at 95%, over those repeats alone; the score that made it a
leader is not among them. A campaign repeats its leader when its search has ended, and then, of the next ones, whoever
scored above the whole interval of the best one known: it may well be the better.
"""

from __future__ import annotations

import math
import statistics
from typing import Literal

import msgspec

from replay.leaderboard import Row, leaderboard
from replay.ledger import Ledger

REPEATS = 3
"""Repeats that make an interval, where nobody asks for more."""

CANDIDATES = 5
"""Leaders above the champion that are named."""

CHALLENGERS = 3
"""Leaders, by validation AP, that a campaign repeats at most."""

T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t at 97.5% for 1 to 10 degrees of freedom; for more the last, which errs towards a wider interval."""


Standing = Literal["champion", "candidate", "repeated"]
"""Of a leader: the champion; one whose interval is not known; one whose interval is, and another's mean is higher."""


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The mean AP of repeats, and where the mean of many would lie with 95% confidence."""

    n: int
    mean: float
    low: float
    high: float


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A leader.

    Attributes:
        interval: None while too few repeats are known under its own instrument.
        forgone: why the campaign will not know it, None where it has not said so.
    """

    experiment: str
    rank: int
    validation: float
    noise: float | None
    repeats: int
    interval: Interval | None
    forgone: str | None = None


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME champion --json` prints.

    Attributes:
        needed: repeats that make an interval known.
        own: whether the campaign makes them itself when its search ends; `open` whether the search has not.
        champion: the candidate of the highest mean among those whose interval is known; None while there is none.
        candidates: the leaders, by validation AP, and the champion where it is not among them.
    """

    campaign: str
    needed: int
    champion: Candidate | None
    candidates: list[Candidate]
    own: bool = False
    open: bool = False


def champion(ledger: Ledger, *, needed: int | None = None) -> Champion:
    """Say who is champion, and which leaders wait for their intervals.

    Args:
        needed: repeats that make an interval known; as the campaign file says, or `REPEATS`, where nobody asks.
    """
    gate = ledger.repeats.gate
    wanted = needed or gate or REPEATS
    known = [_candidate(ledger, row, wanted) for row in _looked_at(ledger)]
    confirmed = [one for one in known if one.interval is not None]
    best = max(confirmed, key=lambda one: (one.interval.mean if one.interval else -1.0, -one.rank), default=None)
    return Champion(
        campaign=ledger.campaign,
        needed=wanted,
        champion=best,
        candidates=known,
        own=bool(gate),
        open=ledger.closed is None,
    )


def challenger(ledger: Ledger) -> Row | None:
    """Return the leader that the campaign itself is to repeat next; None where it repeats none, or has done so.

    The best by validation AP first; the next ones while their own score lies above the interval of the champion so far.
    """
    if not ledger.repeats.gate:
        return None
    made = champion(ledger)
    above = made.champion.interval.high if made.champion is not None and made.champion.interval is not None else -1.0
    settled = {one.experiment for one in made.candidates if one.interval is not None} | {*ledger.repeats.forgone}
    rows = leaderboard(ledger, top=CHALLENGERS)
    return next((row for row in rows if row.experiment not in settled and row.validation > above), None)


def missing(ledger: Ledger, row: Row) -> int:
    """Return how many other seeds a leader is still to be run under."""
    known = ledger.repeats.known(row.experiment, ledger.experiments[row.experiment].attempts[-1].instrument)
    return max(0, (ledger.repeats.gate or 0) - len(known))


def holder(ledger: Ledger) -> Row | None:
    """Return the result that controls are for: the champion, else the leader; None without any sound result."""
    best = champion(ledger).champion
    rows = leaderboard(ledger, top=1 if best is None else best.rank)
    return rows[-1] if rows else None


def stood(ledger: Ledger, rows: list[Row]) -> list[Row]:
    """Return leaders with how each stands; those that nobody takes for a candidate stand as they were."""
    made = champion(ledger)
    best = made.champion.experiment if made.champion is not None else None
    told: dict[str, Standing] = {
        one.experiment: "candidate" if one.interval is None else "champion" if one.experiment == best else "repeated"
        for one in made.candidates
    }
    return [msgspec.structs.replace(row, standing=told.get(row.experiment)) for row in rows]


def interval(scores: list[float]) -> Interval:
    """Return Student's 95% interval of the mean of at least two scores."""
    n, mean = len(scores), statistics.fmean(scores)
    half = T95[min(n - 1, len(T95)) - 1] * statistics.stdev(scores) / math.sqrt(n)
    return Interval(n=n, mean=mean, low=mean - half, high=mean + half)


def _looked_at(ledger: Ledger) -> list[Row]:
    """Return the first leaders, and whoever was repeated below them; all of them are ranked for those alone."""
    rows = leaderboard(ledger, top=CANDIDATES)
    if {*ledger.repeats.of} <= {row.experiment for row in rows}:
        return rows
    return rows + [row for row in leaderboard(ledger)[CANDIDATES:] if row.experiment in ledger.repeats.of]


def _candidate(ledger: Ledger, row: Row, needed: int) -> Candidate:
    instrument = ledger.experiments[row.experiment].attempts[-1].instrument
    scores = list(ledger.repeats.known(row.experiment, instrument).values())
    return Candidate(
        experiment=row.experiment,
        rank=row.rank,
        validation=row.validation,
        noise=row.noise,
        repeats=len(scores),
        interval=interval(scores) if len(scores) >= max(2, needed) else None,
        forgone=ledger.repeats.forgone.get(row.experiment),
    )


def champion_sentence(made: Champion) -> str:
    """Say in a sentence who is champion, or what is missing."""
    if made.champion is not None and made.champion.interval is not None:
        known, one = made.champion.interval, made.champion
        told = f"{known.mean:.4f} {bounds(known)} over {known.n} other seeds"
        return f"{one.experiment} is champion: {told}, {one.validation:.4f} when it was found"
    if not made.candidates:
        return "there is no champion, and nobody who could be one: no sound result"
    first = made.candidates[0]
    leads = f"there is no champion yet: {first.experiment} is a candidate, and nobody knows by how much luck it leads"
    if made.own and first.forgone is None and made.open:
        return f"{leads}; {made.needed} other seeds tell when the search has ended"
    why = f"; its repeats were forgone: {first.forgone}" if first.forgone is not None else ""
    return f"{leads}{why}; myriad rerun {made.campaign} {first.experiment} --seeds {made.needed} tells"


def bounds(known: Interval) -> str:
    """Return an interval's ends in words, cut to where an average precision can be."""
    return f"[{max(0.0, known.low):.4f}, {min(1.0, known.high):.4f}]"


def standing_words(made: Champion) -> str | None:
    """Say in a few words how the best sound result stands; None where there is none."""
    if not made.candidates:
        return None
    if (best := made.champion) is not None and best.interval is not None:
        return f"champion {best.experiment} at {best.interval.mean:.4f} over {best.interval.n} other seeds"
    return f"{made.candidates[0].experiment} a candidate, no champion"
