"""Chance for statistics, without chance: a generator keyed by what it is drawn for, the same in every replay."""

from __future__ import annotations

from hashlib import sha256

import numpy as np


def draws(purpose: str) -> np.random.Generator:
    """Return a generator (Philox) whose key is the digest of a purpose: one purpose, one sequence, wherever it runs."""
    key = int.from_bytes(sha256(f"myriad replay: {purpose}".encode()).digest()[:16])
    return np.random.Generator(np.random.Philox(key=key))


def orders(purpose: str, items: int, turns: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return `turns` shuffles of 0 .. items - 1, one a row; a longer list begins with the shorter one's rows."""
    keys = draws(purpose).random((turns, items))
    return np.argsort(keys, axis=1, kind="stable")
