"""Waiting for what must come: a condition and a deadline, never a length of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(found: Callable[[], Found], *, within: float = 20.0) -> Found:
    """Return the first true value that `found` gives; fail when none came within so many seconds."""
    end, pause = time.monotonic() + within, threading.Event()
    while not (value := found()):
        if time.monotonic() > end:
            raise AssertionError(f"nothing came within {within:g} s")
        pause.wait(0.005)
    return value
