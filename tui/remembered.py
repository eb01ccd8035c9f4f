"""The picture that an earlier screen of this log left: shown at once, while the log is read and folded anew.

With a campaign's folder it lies in there, for a portable file in the user's cache. A picture of other code, of another
log, or of a broken disk is not believed, and made again; where nothing may be written, nothing is left.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

import tui
from events import sources
from events.errors import LogError
from events.log import LogReader
from events.shelf import Shelf
from replay.moments.preserved import SnapshotRefused, seal, unseal
from tui.overview import Overview


class Remembered:
    """Where the picture lies.

    Args:
        log: that it is of; open for as long as anything is asked here.
        folder: made when something is left.
    """

    def __init__(self, log: LogReader, folder: Path) -> None:
        self._log = log
        self._shelf = Shelf(folder, kept=1)

    def find(self) -> Overview | None:
        """Return the picture, None where there is none that can be believed."""
        for name in reversed(self._shelf.names()):
            with suppress(LogError, SnapshotRefused, msgspec.MsgspecError):
                content = self._shelf.get(name) or b""
                return msgspec.msgpack.decode(unseal(content, self._log, _names()).states[0], type=Overview)
        return None

    def leave(self, picture: Overview) -> bool:
        """Leave a picture; say whether the disk, and the log, let us."""
        through = picture.subject.through
        with suppress(LogError):
            content = seal((msgspec.msgpack.encode(picture),), _names(), self._log, through)
            return self._shelf.put(f"{through:012}", content)
        return False


def _names() -> tuple[str, ...]:
    return ("overview", sources.code(tui.__path__))
