"""What an adopted patch changes: who may be given work, who moves to the copy, and which experiments come back.

One patch is adopted at a time, with those that it was made upon below it; everybody trains with it from then on.
"""

from __future__ import annotations

from actors.errors import BenchBroken
from actors.orders import Described, Move
from actors.role import Decision, Known, News
from events.facts import WorkerJoined, WorkerRetired
from replay.fleet import Worker
from replay.ledger import Experiment
from replay.repairs import Repair, Repairs

SHORT = 12
"""Characters of a patch's digest by which people are told of it."""


WAITING = 3
"""Runs that wait for a patch, or for features, from which on no other is begun: it would likely break as they did."""


class NotTheInstrument(BenchBroken):
    """An adopted patch makes another instrument of what is installed now than of what it was tried upon."""


def end(repairs: Repairs, repair: Repair) -> str | None:
    """Return why the experiment of a repair that has ended is given up, None where it may run again."""
    if repair.status == "refused" and repair.site is not None:
        return f"{repair.kind}: no patch held: {repair.reason}"
    if repair.remedy != "patch" or repair.patch is None or repairs.patches[repair.patch].adopted is not None:
        return None
    return f"{repair.kind}: patch {repair.patch[:SHORT]} held in its trial and waits to be adopted"


def returning(known: Known) -> Experiment | None:
    """Return an experiment that was given up, and whose defect a patch that was adopted since mends."""
    repairs, adoption = known.repairs, known.repairs.adoption
    if repairs.adopted is None or adoption is None or known.ledger.closed is not None:
        return None
    site = repairs.patches[repairs.adopted].site
    for experiment in known.ledger.standing("abandoned"):
        repair = repairs.repairs.get(repairs.latest.get(experiment.experiment, ""))
        before = experiment.moved is not None and experiment.moved < adoption
        if repair is not None and repair.site == site is not None and before and experiment.cancelled is None:
            return experiment
    return None


def trains(repairs: Repairs, worker: Worker) -> bool:
    """Say whether a worker trains with what is adopted, so that it may be given work."""
    return repairs.instrument in (None, worker.instrument)


def holds(repairs: Repairs) -> bool:
    """Say whether nothing is to be entrusted to anybody: too much has broken that waits for the fixer."""
    waiting = repairs.with_status("diagnosed", "proposed")
    return sum(repair.site is not None or repair.remedy == "extract" for repair in waiting) >= WAITING


def moves(known: Known, me: Worker, news: News) -> Decision | None:
    """Return the word of a worker that leaves what is installed for an adopted copy; None where it is in it.

    It retires first, so that nothing is entrusted to it on the way.
    """
    patch = known.repairs.adopted
    if patch is None or trains(known.repairs, me) or me.pack is not None:
        return None
    if me.status != "joined" or news.stopping or known.ledger.closed is not None:
        return None
    return _leaves(known, me, patch)


def arrives(known: Known, me: Worker, news: News) -> Decision | None:
    """Return the word of a worker whose bench trains with the adopted copy by now; None while it does not.

    Raises:
        NotTheInstrument: it is another instrument than the one that was adopted.
        BenchBroken: the copy cannot train.
    """
    patch = known.repairs.adopted
    if patch is None or me.status != "retired" or news.stopping or known.ledger.closed is not None:
        return None
    if (result := news.results.get(_name(patch))) is None:
        # Whoever died on the way, or failed, sets out again: the supervisor counts how often.
        return None if _name(patch) in news.underway else _leaves(known, me, patch)
    if not isinstance(result, Described):
        raise BenchBroken(f"patch {patch[:SHORT]} cannot be used: {getattr(result, 'reason', 'no answer')}")
    if result.instrument != known.repairs.instrument:
        raise NotTheInstrument(
            f"patch {patch[:SHORT]} was adopted as instrument {str(known.repairs.instrument)[:SHORT]} and is "
            f"{result.instrument[:SHORT]} here: use the version of Myriad that it was tried with"
        )
    joined = WorkerJoined(
        cause=me.changed,
        worker=me.worker,
        device=me.device,
        lanes=result.lanes,
        platform=result.platform,
        instrument=result.instrument,
    )
    return Decision("worker", me.worker, (joined,), settles=(result.id,))


def _leaves(known: Known, me: Worker, patch: str) -> Decision:
    reason = f"moves to patch {patch[:SHORT]}"
    left = WorkerRetired(cause=known.repairs.adoption, worker=me.worker, reason=reason)
    return Decision("worker", me.worker, (left,), orders=(Move(id=_name(patch), patch=patch),))


def _name(patch: str) -> str:
    return f"move-{patch[:SHORT]}"
