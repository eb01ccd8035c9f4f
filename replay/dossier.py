"""The dossier of one experiment: what it ran and why, everything that was said about it, and where it leads.

The facts of a dossier are those that name the experiment, its idea, its repairs or the leases that it ran under, and
those of the cycle that proposed it; in the order of the log, each with the fact that its author answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from events import facts
from events.envelope import Fact, Position, Text
from events.log import Recorded
from events.space import Value
from replay.errors import QuestionUnknown
from replay.ledger import Ledger
from replay.lineage import Change, changes
from replay.measures import Results
from replay.roster import Entry, entry


class ExperimentUnknown(QuestionUnknown):
    """There is no experiment by that name at the moment that was asked about."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about the experiment.

    Attributes:
        at: by its author's clock, microseconds since 1970 UTC.
        cause: the fact that its author answered, None for a first word.
        type, said: the fact's tag and its own fields.
    """

    position: Position
    at: int
    author: str
    cause: Position | None
    type: str
    said: dict[str, Any]


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """An idea beside this one; experiment and score are None where it came to none."""

    idea: str
    agent: str
    experiment: str | None
    validation: float | None


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was proposed to mend a run of the experiment.

    Attributes:
        status: where its repair stands.
        files: that it changes.
        explanation: in the words of the model that made it, None where it gave none.
        diff: unified, over kernels/.
    """

    repair: str
    status: str
    files: tuple[str, ...]
    explanation: Text | None
    diff: Text


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of one experiment.

    Attributes:
        parents: ideas that its own was made from; `changes` is what differs from the first of them.
        children: ideas made from it; `twins` those that were declined because it had been proposed.
        loss, validation, learning_rate: one value an epoch of the run that completed; empty before.
        epoch: the chosen one, from 1.
        failures: of each broken attempt, its number, kind, step and trace; `patches` what was proposed to mend them.
        usd: the price of its cycle, shared equally by the cycle's ideas; None where it came of no cycle.
        compared: what a rerun said: equal, close or different, and its validation AP; None before one.
        facts: in the order of the log.
    """

    entry: Entry
    idea: str
    rationale: str
    proposed: Position
    cycle: str | None
    parents: tuple[Relative, ...]
    changes: tuple[Change, ...]
    children: tuple[Relative, ...]
    twins: tuple[Relative, ...]
    priority: float
    terms: dict[str, float]
    loss: tuple[float | None, ...]
    validation: tuple[float, ...]
    learning_rate: tuple[float, ...]
    epoch: int | None
    failures: tuple[tuple[int, str, int | None, Text], ...]
    patches: tuple[Diff, ...]
    platform: dict[str, str]
    peak_memory: int | None
    usd: float | None
    compared: tuple[str, float] | None
    facts: tuple[Event, ...]


def dossier(results: Results, experiment: str, frames: Iterable[Recorded]) -> Dossier:
    """Gather what is known of an experiment.

    Args:
        results: of the measures, through the moment that is asked about.
        frames: those of the log through that moment, in order; frames that do not speak of it may be missing.

    Raises:
        ExperimentUnknown: it was not queued by then.
    """
    search, cycles, repairs = results
    ledger = search.ledger
    if experiment not in ledger.experiments:
        raise ExperimentUnknown(f"there is no experiment {experiment}: {len(ledger.experiments)} were queued by then")
    run = ledger.experiments[experiment]
    idea, outcome = ledger.ideas[run.idea], run.outcome
    source = idea.source.partition(".")[2] if idea.source.startswith("cycle.") else None
    cycle = cycles.cycles.get(source or "")
    mended = {repair.repair for repair in repairs.repairs.values() if repair.experiment == experiment}
    packs = {attempt.pack for attempt in run.attempts}
    about = _About(experiment, idea.idea, packs, mended, cycle.cycle if cycle else None)
    told = [(recorded, fact, position) for recorded in frames for position, fact in recorded.positions()]
    told = [each for each in told if about.means(each[1])]
    parents = tuple(_relative(ledger, name) for name in idea.parents if name in ledger.ideas)
    first = ledger.ideas[parents[0].idea] if parents else None
    last = run.attempts[-1] if run.attempts else None
    others = [other for other in ledger.ideas.values() if idea.idea in other.parents or other.twin == idea.idea]
    compared = next((fact for _, fact, _ in reversed(told) if isinstance(fact, facts.RunCompared)), None)
    return Dossier(
        entry=entry(ledger, experiment),
        idea=idea.idea,
        rationale=idea.rationale,
        proposed=idea.proposed,
        cycle=cycle.cycle if cycle else None,
        parents=parents,
        changes=changes(first.configuration, idea.configuration) if first else (),
        children=tuple(_relative(ledger, other.idea) for other in others if idea.idea in other.parents),
        twins=tuple(_relative(ledger, other.idea) for other in others if other.twin == idea.idea),
        priority=run.priority,
        terms=run.terms,
        loss=outcome.curves.loss if outcome else (),
        validation=outcome.curves.validation if outcome else (),
        learning_rate=outcome.curves.learning_rate if outcome else (),
        epoch=outcome.epoch if outcome else None,
        failures=tuple((f.attempt, f.kind, f.step, f.trace) for _, f, _ in told if isinstance(f, facts.Failed)),
        patches=tuple(
            Diff(
                repair=f.repair,
                status=repairs.repairs[f.repair].status,
                files=f.files,
                explanation=f.explanation,
                diff=f.diff,
            )
            for _, f, _ in told
            if isinstance(f, facts.RemedyProposed) and f.diff is not None
        ),
        platform=last.platform if last else {},
        peak_memory=outcome.peak_memory if outcome else None,
        usd=cycle.spent / max(1, len(cycle.ideas)) if cycle else None,
        compared=(compared.verdict, compared.validation) if compared else None,
        facts=tuple(_event(recorded, fact, position) for recorded, fact, position in told),
    )


def stands(made: Dossier, ledger: Ledger) -> bool:
    """Say whether all but the facts of a dossier is still so: a defect or a child's score need not name the run."""
    relatives = (*made.parents, *made.children, *made.twins)
    known = made.entry.experiment in ledger.experiments and all(one.idea in ledger.ideas for one in relatives)
    return (
        known
        and made.entry == entry(ledger, made.entry.experiment)
        and all(one == _relative(ledger, one.idea) for one in relatives)
    )


def words(results: Results, experiment: str) -> tuple[str, ...]:
    """Return the names of which a frame of the dossier holds at least one; raises KeyError for an unknown run."""
    ledger = results[0].ledger
    run = ledger.experiments[experiment]
    idea = ledger.ideas[run.idea]
    return (experiment, idea.idea, idea.source.partition(".")[2], *dict.fromkeys(a.pack for a in run.attempts))


class _About(msgspec.Struct, frozen=True):
    """Whom a fact must name."""

    experiment: str
    idea: str
    packs: set[str]
    repairs: set[str]
    cycle: str | None

    def means(self, fact: Fact) -> bool:
        """Say whether a fact is about it."""
        if getattr(fact, "experiment", None) == self.experiment or getattr(fact, "idea", None) == self.idea:
            return True
        if isinstance(fact, facts.LeaseRevoked):
            return fact.pack in self.packs
        if isinstance(fact, facts.CycleStarted | facts.AnswerReceived):
            return fact.cycle == self.cycle
        return getattr(fact, "repair", None) in self.repairs


def _event(recorded: Recorded, fact: Fact, position: Position) -> Event:
    said = msgspec.to_builtins(fact)
    kind = said.pop("type")
    for name in ("at", "cause", "through"):
        said.pop(name, None)
    return Event(position=position, at=fact.at, author=recorded.author, cause=fact.cause, type=kind, said=said)


def _relative(ledger: Ledger, name: str) -> Relative:
    idea = ledger.ideas[name]
    run = ledger.experiments.get(idea.experiment or "")
    score = run.outcome.validation if run is not None and run.outcome is not None else None
    return Relative(idea=name, agent=idea.agent, experiment=idea.experiment, validation=score)


def differing(made: Dossier) -> dict[str, tuple[Value, Value | None]]:
    """Return each dimension with its value, and the parent's where that is another one."""
    before = {change.dimension: change.before for change in made.changes}
    return {name: (value, before.get(name)) for name, value in made.entry.configuration.items()}
