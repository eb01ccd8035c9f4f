"""Closed doors: every forbidden thing is tried with every credential, against a real server; and nothing happens."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from actors.orders import Beat
from events import subjects
from events.authors import WRITES, role_of
from events.envelope import Fact
from events.errors import AuthorForbidden, Conflict, LogError, NotAllowed
from events.folder import Campaign
from events.log import Frame
from events.wire import jetstream, server
from events.wire.connection import Connection
from events.wire.credentials import OBSERVERS, api_of
from events.wire.jetstream import JetStreamLog
from events.wire.server import Running
from replay.audit import audit
from tests.events.saying import frame, lease, own, revoked, said, until
from tests.events.test_vocabulary import FACTS

STREAM = "myriad-tale"
AUTHORS = ("agent-tpe", "scheduler", "worker-a", "worker-b", "fixer", "analyst", "supervisor")
INSIDE = (*AUTHORS, "person")
EVERYBODY = (*INSIDE, "reader")

CHANGES: dict[str, dict[str, Any] | None] = {
    "STREAM.PURGE": None,
    "STREAM.DELETE": None,
    "STREAM.MSG.DELETE": {"seq": 1},
    "STREAM.UPDATE": {"name": STREAM, "subjects": ["myriad.tale.>"], "max_age": 1_000_000_000},
    "STREAM.CREATE": {"name": STREAM, "subjects": ["myriad.tale.>"], "max_msgs": 1},
    "STREAM.SNAPSHOT": {"deliver_subject": "_INBOX.x"},
    "STREAM.RESTORE": {"config": {"name": STREAM}, "state": {}},
    "STREAM.PEER.REMOVE": {"peer": "x"},
    "STREAM.LEADER.STEPDOWN": None,
    "CONSUMER.DURABLE.CREATE": {"stream_name": STREAM, "config": {"durable_name": "x"}},
}
"""Everything in JetStream's API that changes a stream, with what would do it."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = Campaign(tmp_path_factory.mktemp("doors") / "tale")
    with server.running(folder, authors=AUTHORS) as up, jetstream.create(up.credential("owner"), "tale") as log:
        log.append(frame("tale", 1))
        yield up


@pytest.fixture(scope="module")
def logs(running: Running) -> Iterator[dict[str, JetStreamLog]]:
    opened = {user: jetstream.connect(running.credential(user), "tale") for user in EVERYBODY}
    yield opened
    for log in opened.values():
        log.close()


async def _sent(connection: Connection, subject: str, payload: bytes) -> bytes:
    """Publish as a program would that knows nothing of our checks."""
    answered: asyncio.Future[Any] = connection.loop.create_future()
    await connection.ask(subject, payload, {"Nats-Msg-Id": "worker-a:1"}, answered.set_result)
    answer = await answered
    assert isinstance(answer, bytes), answer
    return answer


def _name(logs: dict[str, JetStreamLog], user: str) -> str:
    return logs[user].author or user


def _settled(log: JetStreamLog) -> tuple[int, dict[str, Any]]:
    """The end of the log and how its stream is set up, asked after everything that was sent before."""
    answer = log.connection.request(f"{log.connection.api}.STREAM.INFO.{STREAM}")
    return answer["state"]["last_seq"], answer["config"]


@pytest.mark.parametrize("user", EVERYBODY)
@pytest.mark.parametrize("verb", CHANGES)
def test_nobody_purges_deletes_shortens_or_replaces_the_log(
    logs: dict[str, JetStreamLog], user: str, verb: str
) -> None:
    before = _settled(logs["reader"])
    connection = logs[user].connection
    for api in (api_of(None), api_of(OBSERVERS)):
        with pytest.raises(LogError) as refused:
            connection.request(f"{api}.{verb}.{STREAM}", CHANGES[verb])
        assert isinstance(refused.value, NotAllowed)
    assert _settled(logs["reader"]) == before


@pytest.mark.parametrize(
    ("verb", "wish"),
    [
        ("STREAM.PURGE", {}),
        ("STREAM.MSG.DELETE", {"seq": 1}),
        ("STREAM.UPDATE", jetstream.configuration("tale") | {"deny_purge": False}),
        ("STREAM.UPDATE", jetstream.configuration("tale") | {"deny_delete": False}),
    ],
)
def test_not_even_the_owner_takes_a_fact_out_of_the_log_nor_allows_it(
    running: Running, logs: dict[str, JetStreamLog], verb: str, wish: dict[str, Any]
) -> None:
    """The owner may do away with a whole stream, as whoever holds the disk may; never with a part of one."""
    before = _settled(logs["reader"])
    with jetstream.connect(running.credential("owner"), "tale") as log:
        answer = log.connection.request(f"$JS.API.{verb}.{STREAM}", wish)
    assert answer["error"]["code"] in (400, 500), answer
    assert _settled(logs["reader"]) == before


@pytest.mark.parametrize(("user", "author"), list(itertools.product(EVERYBODY, [*AUTHORS, "person-0", "agent-new"])))
def test_an_author_is_forged_by_nobody(logs: dict[str, JetStreamLog], user: str, author: str) -> None:
    if _name(logs, user) == author:
        return
    before = logs["reader"].last()
    payload = b'[{"type":"Completed"}]'
    for aggregate in ("pack", "cycle", "campaign", "analysis"):
        with pytest.raises(NotAllowed):
            logs[user].connection.request(f"myriad.tale.{aggregate}.x-1.{author}", json.loads(payload)[0])
    assert logs["reader"].last() == before


@settings(max_examples=50, deadline=None)
@given(fact=FACTS)
def test_an_author_is_refused_the_facts_of_other_roles(logs: dict[str, JetStreamLog], fact: Fact) -> None:
    before = logs["reader"].last()
    for user in INSIDE:
        author = _name(logs, user)
        if type(fact) not in WRITES[role_of(author)]:
            with pytest.raises(AuthorForbidden):
                logs[user].append(Frame(subjects.subject("tale", "pack", "p-9", author), f"{author}:1", (fact,)))
    assert logs["reader"].last() == before


def test_what_a_forged_program_writes_in_its_own_name_is_read_as_forbidden(running: Running) -> None:
    """A credential cannot look into a frame; whoever reads it does, and names the author."""
    folder = Campaign(running.folder.path.parent / "other")
    with server.running(folder, authors=["worker-a"]) as up, jetstream.create(up.credential("owner"), "other") as log:
        with jetstream.connect(up.credential("worker-a"), "other") as bad:
            closed = b'[{"type":"CampaignClosed","reason":"me"}]'
            answered = bad.connection.run(_sent(bad.connection, "myriad.other.campaign.y.worker-a", closed))
            assert b'"seq":1' in answered
        *_, last = log.read()
        with pytest.raises(AuthorForbidden, match="worker-a"):
            _ = last.facts


@pytest.mark.parametrize("user", EVERYBODY)
def test_another_campaign_is_neither_read_nor_written(logs: dict[str, JetStreamLog], user: str) -> None:
    connection = logs[user].connection
    api = connection.api
    for asked in (
        f"{api}.STREAM.INFO.myriad-other",
        f"{api}.CONSUMER.CREATE.myriad-other.x",
        f"{api}.CONSUMER.MSG.NEXT.myriad-other.x",
        "$JS.API.DIRECT.GET.myriad-other",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.INFO",
        "$SYS.REQ.SERVER.PING",
        f"myriad.other.pack.p-1.{_name(logs, user)}",
    ):
        with pytest.raises(NotAllowed):
            connection.request(asked, {})


@pytest.mark.parametrize("user", EVERYBODY)
def test_nobody_gives_a_sign_of_life_for_another(logs: dict[str, JetStreamLog], user: str) -> None:
    heard: list[str] = []
    end = logs["scheduler"].subscribe_pulses(lambda author, _: heard.append(author))
    logs["scheduler"].last()  # answered after the subscription
    for author in ("worker-a", "worker-b"):
        if author != user:
            logs[user].publish_pulse(author, msgspec.json.encode(Beat(author)))
    logs["worker-b"].publish_pulse("worker-b", msgspec.json.encode(Beat("worker-b")))
    until(lambda: "worker-b" in heard)
    end()
    assert set(heard) <= {"worker-b"}


TARGETS = ("myriad.tale.pack.p-1.worker-a", "myriad.tale.campaign.x.scheduler", "myriad-pulse.tale.worker-a")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("verb", [f"STREAM.INFO.{STREAM}", f"CONSUMER.MSG.NEXT.{STREAM}.x"])
def test_an_observer_cannot_have_the_server_answer_onto_the_log(
    logs: dict[str, JetStreamLog], verb: str, target: str
) -> None:
    """A server checks no reply subject: in the campaign's own account its answer would stand on the log as a frame."""
    reader = logs["reader"]
    before, heard = reader.last(), list[str]()
    end = logs["scheduler"].subscribe_pulses(lambda author, _: heard.append(author))
    logs["scheduler"].last()  # answered after the subscription
    for api in (api_of(None), api_of(OBSERVERS)):
        reader.connection.run(reader.connection.publish(f"{api}.{verb}", b"", target))
    assert reader.last() == before
    logs["worker-b"].publish_pulse("worker-b", b"last")
    until(lambda: "worker-b" in heard)
    end()
    assert (heard, logs["scheduler"].last()) == (["worker-b"], before)


def test_an_answer_that_an_author_had_sent_onto_the_log_says_nothing(tmp_path: Path) -> None:
    """Inside the campaign's account nothing holds it back: what has no author's id is no frame, and the log goes on."""
    folder = Campaign(tmp_path / "tale")
    with server.running(folder, authors=AUTHORS) as up, jetstream.create(up.credential("owner"), "tale") as log:
        with jetstream.connect(up.credential("worker-a"), "tale") as bad:
            bad.append(frame("tale", 1))
            bad.connection.run(bad.connection.publish(f"$JS.API.STREAM.INFO.{STREAM}", b"", TARGETS[1]))
            until(lambda: log.last() == 2)
        log.append(revoked("tale", 1))
        assert [len(recorded.facts) for recorded in log.read()] == [1, 0, 1]
        assert audit(log).verdict == "broken"


@pytest.mark.parametrize("target", [*TARGETS, f"$JS.API.STREAM.DELETE.{STREAM}", f"$JS.API.STREAM.PURGE.{STREAM}"])
def test_an_observers_consumer_that_delivers_elsewhere_changes_nothing(
    logs: dict[str, JetStreamLog], target: str
) -> None:
    reader, heard = logs["reader"], list[bytes]()
    before = _settled(reader)
    end = logs["scheduler"].subscribe_pulses(lambda author, payload: heard.append(payload))
    logs["scheduler"].last()  # answered after the subscription
    config = {"name": "push", "deliver_subject": target, "deliver_policy": "all", "ack_policy": "none"}
    for headers_only in (False, True):
        wish = {"stream_name": STREAM, "config": {**config, "headers_only": headers_only, "mem_storage": True}}
        reader.connection.request(f"{reader.connection.api}.CONSUMER.CREATE.{STREAM}.push", wish)
    assert _settled(reader) == before
    end()
    for payload in heard:  # a recorded frame is no pulse, and no worker is alive because of it
        with pytest.raises(msgspec.MsgspecError):
            msgspec.json.decode(payload, type=Beat)


def test_an_old_lease_is_worth_nothing_to_whoever_replays_it(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    with (
        server.running(folder, authors=AUTHORS) as up,
        jetstream.create(up.credential("owner"), "tale") as log,
        jetstream.connect(up.credential("worker-a"), "tale") as worker,
        jetstream.connect(up.credential("scheduler"), "tale") as scheduler,
    ):
        worker.append(frame("tale", 1), expecting=lease(log, 0))
        scheduler.append(revoked("tale", 1), expecting=lease(log, 1))
        with pytest.raises(Conflict):
            worker.append(frame("tale", 2), expecting=lease(log, 1))
        assert worker.append(frame("tale", 1)).duplicate
        assert log.last() == 2


@pytest.mark.parametrize("user", EVERYBODY)
def test_what_was_said_under_a_lease_is_said_again_by_nobody(
    running: Running, logs: dict[str, JetStreamLog], user: str
) -> None:
    """The very bytes, subject and id of a recorded frame: a duplicate where its author says them, refused elsewhere."""
    log = logs[user]
    (told, *_) = logs["reader"].read()
    before = logs["reader"].last()
    author = told.id.rpartition(":")[0]
    sent = log.connection.asked(told.subject, told.payload, {"Nats-Msg-Id": told.id}).result(20)
    if _name(logs, user) == author:
        assert json.loads(sent if isinstance(sent, bytes) else b"{}")["duplicate"]
    else:
        assert isinstance(sent, NotAllowed)
    assert logs["reader"].last() == before


@pytest.mark.parametrize("password", ["", "wrong", "reader"])
def test_a_wrong_password_opens_nothing(running: Running, password: str) -> None:
    for user in EVERYBODY:
        credential = msgspec.structs.replace(running.credential(user), password=password)
        with pytest.raises(NotAllowed):
            Connection(credential)
    with pytest.raises(NotAllowed):
        Connection(msgspec.structs.replace(running.credential("reader"), user=None, password=None))


def test_every_password_is_another_and_none_is_on_the_disk_that_need_not_be(running: Running) -> None:
    passwords = {running.credential(user).password for user in (*EVERYBODY, "owner")}
    assert len(passwords) == len(EVERYBODY) + 1
    files = sorted(path.name for path in running.folder.credentials.iterdir())
    assert files == ["machines.conf", "owner.json", "person.json", "reader.json", "server.conf"]
    assert (running.folder.credentials / "machines.conf").read_text() == ""


def test_a_store_of_before_there_were_accounts_is_taken_over(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    with server.running(folder) as up, jetstream.create(up.credential("owner"), "tale") as log:
        log.append(frame("tale", 1))
    stores = folder.store / "jetstream"
    (stores / "campaign").rename(stores / "$G")
    with server.running(folder) as up, jetstream.connect(up.credential("reader"), "tale") as log:
        assert [recorded.id for recorded in log.read()] == ["worker-a:1"]


def test_a_url_of_an_observer_reads_as_the_file_does(running: Running) -> None:
    credential = running.credential("reader")
    url = credential.url.replace("nats://", f"nats://reader:{credential.password}@")
    with jetstream.connect(url, "tale") as log:
        assert log.last() == sum(1 for _ in log.read())


def test_two_declarations_of_one_person_do_not_take_each_others_number(running: Running) -> None:
    with jetstream.connect(running.credential("person"), "tale") as log:
        assert log.author is not None
        assert log.author.startswith("person-")
        assert own(log, 0, log.author).filter == f"myriad.tale.*.*.{log.author}"
        assert said("tale", 1, author=log.author).author == log.author
