"""Nothing trains unverified: who runs an instrument's canaries, what is said of them, which era a verdict opens, and
what a refusal says of results from before it.

A worker joins, has the canaries run, and says what they saw; until then the scheduler entrusts nothing to it. Where the
log has a verdict on its instrument and its platform already, that one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from actors.benches.vetting import Verified, Verify
from actors.orders import Order
from actors.role import Decision, Known, News
from events.envelope import Fact
from events.facts import CampaignClosed, EraOpened, InstrumentRefused, InstrumentVerified, WorkerJoined
from replay.discoveries import fact_of, of_canaries
from replay.entries import Attempt
from replay.fleet import Worker
from replay.instruments import Instrument
from replay.platforms import Platform, on

SHORT = 12
"""Characters of a digest by which people are told of an instrument."""

SPLIT = "split"
"""The part of an instrument that says which clip trains and which judges."""


def vetting(known: Known, worker: str, instrument: str, platform: Mapping[str, str]) -> tuple[Order, ...]:
    """Return the order that goes with a worker's joining: the canaries, unless the log says that they held.

    Another version of a library is another platform, on which they are run again. What was refused is looked at again
    too: it may have been the machine that failed.
    """
    if _holds(_judged(known, instrument, platform)):
        return ()
    return (Verify(id=_name(worker, instrument), split=_split(known)),)


def verdict(known: Known, me: Worker, news: News) -> Decision | None:
    """Return what a worker says of its canaries; None while they run, or where the log has the verdict.

    The frame must pass the fence of all workers: a machine that failed would else refuse what another one of its kind
    had verified since, and trains by now.
    """
    judged = _judged(known, me.instrument, me.platform)
    if _holds(judged) or news.stopping or known.ledger.closed is not None:
        return None
    name = _name(me.worker, me.instrument)
    if name in news.underway:
        return None
    result = news.results.get(name)
    if isinstance(result, Verified) and result.instrument == me.instrument:
        return _told(me, _said(result, me), name)
    if result is None:
        return _again(known, me) if not _since(judged, me) else None
    why = getattr(result, "reason", "it described another instrument than it joined with")
    return _told(me, _refused(me, f"the canaries could not be run: {why}"), name)


def trains(known: Known, worker: Worker) -> bool:
    """Say whether every canary of a worker's instrument held, so that it may be given work.

    Where the log names the campaign's own instrument, no other trains, however sound: a machine that lends devices may
    have another version.
    """
    return _holds(_judged(known, worker.instrument, worker.platform)) and own(known) in (None, worker.instrument)


def own(known: Known) -> str | None:
    """Return the instrument under which the campaign trains: what is adopted, else what its log names, if it does."""
    return known.repairs.instrument or known.instruments.own


def discovered(known: Known, me: Worker) -> Decision | None:
    """Return the defect that a canary which did not hold shows in results from before it looked; None where none."""
    judged = _judged(known, me.instrument, me.platform)
    if judged is None or judged.status != "refused":
        return None
    found = next(of_canaries(known.ledger, known.instruments.all, me.instrument), None)
    if found is None:
        return None
    fact = fact_of(known.ledger, found)
    return Decision("defect", fact.defect, (fact,), under="defect")


def era(known: Known) -> Decision | None:
    """Return the word that opens an era: the first verified instrument's, and then that of each other one."""
    opened = {era.instrument for era in known.ledger.eras.all if era.declared}
    for judged in known.instruments.all.values():
        if judged.status == "verified" and judged.instrument not in opened:
            return Decision("campaign", "eras", (_opened(known, judged),))
    return None


def refused(known: Known) -> CampaignClosed | None:
    """Return the end of a campaign whose instrument was refused, where no worker has another; None where it goes on."""
    judged = [(_judged(known, one.instrument, one.platform), one) for one in known.fleet.present()]
    last, worker = next(iter(judged), (None, None))
    if last is None or worker is None or any(_holds(one) or not _since(one, worker) for one, worker in judged):
        return None
    ran = any(attempt.instrument == worker.instrument for attempt in _attempts(known))
    when = "on this platform" if ran else "before it trained anything"
    reason = f"instrument {worker.instrument[:SHORT]} was refused {when}: {last.reason}"
    return CampaignClosed(cause=last.told, reason=reason)


def _attempts(known: Known) -> Iterator[Attempt]:
    return (attempt for experiment in known.ledger.experiments.values() for attempt in experiment.attempts)


def _judged(known: Known, instrument: str, platform: Mapping[str, str]) -> Platform | None:
    found = known.instruments.all.get(instrument)
    return on(found.platforms, platform) if found is not None else None


def _holds(judged: Platform | None) -> bool:
    return judged is not None and judged.status == "verified"


def _since(judged: Platform | None, worker: Worker) -> bool:
    """Say whether there is a verdict on a worker's instrument that was spoken after the worker joined."""
    if judged is None or judged.told is None:
        return False
    return worker.changed is None or judged.told > worker.changed


def _told(me: Worker, fact: Fact, order: str) -> Decision:
    return Decision("worker", me.worker, (fact,), settles=(order,), under="worker")


def _again(known: Known, me: Worker) -> Decision:
    """Join once more where a process died over its canaries: an order follows a word of its own."""
    joined = WorkerJoined(
        cause=me.changed,
        worker=me.worker,
        device=me.device,
        lanes=me.lanes,
        platform=dict(me.platform),
        instrument=me.instrument,
    )
    return Decision("worker", me.worker, (joined,), vetting(known, me.worker, me.instrument, me.platform))


def _said(result: Verified, me: Worker) -> Fact:
    if result.problem is None:
        return InstrumentVerified(
            cause=me.changed,
            instrument=result.instrument,
            parts=result.parts,
            canaries=result.canaries,
            seconds=result.seconds,
            platform=dict(me.platform),
        )
    return InstrumentRefused(
        cause=me.changed,
        instrument=result.instrument,
        parts=result.parts,
        canaries=result.canaries,
        seconds=result.seconds,
        reason=result.problem,
        platform=dict(me.platform),
    )


def _refused(me: Worker, reason: str) -> InstrumentRefused:
    return InstrumentRefused(
        cause=me.changed,
        instrument=me.instrument,
        parts={},
        canaries=(),
        seconds=0.0,
        reason=reason,
        platform=dict(me.platform),
    )


def _opened(known: Known, judged: Instrument) -> EraOpened:
    eras = [era for era in known.ledger.eras.all if era.declared]
    before = known.instruments.all.get(eras[-1].instrument) if eras else None
    reason = "the first verified instrument"
    if before is not None:
        parts = {*before.parts, *judged.parts}
        changed = sorted(part for part in parts if before.parts.get(part) != judged.parts.get(part))
        reason = f"another instrument: {', '.join(changed) or 'no part that the log names'}"
    number = max((era.number for era in eras), default=0) + 1
    return EraOpened(cause=judged.told, era=number, instrument=judged.instrument, reason=reason)


def _split(known: Known) -> str:
    """Return the digest of the split under which the campaign first trained."""
    found = (judged.parts.get(SPLIT, "") for judged in known.instruments.all.values() if judged.status == "verified")
    return next(found, "")


def _name(worker: str, instrument: str) -> str:
    return f"verify-{instrument[:SHORT]}-{worker}"
