"""The instruments of a log: what each is made of, what its canaries saw, its runs, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from events.envelope import Fact, Position
from events.facts import Canary, InstrumentRefused, InstrumentVerified, WorkerJoined
from events.log import LogReader, Recorded
from replay.errors import QuestionUnknown
from replay.folds import Handler, run
from replay.ledger import Ledger, LedgerFold

DIGITS = 12
"""Characters of a digest that a person reads."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument.

    Attributes:
        status: verified: every canary held; refused: one did not; unverified: the log does not say.
        told: where its last verdict stands, or its first mention.
        parts: digest of each part by name; empty where the log does not say.
        seconds: that the canaries took.
        runs, completed: by its name; `eras` those that it opened.
    """

    instrument: str
    status: Literal["verified", "refused", "unverified"] = "unverified"
    told: Position
    at: int
    parts: dict[str, str] = {}
    canaries: tuple[Canary, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    runs: int = 0
    completed: int = 0
    eras: tuple[int, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A part in which two instruments differ; None where one of them does not have it."""

    part: str
    before: str | None
    after: str | None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What `instruments diff A B` prints: the parts that differ, and how many are the same."""

    before: str
    after: str
    changes: list[Change]
    same: int


class Instruments(msgspec.Struct):
    """By digest, in the order in which the log names them."""

    all: dict[str, Instrument] = {}


def _mentioned(state: Instruments, fact: WorkerJoined, recorded: Recorded, index: int) -> None:
    if fact.instrument not in state.all:
        here = Position(recorded.sequence, index)
        state.all[fact.instrument] = Instrument(instrument=fact.instrument, told=here, at=fact.at)


def _judged(state: Instruments, fact: InstrumentVerified | InstrumentRefused, recorded: Recorded, index: int) -> None:
    refused = isinstance(fact, InstrumentRefused)
    state.all[fact.instrument] = Instrument(
        instrument=fact.instrument,
        status="refused" if refused else "verified",
        told=Position(recorded.sequence, index),
        at=fact.at,
        parts=dict(fact.parts),
        canaries=fact.canaries,
        seconds=fact.seconds,
        reason=fact.reason if isinstance(fact, InstrumentRefused) else "",
    )


class InstrumentsFold:
    """Folds a log into its instruments, runs not counted."""

    handlers: Mapping[type[Fact], Handler] = {
        WorkerJoined: _mentioned,
        InstrumentVerified: _judged,
        InstrumentRefused: _judged,
    }

    def initial(self) -> Instruments:
        """Return no instruments."""
        return Instruments()

    def result(self, state: Instruments) -> Instruments:
        """Return the instruments."""
        return state


def instruments(log: LogReader) -> list[Instrument]:
    """Fold a log into its instruments, each with its runs, in the order in which the log names them."""
    found, ledger = run(log, InstrumentsFold(), LedgerFold())
    return counted(found, ledger)


def counted(found: Instruments, ledger: Ledger) -> list[Instrument]:
    """Return the instruments with what the ledger says of them."""
    known = dict(found.all)
    runs, completed = dict.fromkeys(known, 0), dict.fromkeys(known, 0)
    for era in ledger.eras.all:
        known.setdefault(era.instrument, Instrument(instrument=era.instrument, told=era.opened, at=era.at))
    for experiment in ledger.experiments.values():
        for attempt in experiment.attempts:
            if attempt.instrument is not None:
                runs[attempt.instrument] = runs.get(attempt.instrument, 0) + 1
        if experiment.outcome is not None and (last := experiment.attempts[-1].instrument) is not None:
            completed[last] = completed.get(last, 0) + 1
    return [
        msgspec.structs.replace(
            one,
            runs=runs.get(name, 0),
            completed=completed.get(name, 0),
            eras=tuple(era.number for era in ledger.eras.all if era.instrument == name),
        )
        for name, one in known.items()
    ]


def named(known: list[Instrument], beginning: str) -> Instrument:
    """Return the one instrument whose digest begins so.

    Raises:
        QuestionUnknown: there is none, or more than one; it names all.
    """
    found = [one for one in known if one.instrument.startswith(beginning)]
    if len(found) != 1:
        names = ", ".join(one.instrument[:DIGITS] for one in known) or "none"
        raise QuestionUnknown(f"{beginning!r} means {len(found)} of this log's instruments: {names}")
    return found[0]


def changes(before: Instrument, after: Instrument) -> Changes:
    """Say which parts of two instruments differ.

    Raises:
        QuestionUnknown: the log does not say what one of them is made of.
    """
    for one in (before, after):
        if not one.parts:
            raise QuestionUnknown(
                f"instrument {one.instrument[:DIGITS]} was never verified on this log, which would say its parts"
            )
    names = sorted({*before.parts, *after.parts})
    different = [name for name in names if before.parts.get(name) != after.parts.get(name)]
    return Changes(
        before=before.instrument,
        after=after.instrument,
        changes=[Change(part=name, before=before.parts.get(name), after=after.parts.get(name)) for name in different],
        same=len(names) - len(different),
    )
