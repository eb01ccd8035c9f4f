"""Seeds that were repeated: what each leader scored under other seeds, what that took, and what will not be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from events.authors import role_of
from events.envelope import Fact
from events.facts import RepeatsBegun, RepeatsForgone, SeedsRepeated
from events.log import Recorded
from replay.folds import Handler

if TYPE_CHECKING:
    from replay.ledger import Ledger


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Repeats that were begun; `number` counts those of the experiment from 1, `timeout` is of one seed, in seconds."""

    experiment: str
    number: int
    seeds: tuple[int, ...]
    timeout: float

    @property
    def reserved(self) -> float:
        """Device seconds that they may take at most."""
        return self.timeout * len(self.seeds)


class Repeats(msgspec.Struct, kw_only=True):
    """What is known of repeats.

    Attributes:
        gate: other seeds under which the campaign itself runs its leaders; 0 where it leaves that to a person, None in
            logs from before it was told.
        of: validation AP by seed, of each experiment, by the instrument that it was under.
        open: what the analyst has begun and not ended.
        begun: by experiment, how often the analyst began; `lost` how often it began and no end came.
        forgone: by experiment, why the campaign will not know its interval.
        seconds: device time of everything that was made again and has ended, what was lost at its reservation.
    """

    gate: int | None = None
    of: dict[str, dict[str, dict[int, float]]] = {}
    open: Begun | None = None
    begun: dict[str, int] = {}
    lost: dict[str, int] = {}
    forgone: dict[str, str] = {}
    seconds: float = 0.0

    def known(self, experiment: str, instrument: str | None) -> dict[int, float]:
        """Return validation AP by seed, of an experiment under its own instrument."""
        return self.of.get(experiment, {}).get(instrument or "", {})

    @property
    def spent(self) -> float:
        """Device seconds, what is under way at its reservation."""
        return self.seconds + (self.open.reserved if self.open is not None else 0.0)

    def exact(self) -> tuple[Any, ...] | None:
        """Return what a digest covers: every score by seed, and what was forgone; None in logs that do not tell a gate,
        which were digested without, or where nothing was repeated.
        """
        if self.gate is None or not (self.of or self.forgone):
            return None
        scores = [
            (experiment, instrument, sorted(known.items()))
            for experiment, under in sorted(self.of.items())
            for instrument, known in sorted(under.items())
        ]
        return ("repeats", self.gate, scores, sorted(self.forgone.items()))

    def forgive(self) -> None:
        """Let what was forgone be tried again: another budget may have room for it."""
        self.forgone, self.lost = {}, {}


def _begun(ledger: Ledger, fact: RepeatsBegun, recorded: Recorded, index: int) -> None:
    repeats = ledger.repeats
    if (lost := repeats.open) is not None:
        repeats.seconds += lost.reserved
        repeats.lost[lost.experiment] = repeats.lost.get(lost.experiment, 0) + 1
    number = repeats.begun.get(fact.experiment, 0) + 1
    repeats.begun[fact.experiment] = number
    repeats.open = Begun(experiment=fact.experiment, number=number, seeds=fact.seeds, timeout=fact.timeout)


def _repeated(ledger: Ledger, fact: SeedsRepeated, recorded: Recorded, index: int) -> None:
    known = ledger.repeats.of.setdefault(fact.experiment, {}).setdefault(fact.instrument, {})
    known.update(zip(fact.seeds, fact.validation, strict=True))
    _ended(ledger.repeats, fact, recorded)


def _forgone(ledger: Ledger, fact: RepeatsForgone, recorded: Recorded, index: int) -> None:
    ledger.repeats.forgone[fact.experiment] = fact.reason
    _ended(ledger.repeats, fact, recorded)


def _ended(repeats: Repeats, fact: SeedsRepeated | RepeatsForgone, recorded: Recorded) -> None:
    repeats.seconds += fact.gpu_seconds
    if role_of(recorded.author) == "analyst" and repeats.open is not None:
        repeats.open = None


HANDLERS: Mapping[type[Fact], Handler] = {
    RepeatsBegun: _begun,
    SeedsRepeated: _repeated,
    RepeatsForgone: _forgone,
}
