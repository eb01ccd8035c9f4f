"""One digest of everything exact that a log folds to: what the live analyst and any replay must agree on.

It covers the ledger (every idea with its author and verdict, every experiment with its attempts and result, floats as
recorded, both orders), the agents and repairs, and the integer counts behind every measure; never a logarithm, whose
last bit a machine may choose. It leaves out positions and the analyst's own facts: a log with and without them, or
imported elsewhere, has one digest. Fields are listed here by name, so that a field added to the ledger later changes no
old digest; a change of this list, or of how it is hashed, is a new `SCHEME`. What a person asked for (pauses, bans,
boosts, cancellations) is said only where there is any: logs from before have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from events.space import Choice, Dimension, Space
from replay.changes import Changes
from replay.ledger import Experiment, Idea, Ledger

SCHEME = "m3"
"""First part of every digest: how the rest, 64 hex digits, was made."""

IDEA = (
    *("idea", "agent", "configuration", "rationale", "origin", "parents", "priority", "at", "source"),
    *("experiment", "declined", "twin"),
)
EXPERIMENT = ("experiment", "idea", "priority", "terms", "status", "queued_at", "completion", "abandoned")
ATTEMPT = (
    *("attempt", "pack", "lane", "worker", "seed", "assigned_at", "started_at", "ended_at", "instrument"),
    *("platform", "failure", "step", "gpu_seconds"),
)
OUTCOME = ("validation", "test", "noise", "epoch", "peak_memory", "checkpoint")
EXECUTION = ("micro_batches", "timeout")
BAN = ("ban", "where", "reason", "until")
CURVES = ("loss", "validation", "learning_rate")
CHOICE = ("name", "values", "part", "stage", "aliases")
INTERVAL = ("name", "low", "high", "part", "stage", "scale", "when", "bins")

Plain = tuple[Any, ...]

_idea: Callable[[Idea], Plain] = attrgetter(*IDEA)
_experiment: Callable[[Any], Plain] = attrgetter(*EXPERIMENT)
_attempt: Callable[[Any], Plain] = attrgetter(*ATTEMPT)
_outcome: Callable[[Any], Plain] = attrgetter(*OUTCOME)
_execution: Callable[[Any], Plain] = attrgetter(*EXECUTION)
_curves: Callable[[Any], Plain] = attrgetter(*CURVES)
_ban: Callable[[Any], Plain] = attrgetter(*BAN)
_choice: Callable[[Any], Plain] = attrgetter(*CHOICE)
_interval: Callable[[Any], Plain] = attrgetter(*INTERVAL)


class Scheme(NamedTuple):
    """How records become a digest: so many are hashed together, as these bytes."""

    leaf: int
    encode: Callable[[object], bytes]


SCHEMES = {
    "m2": Scheme(1, msgspec.json.Encoder(order="deterministic").encode),
    "m3": Scheme(16, msgspec.msgpack.Encoder(order="deterministic").encode),
}
"""Today's, which takes half the time, and the one before it, so that what was recorded under it is held against it."""


class Leaves:
    """The sha256 of some records each, in the order in which records came; only new and changed ones are hashed."""

    def __init__(self, form: Callable[[Any], Plain], scheme: Scheme) -> None:
        self._form = form
        self._scheme = scheme
        self._places: dict[str, int] = {}
        self._hashes = bytearray()

    def refresh(self, records: Mapping[str, Any], changed: Iterable[str]) -> None:
        """Hash the leaves of the records that are new, which come last, and of the others that may have changed."""
        known, places, form, every = len(self._places), self._places, self._form, list(records.values())
        size, encode = self._scheme
        stale = {places[name] // size for name in changed if name in places}
        stale.update(range(known // size, -(-len(every) // size)))
        places.update(zip(list(records)[known:], range(known, len(every)), strict=True))
        for leaf in sorted(stale):
            forms = [form(record) for record in every[leaf * size : (leaf + 1) * size]]
            self._hashes[32 * leaf : 32 * leaf + 32] = sha256(encode(forms if size > 1 else forms[0])).digest()

    def root(self) -> bytes:
        """Return the sha256 of all leaves."""
        return sha256(self._hashes).digest()


class Digester:
    """Digests a growing ledger in time proportional to what changed, plus 32 bytes a record."""

    def __init__(self, scheme: str = SCHEME) -> None:
        self._name, self._scheme = scheme, SCHEMES[scheme]
        self._ideas = Leaves(_idea, self._scheme)
        self._experiments = Leaves(experiment_form, self._scheme)

    def digest(self, ledger: Ledger, changes: Changes, exact: object) -> str:
        """Return the digest.

        Args:
            ledger: as folded so far.
            changes: since this digester was last asked; none where it was not asked before.
            exact: the counts behind the measures, plain and in a fixed order.
        """
        self._ideas.refresh(ledger.ideas, changes.ideas)
        self._experiments.refresh(ledger.experiments, changes.experiments)
        head = self._scheme.encode((self._name, ledger_form(ledger), exact))
        return f"{self._name}:{sha256(self._ideas.root() + self._experiments.root() + head).hexdigest()}"


def digest(ledger: Ledger, exact: object, scheme: str = SCHEME) -> str:
    """Return the digest of a whole ledger afresh: what the incremental form is held against."""
    return Digester(scheme).digest(ledger, Changes(), exact)


def ledger_form(ledger: Ledger) -> Plain:
    """Return what the ledger holds beside its records; what it does not name are indexes over those."""
    space = space_form(ledger.space) if ledger.space is not None else None
    opening = (ledger.campaign, space, ledger.seed, ledger.opened_at, ledger.closed)
    whole = (opening, ledger.completed, len(ledger.void), len(ledger.ideas), len(ledger.experiments))
    bans = [_ban(ban) for ban in ledger.bans.values()]
    return (*whole, (ledger.paused, bans)) if ledger.paused is not None or bans else whole


def experiment_form(experiment: Experiment) -> Plain:
    """Return an experiment as nested tuples of plain values."""
    execution, outcome = experiment.execution, experiment.outcome
    whole = (
        _experiment(experiment),
        None if execution is None else _execution(execution),
        [(_attempt(attempt), _execution(attempt.execution)) for attempt in experiment.attempts],
        None if outcome is None else (_outcome(outcome), _curves(outcome.curves)),
    )
    acted = experiment.boost or experiment.cancelled is not None
    return (*whole, (experiment.boost, experiment.cancelled)) if acted else whole


def space_form(space: Space) -> Plain:
    """Return a space as nested tuples of plain values."""
    return (space.name, [_dimension_form(dimension) for dimension in space.dimensions])


def _dimension_form(dimension: Dimension) -> Plain:
    return _choice(dimension) if isinstance(dimension, Choice) else _interval(dimension)
