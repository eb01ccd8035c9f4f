"""The whole state of a campaign at a past moment: what a person who had looked then would have seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import msgspec

from events.log import LogReader, Recorded
from replay.champions import stood
from replay.errors import QuestionUnknown
from replay.fleet import Fleet, FleetFold, Worker
from replay.leaderboard import Row, leaderboard
from replay.ledger import Ledger
from replay.measures import Measurement, Values
from replay.prospects import Prospects
from replay.subject import Subject, subject
from replay.times import parsed
from replay.troubles import Queue, queue
from replay.turns import order


class MomentUnknown(QuestionUnknown):
    """A text names neither a position nor a time, or one that the log does not reach."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment under a lease; `since` is when it was assigned, microseconds since 1970 UTC."""

    experiment: str
    agent: str
    attempt: int
    worker: str
    pack: str
    since: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment in the queue."""

    experiment: str
    agent: str
    priority: float
    why: str


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME at ... --json` prints.

    Attributes:
        at: time of the last folded fact by its author's clock, microseconds since 1970 UTC; 0 before the first.
        last: the last sequence of the log.
        waiting: the queue, in the order in which it would have been leased; see `replay.turns`.
        repairing: repairs that are not settled, with where they stand.
    """

    subject: Subject
    at: int
    last: int
    values: Values
    leaders: list[Row]
    running: list[Running]
    waiting: list[Waiting]
    queue: Queue
    workers: list[Worker]
    repairing: dict[str, str]
    digest: str


def moment(log: LogReader, where: str) -> Moment:
    """Fold a log through a sequence, or through the last frame before the first one of a later time.

    Args:
        log: any reader.
        where: a position (`120`, or that of a fact, `120.3`: frames are whole, so this means 120), or an ISO 8601 time,
            UTC where it names no zone. Times are the authors' clocks; a clock that jumps ahead ends the stretch early.

    Raises:
        MomentUnknown: it is neither, beyond the end, or of a fact that its frame does not hold.
    """
    found = located(where, log.last(), lambda sequence: len(next(iter(log.read(sequence - 1))).facts))
    sequence, at = found[0] if found is not None else None, parsed(where)
    if sequence is None and at is None:
        raise MomentUnknown(f"{where!r} is neither a position such as 120 nor a time such as 2026-05-01T12:00:00Z")
    measurement, spoken = Measurement(FleetFold()), 0
    for recorded in log.read():
        later = max((fact.at for fact in recorded.facts), default=spoken)
        if _is_after(recorded, later, sequence, at):
            break
        measurement.advance((recorded,))
        spoken = later
    return _state(measurement, spoken, log.last())


def located(where: str, last: int, held: Callable[[int], int]) -> tuple[int, int | None] | None:
    """Return the sequence that a position such as `120` or `120.3` names, with the index; None for another text.

    Args:
        last: the last sequence.
        held: how many facts the frame at a sequence holds; asked of one that there is.

    Raises:
        MomentUnknown: it is beyond the end, or its frame does not hold such a fact.
    """
    number, dot, index = where.partition(".")
    if not number.isdecimal() or (dot and not index.isdecimal()):
        return None
    sequence = int(number)
    if sequence > last:
        raise MomentUnknown(f"position {where} is beyond the log, which ends at {last}")
    if not dot:
        return sequence, None
    many = held(sequence) if sequence else 0
    if int(index) >= many:
        ends = (
            f"its last fact is {sequence}.{many - 1}"
            if many
            else "it holds none"
            if sequence
            else "the first frame is 1"
        )
        raise MomentUnknown(f"there is no position {where}: {ends}")
    return sequence, int(index)


def _is_after(recorded: Recorded, spoken: int, sequence: int | None, at: int | None) -> bool:
    return recorded.sequence > sequence if sequence is not None else at is not None and spoken > at


def _state(measurement: Measurement, at: int, last: int) -> Moment:
    ledger = measurement.ledger
    fleet: Fleet = measurement.beside[0]
    open_repairs = measurement.results[2].with_status("diagnosed", "proposed", "applied", "refused")
    return Moment(
        subject=subject(ledger, measurement.through),
        at=at,
        last=last,
        values=measurement.values(),
        leaders=stood(ledger, leaderboard(ledger, top=10)),
        running=_running(ledger),
        waiting=waiting(ledger, Prospects()),
        queue=queue(ledger),
        workers=list(fleet.workers.values()),
        repairing={repair.repair: f"{repair.experiment}: {repair.remedy} {repair.status}" for repair in open_repairs},
        digest=measurement.digest(),
    )


def _running(ledger: Ledger) -> list[Running]:
    leased = (e for e in ledger.experiments.values() if e.status in ("assigned", "running"))
    return [
        Running(
            experiment=experiment.experiment,
            agent=ledger.author(experiment.experiment),
            attempt=experiment.attempts[-1].attempt,
            worker=experiment.attempts[-1].worker,
            pack=experiment.attempts[-1].pack,
            since=experiment.attempts[-1].assigned_at,
        )
        for experiment in leased
    ]


def waiting(ledger: Ledger, prospects: Prospects, top: int | None = None) -> list[Waiting]:
    """Return the queue, or the first so many, in the order in which it would be leased; see `replay.turns`."""
    queued = ((turn.experiment, turn.agent) for turn in islice(order(ledger, prospects), top))
    return [Waiting(experiment=e.experiment, agent=agent, priority=e.priority, why=e.why) for e, agent in queued]
