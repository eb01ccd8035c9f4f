"""What the audit knows of trust: instruments that were verified, eras that were opened, defects and bans."""

from __future__ import annotations

from collections.abc import Mapping

from events.envelope import Fact
from events.facts import (
    BanLifted,
    Banned,
    DefectFixed,
    DefectFound,
    EraOpened,
    InstrumentRefused,
    InstrumentVerified,
    RepeatsBegun,
    RepeatsForgone,
    SeedsRepeated,
)
from replay.counts import Total

Named = tuple[tuple[str, str], ...]
"""A platform's values by name, in the order of names."""


def named(platform: Mapping[str, str]) -> Named:
    """Return a platform so that it can be looked up."""
    return tuple(sorted(platform.items()))


class Vouched:
    """Plain names, kept apart from the folds that the audit is to check.

    Attributes:
        verdicts: by instrument and then platform, whether its canaries held there the last time; the platform is empty
            where a verdict names none, and is of every one.
        eras: by number, the instrument that it was opened for, in the order of opening.
        defects: each with whether it is fixed; `bans` each with whether it is lifted.
        repeating: device seconds that the repeats which the analyst began may take; `repeated` what those before took.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, dict[Named, bool]] = {}
        self.eras: dict[int, str] = {}
        self.defects: dict[str, bool] = {}
        self.bans: dict[str, bool] = {}
        self.repeating = 0.0
        self.repeated = Total()

    def holds(self, instrument: str, platform: Mapping[str, str]) -> bool | None:
        """Say whether an instrument's canaries held on a platform; None where nobody said."""
        told = self.verdicts.get(instrument, {})
        return told.get(named(platform), told.get(()))

    def repeat(self, fact: Fact) -> None:
        """Take in what the analyst says of repeats; what it began and did not end counts as it was reserved."""
        match fact:
            case RepeatsBegun():
                self.repeated.add(self.repeating)
                self.repeating = fact.timeout * len(fact.seeds)
            case SeedsRepeated() | RepeatsForgone():
                self.repeated.add(fact.gpu_seconds)
                self.repeating = 0.0

    def advance(self, fact: Fact) -> None:
        """Take a fact in."""
        match fact:
            case InstrumentVerified() | InstrumentRefused():
                told = self.verdicts.setdefault(fact.instrument, {})
                told[named(fact.platform)] = isinstance(fact, InstrumentVerified)
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
