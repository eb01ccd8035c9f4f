"""A sight: one campaign folded through one position, with what a screen needs beside the measures; no threads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, get_args

from replay.briefed import Horizons, HorizonsFold
from replay.caps import Caps, OpeningFold, caps
from replay.controls import Control, ControlsFold
from replay.era_report import EraReport, era_report
from replay.fleet import Fleet, FleetFold
from replay.folds import Pass
from replay.instruments import Instrument, Instruments, InstrumentsFold, counted
from replay.ledger import Ledger
from replay.lessons import Lessons
from replay.measures import MEASURES, Results
from replay.moments.chronology import TROUBLE
from replay.moments.glance import Glance, GlanceFold
from replay.prospects import Prospects
from replay.taint import Taint, Via, tainted
from replay.trend import Reading, TrendFold
from tui.tape import Tape
from tui.telling import Line, line

FOLDS = (
    *MEASURES,
    FleetFold(),
    ControlsFold(),
    GlanceFold(),
    TrendFold(),
    OpeningFold(),
    InstrumentsFold(),
    HorizonsFold(),
)
"""What a sight folds, in the order in which its properties read them."""

LATEST, TROUBLES = 100, 50
"""Lines of the stream, and of failures and repairs, that an overview keeps."""


class Sight:
    """What the frames of a tape through one position say.

    Args:
        passing: folds `FOLDS`.
        lessons: what sights of one log share.
    """

    def __init__(self, passing: Pass[Any], lessons: Lessons) -> None:
        self.passing = passing
        self.prospects = Prospects(lessons)
        self.at = 0
        self.latest: list[Line] = []
        self.troubles: list[Line] = []
        self._recalled = 0

    @property
    def through(self) -> int:
        """The last sequence that was folded."""
        return self.passing.through

    @property
    def results(self) -> Results:
        """The measures' own states."""
        search, cycles, repairs = self.passing.states[:3]
        return search, cycles, repairs

    @property
    def ledger(self) -> Ledger:
        """The ledger, to read."""
        return self.results[0].ledger

    @property
    def fleet(self) -> Fleet:
        """The workers and their packs."""
        found: Fleet = self.passing.states[3]
        return found

    @property
    def controls(self) -> list[Control]:
        """What the champion is held against."""
        return ControlsFold().result(self.passing.states[4])

    @property
    def glance(self) -> Glance:
        """The counts, as they were when they were last refreshed."""
        found: Glance = self.passing.states[5]
        return found

    @property
    def trend(self) -> list[Reading]:
        """How the search moved, as it was recorded."""
        found: list[Reading] = self.passing.states[6]
        return found

    @property
    def caps(self) -> Caps:
        """What may be spent."""
        return caps(self.passing.states[7])

    @property
    def instruments(self) -> Instruments:
        """What was verified, or refused."""
        found: Instruments = self.passing.states[8]
        return found

    @property
    def horizons(self) -> Horizons:
        """How much each briefing knew."""
        found: Horizons = self.passing.states[9]
        return found

    def trust(self) -> tuple[EraReport, list[Instrument], Taint]:
        """Return the eras, the instruments, and what defects touched."""
        search, cycles, repairs = self.results
        return (
            era_report(search.ledger),
            counted(self.instruments, search.ledger),
            tainted(search.ledger, cycles, repairs, self.horizons)
            if search.ledger.defects.all
            else _sound(search.ledger),
        )

    def recall(self, tape: Tape) -> None:
        """Read from the tape what passed by last; costs a few frames, and nothing where nothing came since."""
        here = min(self.through, len(tape))  # what was folded an earlier time is known before its frames have come
        if self._recalled == here:
            return
        self._recalled = here
        self.latest = _last(tape, range(here, 0, -1), LATEST, troubled=False)
        before = bisect_right(tape.chronology.troubles, here)
        self.troubles = _last(tape, reversed(tape.chronology.troubles[:before]), TROUBLES, troubled=True)
        self.at = self.latest[-1].at if self.latest else 0

    def refresh(self) -> None:
        """Bring the counts up to what was folded."""
        self.glance.refresh(self.results)


def _sound(ledger: Ledger) -> Taint:
    """Return what `tainted` does without a defect, and does not look through every briefing for it."""
    none: dict[Via, int] = dict.fromkeys(get_args(Via), 0)
    return Taint(
        campaign=ledger.campaign,
        completed=len(ledger.completed),
        defects=[],
        results=[],
        followed=none,
        briefed=0,
        tree=[],
    )


def _last(tape: Tape, sequences: Iterable[int], many: int, *, troubled: bool) -> list[Line]:
    """Return the last lines, oldest first, of frames given the newest first."""
    found: list[Line] = []
    for sequence in sequences:
        recorded = tape.frame(sequence)
        told = [
            (position, fact) for position, fact in recorded.positions() if not troubled or isinstance(fact, TROUBLE)
        ]
        found += [line(position, recorded.author, fact) for position, fact in reversed(told)]
        if len(found) >= many:
            break
    return found[many - 1 :: -1] if len(found) >= many else found[::-1]
