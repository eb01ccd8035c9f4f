"""What a machine that lends devices needs of a campaign: fetched by digest, verified, kept for the next time; and the
way back of what it makes.

Everything it knows of the campaign it reads from the log; what is too long for the log it finds under its digest in the
campaign's object store, or, where the campaign's folder can be seen from here too, in that folder.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path, PurePosixPath

import msgspec
import structlog

from actors.benches.child import Child
from actors.errors import CampaignError
from actors.hands import BenchHands
from actors.hosts.sharing import weights
from actors.orders import Order, Progress, Result, Score, Trained
from actors.repair.copies import Copies
from events import subjects
from events.blobs import Blobs
from events.errors import BlobMissing, LogError, LogLost, ObjectMissing
from events.facts import FilesShared, SharedFile
from events.folder import Campaign as Folder
from events.wire.jetstream import JetStreamLog
from events.wire.objects import Objects


class Supplies:
    """The files of a campaign on a machine that lends devices.

    Args:
        folder: where they are kept.
    """

    def __init__(self, log: JetStreamLog, folder: Folder) -> None:
        self._folder = folder
        self._objects = Objects(log.connection, subjects.files(log.campaign))

    def fetch(self, shared: FilesShared, progress: Callable[[Progress], None]) -> int:
        """Fetch what is not here, or is not what the log says, and return how many files that were.

        Raises:
            CampaignError: the log names a place outside the folder, or a file cannot be written.
            ObjectMissing, ObjectDamaged: the object store has it no more.
        """
        self._clear_away()
        fetched = 0
        for number, (name, file) in enumerate(shared.files.items(), start=1):
            path = self._place(name)
            try:
                if not _is(path, file):
                    self._objects.get(file.digest, path)
                    fetched += 1
            except OSError as error:
                raise CampaignError(f"{path} cannot be written: {error.strerror}") from None
            progress(Progress("files fetched", number, len(shared.files)))
        return fetched

    def _place(self, name: str) -> Path:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise CampaignError(f"the log shares a file as {name!r}, which is no place in a campaign's folder")
        return self._folder.path / path

    def _clear_away(self) -> None:
        """Remove what transfers left whose process was killed."""
        for partial in self._folder.path.rglob(".*.*-*"):
            pid = partial.name.rpartition(".")[2].partition("-")[0]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                partial.unlink(missing_ok=True)


class FarBlobs(Blobs):
    """Long texts of a campaign whose folder is elsewhere: what is kept here goes there, what is missing is fetched."""

    def __init__(self, folder: Path, log: JetStreamLog) -> None:
        super().__init__(folder)
        self._files = Objects(log.connection, subjects.files(log.campaign))
        self._returns = Objects(log.connection, subjects.returns(log.campaign))

    def put(self, content: bytes) -> str:
        """Keep the bytes here and in the object store, and return their digest; raises `LogError`."""
        digest = super().put(content)
        self._returns.put(content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes under a digest; raises `BlobMissing` as `Blobs.get`, and `LogError`."""
        try:
            return super().get(digest)
        except BlobMissing:
            with contextlib.suppress(ObjectMissing):
                self._files.get(digest, self.place(digest))
            return super().get(digest)


class FarHands(BenchHands):
    """Hands that put weights into the object store before their result is told."""

    def __init__(self, child: Child, copies: Copies, returns: Objects, folder: Folder) -> None:
        super().__init__(child, copies=copies.of)
        self._folder = folder
        self._returns = returns
        self._journal = structlog.get_logger().bind(role="supplies")

    def perform(self, order: Order) -> Result:
        """Do what a bench's hands do; weights that cannot be sent are not told of."""
        result = super().perform(order)
        if not isinstance(result, Trained):
            return result
        ends = tuple(self._sent(end) if isinstance(end, Score) else end for end in result.ends)
        return msgspec.structs.replace(result, ends=ends)

    def _sent(self, score: Score) -> Score:
        if score.checkpoint is None:
            return score
        path = weights(self._folder, score.checkpoint)
        try:
            self._returns.put(path)
        except LogLost:
            raise
        except (LogError, OSError) as error:
            self._journal.warning("weights not sent", experiment=score.experiment, reason=str(error))
            return msgspec.structs.replace(score, checkpoint=None)
        path.unlink(missing_ok=True)
        return score


def cache(home: Path | None, campaign: str, opening: bytes) -> Folder:
    """Return where a machine keeps what it needs of one campaign, told from others of its name by its first frame."""
    return Folder(kept(home) / sha256(opening).hexdigest()[:12] / campaign)


def kept(home: Path | None) -> Path:
    """Return where a machine that lends devices keeps its files: where it was told, or the user's cache folder."""
    return home or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "myriad" / "lent"


def _is(path: Path, file: SharedFile) -> bool:
    """Say whether a file is what the log says."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as opened:
        found = sha256()
        while block := opened.read(2**20):
            found.update(block)
    return found.hexdigest() == file.digest
