"""A campaign's log as its readers see it: the verified archive, then the live tail from the server where one runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from events.archives.archive import ArchiveLog, check_same
from events.errors import LogError
from events.folder import Campaign
from events.log import EventLog, Follower, Recorded


class JoinedLog:
    """A `LogReader` that can also follow; `live` is None when nobody runs the campaign.

    Raises:
        LogError: the archive is not of this log.
    """

    def __init__(self, folder: Campaign, archive: ArchiveLog, live: EventLog | None) -> None:
        if live is not None:
            check_same(archive, live)
        self.folder = folder
        self.archive = archive
        self.live = live

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self.folder.name

    def last(self) -> int:
        """Return the last sequence, 0 for an empty log."""
        return self.archive.last() if self.live is None else self.live.last()

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means, through the last at the time of asking."""
        yield from self.archive.read(after, subject)
        if self.live is not None:
            yield from self.live.read(max(after, self.archive.last()), subject)

    def follow(self, after: int = 0, subject: str = ">") -> Follower:
        """Yield the frames after a sequence, then each new one as it comes.

        Raises:
            LogError: nobody runs the campaign, so nothing will come.
        """
        if self.live is None:
            raise LogError(f"campaign {self.campaign} is not running: there is nothing to follow")
        live = self.live.follow(max(after, self.archive.last()), subject)
        return _JoinedFollower(self.archive.read(after, subject), live)

    def close(self) -> None:
        """End the connection, where there is one."""
        if self.live is not None:
            self.live.close()


class _JoinedFollower:
    def __init__(self, before: Iterator[Recorded], live: Follower) -> None:
        self._before = before
        self._live = live

    def __iter__(self) -> Iterator[Recorded]:
        return chain(self._before, self._live)

    def stop(self) -> None:
        self._live.stop()
