"""A campaign's log to write to, whether somebody runs the campaign or nobody does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from events import campaigns
from events.archives.archivist import Segments, catch_up
from events.archives.settling import remember
from events.errors import LogError, StoreLocked
from events.folder import Campaign
from events.log import EventLog
from events.wire import credentials, server

PATIENCE = 20.0
"""Seconds in which a store that is being started, caught up or stopped by somebody else comes free."""


@contextlib.contextmanager
def writable(reference: str | Path, home: Path | str | None = None) -> Iterator[EventLog]:
    """Open the log that a reference means (see `events.campaigns`) for the length of a block, to read and to write.

    A campaign whose server runs is written through that one. Where none does, one is started on the locked store, from
    the main thread, and the archive is caught up before it stops.

    Raises:
        CampaignUnknown: it means no campaign, or several.
        LogError: it is a portable file, which nobody may change; or what stands between the log and its writer.
    """
    place = campaigns.find(reference, home)
    if place.file is not None:
        raise LogError(f"{place.file} is a portable file, which nobody changes: myriad import it, and name the import")
    if place.url is not None:
        with _on_server(place.url, place.name) as log:
            yield log
    elif place.folder is not None:
        with _in_folder(place.folder) as log:
            yield log


@contextlib.contextmanager
def _on_server(url: str, name: str) -> Iterator[EventLog]:
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second; a refusal needs none of it

    credential = credentials.parse(url)
    names = [name] if name else jetstream.campaigns(credential)
    if len(names) != 1:
        raise LogError(f"{credential.url} holds {', '.join(names) or 'no campaign'}: end the address with /NAME")
    with jetstream.connect(credential, names[0]) as log:
        yield log


@contextlib.contextmanager
def _in_folder(folder: Campaign) -> Iterator[EventLog]:
    from events.wire import jetstream  # noqa: PLC0415 # see _on_server

    if not any(folder.store.glob("jetstream/**/*.blk")) and server.address(folder) is None:
        raise LogError(f"{folder.path} has no store to write to: start the campaign with myriad run, or import it")
    with contextlib.ExitStack() as stack:
        if (running := _started(folder, stack)) is None:
            yield stack.enter_context(jetstream.connect(folder.credentials / "person.json", folder.name))
            return
        yield stack.enter_context(jetstream.connect(running.credential("person"), folder.name))
        with jetstream.connect(running.credential("reader"), folder.name) as log:
            catch_up(log, Segments(folder, log))
    remember(folder)


def _started(folder: Campaign, stack: contextlib.ExitStack) -> server.Running | None:
    """Return the server that was started for us, or None where one runs already."""
    end = time.monotonic() + PATIENCE
    while server.address(folder) is None:
        try:
            return stack.enter_context(server.running(folder, announce=False))
        except StoreLocked:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    return None
