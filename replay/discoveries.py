"""Defects that a log shows and that nobody has declared: what a rerun or a canary found out about results.

A rerun on an equal instrument and platform must be its record bit for bit. Where it is not, one of the two means other
than it says, and the record is touched. Two instruments whose parts differ in their canaries alone give a number one
meaning: where the canaries of the one refuse it, what the other measured on that platform is touched. Canaries stop at
the first value that is wrong, so that they spare none of its runs; a person who knows more declares less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from events.conditions import Comparison, Joined, Predicate
from events.envelope import Position
from events.facts import Canary, DefectFound
from replay.instruments import DIGITS, Instrument
from replay.ledger import Ledger
from replay.platforms import LIBRARIES, Platform

JUDGES = ("source/canaries/", "source/selftest.py")
"""Parts of an instrument that look at what trains, and make no number."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """A defect before it is declared; see `events.facts.DefectFound`. `cause` is the fact that shows it."""

    component: str
    where: str
    reason: str
    by: str
    cause: Position


def of_reruns(ledger: Ledger) -> Iterator[Discovery]:
    """Yield what reruns show: records that were not found again where every bit should have been."""
    for name, rerun in ledger.defects.reruns.items():
        outcome, where = ledger.experiments[name].outcome, str(Comparison("experiment", "==", name))
        if rerun.verdict != "different" or rerun.tolerance or outcome is None or _is_declared(ledger, where):
            continue
        scores = f"{outcome.validation:.6f} recorded, {rerun.validation:.6f} again"
        reason = f"made again under an equal instrument and platform it is not its record: validation AP {scores}"
        yield Discovery(component="reproduction", where=where, reason=reason, by="a rerun", cause=rerun.told)


def of_canaries(ledger: Ledger, known: Mapping[str, Instrument], instrument: str) -> Iterator[Discovery]:
    """Yield what the refusal of an instrument says of what was measured before canaries saw it."""
    refused = known.get(instrument)
    if refused is None or not refused.parts or not (wrong := _wrong(refused)):
        return
    for platform in refused.platforms:
        if platform.status != "refused" or platform.told is None:
            continue
        for other in known.values():
            where = _touched(ledger, other.instrument, platform) if _meaning(other) == _meaning(refused) else None
            if where is None or _is_declared(ledger, where):
                continue
            same = "it" if other is refused else f"{refused.instrument[:DIGITS]}, the same but for its canaries,"
            yield Discovery(
                component=wrong.subject,
                where=where,
                reason=f"{same} was refused: {wrong.problem}",
                by=f"canary {wrong.name}",
                cause=platform.told,
            )


def fact_of(ledger: Ledger, found: Discovery) -> DefectFound:
    """Return a discovery as the fact that declares it, under a name that no defect has."""
    taken = ledger.defects.all
    name = next(name for number in range(1, len(taken) + 2) if (name := f"d-{number}") not in taken)
    return DefectFound(
        cause=found.cause,
        defect=name,
        component=found.component,
        where=found.where,
        reason=found.reason,
        by=found.by,
    )


def _wrong(instrument: Instrument) -> Canary | None:
    """Return the canary that says most of what is wrong: one of a dimension before one of a stage."""
    wrong = [one for one in instrument.canaries if one.problem]
    return next((one for one in wrong if one.name == "dimension"), next(iter(wrong), None))


def _touched(ledger: Ledger, instrument: str, platform: Platform) -> str | None:
    """Return the predicate of an instrument's results on a platform, None where it has none there."""
    lasts = [ledger.experiments[name].attempts[-1] for name in ledger.completed]
    ran = [attempt.platform for attempt in lasts if attempt.instrument == instrument]
    if not any(not platform.values or values == platform.values for values in ran):
        return None
    told = [name for name in ("device", *LIBRARIES) if platform.values and len({one.get(name) for one in ran}) > 1]
    parts: list[Predicate] = [Comparison("instrument", "~", instrument[:DIGITS])]
    parts += [Comparison(name, "==", platform.values[name]) for name in told if name in platform.values]
    return str(parts[0] if len(parts) == 1 else Joined("and", tuple(parts)))


def _meaning(instrument: Instrument) -> dict[str, str] | None:
    """Return the parts that give a number its meaning, None where the log does not say them."""
    parts = {name: digest for name, digest in instrument.parts.items() if not name.startswith(JUDGES)}
    return parts or None


def _is_declared(ledger: Ledger, where: str) -> bool:
    return any(defect.where == where for defect in ledger.defects.all.values())
