"""A second opinion on a log: its raw JSON read line by line, sharing no code with those who wrote it.

It imports nothing of ours but its other books (`actors.chaos.books`), which import nothing. It knows the words on the
wire and what must never happen, and keeps account of who holds what, what became of each attempt, and what was spent.
Every rule counts how often it was put to the test, so that none holds for want of a case.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from actors.chaos import books
from actors.chaos.books import Docket, Purse, Speech, Trust

WRITERS = {
    "Queued.2": "scheduler", "IdeaDeclined": "scheduler", "Assigned": "scheduler", "LeaseRevoked": "scheduler",
    "Requeued": "scheduler", "Abandoned": "scheduler", "WorkerLost": "scheduler", "CampaignClosed": "scheduler",
    "WorkerJoined": "worker", "WorkerRetired": "worker", "Started": "worker", "Completed": "worker", "Failed": "worker",
    "DiagnosisMade": "fixer", "RemedyProposed": "fixer", "RemedyApplied": "fixer", "RemedyRefused": "fixer",
    "AgentJoined": "agent", "CycleStarted": "agent", "AnswerReceived": "agent", "AnswerRefused": "agent",
    "MetricsMeasured": "analyst", "ControlMeasured": "analyst", "LogSealed": "analyst", "CampaignOpened": "person",
    "CampaignPaused": "person", "CampaignResumed": "person", "CampaignReopened": "person", "Boosted": "person",
    "Cancelled": "person", "DefectFixed": "person", "EraOpened": "scheduler", "InstrumentRefused": "worker",
    "RepeatsBegun": "analyst", "RepeatsForgone": "analyst",
}  # fmt: skip

RULES = (
    "frames are numbered without a gap",
    "an author's frames are numbered",
    "nobody writes what is another's",
    "nobody read the future",
    "no more runs than the budget has",
    "no more seconds than the budget has",
    "the campaign closes once",
    "every idea is judged",
    "every question is answered or refused",
    "every run is settled",
    "every attempt ends once",
    "nothing runs when the campaign closes",
    "a cycle is asked once",
    "an agent asks one question at a time",
    "a question is answered once",
    "an idea is proposed once",
    "an idea is judged once",
    "an experiment is queued once",
    "only what waits is leased",
    "a lease goes to who is there",
    "attempts count up",
    "nothing is leased after the end",
    "nobody tries too often",
    "a worker speaks under its own lease",
    "a worker speaks of its own attempt",
    "a run starts once",
    "nothing completes twice",
    "only what started ends",
    "device seconds are conserved",
    "a lease is taken back from who left",
    "a lease is taken from its holder",
    "only what failed, or waits in vain, is settled",
    "a failure is repaired once",
    "only what failed is repaired",
    "only what has a result is repeated",
    *books.RULES,
)
"""Every rule, whether a log puts it to the test or not."""


class Line(Protocol):
    """A frame as any log gives it."""

    sequence: int
    subject: str
    id: str
    payload: bytes


class Books:
    """Everything that was said so far; `docket` has every rule that was broken."""

    def __init__(self) -> None:
        self.docket = Docket(RULES)
        self.rule = self.docket.rule
        self.speech = Speech(self.docket)
        self._all = (self, self.speech, Trust(self.docket), Purse(self.docket))
        self.numbers: Counter[str] = Counter()
        self.limits: dict[str, Any] = {}
        self.closed = 0
        self.verdicts: dict[str, str | None] = {}
        self.cycles: dict[str, bool] = {}
        self.state: dict[str, str] = {}
        self.attempt: Counter[str] = Counter()
        self.spoiled: Counter[str] = Counter()
        self.sliced: dict[str, int] = {}
        self.starved: dict[str, int] = {}
        self.holds: dict[str, tuple[str, str, float]] = {}
        self.ended: Counter[tuple[str, int]] = Counter()
        self.workers: dict[str, str] = {}
        self.diagnosed: Counter[tuple[str, int]] = Counter()
        self.spent = self.repeating = 0.0
        self.trained = [(0, 0.0)]
        self.completed: set[str] = set()

    def frame(self, line: Line) -> None:
        """Read one frame."""
        author = line.subject.rsplit(".", 1)[1]
        self.rule("frames are numbered without a gap", line.sequence == self.docket.at + 1, line.sequence)
        self.docket.at = line.sequence
        self.numbers[author] += 1
        self.rule("an author's frames are numbered", line.id == f"{author}:{self.numbers[author]}", line.id)
        pack = line.subject.split(".")[3]
        for fact in json.loads(line.payload):
            kind, role = fact["type"], author.split("-")[0]
            wanted = WRITERS.get(kind)
            self.rule("nobody writes what is another's", wanted in (None, role), f"{author} {kind}")
            self.rule("nobody read the future", fact.get("through", 0) < line.sequence, kind)
            for book in self._all:
                getattr(book, f"_{kind.partition('.')[0].lower()}", lambda *_: None)(fact, author, pack)
        live = sum(state in ("assigned", "running") for state in self.state.values())
        most = self.limits.get("experiments")
        if most is not None:
            self.rule("no more runs than the budget has", len(self.completed) + live <= most, (self.completed, live))
        hours = self.limits.get("gpu_hours")
        if hours is not None:
            reserved = sum(timeout for _, _, timeout in self.holds.values()) + self.repeating
            self.rule("no more seconds than the budget has", self.spent + reserved <= hours * 3600 + 1e-6, self.spent)

    def close(self) -> None:
        """Say what is missing at the end."""
        self.rule("the campaign closes once", self.closed == 1 + self.speech.reopened, self.closed)
        for name, verdict in self.verdicts.items():
            self.rule("every idea is judged", verdict is not None, name)
        for name, answered in self.cycles.items():
            self.rule("every question is answered or refused", answered, name)
        for name, state in self.state.items():
            self.rule("every run is settled", state in ("waiting", "completed", "abandoned"), f"{name} {state}")
        for name, many in self.attempt.items():
            for n in range(1, many + 1):
                self.rule(
                    "every attempt ends once", self.ended[name, n] == 1, f"{name} attempt {n}: {self.ended[name, n]}"
                )

    def _campaignopened(self, fact: Any, author: str, pack: str) -> None:
        self.limits = tomllib.loads(fact["file"]["head"]).get("budget", {})

    def _campaignclosed(self, fact: Any, author: str, pack: str) -> None:
        self.closed += 1
        self.rule("nothing runs when the campaign closes", not self.holds, list(self.holds))

    def _cyclestarted(self, fact: Any, author: str, pack: str) -> None:
        self.rule("a cycle is asked once", fact["cycle"] not in self.cycles, fact["cycle"])
        self.rule("an agent asks one question at a time", all(self._answers(author)), fact["cycle"])
        self.cycles[fact["cycle"]] = False

    def _answers(self, author: str) -> list[bool]:
        mine = f"c-{author.split('-', 1)[1]}-"
        return [done for name, done in self.cycles.items() if name.startswith(mine)]

    def _answerreceived(self, fact: Any, author: str, pack: str) -> None:
        self.rule("a question is answered once", self.cycles.get(fact["cycle"]) is False, fact["cycle"])
        self.cycles[fact["cycle"]] = True

    _answerrefused = _answerreceived

    def _ideaproposed(self, fact: Any, author: str, pack: str) -> None:
        self.rule("an idea is proposed once", fact["idea"] not in self.verdicts, fact["idea"])
        self.verdicts[fact["idea"]] = None

    def _ideadeclined(self, fact: Any, author: str, pack: str) -> None:
        self.rule("an idea is judged once", self.verdicts.get(fact["idea"], "?") is None, fact["idea"])
        self.verdicts[fact["idea"]] = "declined"

    def _queued(self, fact: Any, author: str, pack: str) -> None:
        self.rule("an idea is judged once", self.verdicts.get(fact["idea"], "?") is None, fact["idea"])
        self.rule("an experiment is queued once", fact["experiment"] not in self.state, fact["experiment"])
        self.verdicts[fact["idea"]] = fact["experiment"]
        self.state[fact["experiment"]] = "waiting"

    def _workerjoined(self, fact: Any, author: str, pack: str) -> None:
        self.workers[fact["worker"]] = "there"

    def _workerlost(self, fact: Any, author: str, pack: str) -> None:
        self.workers[fact["worker"]] = "lost"

    def _workerretired(self, fact: Any, author: str, pack: str) -> None:
        self.workers[fact["worker"]] = "retired"

    def _assigned(self, fact: Any, author: str, pack: str) -> None:
        name = fact["experiment"]
        self.rule("only what waits is leased", self.state.get(name) == "waiting", f"{name} {self.state.get(name)}")
        self.rule("a lease goes to who is there", self.workers.get(fact["worker"]) == "there", fact["worker"])
        self.rule("attempts count up", fact["attempt"] == self.attempt[name] + 1, fact["attempt"])
        self.rule("nothing is leased after the end", not self.speech.closed, name)
        slices = fact["execution"]["micro_batches"]
        # memory that ran out speaks against the slicing, not against the run
        self.spoiled[name] -= slices > self.starved.pop(name, slices)
        self.sliced[name] = slices
        self.rule("nobody tries too often", self.spoiled[name] < self.limits.get("attempts", 3), name)
        self.attempt[name] = fact["attempt"]
        self.state[name] = "assigned"
        self.holds[name] = (fact["pack"], fact["worker"], fact["execution"]["timeout"])

    def _word(self, fact: Any, author: str, pack: str) -> bool:
        mine = self.holds.get(fact["experiment"], ("", "", 0.0))[:2] == (pack, author)
        self.rule("a worker speaks under its own lease", mine, f"{author} {fact['type']} {fact['experiment']} {pack}")
        self.rule("a worker speaks of its own attempt", fact["attempt"] == self.attempt[fact["experiment"]], fact)
        return mine

    def _started(self, fact: Any, author: str, pack: str) -> None:
        if self._word(fact, author, pack):
            self.rule("a run starts once", self.state[fact["experiment"]] == "assigned", fact["experiment"])
            self.state[fact["experiment"]] = "running"

    def _completed(self, fact: Any, author: str, pack: str) -> None:
        self.rule("nothing completes twice", fact["experiment"] not in self.completed, fact["experiment"])
        self.completed.add(fact["experiment"])
        self._ends(fact, author, pack, "completed")

    def _failed(self, fact: Any, author: str, pack: str) -> None:
        self.spoiled[fact["experiment"]] += 1
        if fact["kind"] == "out_of_memory":
            self.starved[fact["experiment"]] = self.sliced[fact["experiment"]]
        self._ends(fact, author, pack, "failed")

    def _ends(self, fact: Any, author: str, pack: str, state: str) -> None:
        name = fact["experiment"]
        if self._word(fact, author, pack):
            self.rule("only what started ends", self.state[name] == "running", f"{name} {self.state[name]}")
            self.ended[name, fact["attempt"]] += 1
            self.state[name] = state
            self.spent += fact["gpu_seconds"]
            self.trained.append((self.docket.at, self.trained[-1][1] + fact["gpu_seconds"]))
            del self.holds[name]

    def _metricsmeasured(self, fact: Any, author: str, pack: str) -> None:
        mine = max(seconds for at, seconds in self.trained if at <= fact["through"])
        theirs = fact["values"]["gpu_seconds"]
        self.rule("device seconds are conserved", abs(mine - theirs) <= 1e-6 * max(1.0, mine), (mine, theirs))

    def _repeatsbegun(self, fact: Any, author: str, pack: str) -> None:
        self.rule("only what has a result is repeated", fact["experiment"] in self.completed, fact["experiment"])
        # what was begun before and has no end may have taken all of its time
        self.spent += self.repeating
        self.repeating = fact["timeout"] * len(fact["seeds"])

    def _seedsrepeated(self, fact: Any, author: str, pack: str) -> None:
        self.rule("only what has a result is repeated", fact["experiment"] in self.completed, fact["experiment"])
        if author == "analyst":
            self.spent += fact["gpu_seconds"]
            self.repeating = 0.0

    _repeatsforgone = _seedsrepeated

    def _leaserevoked(self, fact: Any, author: str, pack: str) -> None:
        if fact["reason"] == "cancelled":
            live = [name for name, (held, _, _) in self.holds.items() if held == fact["pack"]]
            self.rule(
                "a lease is cancelled with all of its runs", live and self.speech.cancelled.keys() >= {*live}, live
            )
        else:
            left = self.workers.get(fact["worker"])
            self.rule("a lease is taken back from who left", left == fact["reason"], f"{fact['worker']} is {left}")
        for name, (held, worker, timeout) in tuple(self.holds.items()):
            if held == fact["pack"]:
                self.rule("a lease is taken from its holder", worker == fact["worker"], fact)
                self.spoiled[name] += fact["reason"] == "lost" and self.state[name] == "running"
                self.ended[name, self.attempt[name]] += 1
                self.state[name] = "failed"
                self.spent += timeout
                del self.holds[name]

    def _requeued(self, fact: Any, author: str, pack: str) -> None:
        self._settles(fact, "waiting")

    def _abandoned(self, fact: Any, author: str, pack: str) -> None:
        self._settles(fact, "abandoned")

    def _settles(self, fact: Any, state: str) -> None:
        name, was = fact["experiment"], self.state.get(fact["experiment"])
        allowed = ("failed",) if state == "waiting" else ("failed", "waiting")
        self.rule("only what failed, or waits in vain, is settled", was in allowed, f"{name} {was}")
        self.state[name] = state

    def _diagnosismade(self, fact: Any, author: str, pack: str) -> None:
        self.diagnosed[fact["experiment"], fact["attempt"]] += 1
        once = self.diagnosed[fact["experiment"], fact["attempt"]] == 1
        self.rule("a failure is repaired once", once, (fact["experiment"], fact["attempt"]))
        self.rule("only what failed is repaired", self.state.get(fact["experiment"]) == "failed", fact["experiment"])


def audited(lines: Iterable[Line]) -> tuple[list[str], Counter[str]]:
    """Return the breaches of a whole log, and how often each rule was put to the test."""
    read = Books()
    for line in lines:
        read.frame(line)
    read.close()
    return read.docket.broken, read.docket.tried
