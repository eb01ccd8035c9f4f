"""Two campaigns, or two moments of one, side by side: where their logs part, what differs, what may not compare.

Scores are validation AP. Two runs of one configuration differ by their draws; a difference within the noise of both is
none. Where instruments differ, scores do not compare at all, and the answer says so.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import msgspec

from events.envelope import Text
from events.facts import CampaignOpened
from events.log import LogReader
from events.space import Choice, Space
from replay.errors import QuestionUnknown
from replay.leaderboard import Row, leaderboard, within
from replay.ledger import Ledger
from replay.measures import Measurement
from replay.settings import Reading, at_hand, flat, settings
from replay.subject import Subject, subject


class PositionUnknown(QuestionUnknown):
    """A side was to be read through a position that its log does not reach."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two, through a position."""

    reference: str
    subject: Subject
    last: int
    digest: str
    leader: Row | None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """A named value or setting on both sides, None where a side has none; `change` is b - a where both are numbers."""

    a: Any
    b: Any
    change: float | int | None = None


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that both ran: its experiments, its scores, and whether b - a is within the noise of both."""

    a: str
    b: str
    validation_a: float
    validation_b: float
    change: float
    within_noise: bool | None


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment that stands otherwise on one side; None where that side does not know it."""

    experiment: str
    a: str | None
    b: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay A diff B --json` prints.

    Attributes:
        shared: frames from the first on that both logs hold byte for byte.
        one_history: one side's log is the beginning of the other's, as for two moments of one campaign.
        instruments: those that only one side's results were measured by; any makes scores incomparable.
        values: the measures by name, those that differ.
        settings: keys of the campaign files that differ; `files` says why a file could not be read.
        space: values of dimensions that only one side has, as `dimension = value`.
        cells: distinct cells with a result: on both sides, on a alone, on b alone.
        lead: b's best validation AP minus a's, and whether that is within both noises.
        turned: experiments that stand otherwise, only for one history.
        pairs: configurations that both ran, only for two histories; first runs first.
    """

    a: Side
    b: Side
    shared: int
    one_history: bool
    instruments: tuple[str, ...]
    values: dict[str, Delta]
    settings: dict[str, Delta]
    files: tuple[str, ...]
    space: dict[str, tuple[str, ...]]
    cells: dict[str, int]
    lead: Delta
    lead_within_noise: bool | None
    turned: tuple[Turned, ...]
    pairs: tuple[Pair, ...]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A log from its first frame through a sequence, its last where `until` is None."""

    reference: str
    log: LogReader
    until: int | None = None
    reading: Reading = at_hand


class _Opening:
    """What was folded of a stretch."""

    def __init__(self, stretch: Stretch) -> None:
        until = stretch.until
        if until is not None and until > stretch.log.last():
            raise PositionUnknown(f"{stretch.reference}: the log ends at position {stretch.log.last()}")
        self.stretch = stretch
        self.measurement = Measurement()
        self.file: Text | None = None
        for recorded in takewhile(lambda frame: until is None or frame.sequence <= until, stretch.log.read()):
            self.measurement.advance((recorded,))
            for fact in recorded.facts:
                if isinstance(fact, CampaignOpened):
                    self.file = fact.file
        self.ledger: Ledger = self.measurement.ledger
        self.best = next(iter(leaderboard(self.ledger, top=1)), None)

    def side(self) -> Side:
        return Side(
            reference=self.stretch.reference,
            subject=subject(self.ledger, self.measurement.through),
            last=self.stretch.log.last(),
            digest=self.measurement.digest(),
            leader=self.best,
        )

    def settings(self) -> dict[str, Any] | str:
        if self.file is None:
            return f"{self.stretch.reference} was never opened"
        found = settings(self.file, self.stretch.reading)
        return flat(found) if isinstance(found, dict) else f"{self.stretch.reference}: {found}"


def compare(a: Stretch, b: Stretch) -> Comparison:
    """Fold both stretches and hold them side by side.

    Raises:
        PositionUnknown: a stretch is longer than its log.
    """
    one, other = _Opening(a), _Opening(b)
    shared = _shared(a, b)
    shorter = min(one.measurement.through, other.measurement.through)
    alike = shared >= shorter > 0
    sides = one.side(), other.side()
    best = (one.best, other.best)
    lead = _delta(*(row.validation if row is not None else None for row in best))
    files = one.settings(), other.settings()
    return Comparison(
        a=sides[0],
        b=sides[1],
        shared=shared,
        one_history=alike,
        instruments=tuple(sorted({*sides[0].subject.instruments} ^ {*sides[1].subject.instruments})),
        values=_deltas(one.measurement.values(), other.measurement.values()),
        settings=_deltas(*(file if isinstance(file, dict) else {} for file in files)) if _both(files) else {},
        files=tuple(file for file in files if isinstance(file, str)),
        space=_space(one.ledger.space, other.ledger.space),
        cells=_cells(one.ledger, other.ledger),
        lead=lead,
        lead_within_noise=within(lead.change, *(row.noise if row is not None else 0.0 for row in best)),
        turned=_turned(one.ledger, other.ledger) if alike else (),
        pairs=() if alike else _pairs(one.ledger, other.ledger),
    )


def _shared(a: Stretch, b: Stretch) -> int:
    count = 0
    for one, other in zip(a.log.read(), b.log.read(), strict=False):
        past = any(stretch.until is not None and one.sequence > stretch.until for stretch in (a, b))
        if past or one != other:
            break
        count = one.sequence
    return count


def _both(files: tuple[dict[str, Any] | str, dict[str, Any] | str]) -> bool:
    return all(isinstance(file, dict) for file in files)


def _delta(a: Any, b: Any) -> Delta:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (a, b))
    return Delta(a=a, b=b, change=b - a if numbers else None)


def _deltas(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Delta]:
    names = dict.fromkeys((*a, *b))
    return {name: _delta(a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _space(a: Space | None, b: Space | None) -> dict[str, tuple[str, ...]]:
    one, other = ({*_values(space)} for space in (a, b))
    return {"a": tuple(sorted(one - other)), "b": tuple(sorted(other - one))}


def _values(space: Space | None) -> list[str]:
    found: list[str] = []
    for dimension in space.dimensions if space is not None else ():
        if isinstance(dimension, Choice):
            found += [f"{dimension.name} = {value}" for value in dimension.values]
        else:
            found.append(f"{dimension.name} in [{dimension.low:g}, {dimension.high:g}]")
    return found


def _cells(a: Ledger, b: Ledger) -> dict[str, int]:
    # by name and value: the cells of two spaces compare wherever their dimensions do
    one, other = ({_cell(ledger, name) for name in ledger.completed} for ledger in (a, b))
    return {"both": len(one & other), "a": len(one - other), "b": len(other - one)}


def _cell(ledger: Ledger, experiment: str) -> tuple[tuple[str, Any], ...]:
    space, configuration = ledger.space, ledger.configuration(experiment)
    names = [choice.name for choice in space.choices] if space is not None else []
    return tuple((name, configuration[name]) for name in names)


def _turned(a: Ledger, b: Ledger) -> tuple[Turned, ...]:
    found = []
    for name in dict.fromkeys((*a.experiments, *b.experiments)):
        one, other = (ledger.experiments.get(name) for ledger in (a, b))
        states = tuple(e.status if e is not None else None for e in (one, other))
        if states[0] != states[1]:
            found.append(Turned(experiment=name, a=states[0], b=states[1]))
    return tuple(found)


def _pairs(a: Ledger, b: Ledger) -> tuple[Pair, ...]:
    known: dict[bytes, str] = {}
    for name in a.completed:
        known.setdefault(_written(a, name), name)
    return tuple(_pair(a, b, known[written], name) for name in b.completed if (written := _written(b, name)) in known)


def _written(ledger: Ledger, experiment: str) -> bytes:
    return msgspec.json.encode(ledger.configuration(experiment), order="deterministic")


def _pair(a: Ledger, b: Ledger, one: str, other: str) -> Pair:
    x, y = a.experiments[one].outcome, b.experiments[other].outcome
    assert x is not None  # noqa: S101 # the ledger lists nothing as completed that has no outcome
    assert y is not None  # noqa: S101 # likewise
    change = y.validation - x.validation
    return Pair(
        a=one,
        b=other,
        validation_a=x.validation,
        validation_b=y.validation,
        change=change,
        within_noise=within(change, x.noise, y.noise),
    )
