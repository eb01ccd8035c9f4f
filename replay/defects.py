"""Defects: what made results mean other than they say, and which results each of them touched.

A result is touched while its run started at or after the defect's first position, the defect's predicate holds of the
run, and the fix does not clear it: a fix clears the runs of the instrument that it names, and all that start after it.
Results are never taken off the record: what was believed then stays beside what is known now.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from events.conditions import Condition, Everything, condition
from events.envelope import Fact, Position
from events.facts import DefectFixed, DefectFound, RunCompared
from events.log import Recorded
from events.predicates import RUN_FIELDS, Predicate, PredicateInvalid, names_of, parse
from replay.errors import HistoryBroken
from replay.folds import Handler
from replay.platforms import LIBRARIES

if TYPE_CHECKING:
    from replay.ledger import Ledger

_parsed = lru_cache(parse)

EVERYTHING = Everything()

ERA = "era"
"""The one name of which a completed run may have another value later."""


@lru_cache
def _condition(where: str) -> tuple[Condition, bool]:
    """Return what a predicate says of a row, and whether it asks for more of a run than its configuration."""
    return condition(_parsed(where)), not RUN_FIELDS.keys().isdisjoint(_names(where))


@lru_cache
def _names(where: str) -> frozenset[str]:
    return frozenset(names_of(_parsed(where)))


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """One defect; see `events.facts.DefectFound`.

    Attributes:
        fixed: where its fix stands, None while there is none; `instrument` is the one without it.
    """

    defect: str
    component: str
    where: str
    reason: str
    by: str
    since: int | None
    found: Position
    fixed: Position | None = None
    instrument: str | None = None

    @property
    def predicate(self) -> Predicate:
        """Its predicate over runs."""
        return _parsed(self.where)

    def clears(self, instrument: str | None, sequence: int) -> bool:
        """Say whether the fix speaks a run free that started there under that instrument."""
        return self.fixed is not None and (instrument == self.instrument or sequence > self.fixed.sequence)


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """The latest time that a run was made again; see `events.facts.RunCompared`."""

    verdict: Literal["equal", "close", "different"]
    validation: float
    tolerance: float
    instrument: str
    told: Position


class Defects(msgspec.Struct, kw_only=True):
    """What is known of defects.

    Attributes:
        touched: by completed experiment, the defects that touch its result, in the order in which they were found.
        reruns: by experiment.
    """

    all: dict[str, Defect] = {}
    touched: dict[str, tuple[str, ...]] = {}
    reruns: dict[str, Rerun] = {}

    def exact(self) -> tuple[Any, ...] | None:
        """Return what a digest covers: every defect, what it touches, and what was made again; None without any."""
        if not self.all and not self.reruns:
            return None
        known = [(d.defect, d.component, d.where, d.fixed is not None, d.instrument) for d in self.all.values()]
        again = [(name, rerun.verdict, rerun.validation, rerun.instrument) for name, rerun in self.reruns.items()]
        return ("defects", known, sorted(self.touched.items()), sorted(again))


def found(ledger: Ledger, fact: DefectFound, recorded: Recorded, index: int) -> None:
    """Take in that a defect was found, and judge every result anew."""
    here = Position(recorded.sequence, index)
    try:
        _parsed(fact.where)
    except PredicateInvalid as error:
        raise HistoryBroken(here, f"defect {fact.defect}: {error}") from error
    new = fact.defect not in ledger.defects.all
    ledger.defects.all[fact.defect] = defect = Defect(
        defect=fact.defect,
        component=fact.component,
        where=fact.where,
        reason=fact.reason,
        by=fact.by,
        since=fact.since,
        found=here,
    )
    _judge_all(ledger, defect, new=new)


def fixed(ledger: Ledger, fact: DefectFixed, recorded: Recorded, index: int) -> None:
    """Take in that a defect was fixed, and judge every result anew."""
    here = Position(recorded.sequence, index)
    before = ledger.defects.all[fact.defect]
    ledger.defects.all[fact.defect] = after = msgspec.structs.replace(before, fixed=here, instrument=fact.instrument)
    if before.fixed is None and not _asks_for_eras(ledger):
        _clear(ledger, after)
    else:
        _judge_all(ledger, after)


def compared(ledger: Ledger, fact: RunCompared, recorded: Recorded, index: int) -> None:
    """Take in that a run was made again."""
    ledger.defects.reruns[fact.experiment] = Rerun(
        verdict=fact.verdict,
        validation=fact.validation,
        tolerance=fact.tolerance,
        instrument=fact.instrument,
        told=Position(recorded.sequence, index),
    )
    ledger.repeats.seconds += fact.gpu_seconds


def judge(ledger: Ledger, experiment: str) -> None:
    """Note which defects touch a result that has just come."""
    if not ledger.defects.all:
        return
    touching = _touching(ledger, experiment)
    if touching:
        ledger.defects.touched[experiment] = touching
    else:
        ledger.defects.touched.pop(experiment, None)


def known_now(ledger: Ledger, experiment: str) -> float | None:
    """Return what a result counts for today, in validation AP: its own score where no defect touches it; where one
    does, that of a rerun which every such defect's fix clears; None where nothing sound is known.
    """
    outcome, touching = ledger.experiments[experiment].outcome, ledger.defects.touched.get(experiment, ())
    if outcome is None or not touching:
        return outcome.validation if outcome is not None else None
    rerun = ledger.defects.reruns.get(experiment)
    if rerun is None:
        return None
    same = rerun.instrument == ledger.experiments[experiment].attempts[-1].instrument
    cleared = all(ledger.defects.all[name].clears(rerun.instrument, rerun.told.sequence) for name in touching)
    return rerun.validation if cleared and not same else None


def row(ledger: Ledger, experiment: str) -> Mapping[str, object]:
    """Return what predicates over runs may ask of one: see `events.predicates.RUN_FIELDS`; dimensions win."""
    entry = ledger.experiments[experiment]
    idea, outcome = ledger.ideas[entry.idea], entry.outcome
    known: dict[str, object] = {
        "experiment": experiment,
        "idea": idea.idea,
        "agent": idea.agent,
        "origin": idea.origin,
        "status": entry.status,
        "era": ledger.eras.of.get(experiment),
        "position": ledger.eras.since.get(experiment),
        "gpu_seconds": entry.gpu_seconds,
    }
    if outcome is not None:
        known |= {"validation": outcome.validation, "best_epoch": outcome.epoch}
    if entry.attempts:
        last = entry.attempts[-1]
        known |= {"attempt": last.attempt, "worker": last.worker, "seed": last.seed, "failure": last.failure}
        known |= {name: last.platform.get(name) for name in ("device", *LIBRARIES)} | {"instrument": last.instrument}
    return known | idea.configuration


def _judge_all(ledger: Ledger, changed: Defect, *, new: bool = False) -> None:
    """Judge every result anew by a defect of which more is known; by all where a defect asks for eras, which move."""
    known = ledger.defects
    if _asks_for_eras(ledger):
        known.touched = {name: touching for name in ledger.completed if (touching := _touching(ledger, name))}
        return
    touched = dict(known.touched) if new else _without(changed.defect, known.touched, known.touched)
    places = {name: place for place, name in enumerate(known.all)}

    @cache  # there are few combinations, and results share them
    def joined(others: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted((*others, changed.defect), key=places.__getitem__))

    for experiment in _reached(ledger, changed):
        touched[experiment] = joined(touched.get(experiment, ()))
    known.touched = touched


def _reached(ledger: Ledger, defect: Defect) -> list[str]:
    """Return the completed experiments whose results a defect touches."""
    if defect.since or defect.fixed is not None:
        start = ledger.eras.since.get
        return [name for name in ledger.completed if _touches(ledger, defect, name, start(name, 0))]
    if defect.predicate == EVERYTHING:
        return ledger.completed
    experiments, ideas, (holds, whole) = ledger.experiments, ledger.ideas, _condition(defect.where)
    if whole:
        return [name for name in ledger.completed if holds(row(ledger, name))]
    return [name for name in ledger.completed if holds(ideas[experiments[name].idea].configuration)]


def _clear(ledger: Ledger, fixed: Defect) -> None:
    """Let what a first fix clears be free of its defect: it touches nothing that it did not touch before.

    No run has started after what was said just now: those under the fix's own instrument are all that it clears.
    """
    experiments, defect, instrument = ledger.experiments, fixed.defect, fixed.instrument
    free = {
        name
        for name, touching in ledger.defects.touched.items()
        if experiments[name].attempts[-1].instrument == instrument and defect in touching
    }
    if free:
        ledger.defects.touched = _without(fixed.defect, ledger.defects.touched, free)


def _without(defect: str, touched: Mapping[str, tuple[str, ...]], free: Container[str]) -> dict[str, tuple[str, ...]]:
    """Return what is touched, and by which defects, when one does not touch the results that are free of it."""
    return {
        name: left
        for name, touching in touched.items()
        if (left := tuple(one for one in touching if one != defect) if name in free else touching)
    }


def _asks_for_eras(ledger: Ledger) -> bool:
    return any(ERA in _names(defect.where) for defect in ledger.defects.all.values())


def _touching(ledger: Ledger, experiment: str) -> tuple[str, ...]:
    start = ledger.eras.since.get(experiment, 0)
    open_then = [d for d in ledger.defects.all.values() if d.fixed is None or start <= d.fixed.sequence]
    return tuple(defect.defect for defect in open_then if _touches(ledger, defect, experiment, start))


def _touches(ledger: Ledger, defect: Defect, experiment: str, start: int) -> bool:
    """Say whether a defect touches the result of a run that started at a sequence."""
    if start < (defect.since or 0) or (defect.fixed is not None and start > defect.fixed.sequence):
        return False
    run = ledger.experiments[experiment]
    if defect.fixed is not None and defect.clears(run.attempts[-1].instrument, start):
        return False
    # most ask for dimensions alone, which win where both have a name: then the rest of the row need not be made
    holds, whole = _condition(defect.where)
    return holds(row(ledger, experiment) if whole else ledger.ideas[run.idea].configuration)


HANDLERS: Mapping[type[Fact], Handler] = {DefectFound: found, DefectFixed: fixed, RunCompared: compared}
