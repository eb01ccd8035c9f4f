"""A course that history might have taken: the recorded log walked once more, its scheduler under other rules.

What the world did is kept: the ideas as they were proposed, and every slot, a worker's time from a recorded assignment
to its recorded end. What the scheduler did is decided anew: which idea is accepted, who takes a slot. A run
ends as history saw that very experiment end, with its own seed, under the same instrument. Where history did not see it
there is no end: the run stays open, and whatever asks about it is answered by a bound or by "unknown".

An idea exists only once what it was made from does: parents that were accepted, had failed or had a result when it was
proposed. The course is told as a log of its own; where nothing differs from history it is the same bytes.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from actors.hindsight.alternatives import Duplicates, Order, queue
from actors.hindsight.descent import Unborn
from actors.hindsight.judging import Judge
from actors.hindsight.past import Following, Past
from actors.hindsight.telling import HANDLERS, Telling
from actors.judgement import budgets
from actors.judgement.budgets import Budget
from actors.seeds import seed_of
from events.authors import role_of
from events.envelope import Fact, Position
from events.facts import (
    Abandoned,
    AgentJoined,
    AnswerReceived,
    AnswerRefused,
    Assigned,
    CampaignClosed,
    Completed,
    CycleStarted,
    DiagnosisMade,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    Requeued,
    Started,
)
from events.log import Recorded
from replay.entries import SHAPE
from replay.ledger import Experiment, Ledger
from replay.prospects import Prospects


class Rules(NamedTuple):
    """What is asked; a budget of None is the recorded end of the search."""

    duplicates: Duplicates = "recorded"
    order: Order = "recorded"
    budget: Budget | None = None
    without: frozenset[str] = frozenset()


class Slot(msgspec.Struct):
    """A recorded assignment and who takes it in this course; None where nobody was left to."""

    occupant: str | None = None
    instrument: str | None = None


class Unrun(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose end history did not see; `sequence` is the recorded end of its slot."""

    experiment: str
    idea: str
    why: str
    sequence: int


class Course:
    """See the module.

    Attributes:
        parted: the recorded sequence of the first frame that differs, None while none does.
        unknown: runs without an end in history, by experiment.
        filled: the recorded sequence of the last slot that somebody took, 0 before the first.
        idle: slots that the budget allowed and for which history holds no idea.
        unborn: ideas that do not exist here.
    """

    def __init__(self, past: Past, rules: Rules, campaign: str) -> None:
        self._past = past
        self.rules = rules
        self._prospects = Prospects()
        self._judge = Judge(past, rules.duplicates)
        self._was = Ledger()
        self._slots: dict[tuple[str, str], Slot] = {}
        self._used: Counter[str] = Counter()
        self._awaiting: set[str] = set()
        self._after: list[tuple[str, Following]] = []
        self._late: set[str] = set()
        self._last_end = 0
        self.telling = Telling(campaign)
        self.parted: int | None = None
        self.unknown: dict[str, Unrun] = {}
        self.filled = 0
        self.idle = 0
        self.unborn = Unborn()

    @property
    def ledger(self) -> Ledger:
        """What this course folds to."""
        return self.telling.ledger

    def take(self, recorded: Recorded) -> None:
        """Go one recorded frame further."""
        if self._is_over(recorded):
            self._close(recorded)
        self.telling.begin(recorded.subject)
        for position, fact in recorded.positions():
            if position not in self._past.void:
                self._decide(recorded, position, fact)
            elif self.parted is None:
                self.telling.say(fact)
            if (handler := HANDLERS.get(type(fact))) is not None:
                handler(self._was, fact, recorded, position.index)
        alike = self.telling.end(recorded)
        if not alike and role_of(recorded.author) != "analyst":
            self._part(recorded)
        self._follow_up(recorded)
        while moved := self.telling.take_moved():
            self._bear(recorded, moved)

    def _decide(self, recorded: Recorded, position: Position, fact: Fact) -> None:
        match fact:
            case Assigned():
                self._fill(recorded, fact)
            case Started():
                self._start(fact)
            case Completed() | Failed():
                self._end(recorded, fact)
            case LeaseRevoked():
                self._lose(fact)
            case Requeued() | Abandoned():
                self._follow(position, fact)
            case DiagnosisMade() | RemedyProposed() | RemedyApplied() | RemedyRefused():
                if self.parted is None or fact.experiment in self._awaiting:
                    self.telling.say(fact)
            case _:
                self._hear(recorded, fact)

    def _hear(self, recorded: Recorded, fact: Fact) -> None:
        match fact:
            case IdeaProposed():
                self._propose(recorded, fact)
            case IdeaDeclined() | Queued():
                if fact.idea in self.ledger.ideas:
                    self.telling.say(self._judge.verdict(fact, self.ledger.ideas[fact.idea], self.ledger.closed))
                self._judge.note(fact, self._was.ideas[fact.idea])
            case CampaignClosed() if self.rules.budget is not None:
                if (reason := self._exhausted(fact.at)) is not None:
                    self.telling.say(replace(fact, reason=reason))
            case AgentJoined() | CycleStarted() | AnswerReceived() | AnswerRefused():
                if self._speaks(recorded):
                    self.telling.say(fact)
            case _:
                # what the analyst measured is of history, not of a course that differs from it
                if self.parted is None or role_of(recorded.author) != "analyst":
                    self.telling.say(fact)

    def _speaks(self, recorded: Recorded) -> bool:
        """Say whether an agent's frame is of this course: not of one switched off, nor of a cycle after the end."""
        cycle = recorded.about
        over = self.parted is not None and self.rules.budget is not None and self.ledger.closed is not None
        if over and any(isinstance(fact, CycleStarted) for fact in recorded.facts):
            self._late.add(cycle)
        return recorded.author.removeprefix("agent-") not in self.rules.without and cycle not in self._late

    def _propose(self, recorded: Recorded, fact: IdeaProposed) -> None:
        if not self._speaks(recorded):
            self.unborn.barred.add(fact.idea)
        elif not self.unborn.holds_back(fact, self._was, self.ledger):
            self.telling.say(fact)

    def _fill(self, recorded: Recorded, fact: Assigned) -> None:
        mates = [slot.occupant for (pack, _), slot in self._slots.items() if pack == fact.pack]
        slot = self._slots[fact.pack, fact.experiment] = Slot()
        chosen = self._choose(fact, next((mate for mate in mates if mate is not None), None))
        if chosen is None:
            return
        self.filled = recorded.sequence
        slot.occupant = name = chosen.experiment
        own = self._past.next_assignment(name, len(chosen.attempts))
        seed = own[1].seed if own is not None else seed_of(self.ledger.seed, name)
        execution = own[1].execution if own is not None else chosen.execution or fact.execution
        attempt = len(chosen.attempts) + 1
        self.telling.say(replace(fact, experiment=name, attempt=attempt, seed=seed, execution=execution))

    def _choose(self, fact: Assigned, mate: str | None) -> Experiment | None:
        if self.ledger.closed is not None and self.rules.budget is not None:
            return None
        seconds = float("inf")
        if self.rules.budget is not None:
            attempts, seconds, _ = budgets.room(self.rules.budget, self.ledger, fact.at)
            if attempts <= 0:
                return None
        waiting = queue(self.rules.order, self.ledger, self._past, self._prospects)
        self.idle += not waiting
        for experiment in waiting:
            execution = experiment.execution or fact.execution
            if execution.timeout <= seconds and (mate is None or self._alike(mate, experiment)):
                return experiment
        return None

    def _alike(self, mate: str, experiment: Experiment) -> bool:
        a, b = (self.ledger.configuration(name) for name in (mate, experiment.experiment))
        return all(a.get(name) == b.get(name) for name in SHAPE)

    def _start(self, fact: Started) -> None:
        slot = self._slots.get((fact.pack, fact.experiment))
        if slot is None:
            self.telling.say(fact)
        elif slot.occupant is not None:
            slot.instrument = fact.instrument
            drawn = self.ledger.experiments[slot.occupant].attempts[-1]
            said = replace(fact, experiment=slot.occupant, attempt=drawn.attempt, seed=drawn.seed)
            self.telling.say(said)

    def _end(self, recorded: Recorded, fact: Completed | Failed) -> None:
        self._last_end = recorded.sequence
        slot = self._slots.pop((recorded.about, fact.experiment), None)
        if slot is None:
            self.telling.say(fact)
            return
        if (name := slot.occupant) is None:
            return
        end = self._past.next_end(name, self._used[name])
        if end is None or end.instrument != slot.instrument:
            self._leave_open(
                recorded, name, "history saw no end of it" if end is None else "its end is another instrument's"
            )
            return
        self._used[name] += 1
        attempt = self.ledger.experiments[name].attempts[-1].attempt
        self.telling.say(replace(end.fact, at=fact.at, cause=fact.cause, through=fact.through, attempt=attempt))
        if isinstance(end.fact, Failed) and end.sequence == recorded.sequence:
            self._awaiting.add(name)
        elif end.then is not None:
            self._after.append(end.then)

    def _leave_open(self, recorded: Recorded, name: str, why: str) -> None:
        idea = self.ledger.experiments[name].idea
        self.unknown[name] = Unrun(experiment=name, idea=idea, why=why, sequence=recorded.sequence)

    def _lose(self, fact: LeaseRevoked) -> None:
        self.telling.say(fact)
        for pack, recorded in [key for key in self._slots if key[0] == fact.pack]:
            name = self._slots.pop((pack, recorded)).occupant
            if name == recorded:
                self._awaiting.add(name)
            elif name is not None:
                run = self.ledger.experiments[name]
                reason = f"its worker was {fact.reason}"
                self.telling.say(
                    Requeued(
                        at=fact.at,
                        through=fact.through,
                        experiment=name,
                        attempt=len(run.attempts) + 1,
                        reason=reason,
                        execution=run.attempts[-1].execution,
                    )
                )

    def _follow(self, position: Position, fact: Following) -> None:
        run = self.ledger.experiments.get(fact.experiment)
        if run is None:
            return
        if fact.experiment in self._awaiting and run.status == "failed":
            self._awaiting.discard(fact.experiment)
            self.telling.say(_again(fact, run))
        elif position in self._past.forgone and run.status == "queued" and self.rules.budget is None:
            self.telling.say(fact)

    def _follow_up(self, recorded: Recorded) -> None:
        for subject, fact in self._after:
            run = self.ledger.experiments[fact.experiment]
            self._tell(recorded, subject, _again(replace(fact, at=recorded.facts[0].at), run))
        self._after = []

    def _bear(self, recorded: Recorded, moved: list[Fact]) -> None:
        for name in self.unborn.ready(moved, self.ledger):
            proposal, verdict = self._past.proposals[name], self._past.verdicts.get(name)
            self._tell(recorded, proposal.subject, replace(proposal.fact, at=recorded.facts[0].at))
            # one that history had not judged by now is judged when history judged it
            if verdict is not None and verdict.sequence <= recorded.sequence:
                idea = self.ledger.ideas[name]
                said = self._judge.verdict(verdict.fact, idea, self.ledger.closed)
                self._tell(recorded, verdict.subject, said)

    def _tell(self, recorded: Recorded, subject: str, fact: Fact) -> None:
        self._part(recorded)
        self.telling.begin(subject)
        self.telling.say(fact)
        self.telling.end()

    def _part(self, recorded: Recorded) -> None:
        if self.parted is None:
            self.parted = recorded.sequence

    def _is_over(self, recorded: Recorded) -> bool:
        """Say whether this course has closed before a recorded decision that history still took."""
        if self.rules.budget is None or self.ledger.closed is not None or role_of(recorded.author) != "scheduler":
            return False
        if not self._last_end or recorded.sequence > self._past.last_assigned:
            return False
        late = any(
            isinstance(fact, Assigned)
            or (isinstance(fact, IdeaDeclined | Queued) and self._past.proposals[fact.idea].sequence > self._last_end)
            for fact in recorded.facts
        )
        return late and self._exhausted(recorded.facts[0].at) is not None

    def _close(self, recorded: Recorded) -> None:
        at = recorded.facts[0].at
        reason = self._exhausted(at) or ""
        subject = f"myriad.{self.telling.log.campaign}.campaign.search.scheduler"
        self._tell(recorded, subject, CampaignClosed(at=at, through=recorded.sequence - 1, reason=reason))

    def _exhausted(self, now: int) -> str | None:
        budget = self.rules.budget
        busy = self.ledger.standing(*budgets.LIVE, "failed")
        if budget is None or any(run.experiment not in self.unknown for run in busy):
            return None
        reason = budgets.exhausted(budget, self.ledger, now)
        if reason is None and self.unknown and budgets.room(budget, self.ledger, now).attempts <= 0:
            many = len(self.ledger.completed)
            return f"{many} experiments completed and {len(self.unknown)} more ran whose ends history did not see"
        return reason


def _again(fact: Following, run: Experiment) -> Following:
    return replace(fact, attempt=len(run.attempts) + 1) if isinstance(fact, Requeued) else fact
