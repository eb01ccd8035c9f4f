"""How long a model is waited for: several tries, each with a deadline, and pauses that the provider may name.

It counts what all of it cost, and is given up at once, from any thread, when the hands are called back.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from actors.policies.models import Model, ModelFailed, Prompt, Reply
from actors.policies.prices import Price

PAUSE = 2.0
"""Seconds before the second try where the provider names none; each further pause is twice as long."""

LONGEST_PAUSE = 60.0
"""Seconds that a cycle waits between two tries; a longer wait ends the cycle, and the next one waits."""


class Outcome(NamedTuple):
    """What came of all tries: a reply or the last failure, what they cost at most, how many, how long.

    Attributes:
        failures: why each call that failed did, in order.
    """

    reply: Reply | None
    failure: ModelFailed | None
    usd: float
    calls: int
    seconds: float
    failures: tuple[str, ...] = ()


class Patience:
    """Asks one model; used by one thread at a time, ended from any.

    Args:
        tries: most calls for one prompt.
        timeout: seconds for each, however slowly the answer drips in.
        pause: seconds before the second try.
    """

    def __init__(self, model: Model, price: Price, *, tries: int, timeout: float, pause: float = PAUSE) -> None:
        self._model = model
        self._price = price
        self._tries = tries
        self._timeout = timeout
        self._pause = pause
        self._changed = threading.Condition()
        self._ended = False

    def ask(self, prompt: Prompt, worst: float) -> Outcome:
        """Return what came of a prompt.

        Args:
            prompt: sent as it is in every try.
            worst: US dollars that one call counts as where nobody knows what it cost.
        """
        began, usd, call = time.monotonic(), 0.0, 0
        failures: list[ModelFailed] = []
        reply: Reply | None = None
        while reply is None:
            call += 1
            try:
                reply = self._once(prompt)
            except ModelFailed as error:
                failures.append(error)
                usd += 0.0 if error.free else worst
                if not self._pauses(error, call):
                    break
            else:
                usd += worst if reply.usage is None else self._price.cost(reply.usage)
        failure = failures[-1] if reply is None else None
        return Outcome(reply, failure, usd, call, time.monotonic() - began, tuple(map(_told, failures)))

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._model.close()

    def _pauses(self, failure: ModelFailed, call: int) -> bool:
        """Wait before the next try; False when there is none."""
        seconds = self._pause * 2.0 ** (call - 1) if failure.wait is None else failure.wait
        if failure.kind != "unreachable" or call == self._tries or seconds > LONGEST_PAUSE:
            return False
        with self._changed:
            return not self._changed.wait_for(lambda: self._ended, seconds)

    def _once(self, prompt: Prompt) -> Reply:
        # The call has a thread of its own, so that neither a server that drips a byte a second nor one that is silent
        # can hold the hands, or the end of the process, longer than the deadline.
        came: list[Reply | ModelFailed] = []
        threading.Thread(target=self._call, args=(prompt, came), name="model", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: came or self._ended, self._timeout)
        if not came:
            why = "given up" if self._ended else f"no answer in {self._timeout:g} s"
            raise ModelFailed(why, kind="unreachable", free=False)
        if isinstance(came[0], ModelFailed):
            raise came[0]
        return came[0]

    def _call(self, prompt: Prompt, came: list[Reply | ModelFailed]) -> None:
        try:
            result: Reply | ModelFailed = self._model.ask(prompt)
        except ModelFailed as error:
            result = error
        except Exception as error:  # noqa: BLE001 # whatever else an SDK raises is a call that failed, never the campaign
            result = ModelFailed(f"{type(error).__name__}: {error}", kind="unreachable", free=False)
        with self._changed:
            came.append(result)
            self._changed.notify_all()


def _told(failure: ModelFailed) -> str:
    asked = "" if failure.wait is None else f" (asks for {failure.wait:g} s)"
    return f"{failure}{asked}"
