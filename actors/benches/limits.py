"""Limits of a process that runs what nobody here wrote: asked for on its command line, set before it imports anything.

They end what runs away. They keep nobody out: a process may still read what its user may read, and reach the network.
"""

from __future__ import annotations

from typing import NamedTuple

MIB = 2**20


class Limits(NamedTuple):
    """What one process may take.

    Attributes:
        memory: bytes of data.
        cpu: seconds of all its threads together; 0 for no limit.
        file: bytes of the largest file that it may write.
        files: that it may hold open.
    """

    memory: int = 8192 * MIB
    cpu: int = 0
    file: int = 256 * MIB
    files: int = 512

    def arguments(self) -> list[str]:
        """Return them as words of a command line."""
        return [str(limit) for limit in self]


def impose(words: list[str]) -> None:
    """Hold this process, and every process that it starts, to the limits of a command line; none without words."""
    if not words:
        return
    import resource  # noqa: PLC0415 # each helper process of a bench imports this module, and most need nothing of it

    limits = Limits(*map(int, words))
    asked = {
        resource.RLIMIT_DATA: limits.memory,
        resource.RLIMIT_CPU: limits.cpu,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 1,
    }
    for kind, limit in asked.items():
        if limit:
            _, most = resource.getrlimit(kind)
            lower = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(kind, (lower, lower))
