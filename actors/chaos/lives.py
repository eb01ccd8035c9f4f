"""One role under faults, life after life: what it knows and holds, and what is about to happen to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actors.agent import REST
from actors.chaos.faults import Kind
from actors.chaos.network import View
from actors.orders import Order, Result
from actors.pen import Pen
from actors.role import Role

RESTS = 8
"""Times in a row that a model is not reached, at most; longer rests are not waited for."""


class Member:
    """One role, life after life.

    Attributes:
        asleep, deaf: until when its process is not there, and until when nobody hears it; microseconds.
        offset: by how much its clock is wrong, microseconds.
        doom: where in its next decision it is killed.
        hung: its bench hangs at the next order.
        met: since when a scheduler has known of each worker, microseconds.
        keeps: what the hands of its last life still finish reaches its next one.
    """

    def __init__(self, author: str, make: Callable[[], Role]) -> None:
        self.author = author
        self.make = make
        self.life = self.asleep = self.deaf = self.offset = 0
        self.doom: Kind | None = None
        self.hung = self.keeps = False
        self.view: View
        self.pen: Pen
        self.role: Role
        self.known: Any
        self.results: dict[str, Result] = {}
        self.underway: dict[str, Order] = {}
        self.met: dict[tuple[str, int], int] = {}

    def silences(self, now: int, unheard: Mapping[str, int]) -> dict[str, float]:
        """Return for how long each worker was not heard, as `actors.vitals.Ear` counts it: from when it joined.

        Args:
            unheard: since when, microseconds.
        """
        silences: dict[str, float] = {}
        for worker in self.known.fleet.present():
            met = self.met.setdefault((worker.worker, worker.joined_at), now)
            since = unheard.get(worker.worker, now)
            silences[worker.worker] = (now - max(met, since)) / 1e6
        return silences

    def rests(self) -> list[int]:
        """Return when an agent that could not reach its model may ask again, microseconds."""
        kind, _, name = self.author.partition("-")
        last = self.known.cycles.last(name) if kind == "agent" else None
        if last is None or last.kind != "unreachable":
            return []
        ended = (last.ended_at or last.at) - self.offset
        return [ended + round(REST * 2**often * 1e6) for often in range(RESTS)]

    @property
    def works(self) -> bool:
        """Whether it is a worker."""
        return self.author.startswith("worker")
