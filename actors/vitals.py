"""Signs of life: workers' pulses, sent and heard; never recorded, and nothing but their absence has consequences."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from actors.orders import Beat, Epoch, Pulse
from events.errors import LogError

EVERY = 1.0
"""Seconds between two beats of a worker."""

_decoder: Any = msgspec.json.Decoder(Pulse)


class Pulses(Protocol):
    """A log's side channel."""

    def publish_pulse(self, author: str, payload: bytes) -> None:
        """Send a pulse to whoever listens now."""

    def subscribe_pulses(self, heard: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Call `heard(author, payload)` for every pulse; return the function that ends it."""


class Ear:
    """Hears every worker's pulses; silence counts from its own beginning for those never heard.

    Attributes:
        epochs: each worker's latest epoch, for the screen.
    """

    def __init__(self, pulses: Pulses) -> None:
        self._began = time.monotonic()
        self._heard: dict[str, float] = {}
        self.epochs: dict[str, Epoch] = {}
        self._end = pulses.subscribe_pulses(self._hear)

    def silences(self, known: Any) -> Mapping[str, float]:
        """Return for how many seconds each present worker of a fleet was silent."""
        now = time.monotonic()
        return {w.worker: now - self._heard.get(w.worker, self._began) for w in known.fleet.present()}

    def close(self) -> None:
        """Hear no more."""
        self._end()

    def _hear(self, author: str, payload: bytes) -> None:
        self._heard[author] = time.monotonic()
        try:
            pulse = _decoder.decode(payload)
        except msgspec.MsgspecError:
            return
        if isinstance(pulse, Epoch):
            self.epochs[author] = pulse


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
        while not self._stopped.wait(EVERY):
            try:
                for worker in self._living():
                    self._pulses.publish_pulse(worker, msgspec.json.encode(Beat(worker)))
            except LogError:
                return
            self._tick()
