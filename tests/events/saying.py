"""Frames for the log's own tests, short to say; and waiting for a condition, with a deadline instead of a sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable

from events import facts, subjects
from events.envelope import Fact
from events.log import Fence, Frame, LogReader, Recorded

DEADLINE = 20.0
AUTHOR = "worker-a"


def frame(campaign: str, n: int, *, author: str = AUTHOR, pack: str = "p-1", reason: str = "done") -> Frame:
    """The author's n-th frame, on a pack's subject."""
    return said(campaign, n, facts.WorkerRetired(worker=author, reason=reason, at=n), author=author, pack=pack)


def said(campaign: str, n: int, *what: Fact, author: str = AUTHOR, pack: str = "p-1") -> Frame:
    """Any facts as the author's n-th frame."""
    return Frame(subjects.subject(campaign, "pack", pack, author), f"{author}:{n}", what)


def revoked(campaign: str, n: int, *, pack: str = "p-1") -> Frame:
    """The scheduler takes a pack back."""
    return said(campaign, n, facts.LeaseRevoked(pack=pack, worker=AUTHOR, reason="lost"), author="scheduler", pack=pack)


def recorded(campaign: str, sequence: int, payload: bytes, *, author: str = AUTHOR) -> Recorded:
    """A frame as some other log, or some other Myriad, wrote it."""
    return Recorded(sequence, subjects.subject(campaign, "pack", "p-1", author), f"{author}:{sequence}", payload)


def own(log: LogReader, last: int, author: str = AUTHOR) -> Fence:
    """The fence of a role."""
    return Fence(subjects.own(log.campaign, author), last)


def lease(log: LogReader, last: int, pack: str = "p-1") -> Fence:
    """The fence of a lease."""
    return Fence(subjects.pack(log.campaign, pack), last)


def until(holds: Callable[[], object]) -> None:
    """Wait until a condition holds; fail after the deadline."""
    beat = threading.Event()
    for _ in range(int(DEADLINE / 0.005)):
        if holds():
            return
        beat.wait(0.005)
    raise AssertionError(f"not within {DEADLINE} seconds: {holds}")
