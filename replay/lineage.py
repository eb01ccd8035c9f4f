"""Where an experiment came from and what came of it: parents, children, sweeps, repairs, changes and what they gained.

A gain is a difference of two validation scores; one within the noise of both is none. It is not what the change alone
would do: parent and child also differ by their draws.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from events.envelope import Position
from events.log import LogReader
from events.space import Configuration, Value
from replay.defects import known_now
from replay.errors import QuestionUnknown
from replay.leaderboard import within
from replay.ledger import Experiment, Idea, Ledger
from replay.measures import Measurement
from replay.repairs import Repair, Repairs


class ExperimentUnknown(QuestionUnknown):
    """An experiment or idea was asked for that the log does not hold."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One idea and what became of it.

    Attributes:
        status: unjudged, declined, or the experiment's; `reason` says why it was declined or abandoned.
        validation, noise: AP and its bootstrap standard deviation, None without a result.
        failures: how its attempts without a result ended, in order.
        defects: that touch its result; `validation` is what was believed then, `known` what it counts for now.
    """

    idea: str
    experiment: str | None
    agent: str
    origin: str
    rationale: str
    configuration: Configuration
    proposed: Position
    status: str
    reason: str | None = None
    validation: float | None = None
    noise: float | None = None
    failures: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    known: float | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A dimension that differs; None where it has no value."""

    dimension: str
    before: Value | None
    after: Value | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """From a parent to a child.

    Attributes:
        generation: of the child, counted from the experiment asked about: its children are 1, it is 0 itself.
        gain: the child's validation AP minus the parent's; None where one has none.
        within_noise: the gain is at most hypot of both noises, as if the two were drawn independently.
    """

    parent: str
    child: str
    generation: int
    changes: tuple[Change, ...]
    gain: float | None
    within_noise: bool | None


class Mending(msgspec.Struct, frozen=True, kw_only=True):
    """What the fixer did about one failed attempt; see `replay.repairs.Repair`."""

    repair: str
    attempt: int
    kind: str
    diagnosis: str
    remedy: str
    status: str
    child: str | None


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME lineage EXPERIMENT --json` prints.

    Attributes:
        members: everybody who is named in a step, by idea.
        before: steps that lead to it, the oldest generation first.
        after: steps that lead on from it, the nearest generation first.
        siblings: other ideas with one of its parents.
        twins: ideas that were declined because they repeat it.
        repairs: of its own failed attempts.
        gained: its validation AP minus that of its oldest ancestor with a result, along the whole line; None without.
    """

    subject: Member
    members: dict[str, Member]
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    siblings: tuple[str, ...]
    twins: tuple[str, ...]
    repairs: tuple[Mending, ...]
    gained: float | None


def lineage(log: LogReader, name: str) -> Lineage:
    """Return the lineage of an experiment, or of an idea.

    Raises:
        ExperimentUnknown: the log holds neither under this name.
    """
    measurement = Measurement()
    measurement.advance(log.read())
    _, _, repairs = measurement.results
    return lineage_of(measurement.ledger, repairs, name)


def lineage_of(ledger: Ledger, repairs: Repairs, name: str) -> Lineage:
    """Return a lineage from what was folded already; raises as `lineage` does."""
    idea = _found(ledger, name)
    family = _Family(ledger)
    before, after = family.before(idea.idea), family.after(idea.idea)
    named = dict.fromkeys([idea.idea, *(end for step in (*before, *after) for end in (step.parent, step.child))])
    members = {one: member(ledger, ledger.ideas[one]) for one in named}
    siblings = dict.fromkeys(child for parent in idea.parents for child in family.children.get(parent, ()))
    mends = (repair for repair in repairs.repairs.values() if repair.experiment == idea.experiment)
    return Lineage(
        subject=members[idea.idea],
        members=members,
        before=before,
        after=after,
        siblings=tuple(one for one in siblings if one != idea.idea),
        twins=tuple(other.idea for other in ledger.ideas.values() if other.twin == idea.idea),
        repairs=tuple(_mending(repair) for repair in mends),
        gained=_along(members[idea.idea], (members[step.parent] for step in before)),
    )


def _mending(repair: Repair) -> Mending:
    fields = {name: getattr(repair, name) for name in Mending.__struct_fields__}
    return Mending(**fields)


def changes(before: Configuration, after: Configuration) -> tuple[Change, ...]:
    """Return the dimensions in which two configurations differ, in the order of the first, then of the second."""
    names = dict.fromkeys((*before, *after))
    return tuple(
        Change(dimension=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def gained(one: Member, other: Member) -> tuple[float | None, bool | None]:
    """Return the second's validation AP minus the first's, and whether that is within both noises; None without one."""
    if one.validation is None or other.validation is None:
        return None, None
    gain = other.validation - one.validation
    return gain, within(gain, one.noise, other.noise)


def member(ledger: Ledger, idea: Idea) -> Member:
    """Return an idea and what became of it."""
    experiment = ledger.experiments.get(idea.experiment or "")
    outcome = experiment.outcome if experiment is not None else None
    return Member(
        idea=idea.idea,
        experiment=idea.experiment,
        agent=idea.agent,
        origin=idea.origin,
        rationale=idea.rationale,
        configuration=idea.configuration,
        proposed=idea.proposed,
        status=_status(idea, experiment),
        reason=experiment.abandoned if experiment is not None else _declined(idea),
        validation=outcome.validation if outcome is not None else None,
        noise=outcome.noise if outcome is not None else None,
        failures=tuple(str(a.failure) for a in experiment.attempts if a.failure is not None) if experiment else (),
        defects=ledger.defects.touched.get(idea.experiment or "", ()),
        known=known_now(ledger, experiment.experiment) if experiment is not None else None,
    )


class _Family:
    """Who is whose child; a line that would run into itself is walked once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.children: dict[str, list[str]] = {}
        for idea in ledger.ideas.values():
            for parent in idea.parents:
                self.children.setdefault(parent, []).append(idea.idea)

    def before(self, idea: str) -> tuple[Step, ...]:
        """Return the steps that lead to an idea, the oldest generation first."""
        steps: list[Step] = []
        reached, here, generation = {idea}, [idea], 0
        while here:
            edges = [(p, name) for name in here for p in self._ledger.ideas[name].parents if p in self._ledger.ideas]
            steps += [self._step(parent, child, generation) for parent, child in edges]
            here = _fresh(reached, (parent for parent, _ in edges))
            generation -= 1
        return tuple(sorted(steps, key=lambda step: step.generation))

    def after(self, idea: str) -> tuple[Step, ...]:
        """Return the steps that lead on from an idea, the nearest generation first."""
        steps: list[Step] = []
        reached, here, generation = {idea}, [idea], 1
        while here:
            edges = [(name, child) for name in here for child in self.children.get(name, ())]
            steps += [self._step(parent, child, generation) for parent, child in edges]
            here = _fresh(reached, (child for _, child in edges))
            generation += 1
        return tuple(steps)

    def _step(self, parent: str, child: str, generation: int) -> Step:
        one, other = (member(self._ledger, self._ledger.ideas[name]) for name in (parent, child))
        gain, within = gained(one, other)
        return Step(
            parent=parent,
            child=child,
            generation=generation,
            changes=changes(one.configuration, other.configuration),
            gain=gain,
            within_noise=within,
        )


def _fresh(reached: set[str], names: Iterable[str]) -> list[str]:
    fresh = [name for name in dict.fromkeys(names) if name not in reached]
    reached.update(fresh)
    return fresh


def _found(ledger: Ledger, name: str) -> Idea:
    experiment = ledger.experiments.get(name)
    idea = ledger.ideas.get(experiment.idea if experiment is not None else name)
    if idea is None:
        known = [*ledger.experiments]
        between = f"the log holds {len(known)}, {known[0]} to {known[-1]}" if known else "the log holds none"
        raise ExperimentUnknown(f"there is no experiment or idea {name!r}; of experiments {between}")
    return idea


def _status(idea: Idea, experiment: Experiment | None) -> str:
    if experiment is not None:
        return experiment.status
    return "declined" if idea.declined is not None else "unjudged"


def _declined(idea: Idea) -> str | None:
    return f"{idea.declined} of {idea.twin}" if idea.twin is not None else idea.declined


def _along(subject: Member, before: Iterable[Member]) -> float | None:
    oldest = next((one for one in before if one.validation is not None), None)
    return gained(oldest, subject)[0] if oldest is not None else None
