"""The shell: the one actor that every role lives in; it folds, asks for one decision, writes it, and asks again.

Its inbox carries only wake-ups, results of orders, and the requests "stopping" (begin nothing new) and "leaving" (leave
what still runs); what happened is read from the log.
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Literal, NamedTuple

import pykka
import structlog

from actors.feed import Feed
from actors.hands import Hands, Interruptible
from actors.orders import Order, Refused, Result
from actors.pen import Clock, Pen
from actors.role import Choosy, News, Role
from actors.vitals import Heard
from events.log import EventLog

Hear = Callable[[Any], Heard]
"""From what a role knows to how its workers are heard."""


class Died(NamedTuple):
    """A role raised; what its supervisor is told."""

    author: str
    error: BaseException
    trace: str


class _Done(NamedTuple):
    result: Result


def hears_nothing(known: Any) -> Heard:
    """Report no silence: for roles that do not watch the workers."""
    return Heard()


class Shell(pykka.ThreadingActor):
    """Runs one role until it is stopped or raises.

    Args:
        hear: how the workers that the role knows are heard.
        died: told, from the dying actor's thread, why it died; not called when it is stopped.
    """

    use_daemon_thread = True

    def __init__(
        self,
        role: Role,
        hands: Hands,
        log: EventLog,
        feed: Feed,
        clock: Clock,
        *,
        hear: Hear = hears_nothing,
        died: Callable[[Died], None],
    ) -> None:
        super().__init__()
        self._role = role
        self._hands = hands
        self._feed = feed
        self._clock = clock
        self._hear = hear
        self._died = died
        self._pen = Pen(log, feed, role.author, clock)
        self._known = role.initial()
        self._results: dict[str, Result] = {}
        self._underway: set[str] = set()
        self._dropped: set[str] = set()
        self._ending: Literal["stopping", "leaving"] | None = None
        self._woken = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"hands of {role.author}")
        self._journal = structlog.get_logger().bind(role=role.author, campaign=log.campaign)

    def wake(self) -> None:
        """Ask, from any thread, to look at the log; a wake-up that still waits is enough for all."""
        if not self._woken.is_set():
            self._woken.set()
            self._send("wake")

    def on_start(self) -> None:
        """Refold from the first frame, in the actor's own thread."""
        self._feed.listen(self.wake)
        self.wake()

    def on_receive(self, message: Literal["wake", "stopping", "leaving"] | _Done) -> None:
        """Take in the message, then speak until there is nothing to say."""
        if message == "wake":
            self._woken.clear()
        elif message in ("stopping", "leaving"):
            if self._ending != "leaving":
                self._ending = message
        elif isinstance(message, _Done):
            self._underway.discard(message.result.id)
            self._journal.info("done", order=message.result.id)
            self._results[message.result.id] = message.result
        while self._speak():
            pass

    def on_stop(self) -> None:
        """Give back the hands; not called when the role raised."""
        self._give_back()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tell the supervisor; called in the dying actor's thread, after which nothing here runs again."""
        self._give_back()
        error = exception_value or RuntimeError("died without an exception")
        self._died(Died(self._role.author, error, "".join(traceback.format_exception(error))))

    def _speak(self) -> bool:
        self._known.advance(self._pen.catch_up())
        self._drop()
        decision = self._role.decide(self._known, self._clock(), self._news())
        if decision is None:
            return False
        sequence = self._pen.write(decision)
        kinds = [type(fact).__name__ for fact in decision.facts]
        if sequence is None:
            self._journal.info("forestalled", facts=kinds, about=decision.identity)
        else:
            self._journal.info("wrote", facts=kinds, about=decision.identity, position=sequence)
            for order in decision.orders:
                self._begin(order)
            for settled in decision.settles:
                self._results.pop(settled, None)
        return True

    def _drop(self) -> None:
        """Interrupt the hands, once, where they do what nobody waits for; they do one thing at a time, in order."""
        if not isinstance(self._role, Choosy) or not isinstance(self._hands, Interruptible):
            return
        obsolete = self._role.obsolete(self._known, frozenset(self._underway)) - self._dropped
        if obsolete:
            self._dropped |= obsolete
            self._journal.info("dropped", orders=sorted(obsolete))
            self._hands.interrupt()

    def _news(self) -> News:
        heard = self._hear(self._known)
        return News(
            results=self._results,
            underway=frozenset(self._underway),
            silences=heard.silences,
            unheard=heard.unheard,
            stopping=self._ending is not None,
            leaving=self._ending == "leaving",
        )

    def _begin(self, order: Order) -> None:
        self._underway.add(order.id)
        future = self._pool.submit(self._hands.perform, order)
        future.add_done_callback(lambda done: self._finished(order, done))

    def _finished(self, order: Order, done: Future[Result]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            result = done.result()
        else:
            result = Refused(id=order.id, reason=f"{type(error).__name__}: {error}")
            self._journal.error("hands failed", order=order.id, error=repr(error))
        self._send(_Done(result))

    def _send(self, message: Any) -> None:
        try:
            self.actor_ref.tell(message)
        except pykka.ActorDeadError:
            self._feed.unlisten(self.wake)

    def _give_back(self) -> None:
        self._feed.unlisten(self.wake)
        self._hands.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


Reference = pykka.ActorRef[Shell]
"""A shell from outside: whether it lives, and where to tell it something."""


def tell(shell: Reference, message: Literal["stopping", "leaving"]) -> None:
    """Tell a shell, if it still lives."""
    with contextlib.suppress(pykka.ActorDeadError):
        shell.tell(message)
