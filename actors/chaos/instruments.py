"""What trains in a small campaign and where, what its canaries see, and that another version of it may come.

In some campaigns nobody looks at the instrument, as in logs from before there were canaries.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from actors.benches.vetting import Verified, Verify
from actors.chaos.faults import SPAN, drawn
from actors.orders import Refused, Result
from events.facts import Canary

DEVICES = ("cpu", "cuda")

PARTS = ("source/training.py", "source/canaries/suite.py")
"""What may differ between two versions: what gives a number its meaning, or only what looks at it."""

SECONDS = 7.0
"""What looking takes, of a device."""

SELDOM = 8
"""One of so many versions is unsound on a kind of device; one look of so many fails for the machine's sake."""


class Instruments:
    """The versions that a seed decides.

    Attributes:
        vetted: whether nothing trains before its canaries held.
        renewed: the turn at which another version comes, None for never.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._version = 1
        self._trains: dict[str, str] = {}
        self._looks: Counter[str] = Counter()
        self.vetted = drawn(seed, "vetted") % 2 == 0
        comes = self.vetted and drawn(seed, "renewed") % 2 == 0
        self.renewed = 4 + drawn(seed, "renewed", "turn") % SPAN if comes else None

    def renew(self) -> None:
        """Have whoever is hired from now on train with another version."""
        self._version += 1

    def given(self, worker: str) -> str:
        """Return the instrument of a worker that is hired now."""
        return self._trains.setdefault(worker, f"ordeal-{self._version}")

    def platform(self, worker: str) -> dict[str, str]:
        """Return where a worker trains."""
        return {"device": DEVICES[drawn(self._seed, "device", worker) % len(DEVICES)]}

    def look(self, worker: str, order: Verify) -> tuple[float, Result]:
        """Return the seconds that the canaries take, and what they see."""
        instrument, platform = self._trains[worker], self.platform(worker)
        self._looks[order.id] += 1
        failing = drawn(self._seed, "look", order.id, self._looks[order.id]) % SELDOM
        if failing == 0:
            return SECONDS, Refused(id=order.id, reason="the machine failed")
        problem = "it reads what it should not" if self._is_unsound(instrument, platform) else None
        saw = (
            Canary(name="split", subject="training, test", seen=0.0, allowed=0.0),
            Canary(name="dimension", subject="loss", seen=1.0, allowed=None, problem=problem),
        )
        wrong = f"dimension, loss: {problem}" if problem is not None else None
        return SECONDS, Verified(order.id, instrument, self._parts(instrument), saw, SECONDS, wrong, platform)

    def _is_unsound(self, instrument: str, platform: dict[str, str]) -> bool:
        return drawn(self._seed, "unsound", instrument, platform["device"]) % SELDOM == 0

    def _parts(self, instrument: str) -> dict[str, str]:
        changed = PARTS[drawn(self._seed, "changed") % len(PARTS)]
        versions = {part: instrument if part == changed else "ordeal-1" for part in PARTS}
        return {part: sha256(f"{part} {version}".encode()).hexdigest() for part, version in versions.items()}
