"""The resolver: every way to mean a campaign, archive and live tail together, and a store that is ahead."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import threading
from pathlib import Path

import msgspec
import pytest

from events import campaigns
from events.archives import archive, importing, settling
from events.archives.archivist import Archivist
from events.archives.settling import is_settled
from events.blobs import Blobs
from events.errors import ArchiveDamaged, BlobMissing, CampaignUnknown, LogError, LogLost, StoreLocked
from events.facts import CampaignOpened
from events.folder import Campaign
from events.joined import JoinedLog
from events.log import Frame, Recorded
from events.memory import MemoryLog
from events.spaces import PAPER
from events.wire import jetstream, server
from events.wire.address import Address
from tests.events.saying import frame, until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "campaigns"


def _run(home: Path, name: str, first: int, last: int, *, archived: bool) -> list[Recorded]:
    folder = Campaign(home / name)
    with server.running(folder) as running, jetstream.create(running.credential("owner"), name) as log:
        archivist = Archivist(log, folder, every=10) if archived else None
        if archivist is not None:
            archivist.start()
        for n in range(first, last + 1):
            log.append(frame(name, n))
        if archivist is not None:
            archivist.stop()
        return list(log.read())


def _file(path: Path, name: str = "tale", count: int = 5) -> list[Recorded]:
    log = MemoryLog(name)
    for n in range(1, count + 1):
        log.append(frame(name, n))
    path.parent.mkdir(parents=True, exist_ok=True)
    archive.export(log, path)
    return list(log.read())


def test_a_name_means_a_campaign_under_the_home(home: Path) -> None:
    frames = _run(home, "tale", 1, 12, archived=True)
    log = campaigns.open("tale", home)
    assert (log.campaign, log.last()) == ("tale", 12)
    assert list(log.read()) == frames
    log.close()


def test_a_name_means_a_file_under_the_home_too(home: Path) -> None:
    frames = _file(home / "tale.myriad")
    for reference in ("tale", "tale.myriad", str(home / "tale.myriad"), home / "tale.myriad"):
        assert list(campaigns.open(reference, home).read()) == frames


def test_a_path_means_a_folder_wherever_it_is(home: Path, tmp_path: Path) -> None:
    frames = _run(home, "tale", 1, 3, archived=True)
    assert list(campaigns.open(home / "tale", tmp_path / "elsewhere").read()) == frames
    assert list(campaigns.open(f"{home}/tale/").read()) == frames


def test_the_home_is_the_one_given_or_the_variables_or_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(home / "tale.myriad")
    monkeypatch.delenv(campaigns.VARIABLE, raising=False)
    monkeypatch.chdir(home.parent)
    assert campaigns.open("tale").last() == 5
    monkeypatch.chdir("/")
    with pytest.raises(CampaignUnknown):
        campaigns.open("tale")
    monkeypatch.setenv(campaigns.VARIABLE, str(home))
    assert campaigns.open("tale").last() == 5
    with pytest.raises(CampaignUnknown):
        campaigns.open("tale", home / "other")


def test_a_name_in_two_places_is_an_error_that_names_both(home: Path) -> None:
    _file(home / "tale.myriad")
    _run(home, "tale", 1, 2, archived=True)
    with pytest.raises(CampaignUnknown, match="two places") as twice:
        campaigns.open("tale", home)
    assert str(home / "tale.myriad") in str(twice.value)
    assert f"{home / 'tale'}" in str(twice.value).replace("tale.myriad", "")
    assert campaigns.open("tale.myriad", home).last() == 5


def test_a_file_here_and_a_campaign_of_the_home_are_two_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(home / "tale.myriad")
    _file(home.parent / "tale")
    monkeypatch.chdir(home.parent)
    with pytest.raises(CampaignUnknown, match="two places"):
        campaigns.open("tale", home)
    monkeypatch.chdir(home)
    assert campaigns.open("tale.myriad", home).last() == 5


def test_an_unknown_name_is_told_the_names_there_are_nearest_first(home: Path) -> None:
    for name in ("alpha", "tail", "omega"):
        _file(home / f"{name}.myriad", name)
    with pytest.raises(CampaignUnknown, match=r"no campaign tale in .*; there are tail, alpha, omega"):
        campaigns.open("tale", home)
    with pytest.raises(CampaignUnknown, match="there is none"):
        campaigns.open("tale", home / "empty")


def test_a_store_ahead_of_its_archive_is_caught_up_and_then_left_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(home, "tale", 1, 12, archived=True)
    frames = _run(home, "tale", 13, 40, archived=False)
    folder = Campaign(home / "tale")
    assert archive.open_folder(folder.archive, "tale").last() == 12
    assert not is_settled(folder)
    assert list(campaigns.open("tale", home).read()) == frames
    assert archive.open_folder(folder.archive, "tale").last() == 40
    assert is_settled(folder)
    assert server.holder(folder) is None
    monkeypatch.setenv("NATS_SERVER", "/nowhere")
    assert list(campaigns.open("tale", home).read()) == frames


def test_a_campaign_whose_server_was_killed_is_read_whole(home: Path) -> None:
    folder = Campaign(home / "tale")
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        for n in range(1, 31):
            log.append(frame("tale", n))
        os.kill(running.pid, signal.SIGKILL)
        until(lambda: not running.alive)
        folder.server.write_bytes(folder.server.read_bytes())
    assert [r.sequence for r in campaigns.open("tale", home).read()] == list(range(1, 31))


def test_a_killed_server_that_is_not_gone_yet_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = _run(home, "tale", 1, 12, archived=False)
    folder = Campaign(home / "tale")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"nats://127.0.0.1:{nobody.getsockname()[1]}"
    folder.server.write_bytes(msgspec.json.encode(Address(url=url, pid=os.getpid(), run=os.getpid())))
    lock = os.open(folder.store / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    waited = []

    def settle(it: Campaign) -> None:
        try:
            settling.settle(it)
        except StoreLocked:
            waited.append(server.address(it))
            os.close(lock)
            raise

    monkeypatch.setattr(campaigns, "settle", settle)
    assert list(campaigns.open("tale", home).read()) == frames
    assert waited == [None]


def test_a_running_campaign_is_read_from_its_archive_and_then_from_its_server(home: Path) -> None:
    _run(home, "tale", 1, 25, archived=True)
    folder = Campaign(home / "tale")
    with server.running(folder) as running, jetstream.connect(running.credential("owner"), "tale") as log:
        for n in range(26, 31):
            log.append(frame("tale", n))
        reader = campaigns.open("tale", home)
        assert isinstance(reader, JoinedLog)
        assert (reader.archive.last(), reader.last()) == (25, 30)
        assert list(reader.read()) == list(log.read())
        for after in (0, 24, 25, 26, 30):
            assert list(reader.read(after)) == list(log.read(after))
        follower = reader.follow(20)
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.extend(r.sequence for r in follower))
        thread.start()
        log.append(frame("tale", 31))
        until(lambda: seen and seen[-1] == 31)
        follower.stop()
        thread.join()
        assert seen == list(range(21, 32))
        reader.close()


def test_a_reader_of_a_running_campaign_cannot_write(home: Path) -> None:
    folder = Campaign(home / "tale")
    with server.running(folder) as running:
        jetstream.create(running.credential("owner"), "tale").close()
        reader = campaigns.open("tale", home)
        assert isinstance(reader, JoinedLog)
        assert reader.live is not None
        with pytest.raises(LogError, match="does not allow reader"):
            reader.live.append(frame("tale", 1))
        reader.close()


def test_an_address_means_the_campaign_that_it_ends_with(home: Path) -> None:
    with server.running(Campaign(home / "tale")) as running:
        owner = running.credential("owner")
        with jetstream.create(owner, "tale") as log:
            log.append(frame("tale", 1))
        address = f"nats://owner:{owner.password}@{running.url.removeprefix('nats://')}"
        for reference in (f"{address}/tale", address):
            far = campaigns.open(reference)
            assert (far.campaign, far.last()) == ("tale", 1)
            far.close()
        jetstream.create(owner, "other").close()
        with pytest.raises(CampaignUnknown, match="other, tale") as several:
            campaigns.open(address)
        assert str(owner.password) not in str(several.value)
    with pytest.raises(LogLost):
        campaigns.open(f"{address}/tale")


def test_a_torn_segment_is_written_again_from_the_store(home: Path) -> None:
    frames = _run(home, "tale", 1, 25, archived=True)
    folder = Campaign(home / "tale")
    campaigns.open("tale", home)
    last = max(folder.archive.iterdir())
    last.write_bytes(last.read_bytes()[:100])
    assert list(campaigns.open("tale", home).read()) == frames
    assert archive.open_folder(folder.archive, "tale").last() == 25


def test_a_torn_segment_without_a_store_is_damage(home: Path) -> None:
    log = MemoryLog("tale")
    for n in range(1, 4):
        log.append(frame("tale", n))
    folder = Campaign(home / "tale")
    folder.archive.mkdir(parents=True)
    archive.export(log, folder.archive / "00000000000000000001.segment")
    assert campaigns.open("tale", home).last() == 3
    segment = next(folder.archive.iterdir())
    segment.write_bytes(segment.read_bytes()[:-1])
    with pytest.raises(ArchiveDamaged, match="torn"):
        campaigns.open("tale", home)


def test_a_damaged_store_is_found_against_its_archive(home: Path) -> None:
    _run(home, "tale", 1, 25, archived=True)
    folder = Campaign(home / "tale")
    block = next(folder.store.glob("jetstream/**/*.blk"))
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)
    for index in folder.store.glob("jetstream/**/index.db"):
        index.unlink()
    with pytest.raises(LogError, match=r"archive 25|skips from"):
        campaigns.open("tale", home)
    assert archive.open_folder(folder.archive, "tale").last() == 25


def test_an_imported_campaign_is_the_exported_one(home: Path, tmp_path: Path) -> None:
    text = "seed = 3\n" * 1000
    folder = Campaign(home / "tale")
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        file = Blobs(folder.blobs).keep(text)
        opened = CampaignOpened(campaign="tale", file=file, space=PAPER, seed=3)
        log.append(Frame("myriad.tale.campaign.tale.person-x", "person-x:1", (opened,)))
        for answer in [log.submit(frame("tale", n)) for n in range(1, 700)]:
            answer.result(20)
    source = campaigns.open("tale", home)
    archive.export(source, tmp_path / "tale.myriad", campaigns.blobs(source))
    made = importing.import_campaign(tmp_path / "tale.myriad", tmp_path / "other")
    assert made.path == tmp_path / "other" / "tale"
    copy = campaigns.open("tale", tmp_path / "other")
    assert list(copy.read()) == list(source.read())
    assert made.file.read_text() == text
    for reader in (source, copy, campaigns.open(tmp_path / "tale.myriad")):
        (fact,) = next(iter(reader.read())).facts
        assert isinstance(fact, CampaignOpened)
        assert campaigns.whole(reader, fact.file) == text
    with server.running(made) as running, jetstream.connect(running.credential("owner"), "tale") as log:
        assert list(log.read()) == list(source.read())
        assert log.append(frame("tale", 699)).duplicate
        assert log.append(frame("tale", 700)).sequence == log.last()


def test_an_import_changes_nothing_that_is_there_and_leaves_nothing_half_done(home: Path, tmp_path: Path) -> None:
    _file(tmp_path / "tale.myriad")
    frames = _run(home, "tale", 1, 3, archived=True)
    with pytest.raises(LogError, match="is there already"):
        importing.import_campaign(tmp_path / "tale.myriad", home)
    assert list(campaigns.open("tale", home).read()) == frames
    content = bytearray((tmp_path / "tale.myriad").read_bytes())
    content[200] ^= 1
    (tmp_path / "tale.myriad").write_bytes(content)
    with pytest.raises(ArchiveDamaged):
        importing.import_campaign(tmp_path / "tale.myriad", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_long_text_of_a_far_campaign_is_said_to_be_elsewhere(home: Path) -> None:
    kept = Blobs(home / "blobs").keep("x" * 9000)
    with pytest.raises(BlobMissing, match="not here"):
        campaigns.whole(MemoryLog("far"), kept)


def test_an_empty_campaign_has_an_empty_log(home: Path) -> None:
    folder = Campaign(home / "tale")
    folder.path.mkdir(parents=True)
    folder.file.write_text("")
    log = campaigns.open("tale", home)
    assert list(log.read()) == []
    assert [place.name for place in campaigns.listing(home)] == ["tale"]
