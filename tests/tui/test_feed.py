"""The follower: recorded and live logs, pulses, a server that goes away and comes back, and what is no log at all."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from events.archives import archive
from events.archives.archivist import Archivist
from events.archives.settling import is_settled, remember
from events.folder import Campaign
from events.log import Frame, LogReader, Recorded
from events.memory import MemoryLog
from events.wire import jetstream, server
from events.wire.jetstream import JetStreamLog
from tests.replay.tales import busy
from tests.tui.watching import recorded
from tui import feed as feeds
from tui.feed import Feed, Heard, Item, Several
from tui.links import Link, Source, State
from tui.pulses import Epoch


class Inbox:
    """What a feed brought, in order; waits for what must come."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        self._items.put(item)

    def until(self, *wanted: Callable[[Item], bool], within: float = 20.0) -> list[Item]:
        """Return everything up to where each wanted item has come, in whatever order."""
        came: list[Item] = []
        end = time.monotonic() + within
        while not all(any(map(want, came)) for want in wanted):
            came.append(self._items.get(timeout=max(0.01, end - time.monotonic())))
        return came


@contextmanager
def _feed(log: LogReader, again: Callable[[State], LogReader | None] | None = None) -> Iterator[Inbox]:
    inbox = Inbox()
    feed = Feed(log, inbox.put, again)
    feed.start()
    try:
        yield inbox
    finally:
        feed.stop()


def _link(state: str) -> Callable[[Item], bool]:
    return lambda item: isinstance(item, Link) and item.state == state


def _frame(sequence: int) -> Callable[[Item], bool]:
    return lambda item: any(recorded.sequence == sequence for recorded in _frames([item]))


def _frames(items: list[Item]) -> list[Recorded]:
    came = [item.frames if isinstance(item, Several) else (item,) for item in items]
    return [recorded for frames in came for recorded in frames if isinstance(recorded, Recorded)]


def _write(log: JetStreamLog, frames: list[Recorded]) -> None:
    for frame in frames:
        log.append(Frame(frame.subject, frame.id, frame.facts))


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LOOK", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Campaign:
    return Campaign(tmp_path / "tale")


def test_a_recorded_log_is_read_once_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    c = busy(10)
    with _feed(recorded(tmp_path, c)) as inbox:
        came = inbox.until(_frame(c.log.last()))
        assert came[0] == Link(state="recorded", last=c.log.last())
        assert _frames(came) == list(c.log.read())


def test_an_archive_that_was_read_gives_its_long_texts_until_the_screen_ends(tmp_path: Path) -> None:
    c = busy(3)
    text = b"a briefing " * 1000
    archive.export(c.log, tmp_path / "tale.myriad", [(sha256(text).hexdigest(), text)])
    log = archive.open_file(tmp_path / "tale.myriad")
    feed = Feed(log, lambda item: None)
    feed.start()
    feed._thread.join(20)
    assert log.blob(sha256(text).hexdigest()) == text
    feed.stop()
    assert log.last() == 0


def test_a_live_log_is_followed(tmp_path: Path) -> None:
    c = busy(3)
    with _feed(c.log) as inbox:
        assert inbox.until(_frame(c.log.last()))[0] == Link(state="live", last=c.log.last())
        c.closes()
        assert _frames(inbox.until(_frame(c.log.last()))) == list(c.log.read())[-1:]


def test_pulses_of_a_live_campaign_are_heard_and_beats_are_not(jetstream_log: JetStreamLog) -> None:
    epoch = Epoch(worker="worker-cpu0-a", experiment="e-1", epoch=1, epochs=5, loss=None, validation=0.5)
    with _feed(jetstream_log) as inbox:
        inbox.until(_link("live"))
        heard: list[Item] = []
        while not heard:
            jetstream_log.publish_pulse("worker-cpu0-a", b'{"type":"beat","worker":"worker-cpu0-a"}')
            jetstream_log.publish_pulse("worker-cpu0-a", msgspec.json.encode(epoch))
            try:
                heard = inbox.until(lambda item: isinstance(item, Heard), within=0.2)
            except queue.Empty:
                continue  # the subscription was not there yet: a pulse that nobody hears is gone
        assert heard == [Heard(epoch)]


def test_a_killed_server_is_said_and_its_campaign_goes_on_where_it_was_left(folder: Campaign) -> None:
    frames = list(busy(10).log.read())
    running = server.start(folder)
    with jetstream.create(running.credential("owner"), "tale") as log:
        _write(log, frames[:20])
    source = Source("tale", folder.path.parent)
    with _feed(source.log, source.again) as inbox:
        assert _frames(inbox.until(_frame(20))) == frames[:20]
        running.stop()
        lost = inbox.until(_link("lost"))[-1]
        assert isinstance(lost, Link)
        assert "broke" in lost.sentence
        with server.running(folder) as again, jetstream.connect(again.credential("owner"), "tale") as log:
            _write(log, frames[20:30])
            came = inbox.until(_frame(30))
            assert _link("live")(came[0])
            assert _frames(came) == frames[20:30]


def test_a_run_that_ends_well_turns_from_live_to_recorded_and_nothing_is_missed(folder: Campaign) -> None:
    frames = list(busy(10).log.read())
    running = server.start(folder)
    with jetstream.create(running.credential("owner"), "tale") as log:
        archivist = Archivist(log, folder)
        archivist.start()
        _write(log, frames[:20])
        source = Source("tale", folder.path.parent)
        with _feed(source.log, source.again) as inbox:
            inbox.until(_frame(20))
            _write(log, frames[20:40])
            archivist.stop()
            log.close()
            running.stop()
            remember(folder)
            assert is_settled(folder)
            assert _frames(inbox.until(_link("recorded"), _frame(40))) == frames[20:40]


def test_a_killed_run_is_not_taken_for_recorded_while_its_store_is_ahead(folder: Campaign) -> None:
    running = server.start(folder)
    with jetstream.create(running.credential("owner"), "tale") as log:
        _write(log, list(busy(2).log.read()))
    source = Source("tale", folder.path.parent)
    with closing(source.log):
        running.stop()
        assert source.again("lost") is None


def test_a_recorded_campaign_that_is_run_again_becomes_live(folder: Campaign) -> None:
    frames = list(busy(4).log.read())
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        _write(log, frames[:10])
    source = Source("tale", folder.path.parent)
    assert source.again("recorded") is None
    with _feed(source.log, source.again) as inbox:
        assert _link("recorded")(inbox.until(_frame(10))[0])
        with server.running(folder) as running, jetstream.connect(running.credential("owner"), "tale") as log:
            _write(log, frames[10:12])
            assert _frames(inbox.until(_frame(12))) == frames[10:12]


def test_a_campaign_on_a_far_server_is_looked_for_where_it_was(folder: Campaign) -> None:
    with server.running(folder) as running:
        with jetstream.create(running.credential("owner"), "tale") as log:
            _write(log, list(busy(2).log.read()))
        reader = running.credential("reader")
        source = Source(f"nats://{reader.user}:{reader.password}@{reader.url.removeprefix('nats://')}/tale")
        source.log.close()
        again = source.again("lost")
        assert again is not None
        with closing(again):
            assert again.last() == busy(2).log.last()
    assert source.again("lost") is None


def test_another_log_under_the_same_name_is_not_folded_onto_this_one() -> None:
    c, other = busy(3), MemoryLog("tale")
    gone = _Ending(c.log)
    with _feed(gone, lambda state: other) as inbox:
        broken = inbox.until(_link("broken"))[-1]
        assert isinstance(broken, Link)
        assert broken.sentence == f"tale ends at 0, but {c.log.last()} was seen: it is another log by that name"


class _Ending:
    """A recorded log: what can be read of another one, and nothing to follow."""

    def __init__(self, log: MemoryLog) -> None:
        self.campaign = log.campaign
        self.last = log.last
        self.read = log.read
        self.close = log.close
