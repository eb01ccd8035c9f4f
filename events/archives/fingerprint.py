"""What a log held through a position, in 64 hex digits: two logs that differ anywhere before it differ here."""

from __future__ import annotations

from hashlib import sha256

from events.archives.archive import ArchiveLog
from events.joined import JoinedLog
from events.log import LogReader


def fingerprint(log: LogReader, through: int) -> str:
    """Return the fingerprint of the frames through a sequence.

    An archive's chain already vouches for all but the last few hundred of them, so that this takes no time there; of
    any other log every frame is read. Hence a log in two places, or in blocks cut elsewhere, has two fingerprints: what
    is refused for that is only made again.

    Raises:
        LogError: what reading raises.
    """
    archive = log.archive if isinstance(log, JoinedLog) else log
    start, chain = archive.vouched(through) if isinstance(archive, ArchiveLog) else (0, "")
    digest = sha256(f"{log.campaign} {through} {chain}".encode())
    for recorded in log.read(start):
        if recorded.sequence > through:
            break
        head = f"\n{recorded.sequence} {recorded.subject} {recorded.id} {len(recorded.payload)}\n"
        digest.update(head.encode() + recorded.payload)
    return digest.hexdigest()
