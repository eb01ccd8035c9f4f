"""The faults that a campaign must survive: what can happen to it and when, and the smallest script that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Literal, get_args

import msgspec

Kind = Literal[
    "worker_killed",
    "role_killed",
    "killed_before_writing",
    "killed_after_writing",
    "bench_hung",
    "lease_expired_alive",
    "acknowledgement_lost",
    "frame_delivered_twice",
    "frame_delivered_late",
    "slow_reader",
    "answer_after_the_crash",
    "clock_jumped",
    "disk_full",
    "server_restarted",
    "two_schedulers",
    "stopped_and_resumed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST = 8
"""Faults of a script at most."""

SPAN = 160
"""Turns within which faults strike; after them the campaign must come to its end."""

LAST = 5000
"""Turns after which a campaign that is not at its end is not coming to it."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that goes wrong: from which turn on, what, and a number that chooses whom and how much."""

    turn: int
    kind: Kind
    pick: int

    def __str__(self) -> str:
        return f"{self.turn}:{self.kind}:{self.pick}"


Script = tuple[Fault, ...]


def drawn(seed: int, *about: object) -> int:
    """Return 53 bits that a seed and a name decide: removing one fault moves no other draw."""
    text = "\x1f".join((str(seed), *map(str, about))).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11


def script(seed: int) -> Script:
    """Return what a seed does to its campaign; every eighth seed or so nothing."""
    many = drawn(seed, "many") % (MOST + 1)
    faults = (_fault(seed, number) for number in range(many))
    return tuple(sorted(faults, key=lambda fault: (fault.turn, fault.kind, fault.pick)))


def written(faults: Script) -> str:
    """Return a script as words that `read` takes."""
    return ",".join(map(str, faults))


def read(words: str) -> Script | None:
    """Return the script that words mean: TURN:KIND:PICK, with commas between faults; None where they mean none."""
    faults = []
    for word in filter(None, words.split(",")):
        turn, _, rest = word.partition(":")
        kind, _, pick = rest.partition(":")
        if kind not in KINDS or not turn.isdecimal() or not pick.isdecimal():
            return None
        faults.append(Fault(int(turn), kind, int(pick)))
    return tuple(faults)


def shrunk(faults: Script, fails: Callable[[Script], bool]) -> Script:
    """Return a script that still fails and from which no single fault can be taken away.

    Args:
        fails: whether a campaign fails under a script; it fails under the one given.
    """
    size = max(1, len(faults) // 2)
    while size:
        for start in range(0, len(faults), size):
            fewer = faults[:start] + faults[start + size :]
            if fails(fewer):
                faults = fewer
                break
        else:
            size = size // 2
    return faults


def _fault(seed: int, number: int) -> Fault:
    turn = 4 + drawn(seed, "turn", number) % SPAN
    kind = KINDS[drawn(seed, "kind", number) % len(KINDS)]
    return Fault(turn, kind, drawn(seed, "pick", number) % 1_000_000)
