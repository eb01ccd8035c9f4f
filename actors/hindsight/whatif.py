"""How history would have gone under another rule: exact until it differs, then a bound or unknown, never a guess.

The walk is `actors.hindsight.course`; what comes of it is measured by the same folds as history itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from actors.errors import CampaignError
from actors.hindsight.alternatives import ORDERS, RULES, Duplicates, Order
from actors.hindsight.course import Course, Rules, Unrun
from actors.hindsight.past import Past
from actors.judgement.budgets import Budget
from events.facts import CampaignOpened, Started
from events.log import LogReader, Recorded
from replay.leaderboard import Row, leaderboard
from replay.ledger import Ledger
from replay.measures import Measurement, Values
from replay.settings import Reading, at_hand, settings

HIGHEST = 1.0
"""The largest average precision: how well a run might have done that history did not see."""

IDEAS = "the ideas are the recorded ones: agents that had seen other results would have proposed others"
SLOTS = "the slots are the recorded ones: a run takes another's, whatever the time that either needs"
DRAWS = "a run has the seed and the end that history saw it have, wherever it comes in the order"


class QuestionImpossible(CampaignError):
    """Something was asked that history has no place for: an agent that never joined, a budget of nothing."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; what is left out stays as it was recorded.

    Attributes:
        experiments, gpu_hours: another limit, the other limits of the campaign's file kept.
        without: agents that are switched off.
        eras: history ends where a further instrument first measured.
    """

    duplicates: Duplicates = "recorded"
    order: Order = "recorded"
    experiments: int | None = None
    gpu_hours: float | None = None
    without: tuple[str, ...] = ()
    eras: int | None = None


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A number that lies in [low, high]; equal ends are exact, a None is an end that history does not tell."""

    low: float | int | None
    high: float | int | None


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """An idea with another verdict: what it ran as and scored in history, and what became of it in this course."""

    idea: str
    agent: str
    then: str
    now: str
    validation: float | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad whatif NAME --json` prints.

    Attributes:
        asked: each rule in words.
        identical: every frame is the recorded one, byte for byte.
        parted: recorded position of the first decision that differs, None where none does; before it all is exact.
        conditional: runs began after the parting, so that the answer holds under its `assumptions` only.
        completed, best, gpu_seconds: what it comes to; validation AP, device seconds.
        then, now: the named measures of history and of this course, the latter over the ends that history holds.
        unknown: runs whose ends history did not see.
        idle: slots for which history holds no idea.
        beyond: the search would go on where history ends.
        unborn: ideas of history that do not exist here: their agent is off, or what they were made from is not here.
        turned: ideas with another verdict, in the order of history.
        same_order: how many first assignments from the beginning on are those of history.
        leaders: the best of this course, of the ends that history holds.
    """

    campaign: str
    asked: dict[str, str]
    identical: bool
    parted: int | None
    conditional: bool
    assumptions: tuple[str, ...]
    closed: str | None
    completed: Bound
    best: Bound
    gpu_seconds: Bound
    then: Values
    now: Values
    unknown: tuple[Unrun, ...]
    idle: int
    beyond: bool
    unborn: int
    turned: tuple[Turned, ...]
    same_order: int
    leaders: tuple[Row, ...]


def whatif(log: LogReader, question: Question, reading: Reading = at_hand) -> Answer:
    """Walk history again as asked.

    Args:
        log: any reader of a campaign.
        question: what is to be otherwise.
        reading: returns the whole of a long campaign file, whose budget a partial question keeps.

    Raises:
        QuestionImpossible: history has no place for what is asked.
    """
    past = Past(log)
    rules = Rules(
        duplicates=question.duplicates,
        order=question.order,
        budget=_budget(log, question, reading),
        without=_agents(log, question),
    )
    course, history = Course(past, rules, log.campaign), Measurement()
    cut = _border(log, question)
    for recorded in log.read():
        history.advance((recorded,))
        if cut is None or recorded.sequence < cut:
            course.take(recorded)
    return _answer(log, question, course, history, cut)


def _answer(log: LogReader, question: Question, course: Course, history: Measurement, cut: int | None) -> Answer:
    now = Measurement()
    now.advance(course.telling.log.read())
    parted = course.parted if cut is None else min(cut, course.parted or cut)
    conditional = parted is not None and course.filled >= parted
    beyond = course.rules.budget is not None and course.ledger.closed is None and history.ledger.closed is not None
    bounds = _Bounds(course, open_ended=beyond or course.idle > 0)
    return Answer(
        campaign=log.campaign,
        asked=_in_words(question),
        identical=_identical(log.read(), course.telling.log.read()),
        parted=parted,
        conditional=conditional,
        assumptions=(IDEAS, SLOTS, DRAWS) if conditional else (),
        closed=course.ledger.closed,
        completed=bounds.completed(),
        best=bounds.best(),
        gpu_seconds=bounds.gpu_seconds(now.values()),
        then=history.values(),
        now=now.values(),
        unknown=tuple(course.unknown.values()),
        idle=course.idle,
        beyond=beyond,
        unborn=len(course.unborn.needs) + len(course.unborn.barred),
        turned=tuple(_turned(history.ledger, course.ledger)),
        same_order=_same_order(history.ledger, course.ledger),
        leaders=tuple(leaderboard(now.ledger, top=10)),
    )


class _Bounds:
    """What history lets be said of a course whose runs it did not all see."""

    def __init__(self, course: Course, *, open_ended: bool) -> None:
        self._ledger = course.ledger
        self._unknown = course.unknown
        self._open_ended = open_ended

    def completed(self) -> Bound:
        known = len(self._ledger.completed)
        return Bound(low=known, high=None if self._open_ended else known + len(self._unknown))

    def best(self) -> Bound:
        outcomes = (self._ledger.experiments[name].outcome for name in self._ledger.completed)
        low = max((outcome.validation for outcome in outcomes if outcome is not None), default=None)
        return Bound(low=low, high=HIGHEST if self._open_ended or self._unknown else low)

    def gpu_seconds(self, values: Values) -> Bound:
        low = float(values["gpu_seconds"] or 0.0)
        runs = (self._ledger.experiments[name] for name in self._unknown)
        most = sum(run.attempts[-1].execution.timeout for run in runs)
        return Bound(low=low, high=None if self._open_ended else low + most)


def _budget(log: LogReader, question: Question, reading: Reading) -> Budget | None:
    if question.experiments is None and question.gpu_hours is None:
        return None
    if any(limit is not None and limit <= 0 for limit in (question.experiments, question.gpu_hours)):
        raise QuestionImpossible("a budget needs at least one experiment and more than 0 GPU-hours")
    opened = next(
        (fact for recorded in log.read() for fact in recorded.facts if isinstance(fact, CampaignOpened)), None
    )
    found = settings(opened.file, reading) if opened is not None else {}
    written = found.get("budget", {}) if isinstance(found, dict) else {}
    known = {name: written[name] for name in Budget.__struct_fields__ if name in written}
    limits = {"experiments": question.experiments, "gpu_hours": question.gpu_hours}
    return msgspec.convert(known | {name: limit for name, limit in limits.items() if limit is not None}, Budget)


def _agents(log: LogReader, question: Question) -> frozenset[str]:
    if not question.without:
        return frozenset()
    measurement = Measurement()
    measurement.advance(log.read())
    known = [*measurement.results[1].agents]
    if strangers := [name for name in question.without if name not in known]:
        raise QuestionImpossible(f"no agent {', '.join(strangers)} joined; there were {', '.join(known) or 'none'}")
    return frozenset(question.without)


def _border(log: LogReader, question: Question) -> int | None:
    """Return the sequence at which a further instrument than asked for first measured, None where none did."""
    if question.eras is None:
        return None
    if question.eras < 1:
        raise QuestionImpossible("history has at least one era: ask for 1 or more")
    seen: set[str] = set()
    for recorded in log.read():
        seen |= {fact.instrument for fact in recorded.facts if isinstance(fact, Started)}
        if len(seen) > question.eras:
            return recorded.sequence
    return None


def _in_words(question: Question) -> dict[str, str]:
    words = {
        "duplicates": f"{question.duplicates}: {RULES[question.duplicates]}",
        "order": f"{question.order}: {ORDERS[question.order]}",
    }
    limits: dict[str, Any] = {"experiments": question.experiments, "gpu_hours": question.gpu_hours}
    words |= {name: f"{limit:g}" for name, limit in limits.items() if limit is not None}
    words |= {"without": ", ".join(question.without)} if question.without else {}
    return words | ({"eras": f"the first {question.eras}"} if question.eras is not None else {})


def _identical(one: Iterable[Recorded], other: Iterable[Recorded]) -> bool:
    return list(one) == list(other)


def _turned(was: Ledger, now: Ledger) -> Iterable[Turned]:
    for idea in was.ideas.values():
        run = was.experiments.get(idea.experiment or "")
        here = now.ideas.get(idea.idea)
        states = _verdict(was, idea.idea), _verdict(now, idea.idea)
        if states[0] != states[1]:
            validation = run.outcome.validation if run is not None and run.outcome is not None else None
            told = states[1] if here is not None else "not proposed"
            yield Turned(idea=idea.idea, agent=idea.agent, then=states[0], now=told, validation=validation)


def _verdict(ledger: Ledger, name: str) -> str:
    idea = ledger.ideas.get(name)
    if idea is None:
        return "not proposed"
    if idea.declined is not None:
        return f"declined: {idea.declined}" + (f" of {idea.twin}" if idea.twin is not None else "")
    return "accepted" if idea.experiment is not None else "not judged"


def _same_order(was: Ledger, now: Ledger) -> int:
    one, other = (_first_assignments(ledger) for ledger in (was, now))
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _first_assignments(ledger: Ledger) -> list[str]:
    # a pack's number is the order in which it was assigned; the ledger keeps its leases in that order
    return [*dict.fromkeys(name for experiments in ledger.leases.values() for name in experiments)]
