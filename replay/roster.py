"""The roster: every experiment as a row, in any order, narrowed by a predicate; what a table of them is made of.

What a predicate may ask of a run, `replay.defects.row` says. Rows are made where somebody looks, orders for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from events.predicates import Predicate, matches, parse, runs
from events.space import Configuration, Value
from replay.defects import row
from replay.ledger import Experiment, Ledger

Scalar = str | int | float | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment as a table shows it; `gpu_seconds` and `attempts` are of all its attempts.

    Attributes:
        number: place in the order in which experiments were queued, from 1.
        completion: place in the order of completions, None before.
        validation, noise: AP on the validation split and its bootstrap deviation; None before the end.
        touched: defects that touch its result, which then means other than it says.
        era, instrument, worker: of the last attempt.
    """

    number: int
    experiment: str
    status: str
    validation: float | None
    noise: float | None
    agent: str
    origin: str
    attempts: int
    gpu_seconds: float
    completion: int | None
    era: int | None
    touched: tuple[str, ...]
    instrument: str | None
    worker: str | None
    configuration: Configuration


def entry(ledger: Ledger, name: str) -> Entry:
    """Return an experiment's row; raises KeyError for one that was never queued."""
    experiment = ledger.experiments[name]
    idea, outcome = ledger.ideas[experiment.idea], experiment.outcome
    last = experiment.attempts[-1] if experiment.attempts else None
    return Entry(
        number=experiment.number,
        experiment=name,
        status=experiment.status,
        validation=outcome.validation if outcome else None,
        noise=outcome.noise if outcome else None,
        agent=idea.agent,
        origin=idea.origin,
        attempts=len(experiment.attempts),
        gpu_seconds=experiment.gpu_seconds,
        completion=experiment.completion,
        era=ledger.eras.of.get(name),
        touched=ledger.defects.touched.get(name, ()),
        instrument=last.instrument if last else None,
        worker=last.worker if last else None,
        configuration=idea.configuration,
    )


_KEYS: dict[str, Callable[[Ledger, Experiment], Scalar]] = {
    "number": lambda _, e: e.number,
    "experiment": lambda _, e: e.number,
    "status": lambda _, e: e.status,
    "validation": lambda _, e: e.outcome.validation if e.outcome else None,
    # a space may have a dimension by the name of noise
    "validation_noise": lambda _, e: e.outcome.noise if e.outcome else None,
    "agent": lambda ledger, e: ledger.ideas[e.idea].agent,
    "origin": lambda ledger, e: ledger.ideas[e.idea].origin,
    "attempts": lambda _, e: len(e.attempts),
    "gpu_seconds": lambda _, e: e.gpu_seconds,
    "completion": lambda _, e: e.completion,
    "era": lambda ledger, e: ledger.eras.of.get(e.experiment),
    "touched": lambda ledger, e: len(ledger.defects.touched.get(e.experiment, ())),
    "instrument": lambda _, e: e.attempts[-1].instrument if e.attempts else None,
    "worker": lambda _, e: e.attempts[-1].worker if e.attempts else None,
}


def columns(ledger: Ledger) -> tuple[str, ...]:
    """Name everything that the roster can be sorted by: the row's own columns, then the space's dimensions."""
    return (*_KEYS, *(d.name for d in ledger.space.dimensions)) if ledger.space is not None else tuple(_KEYS)


def predicate(ledger: Ledger, text: str) -> Predicate:
    """Read a predicate over this campaign's runs; raises `events.predicates.PredicateInvalid`."""
    return parse(text, runs(ledger.space) if ledger.space is not None else None)


def order(ledger: Ledger, *, by: str = "number", downward: bool = False, where: Predicate | None = None) -> list[str]:
    """Return the names of the experiments that a predicate means, sorted; ties in the order of queueing.

    Those that have no such value stand last, whichever the direction. Raises KeyError for an unknown column.
    """
    experiments: Iterable[Experiment] = ledger.experiments.values()
    if where is not None:
        experiments = [e for e in experiments if matches(where, row(ledger, e.experiment))]
    value = _KEYS[by] if by in _KEYS else _of_dimension(by, columns(ledger))
    valued = [(value(ledger, e), e.experiment) for e in experiments]
    there = [pair for pair in valued if pair[0] is not None]
    words = any(isinstance(pair[0], str) for pair in there)
    there.sort(key=lambda pair: str(pair[0]) if words else pair[0], reverse=downward)  # type: ignore[arg-type,return-value] # None was left out, and one type is left
    return [name for _, name in there] + [name for found, name in valued if found is None]


def _of_dimension(name: str, known_names: tuple[str, ...]) -> Callable[[Ledger, Experiment], Value | None]:
    if name not in known_names:
        raise KeyError(name)

    def value(ledger: Ledger, experiment: Experiment) -> Value | None:
        configuration: Mapping[str, Value] = ledger.ideas[experiment.idea].configuration
        return configuration.get(name)

    return value
