"""One role before a told log: what it would decide, and what it says when it is let.

    c = Chronicle(); c.opened()
    scene = Scene(c, Agent(PLAN))
    decision = scene.decides()                      # folds what is new, writes nothing
    facts = scene.says(stopping=True)               # writes the decision's frame and returns its facts

Keywords are those of `News`. The clock is the chronicle's.
"""

from __future__ import annotations

from typing import Any

from actors.role import Decision, News, Role
from events.envelope import Fact
from tests.chronicle import Chronicle


class Scene:
    """Folds the chronicle's log for one role, as a shell would."""

    def __init__(self, chronicle: Chronicle, role: Role) -> None:
        self.chronicle = chronicle
        self.role = role
        self.known: Any = role.initial()
        self._through = 0

    def decides(self, *, now: int | None = None, **news: Any) -> Decision | None:
        """Return what the role would write now."""
        for recorded in self.chronicle.log.read(self._through):
            self.known.advance((recorded,))
            self._through = recorded.sequence
        return self.role.decide(self.known, self.chronicle.at if now is None else now, News(**news))

    def says(self, **news: Any) -> tuple[Fact, ...]:
        """Write what the role decides, and return its facts; none when it has nothing to say."""
        decision = self.decides(**news)
        if decision is None:
            return ()
        self.chronicle.says(self.role.author, decision.aggregate, decision.identity, *decision.facts)
        return decision.facts

    def all(self, **news: Any) -> list[Fact]:
        """Let the role speak until it has nothing to say."""
        said: list[Fact] = []
        while facts := self.says(**news):
            said += facts
        return said
