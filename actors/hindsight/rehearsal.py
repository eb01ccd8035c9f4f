"""Today's roles over a recorded log: at each of their frames, what would they decide, and is it what was recorded?

A role is a function of the log through a frame's `through` and of news that is not on the log. The news is taken from
the record, which implies it: a WorkerLost its silence, a ControlMeasured what the bench answered, an assignment past an
idle worker that nobody had heard of that one. So a difference is one of the role, never of the day. A rehearsal does
not see a role that would have spoken where it was silent between two of its frames: no frame says when it looked.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from actors.analyst import Analyst
from actors.campaign import Analysis, Workers
from actors.errors import CampaignError
from actors.fixer import Fixer
from actors.hindsight.implied import implied
from actors.judgement.banning import Banning
from actors.judgement.budgets import Budget
from actors.judgement.widening import Widen
from actors.role import Decision, Role
from actors.scheduler import Scheduler
from events import codec
from events.authors import role_of
from events.envelope import Fact, Position, Text
from events.facts import (
    AgentJoined,
    Banned,
    CampaignOpened,
    CampaignReopened,
    CycleStarted,
    InstrumentRefused,
    InstrumentVerified,
    LogSealed,
    MetricsMeasured,
)
from events.log import LogReader, Recorded
from replay.differing import first_difference
from replay.digest import SCHEME
from replay.seals import TOLERANCE
from replay.settings import Reading, at_hand, settings

Verdict = Literal["same", "different", "unknown"]

EXIT: dict[Verdict, int] = {"same": 0, "different": 1, "unknown": 2}


class RehearsalImpossible(CampaignError):
    """The log does not say under which campaign file its roles decided."""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that today's role would not have made.

    Attributes:
        position: of the fact that differs; of the frame's first where the decision as a whole does.
        field: path of the first field that differs, such as `priority` or `terms.novelty`; `decision` where today's
            role is silent or speaks of something else.
        recorded, today: both values.
    """

    role: str
    position: Position
    field: str
    recorded: Any
    today: Any


class Rehearsed(msgspec.Struct, kw_only=True):
    """One role: how many of its recorded decisions are today's, are not, or cannot be told.

    Attributes:
        first: the first that differs; `untold` says of the first that cannot be told why.
    """

    role: str
    same: int = 0
    different: int = 0
    unknown: int = 0
    first: Other | None = None
    untold: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Different where one decision is; unknown where none was made or one cannot be told."""
        if self.different:
            return "different"
        return "unknown" if self.unknown or not self.same else "same"


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad rehearse NAME --json` prints.

    Attributes:
        verdict: different where one role's is; else unknown where no role spoke, or one cannot be told; else same.
        first: the first decision of any role that differs.
    """

    campaign: str
    through: int
    verdict: Verdict
    first: Other | None
    roles: tuple[Rehearsed, ...]


def rehearse(log: LogReader, cast: Iterable[Role] | None = None, *, reading: Reading = at_hand) -> Rehearsal:
    """Compare what was recorded with what the roles of a cast would have decided.

    Args:
        log: any reader of a campaign.
        cast: roles that speak on the log; by default today's scheduler, fixer and analyst under the recorded file.
        reading: returns the whole of a long campaign file.

    Raises:
        RehearsalImpossible: no cast is given, and the log's campaign file cannot be read today.
    """
    players = [_Player(role) for role in (todays(log, reading) if cast is None else cast)]
    through = 0
    for recorded in log.read():
        through = recorded.sequence
        for player in players:
            player.hear(recorded)
        if cast is None and (file := _reopened_under(recorded)) is not None:
            # whoever ran the campaign from here on was told another budget
            for player, role in zip(players, _under(file, log, reading), strict=True):
                player.goes_on_as(role)
    roles = tuple(player.rehearsed for player in players)
    others = [one.first for one in roles if one.first is not None]
    return Rehearsal(
        campaign=log.campaign,
        through=through,
        verdict=_overall(roles),
        first=min(others, key=lambda other: other.position) if others else None,
        roles=roles,
    )


def todays(log: LogReader, reading: Reading = at_hand) -> tuple[Role, ...]:
    """Return today's scheduler, fixer and analyst under a recorded campaign's file; raises as `rehearse` does."""
    opened = (fact for recorded in log.read() for fact in recorded.facts if isinstance(fact, CampaignOpened))
    if (opening := next(opened, None)) is None:
        raise RehearsalImpossible(f"campaign {log.campaign} was never opened: there is nothing to rehearse")
    return _under(opening.file, log, reading)


def _under(file: Text, log: LogReader, reading: Reading) -> tuple[Role, ...]:
    found = settings(file, reading)
    if isinstance(found, str):
        raise RehearsalImpossible(f"campaign {log.campaign}: {found}")
    try:
        budget = msgspec.convert(found.get("budget", {}), Budget)
        workers = msgspec.convert(found.get("workers", {}), Workers)
        widen = msgspec.convert(found.get("widen", {}), Widen)
        bans = msgspec.convert(found.get("bans", {}), Banning) if "bans" in found or _banned(log) else None
        analysis = msgspec.convert(found.get("analysis", {}), Analysis)
    except msgspec.ValidationError as error:
        raise RehearsalImpossible(f"the file of campaign {log.campaign} cannot be read today: {error}") from None
    return (
        Scheduler(
            budget,
            agents=len(found.get("agent", ())),
            silence=workers.silence,
            vetted=_vetted(log),
            widen=widen,
            bans=bans,
        ),
        Fixer(timeout=budget.timeout),
        # what the controls may take is said to the bench alone, and no bench is asked here
        Analyst(every=analysis.every, controls=analysis.controls, timeout=0.0, budget=budget),
    )


def _reopened_under(recorded: Recorded) -> Text | None:
    files = (fact.file for fact in recorded.facts if isinstance(fact, CampaignReopened))
    return next((file for file in files if file is not None), None)


def _vetted(log: LogReader) -> bool:
    """Say whether instruments were verified when this log was written, so that its scheduler waited for it."""
    verdicts = (InstrumentVerified, InstrumentRefused)
    return any(isinstance(fact, verdicts) for recorded in log.read() for fact in recorded.facts)


def _banned(log: LogReader) -> bool:
    """Say whether the scheduler banned anything of its own accord, which it did not in every log."""
    return any(isinstance(f, Banned) for r in log.read() if role_of(r.author) == "scheduler" for f in r.facts)


class _Player:
    """Folds a log as one role's shell did, and asks the role at each of its recorded frames."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._known = role.initial()
        self._ahead: deque[Recorded] = deque()
        self.rehearsed = Rehearsed(role=role.author)

    def goes_on_as(self, role: Role) -> None:
        """Let another role of the same kind, which keeps nothing that it did not fold, take over what is known."""
        self._role = role

    def hear(self, recorded: Recorded) -> None:
        """Take in a frame; where it is the role's own, decide anew and compare."""
        if recorded.author == self._role.author and recorded.facts:  # none are in what no author signed
            self._catch_up(recorded.facts[0].through)
            self._compare(recorded)
        self._ahead.append(recorded)

    def _catch_up(self, through: int) -> None:
        while self._ahead and self._ahead[0].sequence <= through:
            self._known.advance((self._ahead.popleft(),))

    def _compare(self, recorded: Recorded) -> None:
        told, first = self.rehearsed, None
        for news in implied(self._known, recorded):
            decision = self._role.decide(self._known, recorded.facts[0].at, news)
            other = _difference(self._role.author, decision, recorded)
            if other is None:
                told.same += 1
                return
            first = first or other
        if (why := _untold(recorded) or _asked(self._known, recorded)) is not None:
            told.unknown += 1
            told.untold = told.untold or f"position {recorded.sequence}: {why}"
        else:
            told.different += 1
            told.first = told.first or first


def _difference(role: str, decision: Decision | None, recorded: Recorded) -> Other | None:
    here, then = _about(decision), _told(recorded)
    if here != then:
        return Other(role=role, position=Position(recorded.sequence), field="decision", recorded=then, today=here)
    facts = decision.facts if decision is not None else ()
    for index, (fact, today) in enumerate(zip(recorded.facts, facts, strict=True)):
        differing = first_difference(_plain(fact, today), _plain(today, fact))
        if differing is not None:
            position = Position(recorded.sequence, index)
            one, other = differing.one, differing.other
            return Other(role=role, position=position, field=differing.field, recorded=one, today=other)
    return None


def _about(decision: Decision | None) -> str | None:
    return _words(decision.aggregate, decision.identity, decision.facts) if decision is not None else None


def _told(recorded: Recorded) -> str:
    _, _, aggregate, identity, _ = recorded.subject.split(".")
    return _words(aggregate, identity, recorded.facts)


def _words(aggregate: str, identity: str, facts: Iterable[Fact]) -> str:
    return f"{aggregate}.{identity}: {', '.join(type(fact).__name__ for fact in facts)}"


def _plain(fact: Fact, beside: Fact) -> Mapping[str, Any]:
    """Return a fact's fields without what the pen stamps; measures as far as both name them, to their tolerance."""
    # a record without a cause is of roles that did not say it yet: nothing to compare
    told = ["cause"] if fact.cause is not None and beside.cause is not None else []
    names = [name for name in fact.__struct_fields__ if name not in ("at", "through", "cause")]
    fields = {name: getattr(fact, name) for name in (*names, *told)}
    if isinstance(fact, MetricsMeasured) and isinstance(beside, MetricsMeasured):
        # a name that only one vocabulary has is nothing to compare, as in replay.seals
        shared = [name for name in sorted(fact.values) if name in beside.values]
        fields["values"] = {name: _rounded(fact.values[name], beside.values[name]) for name in shared}
    return fields


def _rounded(value: Any, beside: Any) -> Any:
    numbers = isinstance(value, int | float) and isinstance(beside, int | float)
    close = numbers and math.isclose(value, beside, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return min(value, beside) if close else value


def _untold(recorded: Recorded) -> str | None:
    """Say why a frame cannot be compared with what would be written today, or None where it can."""
    tags = {fact["type"] for fact in msgspec.json.decode(recorded.payload)}
    if tags - {*codec.KINDS}:
        return "it was recorded in an older vocabulary, and what that left out cannot be compared"
    digests = [fact.digest for fact in recorded.facts if isinstance(fact, MetricsMeasured | LogSealed)]
    schemes = {digest.partition(":")[0] for digest in digests}
    return f"its digest is of scheme {', '.join(schemes)}" if schemes - {SCHEME} else None


def _asked(known: Any, recorded: Recorded) -> str | None:
    """Say that a frame hangs on a model's answer and on the sources of then, or None where it does not."""
    if role_of(recorded.author) != "fixer":
        return None
    named = (known.repairs.repairs.get(getattr(fact, "repair", "")) for fact in recorded.facts)
    sites = [repair.site for repair in named if repair is not None]
    sites += [getattr(fact, "site", None) for fact in recorded.facts]
    about = any(isinstance(fact, AgentJoined | CycleStarted) for fact in recorded.facts)
    return "it hangs on a model's answer, and on the sources of then" if about or any(sites) else None


def _overall(roles: Iterable[Rehearsed]) -> Verdict:
    spoke = [one.verdict for one in roles if one.same or one.different or one.unknown]
    if "different" in spoke:
        return "different"
    return "unknown" if not spoke or "unknown" in spoke else "same"
