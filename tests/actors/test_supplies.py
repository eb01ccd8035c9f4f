"""What a machine elsewhere fetches of a campaign: by digest, once, verified; a patch's diff as well as features."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.campaign import parse
from actors.errors import CampaignError
from actors.feed import Feed
from actors.hosts import sharing
from actors.hosts.sharing import Sharing
from actors.hosts.supplies import FarBlobs, Supplies
from actors.repair.copies import Copies
from actors.repair.workshop import DIFF, Workshop
from events import subjects
from events.blobs import WHOLE, Blobs
from events.errors import BlobMissing
from events.facts import FilesShared, SharedFile
from events.folder import Campaign as Folder
from events.log import Frame
from events.wire.jetstream import JetStreamLog
from events.wire.objects import Objects
from tests import tiny
from tests.actors.test_workshop import HARMLESS, adopting
from tests.chronicle import Chronicle
from tests.events.saying import until

LINE = "+# {}: words that make the diff too long for its fact, so that it travels.\n"
AT_LENGTH = HARMLESS.replace("@@ -1,1 +1,1 @@", "@@ -1,1 +1,91 @@") + "".join(map(LINE.format, range(90)))


@pytest.fixture
def log(jetstream_log: JetStreamLog) -> JetStreamLog:
    sharing.create(jetstream_log, 1)
    return jetstream_log


def put(log: JetStreamLog, content: bytes) -> SharedFile:
    return SharedFile(digest=Objects(log.connection, subjects.files(log.campaign)).put(content), size=len(content))


def nothing(progress: object) -> None:
    pass


def test_files_are_fetched_once_and_those_that_are_not_what_the_log_says_again(
    log: JetStreamLog, tmp_path: Path
) -> None:
    shared = FilesShared(
        instrument="i", files={"features/motion.npy": put(log, b"x" * 300_000), "clips/task.json": put(log, b"{}")}
    )
    supplies = Supplies(log, Folder(tmp_path / "far"))
    assert supplies.fetch(shared, nothing) == 2
    assert (tmp_path / "far" / "features" / "motion.npy").read_bytes() == b"x" * 300_000
    assert supplies.fetch(shared, nothing) == 0
    (tmp_path / "far" / "features" / "motion.npy").write_bytes(b"y" + b"x" * 299_999)
    assert supplies.fetch(shared, nothing) == 1
    assert (tmp_path / "far" / "features" / "motion.npy").read_bytes() == b"x" * 300_000


@pytest.mark.parametrize("name", ["../elsewhere", "/etc/passwd", ""])
def test_a_log_that_names_a_place_outside_the_folder_writes_nothing_there(
    log: JetStreamLog, tmp_path: Path, name: str
) -> None:
    shared = FilesShared(instrument="i", files={name: put(log, b"hostile")})
    with pytest.raises(CampaignError, match="which is no place in a campaign's folder"):
        Supplies(log, Folder(tmp_path / "far")).fetch(shared, nothing)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_adopted_patch_comes_by_its_digest_and_is_made_into_the_copy_that_was_tried(
    log: JetStreamLog, tale: Chronicle, tmp_path: Path
) -> None:
    """The log's facts hold the two ends of a long diff; the runner puts the whole into the object store unasked."""
    near = Blobs(tmp_path / "near")
    (patch,) = adopting(tale, near, AT_LENGTH)
    assert len(AT_LENGTH) > WHOLE
    for recorded in tale.log.read():
        subject = recorded.subject.replace(f".{tale.log.campaign}.", f".{log.campaign}.", 1)
        log.append(Frame(subject, recorded.id, recorded.facts))
    feed, far = Feed(log), FarBlobs(tmp_path / "far", log)
    feed.start()
    copies = Copies(Workshop(tmp_path / "patches"), far, feed)
    feed.wait_for(log.last())
    with pytest.raises(BlobMissing):
        copies.current()
    campaign, folder = parse(tiny.FILE, file="tiny.toml"), Folder(tmp_path / "home")
    with Sharing(campaign, folder, log, feed, near, open_=True):
        (digest,) = near.digests()
        until(lambda: _is_there(far, digest))
    place, _ = copies.current()
    assert place == tmp_path / "patches" / patch
    assert (place / DIFF).read_text() == AT_LENGTH
    assert (place / "kernels" / "pooling.py").read_text().count("# 89: words") == 1
    feed.stop()


def _is_there(blobs: Blobs, digest: str) -> bool:
    try:
        return bool(blobs.get(digest))
    except BlobMissing:
        return False


def test_a_diff_that_was_damaged_where_it_is_kept_is_not_used_and_is_fetched_again(
    log: JetStreamLog, tmp_path: Path
) -> None:
    far, digest = FarBlobs(tmp_path / "far", log), Blobs(tmp_path / "near").put(AT_LENGTH.encode())
    far.place(digest).parent.mkdir(parents=True)
    far.place(digest).write_text(AT_LENGTH.replace("words", "swords"))
    with pytest.raises(BlobMissing, match="its content was damaged"):
        far.get(digest)
    assert put(log, AT_LENGTH.encode()).digest == digest
    assert far.get(digest).decode() == AT_LENGTH
