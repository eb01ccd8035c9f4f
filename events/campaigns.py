"""Which campaign a reference means, and its log to read: the only resolver.

A reference is a name under the home (`./campaigns`, `MYRIAD_HOME`, or the one given), the path of a campaign's folder
or of a portable file, or `nats://[user:password@]host[:port][/NAME]`.
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from events.archives.archive import SUFFIX, ArchiveLog, open_file, open_folder
from events.archives.settling import is_settled, settle
from events.blobs import Blobs
from events.envelope import Text
from events.errors import ArchiveDamaged, BlobMissing, CampaignUnknown, LogError, StoreLocked
from events.folder import Campaign
from events.joined import JoinedLog
from events.log import LogReader
from events.wire import credentials, server

VARIABLE = "MYRIAD_HOME"

PATIENCE = 20.0
"""Seconds in which a store that is being started, caught up or stopped by somebody else comes free."""


class Place(NamedTuple):
    """Where a campaign is: exactly one of a folder, a portable file and a server's address."""

    name: str
    folder: Campaign | None = None
    file: Path | None = None
    url: str | None = None


def home_of(given: Path | str | None = None) -> Path:
    """Return the folder of campaigns: the one given, else `MYRIAD_HOME`, else `./campaigns`."""
    return Path(given or os.environ.get(VARIABLE) or "campaigns")


def open(reference: str | Path, home: Path | str | None = None) -> LogReader:  # noqa: A001 # campaigns.open is the word
    """Return the log that a reference means, archive and live tail together.

    A campaign whose server does not run, and whose store is ahead of its archive, is caught up first: a server is
    started on the locked store, from the main thread, and stopped.

    Raises:
        CampaignUnknown: it means no campaign, or several; the error names them.
        ArchiveDamaged: an archive is not what was written.
        LogError: what stands between the log and its reader.
    """
    place = find(reference, home)
    if place.file is not None:
        return open_file(place.file)
    if place.folder is not None:
        return _open_folder(place.folder)
    return _connect(str(place.url), place.name)


def find(reference: str | Path, home: Path | str | None = None) -> Place:
    """Return where the campaign is that a reference means; raises `CampaignUnknown` as `open` does."""
    word = str(reference)
    if "://" in word:
        return _on_server(word)
    places = _paths(Path(word)) + (_under(home_of(home), word) if "/" not in word else [])
    different = {str(where.resolve()): place for where, place in places}
    if len(different) > 1:
        raise CampaignUnknown(f"{word} is in two places: {' and '.join(different)}; give the path of the one you mean")
    if not different:
        raise CampaignUnknown(_unknown(word, home_of(home)))
    return next(iter(different.values()))


def listing(home: Path | str | None = None) -> list[Place]:
    """Return every campaign under the home, by name; folders before files of the same name."""
    folder = home_of(home)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [place for entry in entries if not entry.name.startswith(".") for _, place in _paths(entry)]


def whole(log: LogReader, text: Text) -> str:
    """Return the whole of a fact's text, from wherever the log's campaign keeps its blobs.

    Raises:
        BlobMissing: they are not here, as for a log on a far server.
    """
    if text.digest is None:
        return text.head
    if isinstance(log, ArchiveLog):
        return log.blob(text.digest).decode()
    if isinstance(log, JoinedLog):
        return Blobs(log.folder.blobs).whole(text)
    raise BlobMissing(text.digest, "it lies with the campaign's folder, which is not here")


def blobs(log: LogReader) -> Iterator[tuple[str, bytes]]:
    """Yield every blob of a log's campaign with its digest; nothing for a log on a far server, which has none."""
    if isinstance(log, ArchiveLog):
        yield from log.blobs()
    elif isinstance(log, JoinedLog):
        kept = Blobs(log.folder.blobs)
        for digest in kept.digests():
            yield digest, kept.get(digest)


def _open_folder(folder: Campaign) -> LogReader:
    end = time.monotonic() + PATIENCE
    while True:
        if (address := server.address(folder)) is not None:
            return _live(folder, address.url)
        if is_settled(folder):
            return JoinedLog(folder, _whole_archive(folder), None)
        try:
            settle(folder)
        except StoreLocked:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _live(folder: Campaign, url: str) -> LogReader:
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second; an archive needs none of it

    log = jetstream.connect(folder.credentials / "reader.json", folder.name)
    try:
        return JoinedLog(folder, open_folder(folder.archive, folder.name), log)
    except LogError:
        log.close()
        raise


def _whole_archive(folder: Campaign) -> ArchiveLog:
    archive = open_folder(folder.archive, folder.name)
    if archive.torn is not None:
        raise ArchiveDamaged(
            archive.torn, 0, archive.last(), "it is torn, and there is no store to write it again from"
        )
    return archive


def _connect(url: str, name: str) -> LogReader:
    from events.wire import jetstream  # noqa: PLC0415 # see _live

    credential = credentials.parse(url)
    return jetstream.connect(credential, name or _only(credential.url, jetstream.campaigns(credential)))


def _only(url: str, names: list[str]) -> str:
    if len(names) != 1:
        raise CampaignUnknown(f"{url} holds {', '.join(names) or 'no campaign'}: end the address with /NAME")
    return names[0]


def _on_server(url: str) -> Place:
    address, _, name = url.partition("://")[2].partition("/")
    return Place(name, url=f"{url.partition('://')[0]}://{address}")


def _paths(path: Path) -> list[tuple[Path, Place]]:
    if path.is_file():
        return [(path, Place(path.name.removesuffix(SUFFIX), file=path))]
    if path.is_dir() and (folder := Campaign(path)).exists():
        return [(path, Place(folder.name, folder=folder))]
    return []


def _under(home: Path, name: str) -> list[tuple[Path, Place]]:
    return _paths(home / name) + _paths(home / f"{name}{SUFFIX}")


def _unknown(name: str, home: Path) -> str:
    names = [place.name for place in listing(home)]
    if not names:
        return f"no campaign {name}: there is none in {home}"
    near = difflib.get_close_matches(name, names, n=len(names), cutoff=0.0)
    return f"no campaign {name} in {home}; there are {', '.join(near)}"
