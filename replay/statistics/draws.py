"""Chance for statistics, without chance: a generator keyed by what it is drawn for, the same in every replay."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Orders = NDArray[np.int64]

BATCH = 1_000_000


def draws(purpose: str) -> np.random.Generator:
    """Return a generator (Philox) whose key is the digest of a purpose: one purpose, one sequence, wherever it runs."""
    key = int.from_bytes(sha256(f"myriad replay: {purpose}".encode()).digest()[:16])
    return np.random.Generator(np.random.Philox(key=key))


def orders(purpose: str, items: int, turns: int) -> Iterator[Orders]:
    """Yield `turns` shuffles of 0 .. items - 1, one a row, in batches of about a million numbers."""
    chance, batch = draws(purpose), max(1, BATCH // max(1, items))
    for done in range(0, turns, batch):
        rows = np.tile(np.arange(items, dtype=np.int64), (min(batch, turns - done), 1))
        yield chance.permuted(rows, axis=1)
