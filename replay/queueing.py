"""The queue: what waits, in which order it would run and why, and what was turned away because of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import takewhile

import msgspec

from events.envelope import Fact, Position
from events.facts import IdeaDeclined
from events.log import LogReader, Recorded
from replay.folds import Handler
from replay.ledger import Ledger
from replay.lineage import Change, changes
from replay.measures import Measurement
from replay.pages.tables import WIDTH, brief, cut, folded, pairs, table
from replay.prospects import Prospects
from replay.turns import Turn, order

SHOWN = 20
"""Lines of a long list on a page; the JSON twin has them all."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment that waits.

    Attributes:
        place: from 1, in the order in which it would be assigned if nothing else came.
        turn: of its agent, counted in packs; the lowest goes first, then the agent that was served least.
        priority: as it was when it was queued, of the `terms` that it was made of.
        value: within its agent, higher first, then the older: the priority, the worth and what a person added.
        worth: expected gain for a GPU-second beside the best that waits; 0 while too little is known.
        gain, seconds: expected improvement of the best validation AP, and GPU-seconds; None while too little is known.
        boost: what a person added.
        rule: why it has this place: `value`; `oldest`, for each eighth turn of an agent; or `boosted`.
        attempt: the coming one.
        queued_at: microseconds since 1970 UTC.
    """

    place: int
    experiment: str
    idea: str
    agent: str
    turn: int
    priority: float
    terms: dict[str, float]
    value: float
    worth: float
    gain: float | None
    seconds: float | None
    boost: float
    rule: str
    attempt: int
    queued_at: int


class Declined(msgspec.Struct, frozen=True, kw_only=True):
    """An idea that was turned away.

    Attributes:
        position: of the verdict.
        rule: the scheduler's, in words.
        twin: the accepted idea that it repeats, with its experiment, how that stands, and its validation AP.
        changes: dimensions in which it differs from its twin all the same.
    """

    idea: str
    agent: str
    origin: str
    position: Position
    reason: str
    rule: str
    twin: str | None = None
    experiment: str | None = None
    status: str | None = None
    validation: float | None = None
    changes: tuple[Change, ...] = ()


class Queueing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME queue --json` prints.

    Attributes:
        through: the last sequence that was folded.
        closed: why nothing that waits will run, None while the search is open.
        waiting: in order.
        running: experiments under a lease.
        served: experiments of each agent that were assigned at least once.
        unjudged: ideas without a verdict.
        declined: in the order of the verdicts; `reasons` counts them.
    """

    through: int
    closed: str | None
    waiting: tuple[Place, ...]
    running: tuple[str, ...]
    served: dict[str, int]
    unjudged: tuple[str, ...]
    declined: tuple[Declined, ...]
    reasons: dict[str, int]


Verdicts = dict[str, tuple[Position, str, str]]
"""Each declined idea with its verdict's position, reason and rule."""


def _declined(verdicts: Verdicts, fact: IdeaDeclined, recorded: Recorded, index: int) -> None:
    verdicts[fact.idea] = (Position(recorded.sequence, index), fact.reason, fact.rule)


class VerdictsFold:
    """Folds a log into the refusals with their rules, which the ledger does not keep."""

    handlers: Mapping[type[Fact], Handler] = {IdeaDeclined: _declined}

    def initial(self) -> Verdicts:
        """Return no verdicts."""
        return {}

    def result(self, state: Verdicts) -> Verdicts:
        """Return the verdicts themselves."""
        return state


def queueing(log: LogReader, until: int | None = None) -> Queueing:
    """Fold a log through `until` (a sequence) or its end, and tell its queue as it stands there."""
    measurement = Measurement(VerdictsFold())
    measurement.advance(takewhile(lambda frame: until is None or frame.sequence <= until, log.read()))
    ledger, verdicts = measurement.ledger, measurement.beside[0]
    declined = tuple(_turned_away(ledger, name, *verdict) for name, verdict in verdicts.items())
    return Queueing(
        through=measurement.through,
        closed=ledger.closed,
        waiting=places(ledger),
        running=tuple(e.experiment for e in ledger.experiments.values() if e.status in ("assigned", "running")),
        served=dict(sorted(_served(ledger).items())),
        unjudged=tuple(idea for ideas in ledger.unjudged.values() for idea in ideas),
        declined=declined,
        reasons=dict(sorted(Counter(one.reason for one in declined).items())),
    )


def places(ledger: Ledger) -> tuple[Place, ...]:
    """Return what waits in the scheduler's own order; see `replay.turns`."""
    return tuple(_place(number, turn) for number, turn in enumerate(order(ledger, Prospects()), start=1))


def queueing_page(queueing: Queueing) -> str:
    """Return the queue's text."""
    state = f"closed: {queueing.closed}; nothing that waits will run" if queueing.closed is not None else "open"
    waits, runs = len(queueing.waiting), len(queueing.running)
    lines = [
        f"queue      at position {queueing.through}: {waits} wait, {runs} under a lease",
        f"search     {state}",
        f"served     {pairs(queueing.served)}",
        *_places(queueing.waiting[:SHOWN]),
        *_more(waits),
        "",
        f"Declined: {len(queueing.declined)} ({pairs(queueing.reasons)}); {len(queueing.unjudged)} without a verdict",
    ]
    for one in queueing.declined[-SHOWN:]:
        lines += _refusal(one)
    return folded(lines)


def _served(ledger: Ledger) -> Counter[str]:
    return Counter(ledger.author(e.experiment) for e in ledger.experiments.values() if e.attempts)


def _places(waiting: tuple[Place, ...]) -> list[str]:
    if not waiting:
        return []
    rows = [(p.place, p.experiment, p.agent, p.turn, f"{p.value:.3f}", p.attempt) for p in waiting]
    header, *lines = table(("#", "experiment", "agent", "turn", "value", "attempt"), rows)
    reasons = (f"        {_why(place)}" for place in waiting)
    return ["", header, *(line for pair in zip(lines, reasons, strict=True) for line in pair)]


def _why(place: Place) -> str:
    terms = {**place.terms, "worth": place.worth} | ({"boost": place.boost} if place.boost else {})
    promise = f"; gain {place.gain:.2g} in {place.seconds:.3g} s" if place.gain is not None else ""
    rule = "" if place.rule == "value" else f"{place.rule}; "
    return f"{rule}{pairs(terms)}{promise}"


def _place(number: int, place: Turn) -> Place:
    experiment = place.experiment
    return Place(
        place=number,
        experiment=experiment.experiment,
        idea=experiment.idea,
        agent=place.agent,
        turn=place.turn,
        priority=experiment.priority,
        terms=experiment.terms,
        value=place.value,
        worth=place.worth,
        gain=place.prospect.gain if place.prospect is not None else None,
        seconds=place.prospect.seconds if place.prospect is not None else None,
        boost=experiment.boost,
        rule=place.rule,
        attempt=len(experiment.attempts) + 1,
        queued_at=experiment.queued_at,
    )


def _turned_away(ledger: Ledger, name: str, position: Position, reason: str, rule: str) -> Declined:
    idea = ledger.ideas[name]
    twin = ledger.ideas.get(idea.twin or "")
    run = ledger.experiments.get(twin.experiment or "") if twin is not None else None
    return Declined(
        idea=name,
        agent=idea.agent,
        origin=idea.origin,
        position=position,
        reason=reason,
        rule=rule,
        twin=idea.twin,
        experiment=run.experiment if run is not None else None,
        status=run.status if run is not None else None,
        validation=run.outcome.validation if run is not None and run.outcome is not None else None,
        changes=changes(twin.configuration, idea.configuration) if twin is not None else (),
    )


def _refusal(one: Declined) -> list[str]:
    line = f"  {one.idea} by {one.agent} at {one.position}: {one.reason}, {one.rule}"
    if one.twin is None:
        return [cut(line, WIDTH)]
    score = f" AP {one.validation:.4f}" if one.validation is not None else ""
    differing = {change.dimension: change.after for change in one.changes if change.after is not None}
    kept = brief(differing, WIDTH // 2) if differing else "nothing"
    return [cut(line, WIDTH), f"    twin {one.twin}, {one.experiment} {one.status}{score}; differs in {kept}"]


def _more(waiting: int) -> list[str]:
    return [f"  and {waiting - SHOWN} more"] * (waiting > SHOWN)
