"""The stream as a product: CloudEvents, from a time, of one thing, and a reader that goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from events import doors, facts
from events.archives import archive
from events.consumers import cloudevents, tailing
from events.consumers.bookmarks import Bookmark
from events.envelope import Fact, Position
from events.errors import LogError
from events.folder import Campaign
from events.log import Recorded
from events.memory import MemoryLog
from events.wire import jetstream, server
from tests.chronicle import Chronicle
from tests.events.saying import frame, recorded, said
from tests.events.test_vocabulary import FACTS

ROOT = Path(__file__).parents[2]
START = 1_750_000_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    told = Chronicle()
    told.opened()
    for value in (0.4, 0.6):
        told.runs(told.queues(told.proposes("tpe", dropout=value / 2)), validation=value)
    archive.export(told.log, tmp_path / "tale.myriad")
    return tmp_path


def _out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def _facts(out: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in out.splitlines()]
    return [(line["position"], line["type"]) for line in lines]


def test_the_sdk_of_cloudevents_reads_every_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.tail("tale", home=home)
    lines = [json.loads(line) for line in _out(capsys).splitlines()]
    doors.tail("tale", home=home, cloudevents=True)
    events = [JSONFormat().read(CloudEvent, line) for line in _out(capsys).splitlines()]
    assert len(lines) == len(events) > 10
    for line, event in zip(lines, events, strict=True):
        assert event.get_data() == {key: line[key] for key in line if key not in ("position", "subject", "id")}
        assert (event.get_id(), event.get_source()) == (line["position"], "/myriad/tale")
        assert (event.get_type(), event.get_subject()) == (f"myriad.{line['type']}", line["subject"])
        assert event.get_time() == EPOCH + timedelta(microseconds=line["at"])
        assert event.get_extension("frame") == line["id"]


@given(FACTS, st.integers(min_value=1, max_value=2**52))
def test_any_fact_is_a_cloud_event_even_where_its_clock_is_mad(fact: Fact, sequence: int) -> None:
    log = said("tale", 1, fact)
    subject, payload = log.subject, json.dumps([json.loads(msgspec.json.encode(fact))]).encode()
    (one,) = tailing.said([Recorded(sequence, subject, log.id, payload)], Position(0))
    event = JSONFormat().read(CloudEvent, cloudevents.line(one))
    assert event.get_data() == json.loads(payload)[0]
    assert event.get_id() == f"{sequence}.0"


def test_the_extension_sequence_orders_events_as_text() -> None:
    log = MemoryLog("tale")
    for n in range(1, 12):
        pair = (facts.WorkerRetired(worker="a", reason="x"), facts.WorkerRetired(worker="a", reason="y"))
        log.append(said("tale", n, *pair))
    told = [json.loads(cloudevents.line(one)) for one in tailing.said(log.read(), Position(0))]
    assert [one["sequence"] for one in told] == sorted(one["sequence"] for one in told)
    assert len({one["sequence"] for one in told}) == 22


def test_a_fact_of_a_newer_myriad_is_an_event_too() -> None:
    (one,) = tailing.said([recorded("tale", 3, b'[{"type":"FromTomorrow","new":[1,2]}]')], Position(0))
    event = json.loads(cloudevents.line(one))
    assert (event["type"], event["data"]) == ("myriad.FromTomorrow", {"type": "FromTomorrow", "new": [1, 2]})
    assert "time" not in event


def test_since_begins_at_the_first_fact_of_that_time_and_goes_on_in_order_whatever_later_clocks_say() -> None:
    log = MemoryLog("tale")
    for n, at in enumerate((10, 20, 30, 15, 40), start=1):
        log.append(said("tale", n, facts.WorkerRetired(worker="a", reason="x", at=START + at)))
    told = tailing.said(log.read(), Position(0), tailing.Wanted(since=START + 25))
    assert [one.position.sequence for one in told] == [3, 4, 5]


@pytest.mark.parametrize("text", ["2025-06-15T15:06:40", "2025-06-15T15:06:40Z", "2025-06-15T17:06:40+02:00"])
def test_a_time_is_of_utc_where_it_says_no_zone(text: str) -> None:
    assert tailing.moment(text) == START


def test_since_takes_a_time_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.tail("tale", home=home)
    lines = _out(capsys).splitlines()
    at = json.loads(lines[5])["at"]
    wanted = [line for line in lines if json.loads(line)["at"] >= at]
    doors.tail("tale", home=home, since=(EPOCH + timedelta(microseconds=at)).isoformat())
    assert _out(capsys).splitlines() == wanted
    with pytest.raises(LogError, match="--since yesterday: a time is ISO 8601"):
        doors.tail("tale", home=home, since="yesterday")


def test_an_entity_is_followed_through_its_life(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doors.tail("tale", home=home, entity="e-2")
    assert [kind for _, kind in _facts(_out(capsys))] == ["Queued.2", "Assigned", "Started", "Completed"]
    doors.tail("tale", home=home, entity="c-1")
    assert {"CycleStarted", "AnswerReceived", "IdeaProposed", "Queued.2"} == {k for _, k in _facts(_out(capsys))}
    doors.tail("tale", home=home, entity="e-99")
    assert _out(capsys) == ""


def test_an_entity_is_found_in_a_list_of_parents() -> None:
    log = [recorded("tale", 1, b'[{"type":"IdeaProposed","idea":"i-2","parents":["i-1"]},{"type":"IdeaProposed"}]')]
    assert len(list(tailing.said(log, Position(0), tailing.Wanted(entity="i-1")))) == 1


def test_a_durable_reader_goes_on_where_it_stopped_and_gets_the_same_bytes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doors.tail("tale", home=home)
    whole = _out(capsys)
    first = whole.splitlines()[3]
    mark = Bookmark(home, "tale", "board")
    mark.move(tailing.position(json.loads(first)["position"]))
    mark.close()
    doors.tail("tale", home=home, durable="board")
    assert whole.splitlines()[:4] + _out(capsys).splitlines() == whole.splitlines()
    doors.tail("tale", home=home, durable="board")
    assert _out(capsys) == ""
    doors.tail("tale", home=home, durable="another")
    assert _out(capsys) == whole


def test_a_durable_reader_that_is_cut_off_goes_on_in_the_middle_of_a_running_campaign(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    script = f"""from events import doors
doors.tail('tale', follow=True, durable='board', cloudevents=True, home={str(tmp_path)!r})"""

    def lines(until: str) -> list[bytes]:
        tail = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
        assert tail.stdout is not None
        read = [tail.stdout.readline()]
        while json.loads(read[-1])["id"] != until:
            read.append(tail.stdout.readline())
        tail.send_signal(2)
        read += tail.stdout.readlines()
        assert tail.wait(60) == 0
        tail.stdout.close()
        return read

    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        log.append(frame("tale", 1))
        log.append(frame("tale", 2))
        read = lines("2.0")
        log.append(frame("tale", 3))
        again = lines("3.0")
        whole = [cloudevents.line(one).encode() + b"\n" for one in tailing.said(log.read(), Position(0))]
    assert len(again) <= 2  # a reader that is interrupted right after a line may see that line again
    assert list(dict.fromkeys(read + again)) == whole


def test_one_process_reads_under_a_name_and_the_next_one_is_told(home: Path) -> None:
    mark = Bookmark(home, "tale", "board")
    with pytest.raises(LogError, match="another process reads under this name"):
        doors.tail("tale", home=home, durable="board")
    mark.close()
    Bookmark(home, "tale", "board").close()


def test_a_bookmark_that_holds_no_position_is_named(home: Path) -> None:
    mark = Bookmark(home, "tale", "board")
    mark.close()
    mark.path.write_text("seven")
    with pytest.raises(LogError, match="board holds no position but 'seven'"):
        doors.tail("tale", home=home, durable="board")
    with pytest.raises(LogError, match="--durable"):
        doors.tail("tale", home=home, durable="../board")


def test_a_bookmark_is_as_good_after_a_shorter_position_as_after_a_longer_one(tmp_path: Path) -> None:
    for position in (Position(123456789, 4095), Position(7, 0), Position(2**52, 12)):
        mark = Bookmark(tmp_path, "tale", "board")
        mark.move(position)
        mark.close()
        again = Bookmark(tmp_path, "tale", "board")
        assert again.position == position
        again.close()
