"""The champion: the best sound result whose seed-repeat interval is known; until then a leader is a candidate.

The leader of many runs leads partly by luck: of 10,469 draws the highest is too high. Its configuration, run again
under other seeds, tells how much. The interval is Student's, at 95%, over those repeats alone; the score that made it a
leader is not among them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import msgspec

from events.envelope import Fact
from events.facts import SeedsRepeated
from events.log import Recorded
from replay.folds import Handler
from replay.leaderboard import Row, leaderboard
from replay.ledger import Ledger

REPEATS = 3
"""Repeats that make an interval, where nobody asks for more."""

CANDIDATES = 5
"""Leaders above the champion that are named."""

T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t at 97.5% for 1 to 10 degrees of freedom; for more the last, which errs towards a wider interval."""


class Repeats(msgspec.Struct):
    """Validation AP by seed, of each experiment that was run under other seeds, by the instrument that it was under."""

    of: dict[str, dict[str, dict[int, float]]] = {}


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The mean AP of repeats, and where the mean of many would lie with 95% confidence."""

    n: int
    mean: float
    low: float
    high: float


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A leader: `interval` is None while too few repeats are known under its own instrument."""

    experiment: str
    rank: int
    validation: float
    noise: float
    repeats: int
    interval: Interval | None


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME champion --json` prints.

    Attributes:
        needed: repeats that make an interval known.
        champion: the candidate of the highest mean among those whose interval is known; None while there is none.
        candidates: the leaders, by validation AP, and the champion where it is not among them.
    """

    campaign: str
    needed: int
    champion: Candidate | None
    candidates: list[Candidate]


def _repeated(state: Repeats, fact: SeedsRepeated, recorded: Recorded, index: int) -> None:
    known = state.of.setdefault(fact.experiment, {}).setdefault(fact.instrument, {})
    known.update(zip(fact.seeds, fact.validation, strict=True))


class RepeatsFold:
    """Folds a log into the repeats of its experiments."""

    handlers: Mapping[type[Fact], Handler] = {SeedsRepeated: _repeated}

    def initial(self) -> Repeats:
        """Return no repeats."""
        return Repeats()

    def result(self, state: Repeats) -> Repeats:
        """Return the repeats."""
        return state


def champion(ledger: Ledger, repeats: Repeats, *, needed: int = REPEATS) -> Champion:
    """Say who is champion, and which leaders wait for their intervals."""
    rows = leaderboard(ledger)
    known = [_candidate(ledger, row, repeats, needed) for row in rows[:CANDIDATES] + _repeated_rows(rows, repeats)]
    confirmed = [one for one in known if one.interval is not None]
    best = max(confirmed, key=lambda one: (one.interval.mean if one.interval else -1.0, -one.rank), default=None)
    return Champion(campaign=ledger.campaign, needed=needed, champion=best, candidates=known)


def interval(scores: list[float]) -> Interval:
    """Return Student's 95% interval of the mean of at least two scores."""
    n, mean = len(scores), statistics.fmean(scores)
    half = T95[min(n - 1, len(T95)) - 1] * statistics.stdev(scores) / math.sqrt(n)
    return Interval(n=n, mean=mean, low=mean - half, high=mean + half)


def _repeated_rows(rows: list[Row], repeats: Repeats) -> list[Row]:
    return [row for row in rows[CANDIDATES:] if row.experiment in repeats.of]


def _candidate(ledger: Ledger, row: Row, repeats: Repeats, needed: int) -> Candidate:
    instrument = ledger.experiments[row.experiment].attempts[-1].instrument or ""
    scores = list(repeats.of.get(row.experiment, {}).get(instrument, {}).values())
    return Candidate(
        experiment=row.experiment,
        rank=row.rank,
        validation=row.validation,
        noise=row.noise,
        repeats=len(scores),
        interval=interval(scores) if len(scores) >= max(2, needed) else None,
    )


def champion_sentence(made: Champion) -> str:
    """Say in a sentence who is champion, or what is missing."""
    if made.champion is not None and made.champion.interval is not None:
        known, one = made.champion.interval, made.champion
        told = f"{known.mean:.4f} [{known.low:.4f}, {known.high:.4f}] over {known.n} other seeds"
        return f"{one.experiment} is champion: {told}, {one.validation:.4f} when it was found"
    if not made.candidates:
        return "there is no champion, and nobody who could be one: no sound result"
    first = made.candidates[0].experiment
    return (
        f"there is no champion yet: {first} leads, and nobody knows by how much luck; "
        f"myriad rerun {made.campaign} {first} --seeds {made.needed} tells"
    )
