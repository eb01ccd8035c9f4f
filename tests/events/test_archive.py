"""The archive: every byte verified, nothing lost between a log and its file, and a killed writer's last segment."""

from __future__ import annotations

import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from events.archives import archive, records
from events.archives.archivist import Archivist, Segments, catch_up
from events.archives.records import Header, Torn
from events.blobs import Blobs
from events.errors import ArchiveDamaged, BlobMissing, GapFound, LogError
from events.folder import Campaign
from events.log import LogReader, Recorded
from events.memory import MemoryLog
from events.wire.jetstream import JetStreamLog
from tests.events.saying import frame, recorded, until

NAME = "tale"
BLOBS = [(sha256(text).hexdigest(), text) for text in (b"a long answer", b"", bytes(range(256)) * 40)]


def _log(count: int, campaign: str = NAME) -> MemoryLog:
    log = MemoryLog(campaign)
    for n in range(1, count + 1):
        log.append(frame(campaign, n, pack=f"p-{n % 3}", reason="done" * (n % 5)))
    return log


@pytest.fixture
def folder(tmp_path: Path) -> Campaign:
    return Campaign(tmp_path / NAME)


@pytest.mark.parametrize("count", [0, 1, records.BLOCK, records.BLOCK + 1, 1300])
def test_an_archive_reads_as_the_log_that_it_was_written_from(tmp_path: Path, count: int) -> None:
    log = _log(count)
    manifest = archive.export(log, tmp_path / "tale.myriad", BLOBS)
    opened = archive.open_file(tmp_path / "tale.myriad")
    assert list(opened.read()) == list(log.read())
    assert (manifest.frames, manifest.first, manifest.last, manifest.blobs) == (count, 1, count, 3)
    assert (opened.last(), opened.campaign) == (count, NAME)
    assert list(opened.blobs()) == BLOBS


@pytest.mark.parametrize("after", [0, 1, 511, 512, 513, 700, 1300, 5000])
def test_an_archive_reads_after_a_sequence_and_by_subject_as_a_log_does(tmp_path: Path, after: int) -> None:
    log = _log(1300)
    archive.export(log, tmp_path / "tale.myriad")
    opened = archive.open_file(tmp_path / "tale.myriad")
    for subject in (">", "myriad.tale.>", "myriad.tale.pack.p-1.*", "myriad.tale.*.*.worker-a", "myriad.tale.cycle.>"):
        assert list(opened.read(after, subject)) == list(log.read(after, subject))


def test_frames_of_unknown_types_and_any_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    log = MemoryLog(NAME)
    log.restore([recorded(NAME, 1, b'[{"type":"FromTomorrow"}]'), recorded(NAME, 2, bytes(range(256)))])
    archive.export(log, tmp_path / "tale.myriad")
    assert list(archive.open_file(tmp_path / "tale.myriad").read()) == list(log.read())


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    archive.export(_log(7), path, BLOBS[:2])
    whole = path.read_bytes()
    for length in {*range(0, len(whole), 3), len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(Torn, match=str(path)) as torn:
            archive.open_file(path)
        assert torn.value.byte <= length
    path.write_bytes(whole)
    assert archive.open_file(path).last() == 7


def test_what_stands_before_a_cut_is_read_as_it_was_written_and_then_the_cut_is_told(tmp_path: Path) -> None:
    path, log = tmp_path / "tale.myriad", _log(records.BLOCK + 7)
    archive.export(log, path, BLOBS)
    whole, frames, ends = path.read_bytes(), list(log.read()), set[int]()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(Torn) as torn:
            archive.open_file(path)
        if torn.value.sound is None:
            with pytest.raises(Torn):
                archive.TornLog(torn.value)
            continue
        held, read = archive.TornLog(torn.value), list[Recorded]()
        with pytest.raises(Torn, match="it ends before its manifest"):
            read.extend(held.read())
        assert read == frames[: held.last()]
        ends.add(held.last())
    assert ends == {0, records.BLOCK, len(frames)}


def test_every_flipped_bit_is_found_and_placed(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    archive.export(_log(7), path, BLOBS[:2])
    whole = path.read_bytes()
    for byte in range(len(whole)):
        damaged = bytearray(whole)
        damaged[byte] ^= 1 << (byte % 8)
        path.write_bytes(damaged)
        with pytest.raises(ArchiveDamaged, match="is damaged at byte") as found:
            archive.open_file(path)
        assert found.value.byte <= byte
        assert found.value.after in (0, 7)


def test_damage_names_the_last_sound_frame_before_it(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    archive.export(_log(2000), path)
    second = records.verify(path).blocks[1]
    whole = bytearray(path.read_bytes())
    whole[whole.index(second.body.tobytes()) + 100] ^= 4
    path.write_bytes(whole)
    with pytest.raises(ArchiveDamaged, match="after frame 512"):
        archive.open_file(path)


def test_something_added_moved_or_cut_out_is_found(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    archive.export(_log(1100), path)
    whole = path.read_bytes()
    first, second, _ = (block.body.tobytes() for block in records.verify(path).blocks)
    start, middle = whole.index(first) - 53, whole.index(second) - 53
    end = middle + 53 + len(second)
    for damaged in (
        whole + b"x",
        whole[:start] + whole[middle:],
        whole[:start] + whole[middle:end] + whole[start:middle] + whole[end:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveDamaged):
            archive.open_file(path)


def test_what_is_no_archive_and_what_a_newer_myriad_wrote_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    path.write_bytes(b"PK\x03\x04 and so on, long enough to be something else")
    with pytest.raises(ArchiveDamaged, match="does not begin as an archive"):
        archive.open_file(path)
    path.write_bytes(b"myriad archive 2\n and what follows")
    with pytest.raises(ArchiveDamaged, match="update to read it"):
        archive.open_file(path)
    with pytest.raises(LogError, match="cannot be read"):
        archive.open_file(tmp_path / "missing.myriad")


def test_a_log_with_a_gap_is_not_archived(tmp_path: Path) -> None:
    frames = [recorded(NAME, n, b"[]") for n in (1, 2, 4)]
    with pytest.raises(GapFound):
        records.write(tmp_path / "tale.myriad", Header(campaign=NAME, first=1), frames)
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_writes_over_a_file_and_leaves_none_behind_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "tale.myriad").write_text("precious")
    with pytest.raises(LogError, match="exists already"):
        archive.export(_log(3), tmp_path / "tale.myriad")
    assert (tmp_path / "tale.myriad").read_text() == "precious"
    with pytest.raises(LogError, match="is not a folder"):
        archive.export(_log(3), tmp_path / "missing" / "tale.myriad")
    Blobs(tmp_path / "blobs").put(b"one")
    digest = next(Blobs(tmp_path / "blobs").digests())
    missing = ((name, Blobs(tmp_path / "none").get(name)) for name in [digest])
    with pytest.raises(BlobMissing):
        archive.export(_log(3), tmp_path / "other.myriad", missing)
    assert {path.name for path in tmp_path.iterdir()} == {"tale.myriad", "blobs"}


def test_a_blob_that_is_not_there_is_named(tmp_path: Path) -> None:
    archive.export(_log(1), tmp_path / "tale.myriad", BLOBS)
    opened = archive.open_file(tmp_path / "tale.myriad")
    assert opened.blob(BLOBS[2][0]) == BLOBS[2][1]
    with pytest.raises(BlobMissing, match="not in the archive"):
        opened.blob("0" * 64)


def test_a_blob_whose_writer_lied_about_its_digest_is_not_given_out(tmp_path: Path) -> None:
    archive.export(_log(1), tmp_path / "tale.myriad", [(BLOBS[0][0], b"something else")])
    with pytest.raises(BlobMissing, match="not what its digest says"):
        archive.open_file(tmp_path / "tale.myriad").blob(BLOBS[0][0])


@pytest.mark.parametrize("kind", ["memory", "server"])
def test_an_archive_becomes_the_same_log_again(tmp_path: Path, kind: str, jetstream_log: JetStreamLog) -> None:
    source = _log(900, jetstream_log.campaign)
    archive.export(source, tmp_path / "tale.myriad")
    into = MemoryLog(jetstream_log.campaign) if kind == "memory" else jetstream_log
    assert archive.restore(archive.open_file(tmp_path / "tale.myriad"), into) == 900
    assert list(into.read()) == list(source.read())
    with pytest.raises(LogError, match="has 900 frames already"):
        archive.restore(archive.open_file(tmp_path / "tale.myriad"), into)
    with pytest.raises(LogError, match="cannot become campaign"):
        archive.restore(archive.open_file(tmp_path / "tale.myriad"), MemoryLog("another"))


def test_an_archivist_writes_segments_as_it_goes_and_the_rest_when_it_stops(
    jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    folder = Campaign(tmp_path / jetstream_log.campaign)
    archivist = Archivist(jetstream_log, folder, every=20)
    archivist.start()
    for n in range(1, 51):
        jetstream_log.append(frame(folder.name, n))
    until(lambda: archivist.last == 40)
    assert archivist.stop() == 50
    opened = archive.open_folder(folder.archive, folder.name)
    assert list(opened.read()) == list(jetstream_log.read())
    assert [path.name[:-8].lstrip("0") for path in sorted(folder.archive.iterdir())] == ["1", "21", "41"]
    again = Archivist(jetstream_log, folder)
    again.start()
    jetstream_log.append(frame(folder.name, 51))
    assert again.stop() == 51
    assert list(archive.open_folder(folder.archive, folder.name).read()) == list(jetstream_log.read())


def test_an_archivist_that_cannot_go_on_says_so_once_and_when_it_is_stopped(
    jetstream_log: JetStreamLog, tmp_path: Path
) -> None:
    folder = Campaign(tmp_path / jetstream_log.campaign)
    failures: list[Exception] = []
    archivist = Archivist(jetstream_log, folder, every=1, failed=failures.append)
    archivist.start()
    folder.archive.rmdir()
    jetstream_log.append(frame(folder.name, 1))
    until(lambda: failures)
    with pytest.raises(LogError, match="cannot be written"):
        archivist.stop()
    assert len(failures) == 1


@pytest.mark.parametrize("left", [0, 5, 60, 200, -1])
def test_a_torn_last_segment_is_left_out_and_written_again(folder: Campaign, left: int) -> None:
    log = _log(50)
    catch_up(log, Segments(folder, log), every=20)
    last = max(folder.archive.iterdir())
    last.write_bytes(last.read_bytes()[:left])
    opened = archive.open_folder(folder.archive, NAME)
    assert (opened.torn, opened.last()) == (last, 40)
    assert list(opened.read()) == list(log.read())[:40]
    catch_up(log, Segments(folder, log), every=20)
    assert archive.open_folder(folder.archive, NAME).torn is None
    assert list(archive.open_folder(folder.archive, NAME).read()) == list(log.read())


def test_what_a_killed_writer_left_is_removed(folder: Campaign) -> None:
    log = _log(5)
    folder.archive.mkdir(parents=True)
    (folder.archive / ".00000000000000000001.segment.partial").write_bytes(b"half")
    catch_up(log, Segments(folder, log))
    assert [path.name for path in folder.archive.iterdir()] == ["00000000000000000001.segment"]


@pytest.mark.parametrize("harm", ["flip", "tear", "remove", "swap", "stranger"])
def test_harm_to_any_other_segment_is_found(folder: Campaign, harm: str, tmp_path: Path) -> None:
    log = _log(60)
    catch_up(log, Segments(folder, log), every=20)
    first, second, third = sorted(folder.archive.iterdir())
    if harm == "flip":
        content = bytearray(third.read_bytes())
        content[120] ^= 1
        third.write_bytes(content)
    elif harm == "tear":
        second.write_bytes(second.read_bytes()[:-1])
    elif harm == "remove":
        second.unlink()
    elif harm == "swap":
        other = Campaign(tmp_path / "other" / NAME)
        changed = MemoryLog(NAME)
        changed.restore([*list(log.read())[:19], recorded(NAME, 20, b"[]")])
        catch_up(changed, Segments(other, changed))
        first.write_bytes(max(other.archive.iterdir()).read_bytes())
    else:
        other = Campaign(tmp_path / "stranger")
        catch_up(_log(20, "stranger"), Segments(other, _log(20, "stranger")))
        first.write_bytes(max(other.archive.iterdir()).read_bytes())
    with pytest.raises(ArchiveDamaged):
        archive.open_folder(folder.archive, NAME)


def test_a_store_that_lost_what_its_archive_holds_is_not_archived_over(folder: Campaign) -> None:
    log = _log(50)
    catch_up(log, Segments(folder, log))
    with pytest.raises(LogError, match="holds 30 frames of campaign tale, its archive 50"):
        Segments(folder, _log(30))
    another = MemoryLog(NAME)
    another.restore([Recorded(r.sequence, r.subject, r.id, r.payload + b" ") for r in _log(60).read()])
    with pytest.raises(LogError, match=r"frame 50 .* is another one"):
        Segments(folder, another)
    assert list(archive.open_folder(folder.archive, NAME).read()) == list(log.read())


def test_a_segment_alone_is_not_a_campaign(folder: Campaign) -> None:
    log = _log(40)
    catch_up(log, Segments(folder, log), every=20)
    with pytest.raises(ArchiveDamaged, match="begins with frame 21"):
        archive.open_file(max(folder.archive.iterdir()))


def test_a_block_that_holds_something_else_is_an_error_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "tale.myriad"
    archive.export(_log(3), path)
    opened = archive.open_file(path)
    block = opened._files[0].blocks[0]
    broken = records.Archived(*opened._files[0][:3], (block._replace(body=memoryview(zlib.compress(b"no"))),), {}, "")
    with pytest.raises(ArchiveDamaged, match="something else than frames"):
        list(archive.ArchiveLog(NAME, (broken,)).read())


def test_an_archive_is_a_log_reader(tmp_path: Path) -> None:
    archive.export(_log(1), tmp_path / "tale.myriad")
    reader: LogReader = archive.open_file(tmp_path / "tale.myriad")
    reader.close()
    assert reader.last() == 0
