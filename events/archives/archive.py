"""A campaign as a file, or as a folder of segments: a log to read that needs no server, every byte verified on opening.

`open_file` and `open_folder` return an `ArchiveLog`; `export` writes a whole campaign into one file, and `restore` puts
a file's frames into an empty log with the same sequences, subjects, ids and payloads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

from events import subjects
from events.archives import records
from events.archives.records import Archived, Header, Manifest, Torn
from events.errors import ArchiveDamaged, BlobMissing, LogError
from events.log import LogReader, Recorded

SUFFIX = ".myriad"
"""How the name of a portable file ends."""

SEGMENT = ".segment"
"""How the name of a live folder's file ends; it begins with the sequence of its first frame."""


class Restorable(LogReader, Protocol):
    """A log that takes frames as another one recorded them."""

    def restore(self, frames: Iterable[Recorded]) -> None:
        """Write recorded frames at their own sequences, in order."""


class ArchiveLog:
    """A `LogReader` over verified files.

    Attributes:
        torn: the last segment, when its writer was killed in the middle of it; its frames are not read.
    """

    def __init__(self, campaign: str, files: tuple[Archived, ...], torn: Path | None = None) -> None:
        self._campaign = campaign
        self._files = files
        self.torn = torn

    @property
    def campaign(self) -> str:
        """The campaign's name."""
        return self._campaign

    @property
    def chain(self) -> str:
        """The last chain, in hex: it vouches for every byte before it; empty when there is no file."""
        return self._files[-1].chain if self._files else ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.path.stat().st_size for file in self._files)

    def last(self) -> int:
        """Return the last sequence, 0 for an empty archive."""
        return self._files[-1].manifest.last if self._files else 0

    def vouched(self, through: int) -> tuple[int, str]:
        """Return the last sequence up to `through` at which a block ends, and the chain there; (0, "") before any."""
        ends = [block for file in self._files for block in file.blocks if block.last <= through]
        return (ends[-1].last, ends[-1].chain) if ends else (0, "")

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means."""
        for file in self._files:
            for block in file.blocks:
                if block.last <= after:
                    continue
                frames = _frames(file, block)
                if block.first <= after:
                    frames = islice(frames, after - block.first + 1, None)
                if subject != ">":
                    frames = (recorded for recorded in frames if subjects.matches(subject, recorded.subject))
                yield from frames

    def blob(self, digest: str) -> bytes:
        """Return the bytes under a digest.

        Raises:
            BlobMissing: the archive does not hold them.
        """
        for file in self._files:
            if digest in file.blobs:
                content = records.inflated(file.blobs[digest])
                if sha256(content).hexdigest() != digest:
                    raise BlobMissing(digest, f"in {file.path}, but not what its digest says")
                return content
        raise BlobMissing(digest, "not in the archive")

    def blobs(self) -> Iterator[tuple[str, bytes]]:
        """Yield every blob with its digest."""
        for file in self._files:
            for digest in file.blobs:
                yield digest, self.blob(digest)

    def close(self) -> None:
        """Forget the files' contents."""
        self._files = ()


def open_file(path: Path) -> ArchiveLog:
    """Verify a portable file and return its log.

    Raises:
        ArchiveDamaged: a byte is not what was written, or the file does not begin with the campaign's first frame.
    """
    file = records.verify(path)
    if file.header.first != 1:
        raise ArchiveDamaged(path, len(records.MAGIC), 0, f"it begins with frame {file.header.first}: export it whole")
    return ArchiveLog(file.manifest.campaign, (file,))


class TornLog(ArchiveLog):
    """What a portable file holds that ends too early: whoever has read all of its frames is told.

    Args:
        torn: what opening it raised; raised again where not even a header is whole, or its frames are not the first.
    """

    def __init__(self, torn: Torn) -> None:
        if torn.sound is None or torn.sound.header.first != 1:
            raise torn
        super().__init__(torn.sound.manifest.campaign, (torn.sound,))
        self._told = torn

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        """Yield the frames after a sequence that a filter means; raises `Torn` after the last."""
        yield from super().read(after, subject)
        raise self._told


def open_folder(folder: Path, campaign: str) -> ArchiveLog:
    """Verify a live folder, every segment and how they follow one another, and return its log.

    A last segment that ends too early is left out and named in `torn`.

    Raises:
        ArchiveDamaged: anything else is not what was written.
    """
    files: list[Archived] = []
    paths = sorted(folder.glob(f"*{SEGMENT}"))
    for path in paths:
        try:
            file = records.verify(path)
        except Torn:
            if path != paths[-1]:
                raise
            return ArchiveLog(campaign, tuple(files), torn=path)
        _check_order(file, files[-1] if files else None, campaign)
        files.append(file)
    return ArchiveLog(campaign, tuple(files))


def export(log: LogReader, path: Path, blobs: Iterable[tuple[str, bytes]] = ()) -> Manifest:
    """Write a whole campaign into one file that is not there yet.

    Raises:
        LogError: the file is there, or cannot be written.
        GapFound: the log misses a frame.
    """
    if path.exists():
        raise LogError(f"{path} exists already: name another file, or move it away")
    if not path.parent.is_dir():
        raise LogError(f"{path.parent} is not a folder")
    return records.write(path, Header(campaign=log.campaign, first=1), log.read(), blobs)[0]


def restore(archive: ArchiveLog, log: Restorable) -> int:
    """Write an archive's frames into an empty log of the same campaign; return how many.

    Raises:
        LogError: the log is of another campaign, not empty, or took a frame elsewhere.
    """
    if log.campaign != archive.campaign:
        raise LogError(f"an archive of {archive.campaign} cannot become campaign {log.campaign}: subjects name it")
    if last := log.last():
        raise LogError(f"campaign {log.campaign} has {last} frames already: import into a new one")
    log.restore(archive.read())
    if log.last() != archive.last():
        raise LogError(f"the log holds {log.last()} frames of {archive.last()}")
    return archive.last()


def check_same(archive: ArchiveLog, log: LogReader) -> None:
    """Let an archive and the log that it was written from pass.

    Raises:
        LogError: the log ends before the archive, or holds another frame where the archive ends.
    """
    last = archive.last()
    if log.last() < last:
        held = f"the server holds {log.last()} frames of campaign {archive.campaign}, its archive {last}"
        raise LogError(f"{held}: the store lost some; move it away and import the archive")
    if last and next(iter(log.read(last - 1))) != next(archive.read(last - 1)):
        raise LogError(f"frame {last} of campaign {archive.campaign} is another one in the archive than on the server")


def _frames(file: Archived, block: records.Block) -> Iterator[Recorded]:
    try:
        return records.frames(block)
    except ValueError as error:
        reason = f"a block holds something else than frames: {error}"
        raise ArchiveDamaged(file.path, 0, block.first - 1, reason) from error


def _check_order(file: Archived, before: Archived | None, campaign: str) -> None:
    first = before.manifest.last + 1 if before else 1
    previous = before.chain if before else ""
    start = len(records.MAGIC)
    if file.header.campaign != campaign:
        raise ArchiveDamaged(file.path, start, first - 1, f"it is of campaign {file.header.campaign}")
    if file.header.first != first:
        raise ArchiveDamaged(file.path, start, first - 1, f"it begins with frame {file.header.first}")
    if file.header.previous != previous:
        raise ArchiveDamaged(file.path, start, first - 1, "it was written after another segment than the one before it")
