"""The news that a recorded frame implies: what its author must have known that is not on the log, likeliest first.

Only what a frame cannot be without is taken: news that would explain any decision whatever would hide a changed role.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.benches.scrutiny import Controlled
from actors.orders import Extracted, Refused, Result
from actors.reruns import repeating
from actors.role import News
from events.authors import role_of
from events.facts import (
    Assigned,
    ControlMeasured,
    FeaturesExtracted,
    LogSealed,
    RemedyApplied,
    RemedyRefused,
    RepeatsForgone,
    SeedsRepeated,
    WorkerLost,
)
from events.log import Recorded
from replay.champions import holder
from replay.ledger import Ledger


def implied(known: Any, recorded: Recorded) -> Iterable[News]:
    """Return the news under which a frame may have been decided; `known` is what its author had folded."""
    role = role_of(recorded.author)
    if role == "scheduler":
        return _scheduler(known, recorded)
    return _analyst(known, recorded) if role == "analyst" else _fixer(known, recorded)


def _scheduler(known: Any, recorded: Recorded) -> Iterable[News]:
    silences = {fact.worker: fact.silence for fact in recorded.facts if isinstance(fact, WorkerLost)}
    yield News(silences=silences)
    chosen = next((fact.worker for fact in recorded.facts if isinstance(fact, Assigned)), None)
    if chosen is not None:
        yield News(unheard=_passed_over(known, chosen))


def _passed_over(known: Any, chosen: str) -> frozenset[str]:
    """Return the idle workers before the chosen one that never ran anything: nobody may have heard of them yet."""
    idle = [worker for worker in known.fleet.present() if worker.pack is None]
    before = idle[: next((n for n, worker in enumerate(idle) if worker.worker == chosen), 0)]
    return frozenset(worker.worker for worker in before if not worker.runs)


def _analyst(known: Any, recorded: Recorded) -> Iterable[News]:
    measured = {fact.control: fact for fact in recorded.facts if isinstance(fact, ControlMeasured)}
    if len(measured) > 1:
        pairs = {control: (fact.validation, fact.noise) for control, fact in measured.items()}
        name = f"control-{next(iter(measured.values())).experiment}"
        yield News(results={name: Controlled(id=name, **pairs)})
        return
    ledger: Ledger = known.measurement.ledger
    if not any(isinstance(fact, LogSealed) for fact in recorded.facts):
        yield News()
        yield from _repeated(ledger, recorded)
        return
    stopping = ledger.closed is None
    yield News(stopping=stopping)
    # sealed without controls, though a champion stands: the bench refused, or a person would not wait
    yield News(stopping=stopping, results=_refused(ledger))


def _refused(ledger: Ledger) -> dict[str, Result]:
    row = holder(ledger)
    names = [f"control-{row.experiment}"] if row is not None else []
    return {name: Refused(id=name, reason="not on the log") for name in names}


def _repeated(ledger: Ledger, recorded: Recorded) -> Iterable[News]:
    begun = ledger.repeats.open
    done = next((fact for fact in recorded.facts if isinstance(fact, SeedsRepeated)), None)
    lost = next((fact for fact in recorded.facts if isinstance(fact, RepeatsForgone)), None)
    if begun is not None and (done is not None or lost is not None):
        answer = repeating.implied(begun, done, lost)
        yield News(results={answer.id: answer})


def _fixer(known: Any, recorded: Recorded) -> Iterable[News]:
    mine = recorded.about
    others = (repair.repair for repair in known.repairs.with_status("proposed"))
    results: dict[str, Result] = {}
    for fact in recorded.facts:
        if isinstance(fact, FeaturesExtracted):
            results[mine] = _extracted(mine, fact)
        elif isinstance(fact, RemedyRefused):
            results[mine] = Refused(id=mine, reason=fact.reason)
    settled = any(isinstance(fact, RemedyApplied | RemedyRefused) for fact in recorded.facts)
    yield News(results=results, underway=frozenset(name for name in others if name != mine or not settled))


def _extracted(name: str, fact: FeaturesExtracted) -> Extracted:
    return Extracted(
        id=name,
        backbone=fact.backbone,
        digest=fact.digest,
        clips=fact.clips,
        width=fact.width,
        reused=fact.reused,
        seconds=fact.seconds,
    )
