"""Ordeals: small campaigns under seeded faults, each log audited, each failure shrunk to what it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from actors.chaos import auditor
from actors.chaos.faults import Kind, Script, script, shrunk
from actors.chaos.nemesis import Nemesis
from actors.chaos.troupe import Parts
from actors.role import Known
from events.errors import LogError
from events.log import LogReader
from replay.audit import audit
from replay.errors import ReplayError
from replay.ledger import Ledger

Auditor = Callable[[LogReader], tuple[list[str], Counter[str]]]
"""From a log to the breaches that it found, and how often each law was put to the test."""

ONCE = ("Train", "Propose", "Extract")
"""Orders that nobody may carry out twice: each has an id of its own on the log, written before it was begun."""


class Ordeal(NamedTuple):
    """What came of one seed under one script.

    Attributes:
        problems: sentences, none when all is well.
        struck: how often each fault really changed something.
        laws: how often each law was put to the test, 0 for those that never were.
    """

    seed: int
    faults: Script
    problems: list[str]
    struck: Counter[Kind]
    laws: Counter[str]
    frames: int


def audited(log: LogReader) -> tuple[list[str], Counter[str]]:
    """Return what both auditors say: the laws of the house, and one who shares no code with those who wrote the log."""
    breaches, laws = by_the_house(log)
    others, rules = auditor.audited(log.read())
    laws.update(rules)
    return [*breaches, *others], laws


def by_the_house(log: LogReader) -> tuple[list[str], Counter[str]]:
    """Put the laws of the house to the test; what cannot be told is a breach here, since every campaign ends."""
    rulings = audit(log).rulings
    breaches = [
        f"{r.law}: {breach.verdict} at {breach.position}: {breach.sentence}" for r in rulings for breach in r.breaches
    ]
    return breaches, Counter({r.law: r.held + r.broken + r.unknown for r in rulings})


def ordeal(seed: int, faults: Script | None = None, *, parts: Parts | None = None, judged: Auditor = audited) -> Ordeal:
    """Play one seed, under its own script unless another is given, and audit what is on the log."""
    faults = script(seed) if faults is None else faults
    nemesis = Nemesis(seed, faults, parts)
    problems: list[str] = []
    try:
        nemesis.play()
    except Exception as error:  # noqa: BLE001 # whatever a role raises but the log's own errors is a finding
        problems.append(f"a role raised {type(error).__name__}: {error}")
    problems += _unfinished(nemesis)
    breaches, laws = judged(nemesis.wire)
    problems += breaches
    return Ordeal(seed, faults, problems, nemesis.struck, laws, nemesis.wire.last())


def reproduced(failed: Ordeal, *, parts: Parts | None = None) -> Script:
    """Return the smallest script under which the same seed still fails."""
    return shrunk(failed.faults, lambda fewer: bool(ordeal(failed.seed, fewer, parts=parts).problems))


def ordeals(
    seeds: Iterable[int], seen: Callable[[Ordeal], None], faults: Script | None = None
) -> tuple[Counter[Kind], Counter[str]]:
    """Play many seeds; `seen` is told of each; return how often each fault struck and each law was tried."""
    struck: Counter[Kind] = Counter()
    laws: Counter[str] = Counter()
    for seed in seeds:
        one = ordeal(seed, faults)
        struck += one.struck
        laws.update(one.laws)
        seen(one)
    return struck, laws


def _unfinished(nemesis: Nemesis) -> list[str]:
    """Say what is not as it must be at the end, whatever went wrong on the way."""
    problems = [nemesis.stuck] if nemesis.stuck is not None else []
    frames = list(nemesis.wire.read())
    problems += [
        f"frame {sequence} was acknowledged to {identity} and is not there"
        for sequence, identity in nemesis.wire.acknowledged
        if sequence > len(frames) or frames[sequence - 1].id != identity
    ]
    known = Known()
    try:
        known.advance(frames)
    except (LogError, ReplayError) as error:
        return [*problems, f"the log does not fold: {error}"]
    problems += [
        f"{order} was carried out {n} times"
        for order, n in nemesis.performed.items()
        if n > 1 and order.startswith(ONCE)
    ]
    if known.ledger.closed is None:
        problems.append("the campaign never closed")
    problems += [
        f"{m.author} believes something else than the log"
        for m in nemesis.members
        if not _agrees(m.known, known.ledger)
    ]
    return problems


def _agrees(known: object, ledger: Ledger) -> bool:
    own = known.ledger if isinstance(known, Known) else getattr(known, "measurement", known).ledger  # type: ignore[attr-defined] # the analyst's
    return bool(own == ledger)
