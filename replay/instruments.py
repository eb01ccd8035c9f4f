"""The instruments of a log: what each is made of, what its canaries saw, its runs, and how two of them differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from events.envelope import Fact, Position
from events.facts import Canary, FilesShared, InstrumentRefused, InstrumentVerified, WorkerJoined
from events.log import LogReader, Recorded
from replay.errors import QuestionUnknown
from replay.folds import Handler, run
from replay.ledger import Ledger, LedgerFold
from replay.platforms import Platform, Status, judged, on, overall, versions

DIGITS = 12
"""Characters of a digest that a person reads."""

_Platform = tuple[tuple[str, str], ...]


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument.

    Attributes:
        status: verified: every canary held on a platform at least; refused: on none; unverified: the log does not say.
        told: where its last verdict stands, or its first mention.
        parts: digest of each part by name; empty where the log does not say.
        seconds: that the canaries took.
        runs, completed: by its name; `eras` those that it opened.
        platforms: on which it was looked at or ran.
    """

    instrument: str
    status: Status = "unverified"
    told: Position
    at: int
    parts: dict[str, str] = {}
    canaries: tuple[Canary, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    runs: int = 0
    completed: int = 0
    eras: tuple[int, ...] = ()
    platforms: tuple[Platform, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What differs: a part of two instruments, or a value of their platforms; None where one of them has none."""

    part: str
    before: str | None
    after: str | None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What `instruments diff A B` prints: the parts that differ, and how many are the same.

    Attributes:
        platforms: what differs between the platforms of their runs, such as a library's version; it is no part of an
            instrument.
    """

    before: str
    after: str
    changes: list[Change]
    same: int
    platforms: list[Change] = []


class Instruments(msgspec.Struct):
    """By digest, in the order in which the log names them.

    Attributes:
        own: that of the campaign, by which machines that lend devices are held; None where the log does not say.
    """

    all: dict[str, Instrument] = {}
    own: str | None = None


def _mentioned(state: Instruments, fact: WorkerJoined, recorded: Recorded, index: int) -> None:
    if fact.instrument not in state.all:
        here = Position(recorded.sequence, index)
        state.all[fact.instrument] = Instrument(instrument=fact.instrument, told=here, at=fact.at)


def _judged(state: Instruments, fact: InstrumentVerified | InstrumentRefused, recorded: Recorded, index: int) -> None:
    here, before = Position(recorded.sequence, index), state.all.get(fact.instrument)
    reason = fact.reason if isinstance(fact, InstrumentRefused) else ""
    status: Status = "refused" if isinstance(fact, InstrumentRefused) else "verified"
    verdict = Platform(values=dict(fact.platform), status=status, told=here, reason=reason)
    platforms = judged(before.platforms if before is not None else (), verdict)
    state.all[fact.instrument] = Instrument(
        instrument=fact.instrument,
        status=overall(platforms),
        told=here,
        at=fact.at,
        # a bench that could not run them says no parts; the same instrument has the same
        parts=dict(fact.parts) or (before.parts if before is not None else {}),
        canaries=fact.canaries,
        seconds=fact.seconds,
        reason=reason,
        platforms=platforms,
    )


def _shared(state: Instruments, fact: FilesShared, recorded: Recorded, index: int) -> None:
    state.own = fact.instrument


class InstrumentsFold:
    """Folds a log into its instruments, runs not counted."""

    handlers: Mapping[type[Fact], Handler] = {
        WorkerJoined: _mentioned,
        InstrumentVerified: _judged,
        InstrumentRefused: _judged,
        FilesShared: _shared,
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
    for era in ledger.eras.all:
        known.setdefault(era.instrument, Instrument(instrument=era.instrument, told=era.opened, at=era.at))
    runs: dict[str, Counter[_Platform]] = {name: Counter() for name in known}
    completed: dict[str, Counter[_Platform]] = {name: Counter() for name in known}
    for experiment in ledger.experiments.values():
        for attempt in experiment.attempts:
            if attempt.instrument in runs:
                runs[attempt.instrument][tuple(attempt.platform.items())] += 1
        if experiment.outcome is not None and (last := experiment.attempts[-1]).instrument in completed:
            completed[last.instrument][tuple(last.platform.items())] += 1
    return [
        msgspec.structs.replace(
            one,
            runs=runs[name].total(),
            completed=completed[name].total(),
            eras=tuple(era.number for era in ledger.eras.all if era.instrument == name),
            platforms=tuple(_placed(one.platforms, runs[name], completed[name])),
        )
        for name, one in known.items()
    ]


def _placed(
    told: tuple[Platform, ...], runs: Mapping[_Platform, int], completed: Mapping[_Platform, int]
) -> Iterator[Platform]:
    """Yield every platform with its runs: those of a verdict first, then those that only runs name."""
    keys = [tuple(one.values.items()) for one in told]
    for key, one in zip(keys, told, strict=True):
        yield msgspec.structs.replace(one, runs=runs.get(key, 0), completed=completed.get(key, 0))
    for key, many in runs.items():
        if key not in keys:
            # a verdict that names no platform is of every one
            verdict = on(told, dict(key)) or Platform(values={})
            yield msgspec.structs.replace(verdict, values=dict(key), runs=many, completed=completed.get(key, 0))


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
        platforms=_moved(versions(before.platforms), versions(after.platforms)),
    )


def _moved(before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]) -> list[Change]:
    pairs = ((name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after)))
    return [
        Change(part=name, before=", ".join(one) if one else None, after=", ".join(other) if other else None)
        for name, one, other in pairs
        if one != other
    ]
