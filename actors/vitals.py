"""Signs of life: workers' pulses, sent and heard; never recorded, and nothing but their absence has consequences."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from actors.orders import Beat, Epoch, Pulse
from events.errors import LogError

EVERY = 0.5
"""Seconds between two beats of a worker."""

ABSENT = 6 * EVERY
"""Seconds between two looks after which the listener itself was away: what it missed is nobody's silence."""

_decoder: Any = msgspec.json.Decoder(Pulse)


class Pulses(Protocol):
    """A log's side channel."""

    def publish_pulse(self, author: str, payload: bytes) -> None:
        """Send a pulse to whoever listens now."""

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Call `heard(author, payload)` for every pulse; return the function that ends it."""


class Heard(NamedTuple):
    """How workers are heard: for how many seconds each was silent, and who gave no sign yet."""

    silences: Mapping[str, float] = {}
    unheard: frozenset[str] = frozenset()


class Ear:
    """Hears every worker's pulses; silence counts while it listens, and from when it first knew of the worker.

    Args:
        met: called, from the pulses' thread, when a worker is heard for the first time.
        clock: seconds, from anywhere, that never run backwards.

    Attributes:
        epochs: each worker's latest epoch, for the screen.
    """

    def __init__(self, pulses: Pulses, met: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._met = met
        self._clock = clock
        self._listening = self._looked = clock()
        self._since: dict[tuple[str, int], float] = {}
        self._heard: dict[str, float] = {}
        self.epochs: dict[str, Epoch] = {}
        self._end = pulses.subscribe_pulses(self._hear)

    def hear(self, known: Any) -> Heard:
        """Return how the present workers of a fleet are heard; called at least with every beat."""
        now = self._clock()
        if now - self._looked > ABSENT:
            self._listening = now
        self._looked = now
        joined = {worker.worker: worker.joined_at for worker in known.fleet.present()}
        # One that was lost and came back between two looks has joined at another time.
        self._since = {key: self._since.get(key, now) for key in joined.items()}
        last = {key[0]: max(self._heard.get(key[0], 0.0), self._listening, at) for key, at in self._since.items()}
        return Heard({name: now - at for name, at in last.items()}, frozenset(joined) - self._heard.keys())

    def close(self) -> None:
        """Hear no more."""
        self._end()

    def _hear(self, author: str, payload: bytes) -> None:
        # What is no pulse is no sign of life: a server can be made to send answers to any subject.
        try:
            pulse = _decoder.decode(payload)
        except msgspec.MsgspecError:
            return
        first = author not in self._heard
        self._heard[author] = self._clock()
        if isinstance(pulse, Epoch):
            self.epochs[author] = pulse
        if first:
            self._met()


class Heart:
    """Beats for the workers of this process while each of them lives.

    Args:
        living: names the workers that live now.
        tick: called with every beat, so that roles look at the clock even when nothing comes.
    """

    def __init__(self, pulses: Pulses, living: Callable[[], list[str]], tick: Callable[[], None]) -> None:
        self._pulses = pulses
        self._living = living
        self._tick = tick
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            try:
                for worker in self._living():
                    self._pulses.publish_pulse(worker, msgspec.json.encode(Beat(worker)))
            except LogError:
                return
            self._tick()
            wait = EVERY
