"""Who writes a campaign's live archive: a follower of the log with a thread of its own, and one pass to catch up.

archivist = Archivist(log, folder)      # `myriad run` does this, nobody else
archivist.start()
...
archivist.stop()                        # after the last frame, before the log is closed
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from events.archives import records
from events.archives.archive import SEGMENT, check_same, open_folder
from events.archives.records import Header
from events.errors import LogError
from events.folder import Campaign
from events.log import EventLog, LogReader, Recorded

EVERY = 4096
"""Frames of a segment; what has no segment yet is read from the server."""

WEIGHT = 32 * 1024 * 1024
"""Bytes of payload after which a segment is written whatever its frames."""


class Segments:
    """The live folder, to append to; a torn last segment is written over by the frames that follow the one before.

    Raises:
        ArchiveDamaged: a segment is not what was written.
        LogError: the log is not the one that the segments were written from.
    """

    def __init__(self, folder: Campaign, log: LogReader) -> None:
        self._folder = folder.archive
        self._campaign = folder.name
        self._folder.mkdir(parents=True, exist_ok=True)
        for partial in self._folder.glob(f".*{SEGMENT}.partial"):
            partial.unlink()
        archived = open_folder(self._folder, self._campaign)
        check_same(archived, log)
        self.last = archived.last()
        self._chain = archived.chain

    def add(self, frames: list[Recorded]) -> None:
        """Write the frames that follow the last one, as one segment; none is no segment."""
        if frames:
            header = Header(campaign=self._campaign, first=self.last + 1, previous=self._chain)
            manifest, self._chain = records.write(self._path(header.first), header, frames)
            self.last = manifest.last

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:020}{SEGMENT}"


class Archivist:
    """Follows a log and writes a segment every so many frames, and what is left when it is stopped.

    Attributes:
        error: what ended its thread, None while it is well.
    """

    def __init__(
        self,
        log: EventLog,
        folder: Campaign,
        *,
        every: int = EVERY,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._log = log
        self._every = every
        self._failed = failed
        self._segments = Segments(folder, log)
        self._follower = log.follow(self._segments.last)
        self._thread = threading.Thread(target=self._run, name="archivist", daemon=True)
        self.error: Exception | None = None

    @property
    def last(self) -> int:
        """The last frame that a segment holds."""
        return self._segments.last

    def start(self) -> None:
        """Begin to follow; `failed` is called from the thread, once, when it cannot go on."""
        self._thread.start()

    def stop(self) -> int:
        """Write everything that the log holds now, and return the last frame's sequence.

        Raises:
            LogError: what ended the thread before, or ends it now.
        """
        self._follower.stop()
        self._thread.join()
        if self.error is not None:
            raise LogError(f"the archive stands at frame {self.last}: {self.error}") from self.error
        catch_up(self._log, self._segments, every=self._every)
        return self.last

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 # a thread's error is kept for the one who stops it
            self.error = error
            if self._failed is not None:
                self._failed(error)

    def _follow(self) -> None:
        waiting: list[Recorded] = []
        weight = 0
        for recorded in self._follower:
            waiting.append(recorded)
            weight += len(recorded.payload)
            if len(waiting) >= self._every or weight >= WEIGHT:
                self._segments.add(waiting)
                waiting, weight = [], 0


def catch_up(log: LogReader, segments: Segments, *, every: int = EVERY) -> None:
    """Write every frame that the log holds and the segments do not; raises what reading and writing raise."""
    waiting: list[Recorded] = []
    for recorded in log.read(segments.last):
        waiting.append(recorded)
        if len(waiting) >= every:
            segments.add(waiting)
            waiting = []
    segments.add(waiting)
