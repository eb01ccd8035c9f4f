"""One role under faults, life after life: what it knows and holds, and what is about to happen to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.chaos.faults import Kind
from actors.chaos.network import View
from actors.orders import Order, Result
from actors.pen import Pen
from actors.role import Role


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

    @property
    def works(self) -> bool:
        """Whether it is a worker."""
        return self.author.startswith("worker")
