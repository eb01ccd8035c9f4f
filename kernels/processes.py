"""The same pure function over many items, in this process or in several, in order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Progress = Callable[[int, int], None]  # called with (items done, items in all)

CHUNK = 4  # items that a process is handed at once: fewer are made sooner than another process has started

Item = TypeVar("Item")
Made = TypeVar("Made")


def spread(make: Callable[[Item], Made], items: Sequence[Item], processes: int) -> Iterator[Made]:
    """Yields make(item) for each item in order, computed by `processes` fresh processes where each has some to make."""
    processes = min(processes, -(-len(items) // CHUNK))
    if processes <= 1:
        yield from map(make, items)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make, items, chunksize=CHUNK)
