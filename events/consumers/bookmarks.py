"""Where a reader stopped, by a name of its own, so that it goes on there: one small file under the home a reader.

It lies with the reader and not with the server, so that reading changes nothing that a campaign has, and so that an
archive, a folder and a far server are read on alike. A reader that is killed between a line and its bookmark reads that
line twice.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from events import subjects
from events.envelope import Position
from events.errors import LogError

FOLDER = ".bookmarks"

WIDTH = 40
"""Bytes of every bookmark: longer than any position, so that one write replaces the whole."""


class Bookmark:
    """A position that one process at a time keeps.

    Raises:
        LogError: the name cannot be one, the file holds no position, or another process reads under this name.
    """

    def __init__(self, home: Path, campaign: str, name: str) -> None:
        folder = home / FOLDER / subjects.token(campaign, what="campaign")
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / subjects.token(name, what="--durable")
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock()
            self.position = self._read()
        except LogError:
            os.close(self._file)
            raise

    def move(self, position: Position) -> None:
        """Note that everything up to a position was handed over."""
        os.pwrite(self._file, f"{position}".ljust(WIDTH - 1).encode() + b"\n", 0)
        self.position = position

    def close(self) -> None:
        """Let another process read under this name."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogError(f"--durable {self.path.name}: another process reads under this name; give another") from None

    def _read(self) -> Position:
        words = os.pread(self._file, WIDTH, 0).decode(errors="replace").strip()
        sequence, _, index = (words or "0.0").partition(".")
        if not (sequence.isdecimal() and index.isdecimal()):
            raise LogError(f"{self.path} holds no position but {words!r}: remove it to begin anew")
        return Position(int(sequence), int(index))
