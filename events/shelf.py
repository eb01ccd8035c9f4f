"""A folder of what can be made again at any time: written whole or not at all, and nobody misses it when it is gone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Shelf:
    """Bytes by name; the newest few names are kept, in the order of the alphabet.

    Args:
        folder: made when something is put there.
        kept: how many names stay.
    """

    def __init__(self, folder: Path, *, kept: int = 2) -> None:
        self.folder = folder
        self._kept = kept

    def names(self) -> list[str]:
        """Return what is there, in the order of the alphabet."""
        with suppress(OSError):
            return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        return []

    def get(self, name: str) -> bytes | None:
        """Return what was put there under a name, or None."""
        with suppress(OSError):
            return (self.folder / name).read_bytes()
        return None

    def put(self, name: str, content: bytes) -> bool:
        """Keep the bytes, and drop the first names beyond the number that is kept; say whether the disk let us.

        A reader sees the whole or nothing; it is not synced, for after a crash of the machine it is made again.
        """
        partial = self.folder / f".{name}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(self.folder / name)
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            return False
        for old in self.names()[: -self._kept]:
            with suppress(OSError):
                (self.folder / old).unlink(missing_ok=True)
        return True
