"""What the audit knows of trust: instruments that were verified, eras that were opened, defects and bans."""

from __future__ import annotations

from events.envelope import Fact
from events.facts import (
    BanLifted,
    Banned,
    DefectFixed,
    DefectFound,
    EraOpened,
    InstrumentRefused,
    InstrumentVerified,
)


class Vouched:
    """Plain names, kept apart from the folds that the audit is to check.

    Attributes:
        verdicts: by instrument, whether its canaries held the last time.
        eras: by number, the instrument that it was opened for, in the order of opening.
        defects: each with whether it is fixed; `bans` each with whether it is lifted.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, bool] = {}
        self.eras: dict[int, str] = {}
        self.defects: dict[str, bool] = {}
        self.bans: dict[str, bool] = {}

    def advance(self, fact: Fact) -> None:
        """Take a fact in."""
        match fact:
            case InstrumentVerified() | InstrumentRefused():
                self.verdicts[fact.instrument] = isinstance(fact, InstrumentVerified)
            case EraOpened():
                self.eras[fact.era] = fact.instrument
            case DefectFound():
                self.defects.setdefault(fact.defect, False)
            case DefectFixed():
                self.defects[fact.defect] = True
            case Banned():
                self.bans.setdefault(fact.ban, False)
            case BanLifted():
                self.bans[fact.ban] = True
