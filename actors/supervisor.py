"""The supervisor: restarts a dead role by refolding, so many times and no more, as facts; nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pykka

from actors.discretion import without_secrets
from actors.errors import RoleGivenUp
from actors.feed import Feed
from actors.pen import Clock, Pen
from actors.role import Decision
from actors.shell import Died, Reference
from events.blobs import WHOLE, Blobs
from events.envelope import Position
from events.errors import LogError
from events.facts import RoleFailed, RoleRestarted
from events.log import EventLog, Recorded

RESTARTS, WINDOW = 3, 60.0
"""A role may be restarted so many times in so many seconds."""

Make = Callable[[Callable[[Died], None]], Reference]


class Supervisor(pykka.ThreadingActor):
    """Keeps every role alive.

    Args:
        roles: how to start each role's shell, by its author; told whom to call when it dies.
        roster: filled with the shell of each role that runs now.
        give_up: called once with the reason why the process must end: a lost log, or a role beyond repair.
    """

    use_daemon_thread = True

    def __init__(
        self,
        roles: dict[str, Make],
        roster: dict[str, Reference],
        log: EventLog,
        feed: Feed,
        *,
        clock: Clock,
        blobs: Blobs,
        give_up: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._roles = roles
        self._blobs = blobs
        self._clock = clock
        self._give_up = give_up
        self._pen = Pen(log, feed, "supervisor", clock)
        self._failures: dict[str, list[int]] = {}
        self._buried: dict[str, Position] = {}
        self._roster = roster

    def on_start(self) -> None:
        """Start every role."""
        try:
            for author in self._roles:
                self._start(author)
        except Exception as error:  # noqa: BLE001 # nobody restarts the supervisor: what it meets ends the process
            self._give_up(error)

    def on_receive(self, message: Died) -> None:
        """Record the death, and restart the role unless it has died too often."""
        if isinstance(message.error, LogError):
            self._give_up(message.error)
            return
        try:
            self._bury(message)
        except Exception as error:  # noqa: BLE001 # see on_start
            self._give_up(error)

    def _bury(self, death: Died) -> None:
        error = without_secrets(repr(death.error))[:WHOLE]
        failed = RoleFailed(role=death.author, error=error, trace=self._blobs.keep(without_secrets(death.trace)))
        self._write(death.author, failed)
        since = self._clock() - int(WINDOW * 1e6)
        recent = sum(at > since for at in self._failures.get(death.author, ()))
        if recent > RESTARTS:
            self._give_up(RoleGivenUp(death.author, error))
            return
        cause = self._buried.get(death.author)
        self._write(death.author, RoleRestarted(cause=cause, role=death.author, restart=recent))
        self._start(death.author)

    def _write(self, author: str, fact: RoleFailed | RoleRestarted) -> None:
        for _ in range(10):
            self._see(self._pen.catch_up())
            if self._pen.write(Decision("campaign", author, (fact,))):
                break
        self._see(self._pen.catch_up())

    def _see(self, frames: list[Recorded]) -> None:
        for recorded in frames:
            if recorded.author == "supervisor":
                for position, fact in recorded.positions():
                    if isinstance(fact, RoleFailed):
                        self._failures.setdefault(fact.role, []).append(fact.at)
                        self._buried[fact.role] = position

    def _start(self, author: str) -> None:
        self._roster[author] = self._roles[author](self.actor_ref.tell)


def stop_everybody(patience: float) -> None:
    """Stop every actor of this process, the youngest first, and wait for each at most `patience` seconds.

    One that does not end keeps nobody else from ending: it may be stuck, or it died of its own just as it was asked,
    and took the question with it.
    """
    for actor in reversed(pykka.ActorRegistry.get_all()):
        with contextlib.suppress(pykka.Timeout):
            actor.stop(timeout=patience)
