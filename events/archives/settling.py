"""A campaign that nobody runs: whether its archive holds all of its store, and how it comes to.

The store's files are the server's own affair; what is remembered of them, and of the archive's, is their names, sizes
and times when the archive was complete. Any server that ran since has changed them.
"""

from __future__ import annotations

import msgspec

from events.archives.archivist import Segments, catch_up
from events.folder import Campaign
from events.wire import server
from events.wire.credentials import write_secret

OURS = ("lock", "server.log")
"""Files in the store's folder that say nothing about frames."""


def is_settled(folder: Campaign) -> bool:
    """Say whether the archive holds everything that the store does; a campaign without a store has nothing else."""
    if not any(folder.store.glob("jetstream/**/*.blk")):
        return True
    try:
        return folder.settled.read_bytes() == _look(folder)
    except FileNotFoundError:
        return False


def settle(folder: Campaign) -> None:
    """Start the campaign's server, write what the archive misses, and stop it (main thread).

    Raises:
        StoreLocked: the campaign runs.
        LogError: what starting, reading or writing meets.
    """
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second; a settled campaign needs none of it

    with (
        server.running(folder, announce=False) as running,
        jetstream.connect(running.credential("reader"), folder.name) as log,
    ):
        catch_up(log, Segments(folder, log))
    remember(folder)


def remember(folder: Campaign) -> None:
    """Note that the archive holds everything that the store does; only true once the server has stopped."""
    write_secret(folder.settled, _look(folder))


def _look(folder: Campaign) -> bytes:
    both = (*folder.store.rglob("*"), *folder.archive.rglob("*"))
    files = sorted(path for path in both if path.is_file() and path.name not in OURS)
    seen = {str(path.relative_to(folder.path)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
    return msgspec.json.encode(seen)
