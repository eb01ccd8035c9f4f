"""What a running campaign does for machines elsewhere that lend it devices: it puts what they need into the object
store, fetches what they made, and calls them.

A call says whether the runner is here, or that a person asked it to stop; nothing of it is recorded, as nothing is of a
person's Ctrl-C.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from actors.campaign import Campaign
from actors.errors import CampaignError
from actors.feed import Feed
from actors.orders import Progress
from actors.running.opening import task_folder
from events import subjects
from events.blobs import Blobs
from events.envelope import Text
from events.errors import BlobMissing, LogError, ObjectDamaged, ObjectMissing
from events.facts import CampaignOpened, CampaignReopened, Completed, Failed, FilesShared, RemedyProposed, SharedFile
from events.folder import Campaign as Folder
from events.log import Recorded
from events.wire.jetstream import JetStreamLog
from events.wire.objects import Objects
from kernels import features

WORK = "work"
"""The folder of a task's own files, under the paths that the campaign file calls them by."""

Calling = Literal["here", "stopping", "leaving"]


class Call(msgspec.Struct, frozen=True):
    """What the runner calls out, again and again while it runs."""

    calling: Calling


def create(log: JetStreamLog, replicas: int) -> None:
    """Make a campaign's buckets where they are not there yet; raises `LogError`."""
    for bucket in (subjects.files(log.campaign), subjects.returns(log.campaign)):
        Objects(log.connection, bucket).create(replicas)


def weights(folder: Folder, digest: str) -> Path:
    """Return where a run's weights lie."""
    return folder.checkpoints / f"{digest}.safetensors"


class Sharing:
    """The runner's side of a campaign with machines elsewhere; used as a context while the campaign runs.

    Args:
        open_: whether they can come; where not, nothing is put, carried or called.
    """

    def __init__(
        self, campaign: Campaign, folder: Folder, log: JetStreamLog, feed: Feed, blobs: Blobs, *, open_: bool
    ) -> None:
        self._open = open_
        self._campaign = campaign
        self._folder = folder
        self._log = log
        self._feed = feed
        self._blobs = blobs
        self._files = Objects(log.connection, subjects.files(log.campaign))
        self._returns = Objects(log.connection, subjects.returns(log.campaign))
        self._through = 0
        self._woken = threading.Event()
        self._stopped = False
        self._journal = structlog.get_logger().bind(role="sharing", campaign=log.campaign)
        self._thread = threading.Thread(target=self._carry, name="sharing", daemon=True)

    def __enter__(self) -> Sharing:
        if self._open:
            self._feed.listen(self._woken.set)
            self._woken.set()
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped = True
        self._woken.set()
        if self._open:
            self._feed.unlisten(self._woken.set)
            self._thread.join()

    def share(self, instrument: str, progress: Callable[[Progress], None]) -> FilesShared | None:
        """Put all that training needs into the object store, and return the fact that says so, unless the log has it.

        A campaign that was open once, and is not now, says under which instrument it trains all the same.

        Raises:
            CampaignError: a file of the task lies where no other machine could have it, or cannot be read.
            LogError: the server refused one.
        """
        facts = (fact for recorded in self._feed.since(0) for fact in recorded.facts)
        before = next(iter(deque((fact for fact in facts if isinstance(fact, FilesShared)), maxlen=1)), None)
        files = self._put(progress) if self._open else before.files if before is not None else {}
        if (before is None and not self._open) or (before and (before.instrument, before.files) == (instrument, files)):
            return None
        return FilesShared(instrument=instrument, files=files)

    def call(self, calling: Calling) -> None:
        """Call out once; raises nothing: a lost log is told by others."""
        if self._open:
            with contextlib.suppress(LogError):
                self._log.publish_call(msgspec.json.encode(Call(calling)))

    def _put(self, progress: Callable[[Progress], None]) -> dict[str, SharedFile]:
        wanted = dict(self._wanted())
        shared = {}
        for number, (name, path) in enumerate(wanted.items(), start=1):
            try:
                shared[name] = SharedFile(digest=self._files.put(path), size=path.stat().st_size)
            except OSError as error:
                raise CampaignError(f"{path} cannot be shared: {error.strerror}") from None
            progress(Progress("files shared", number, len(wanted)))
        return shared

    def _wanted(self) -> Iterator[tuple[str, Path]]:
        """Yield every file that a bench reads, by the path that it has in a campaign's folder."""
        task = self._campaign.task
        if task.kind == "command":
            for name in (*task.inputs, *filter(None, [task.space])):
                if Path(name).is_absolute() or name.startswith("~") or ".." in Path(name).parts:
                    raise CampaignError(
                        f"{name} lies outside the folder in which myriad was started, where no other machine could "
                        "have it: name task.inputs and task.space by paths below that folder"
                    )
                yield f"{WORK}/{name}", Path(name)
            return
        paths = [task_folder(self._folder) / name for name in ("task.json", "split.json")]
        for backbone in self._campaign.backbones:
            paths += features.files(self._folder.features, backbone)
        yield from ((path.relative_to(self._folder.path).as_posix(), path) for path in paths)

    def _carry(self) -> None:
        while not self._stopped:
            self._woken.wait()
            self._woken.clear()
            try:
                for recorded in self._feed.since(self._through):
                    self._through = recorded.sequence
                    self._look(recorded)
            except LogError:
                return

    def _look(self, recorded: Recorded) -> None:
        for fact in recorded.facts:
            match fact:
                case Completed(checkpoint=str(digest)):
                    self._fetch(digest, weights(self._folder, digest))
                case Failed(trace=Text(digest=str(digest))):
                    self._fetch(digest, self._blobs.place(digest))
                case (
                    CampaignOpened(file=Text(digest=str(digest)))
                    | CampaignReopened(file=Text(digest=str(digest)))
                    | RemedyProposed(diff=Text(digest=str(digest)))
                ):
                    with contextlib.suppress(BlobMissing):
                        self._files.put(self._blobs.get(digest))

    def _fetch(self, digest: str, to: Path) -> None:
        if to.exists():
            return
        try:
            self._returns.get(digest, to)
            self._journal.info("fetched", digest=digest)
        except (ObjectMissing, ObjectDamaged, OSError) as error:
            self._journal.warning("not fetched", digest=digest, reason=str(error))
