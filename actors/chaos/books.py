"""The second auditor's other books: what models cost, which instruments were trusted, and what people said.

Whether somebody kept to another's word depends on whether they had read it, and every fact says how far its author had
read: so each word is kept with the frames between which it held.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any, NamedTuple

SLACK = 1e-6
"""US dollars by which a sum may pass its limit: its rounding."""

RULES = (
    "no more money than the campaign has",
    "no more money than an agent has",
    "no answer costs more than was reserved",
    "nothing is leased before its canaries held",
    "nothing starts before its canaries held",
    "nothing starts outside an era",
    "eras count up, each of another instrument",
    "nothing is leased in a pause that was read of",
    "nothing is asked in a pause that was read of",
    "a pause is begun once and ended once",
    "only what is closed is reopened",
    "what was cancelled is not leased",
    "what was cancelled is not tried again",
    "a lease is cancelled with all of its runs",
    "only what there is is boosted or cancelled",
    "nothing banned is queued",
    "a ban is named once and ended once",
    "a defect is named once and fixed once",
)


class Docket:
    """Every rule that was put to the test, and each that was broken.

    Attributes:
        broken: a sentence for each.
        tried: how often each rule was put to the test, those that never were among them.
        at: the frame that is read.
    """

    def __init__(self, rules: tuple[str, ...]) -> None:
        self.broken: list[str] = []
        self.tried = Counter(dict.fromkeys(rules, 0))
        self.at = 0

    def rule(self, name: str, holds: object, what: object = "") -> None:
        """Put a rule to the test."""
        self.tried[name] += 1
        if not holds:
            self.broken.append(f"frame {self.at}: {name}: {what}")


class Purse:
    """What models cost, or may yet."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._most: float | None = None
        self._each: dict[str, float] = {}
        self._asked: dict[str, tuple[str, float]] = {}
        self._spent: Counter[str] = Counter()

    def _campaignopened(self, fact: Any, author: str, pack: str) -> None:
        file = tomllib.loads(fact["file"]["head"])
        self._most = file.get("budget", {}).get("usd")
        self._each = {agent["name"]: agent["usd"] for agent in file.get("agent", ()) if "usd" in agent}

    def _cyclestarted(self, fact: Any, author: str, pack: str) -> None:
        agent = fact["agent"]
        self._asked[fact["cycle"]] = (agent, fact.get("reserve_usd", 0.0))
        self._spent[agent] += fact.get("reserve_usd", 0.0)
        if self._most is not None:
            total = sum(self._spent.values())
            self._docket.rule("no more money than the campaign has", total <= self._most + SLACK, total)
        if (most := self._each.get(agent)) is not None:
            mine = self._spent[agent]
            self._docket.rule("no more money than an agent has", mine <= most + SLACK, f"{agent} {mine}")

    def _answerreceived(self, fact: Any, author: str, pack: str) -> None:
        agent, reserved = self._asked.get(fact["cycle"], ("", 0.0))
        # what nobody knows the cost of counts as it was reserved
        if (usd := fact.get("usd", None if fact["type"] == "AnswerRefused" else 0.0)) is None:
            return
        self._spent[agent] += usd - reserved
        if reserved:
            self._docket.rule("no answer costs more than was reserved", usd <= reserved + SLACK, f"{usd} {reserved}")

    _answerrefused = _answerreceived


class Trust:
    """Which instruments were looked at, where, and what became of it; of a log that looks at none, nothing is said."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._joined: dict[str, tuple[str, str]] = {}
        self._verdicts: dict[tuple[str, str], bool] = {}
        self._unseen: list[str] = []
        self._eras: list[str] = []

    def _workerjoined(self, fact: Any, author: str, pack: str) -> None:
        self._joined[fact["worker"]] = _place(fact)

    def _instrumentverified(self, fact: Any, author: str, pack: str) -> None:
        if self._unseen:
            self._docket.rule("nothing starts before its canaries held", holds=False, what=self._unseen.pop())
        self._verdicts[_place(fact)] = fact["type"] == "InstrumentVerified"

    _instrumentrefused = _instrumentverified

    def _assigned(self, fact: Any, author: str, pack: str) -> None:
        if self._verdicts:
            held = self._held(self._joined.get(fact["worker"], ("", "")))
            self._docket.rule("nothing is leased before its canaries held", held, fact["worker"])

    def _started(self, fact: Any, author: str, pack: str) -> None:
        if not self._verdicts:
            self._unseen.append(f"{author} {fact['experiment']}")
            return
        self._docket.rule("nothing starts before its canaries held", self._held(_place(fact)), _place(fact))
        self._docket.rule("nothing starts outside an era", fact["instrument"] in self._eras, fact["instrument"])

    def _eraopened(self, fact: Any, author: str, pack: str) -> None:
        another = fact["instrument"] not in self._eras
        counted = fact["era"] == len(self._eras) + 1
        self._docket.rule("eras count up, each of another instrument", another and counted, fact)
        self._eras.append(fact["instrument"])

    def _held(self, place: tuple[str, str]) -> bool | None:
        """Say what the last verdict there was; one that names no platform is of every one."""
        return self._verdicts.get(place, self._verdicts.get((place[0], str([]))))


class Span(NamedTuple):
    """What was said, and the frames from the first to before the second of which it held; None where it still does."""

    what: str
    since: int
    until: int | None = None

    def held(self, at: int) -> bool:
        """Say whether somebody who had read so far had read of it, and of no end."""
        return self.since <= at and (self.until is None or at < self.until)


class Speech:
    """What people said, and the scheduler of bans."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self.cancelled: dict[str, int] = {}
        self.closed = False
        self.reopened = 0
        self._pauses: list[Span] = []
        self._bans: dict[str, Span] = {}
        self._defects: dict[str, bool] = {}
        self._ideas: dict[str, dict[str, Any]] = {}
        self._experiments: set[str] = set()

    def _campaignclosed(self, fact: Any, author: str, pack: str) -> None:
        self.closed = True

    def _campaignreopened(self, fact: Any, author: str, pack: str) -> None:
        self._docket.rule("only what is closed is reopened", self.closed, author)
        self.closed = False
        self.reopened += 1

    def _campaignpaused(self, fact: Any, author: str, pack: str) -> None:
        open_ = bool(self._pauses) and self._pauses[-1].until is None
        self._docket.rule("a pause is begun once and ended once", not open_, author)
        self._pauses.append(Span("", self._docket.at))

    def _campaignresumed(self, fact: Any, author: str, pack: str) -> None:
        open_ = bool(self._pauses) and self._pauses[-1].until is None
        self._docket.rule("a pause is begun once and ended once", open_, author)
        if open_:
            self._pauses[-1] = self._pauses[-1]._replace(until=self._docket.at)

    def _cyclestarted(self, fact: Any, author: str, pack: str) -> None:
        if self._pauses and author.startswith("agent"):
            paused = any(span.held(fact["through"]) for span in self._pauses)
            self._docket.rule("nothing is asked in a pause that was read of", not paused, fact["cycle"])

    def _assigned(self, fact: Any, author: str, pack: str) -> None:
        name, read = fact["experiment"], fact.get("through", 0)
        if self._pauses:
            paused = any(span.held(read) for span in self._pauses)
            self._docket.rule("nothing is leased in a pause that was read of", not paused, name)
        if self.cancelled:
            self._docket.rule("what was cancelled is not leased", not self._is_cancelled(name, read), name)

    def _requeued(self, fact: Any, author: str, pack: str) -> None:
        name, read = fact["experiment"], fact.get("through", 0)
        if self.cancelled:
            self._docket.rule("what was cancelled is not tried again", not self._is_cancelled(name, read), name)

    def _is_cancelled(self, name: str, read: int) -> bool:
        return name in self.cancelled and self.cancelled[name] <= read

    def _boosted(self, fact: Any, author: str, pack: str) -> None:
        name = fact["experiment"]
        self._docket.rule("only what there is is boosted or cancelled", name in self._experiments, name)

    def _cancelled(self, fact: Any, author: str, pack: str) -> None:
        self._boosted(fact, author, pack)
        self.cancelled.setdefault(fact["experiment"], self._docket.at)

    def _ideaproposed(self, fact: Any, author: str, pack: str) -> None:
        self._ideas[fact["idea"]] = fact["configuration"]

    def _queued(self, fact: Any, author: str, pack: str) -> None:
        self._experiments.add(fact["experiment"])
        configuration = self._ideas.get(fact["idea"], {})
        for name, ban in self._bans.items():
            if ban.held(fact.get("through", 0)) and (falls := meant(ban.what, configuration)) is not None:
                self._docket.rule("nothing banned is queued", not falls, f"{fact['idea']} falls under {name}")

    def _banned(self, fact: Any, author: str, pack: str) -> None:
        self._docket.rule("a ban is named once and ended once", fact["ban"] not in self._bans, fact["ban"])
        self._bans[fact["ban"]] = Span(fact["where"], self._docket.at)

    def _banlifted(self, fact: Any, author: str, pack: str) -> None:
        ban = self._bans.get(fact["ban"])
        self._docket.rule("a ban is named once and ended once", ban is not None and ban.until is None, fact["ban"])
        if ban is not None and ban.until is None:
            self._bans[fact["ban"]] = ban._replace(until=self._docket.at)

    def _defectfound(self, fact: Any, author: str, pack: str) -> None:
        self._docket.rule("a defect is named once and fixed once", fact["defect"] not in self._defects, fact["defect"])
        self._defects.setdefault(fact["defect"], False)

    def _defectfixed(self, fact: Any, author: str, pack: str) -> None:
        open_ = self._defects.get(fact["defect"]) is False
        self._docket.rule("a defect is named once and fixed once", open_, fact["defect"])
        self._defects[fact["defect"]] = True


def meant(where: str, configuration: dict[str, Any]) -> bool | None:
    """Say whether a predicate of equalities alone means a configuration; None for one that says anything else."""
    pairs = [part.split(" == ") for part in where.split(" and ")]
    if any(len(pair) != 2 or not all(word.replace("_", "").isalnum() for word in pair) for pair in pairs):
        return None
    return all(name in configuration and str(configuration[name]) == value for name, value in pairs)


def _place(fact: Any) -> tuple[str, str]:
    return fact["instrument"], str(sorted(fact.get("platform", {}).items()))
