"""A whole campaign in one thread and in virtual time: the real roles and pens, and hands whose results come when due.

The simulation replaces what carries out orders, the clock and the server; what the roles decide is theirs. Everybody is
asked in turn until nobody has anything to say; then the clock goes to the next thing that is due. Nothing here reads a
real clock or a source of chance, so that the same roles and hands write the same bytes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from actors.orders import Order, Propose, Result
from actors.pen import Pen
from actors.role import Folded, Known, News, Role
from actors.vitals import Heard
from events.log import EventLog, Recorded

FRAME = 1000
"""Microseconds that writing a frame takes, so that no two of them have one time."""


def hears_nothing(known: Any) -> Heard:
    """Report every worker as just heard."""
    return Heard()


class Hands(Protocol):
    """Carries out orders in no time, and says how long it would have taken."""

    def perform(self, order: Order, now: int) -> tuple[float, Result]:
        """Return the seconds that an order takes from `now` (microseconds since 1970 UTC), and what comes of it."""


class Follows(Protocol):
    """What a role's pen reads the log through: `actors.feed.Feed`, or one without a thread."""

    def since(self, after: int) -> list[Recorded]:
        """Return the frames after a sequence that have come, in order."""

    def wait_for(self, sequence: int) -> None:
        """Return when the frame of a sequence has come."""


class Straight:
    """A feed without a thread: whatever the log holds has come."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def since(self, after: int) -> list[Recorded]:
        """Return the frames after a sequence, in order."""
        return list(self._log.read(after)) if self._log.last() > after else []

    def wait_for(self, sequence: int) -> None:
        """It is there."""


class Member:
    """One role with its pen, what it knows, and what its hands hold.

    Attributes:
        results, underway: as in `News`.
        free: when its hands have finished what they were given, microseconds.
        every: seconds after which it is asked again once it began something, for roles that rest; 0 for others.
    """

    def __init__(self, role: Role, hands: Hands, pen: Pen, known: Folded, *, every: float = 0.0) -> None:
        self.role = role
        self.hands = hands
        self.pen = pen
        self.known = known
        self.every = every
        self.results: dict[str, Result] = {}
        self.underway: set[str] = set()
        self.free = 0
        self.stopping = False


class _Due(NamedTuple):
    at: int
    number: int
    happens: Callable[[], None]


class Simulation:
    """See the module.

    Attributes:
        now: the virtual clock, microseconds since 1970 UTC.
        known: what all roles know that fold the same; each is asked only when everything is folded, so that one state
            is what each of them would have.
    """

    def __init__(self, log: EventLog, start: int, feed: Follows | None = None) -> None:
        self.log = log
        self.now = start
        self.known = Known()
        self.members: dict[str, Member] = {}
        self.hear: Callable[[Any], Heard] = hears_nothing
        self._due: list[_Due] = []
        self._scheduled = 0
        self._feed = feed or Straight(log)

    def pen(self, author: str) -> Pen:
        """Return a pen that writes in virtual time."""
        return Pen(self.log, self._feed, author, self._clock)  # type: ignore[arg-type] # a feed is its two verbs

    def joins(self, role: Role, hands: Hands, *, every: float = 0.0) -> Member:
        """Let a role take part from now on."""
        own = role.initial()
        known: Folded = self.known if type(own) is Known else own
        self.members[role.author] = Member(role, hands, self.pen(role.author), known, every=every)
        return self.members[role.author]

    def leaves(self, author: str) -> None:
        """End a role's part; what its hands were doing is lost."""
        del self.members[author]

    def later(self, at: int, happens: Callable[[], None]) -> None:
        """Let something happen at a time, after what was asked for earlier and is due at the same time."""
        self._scheduled += 1
        heapq.heappush(self._due, _Due(at, self._scheduled, happens))

    def run(self, between: Callable[[], bool] = lambda: False, until: float = math.inf) -> None:
        """Go on until nobody has anything to say and nothing is due.

        Args:
            between: called each time that nobody has anything to say; True when it changed who takes part.
            until: what is due later does not come, microseconds since 1970 UTC.
        """
        while True:
            self._talk()
            if between():
                continue
            if not self._due or self._due[0].at > until:
                return
            due = heapq.heappop(self._due)
            self.now = max(self.now, due.at)
            due.happens()

    def speak(self, member: Member) -> bool:
        """Let one role fold what came and write at most one frame; False when it has nothing to say."""
        member.known.advance(member.pen.catch_up())
        heard = self.hear(member.known) if member.role.author == "scheduler" else _NOTHING
        news = News(member.results, frozenset(member.underway), heard.silences, heard.unheard, stopping=member.stopping)
        decision = member.role.decide(member.known, self.now, news)
        if decision is None:
            return False
        if member.pen.write(decision) is not None:
            for order in decision.orders:
                self._begin(member, order)
            for settled in decision.settles:
                member.results.pop(settled, None)
        return True

    def _talk(self) -> None:
        silent = 0
        while silent < len(self.members):
            for author in tuple(self.members):
                silent = 0 if self.speak(self.members[author]) else silent + 1
                if silent == len(self.members):
                    return

    def _begin(self, member: Member, order: Order) -> None:
        member.underway.add(order.id)
        begins = max(self.now, member.free)
        seconds, result = member.hands.perform(order, begins)
        member.free = begins + round(seconds * 1e6)

        def ends() -> None:
            member.underway.discard(order.id)
            member.results[order.id] = result

        self.later(member.free, ends)
        if member.every and isinstance(order, Propose):
            self.later(self.now + math.ceil(member.every * 1e6), lambda: None)

    def _clock(self) -> int:
        self.now += FRAME
        return self.now


_NOTHING = Heard()
