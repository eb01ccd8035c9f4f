"""The log on a server when things go wrong: lost answers, broken connections, gaps, foreign servers, users' limits."""

from __future__ import annotations

import gc
import itertools
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nats.aio.msg import Msg as Message

from events.errors import CredentialRefused, GapFound, LogError, LogLost, NotAllowed, NotJetStream
from events.log import Appended
from events.wire import binary, jetstream
from events.wire.connection import GREETINGS, Connection
from events.wire.credentials import Credential
from events.wire.jetstream import JetStreamLog
from events.wire.server import Running
from tests.events.proxy import Proxy
from tests.events.saying import frame, own, until

_numbers = itertools.count(1)


@pytest.fixture
def proxy(server: Running) -> Iterator[Proxy]:
    made = Proxy(server.credential("owner"))
    yield made
    made.cut()


def test_a_server_that_hangs_up_while_it_reads_its_users_anew_is_greeted_again(
    server: Running, jetstream_log: JetStreamLog
) -> None:
    proxy = Proxy(server.credential("owner"), deaf=GREETINGS - 1)
    with jetstream.connect(proxy.credential, jetstream_log.campaign) as log:
        assert log.append(frame(jetstream_log.campaign, 1)).sequence == 1
    assert proxy.deaf == 0


def test_a_server_that_hangs_up_on_every_greeting_is_none(server: Running, jetstream_log: JetStreamLog) -> None:
    proxy = Proxy(server.credential("owner"), deaf=GREETINGS)
    with pytest.raises(LogLost, match="no server answers at"):
        jetstream.connect(proxy.credential, jetstream_log.campaign)
    assert proxy.deaf == 0


def test_a_frame_whose_acknowledgement_was_swallowed_is_found_by_the_next_connection(
    proxy: Proxy, jetstream_log: JetStreamLog
) -> None:
    mine = frame(jetstream_log.campaign, 1)
    doomed = jetstream.connect(proxy.credential, jetstream_log.campaign)
    proxy.mute()
    answer = doomed.submit(mine, expecting=own(doomed, 0))
    until(lambda: jetstream_log.last() == 1)
    assert not answer.done()
    proxy.cut()
    with pytest.raises(LogLost):
        answer.result(20)
    doomed.close()
    assert jetstream_log.append(mine, expecting=own(jetstream_log, 0)) == Appended(1, duplicate=True)
    assert jetstream_log.last() == 1


def test_an_answer_that_does_not_come_in_time_loses_the_log(proxy: Proxy, jetstream_log: JetStreamLog) -> None:
    with jetstream.connect(proxy.credential, jetstream_log.campaign, timeout=0.5) as log:
        proxy.mute()
        with pytest.raises(LogLost, match=r"within 0\.5 seconds"):
            log.append(frame(log.campaign, 1))
        with pytest.raises(LogLost):
            log.last()


def test_a_question_that_fell_is_asked_again_and_the_one_that_fell_loses_nobody_the_log(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a cluster without a leader does: the first one is not answered, ever."""
    monkeypatch.setattr("events.wire.connection.AGAIN", 0.05)
    log, answering = (Connection(server.credential("owner"), timeout=5.0) for _ in range(2))
    asked: list[Message] = []

    async def hear(message: Message) -> None:
        asked.append(message)
        if len(asked) > 1:
            await answering.publish(message.reply, b'{"heard": true}')

    answering.run(answering.subscribe("question", hear))
    answering.request("$JS.API.INFO")  # answered after the subscription
    assert log.repeated("question") == {"heard": True}
    assert not log._pending
    log.close()
    answering.close()


def test_no_more_frames_than_the_window_are_on_their_way(proxy: Proxy, jetstream_log: JetStreamLog) -> None:
    with jetstream.connect(proxy.credential, jetstream_log.campaign, window=8) as log:
        proxy.mute()
        answers: list[Appended] = []

        def submit_all() -> None:
            futures = [log.submit(frame(log.campaign, n)) for n in range(1, 21)]
            answers.extend(future.result() for future in futures)

        thread = threading.Thread(target=submit_all)
        thread.start()
        until(lambda: jetstream_log.last() == 8)
        for n in range(1, 21):
            jetstream_log.append(frame(log.campaign, n, author="worker-b"))
        assert jetstream_log.last() == 28
        proxy.unmute()
        thread.join()
    assert len(answers) == 20
    assert jetstream_log.last() == 40


def test_everything_that_waits_on_a_broken_connection_fails(proxy: Proxy, jetstream_log: JetStreamLog) -> None:
    log = jetstream.connect(proxy.credential, jetstream_log.campaign, window=40)
    failures: list[Exception] = []

    def follow() -> None:
        try:
            list(log.follow())
        except LogLost as lost:
            failures.append(lost)

    follower = threading.Thread(target=follow)
    follower.start()
    proxy.mute()
    answers = [log.submit(frame(log.campaign, n)) for n in range(1, 11)]
    answers += [
        log.submit(frame(log.campaign, n, author="worker-b"), expecting=own(log, 0, "worker-b")) for n in range(9)
    ]
    proxy.cut()
    assert {type(answer.exception(20)) for answer in answers} == {LogLost}
    follower.join(20)
    assert len(failures) == 1
    with pytest.raises(LogLost):
        log.append(frame(log.campaign, 11))
    log.close()
    with pytest.raises(LogLost):
        list(log.read())


def test_a_closed_log_refuses_instead_of_waiting(jetstream_log: JetStreamLog) -> None:
    jetstream_log.close()
    jetstream_log.close()
    with pytest.raises(LogLost):
        jetstream_log.append(frame(jetstream_log.campaign, 1))
    with pytest.raises(LogLost):
        list(jetstream_log.follow())
    jetstream_log.publish_pulse("worker-a", b"a pulse never hurts")


@pytest.mark.parametrize(("missing", "found"), [(1, (1, 2)), (3, (3, 4)), (5, (5, 6))])
def test_a_missing_frame_is_found_by_its_sequence(server: Running, missing: int, found: tuple[int, int]) -> None:
    name = f"gap{next(_numbers)}"
    log = _with_deletion(server, name)
    for n in range(1, 6):
        log.append(frame(name, n))
    answer = log.connection.request(f"$JS.API.STREAM.MSG.DELETE.{jetstream.stream_of(name)}", {"seq": missing})
    assert answer["success"]
    with pytest.raises(GapFound) as gap:
        list(log.read())
    assert (gap.value.expected, gap.value.found) == found
    assert [r.sequence for r in log.read(0, f"myriad.{name}.pack.*.*")] == [n for n in range(1, 6) if n != missing]
    log.close()


def test_a_follower_finds_a_missing_frame_too(server: Running) -> None:
    name = f"gap{next(_numbers)}"
    log = _with_deletion(server, name)
    for n in range(1, 4):
        log.append(frame(name, n))
    log.connection.request(f"$JS.API.STREAM.MSG.DELETE.{jetstream.stream_of(name)}", {"seq": 2})
    with pytest.raises(GapFound):
        list(log.follow())
    log.close()


def test_a_reader_whose_consumer_was_deleted_goes_on_where_it_was(jetstream_log: JetStreamLog) -> None:
    log = jetstream_log
    log.append(frame(log.campaign, 1))
    follower = iter(log.follow())
    assert next(follower).sequence == 1
    stream = jetstream.stream_of(log.campaign)
    names = log.connection.request(f"$JS.API.CONSUMER.NAMES.{stream}")["consumers"]
    for name in names:
        log.connection.request(f"$JS.API.CONSUMER.DELETE.{stream}.{name}")
    log.append(frame(log.campaign, 2))
    log.append(frame(log.campaign, 3))
    assert [next(follower).sequence, next(follower).sequence] == [2, 3]


def test_a_long_log_is_read_whole_by_a_reader_that_stops_and_goes(jetstream_log: JetStreamLog) -> None:
    log = jetstream_log
    for answer in [log.submit(frame(log.campaign, n)) for n in range(1, 2301)]:
        answer.result(60)
    reading, between = log.read(), log.read(1000)
    assert [next(reading).sequence for _ in range(600)] == list(range(1, 601))
    assert [r.sequence for r in between] == list(range(1001, 2301))
    assert [r.sequence for r in reading] == list(range(601, 2301))


def test_pulses_are_heard_and_never_recorded(jetstream_log: JetStreamLog) -> None:
    heard: list[tuple[str, bytes]] = []
    end = jetstream_log.subscribe_pulses(lambda author, payload: heard.append((author, payload)))
    jetstream_log.publish_pulse("worker-a", b"epoch 3")
    until(lambda: heard)
    end()
    jetstream_log.publish_pulse("worker-a", b"epoch 4")
    jetstream_log.append(frame(jetstream_log.campaign, 1))
    assert heard == [("worker-a", b"epoch 3")]
    assert jetstream_log.last() == 1


def test_making_a_stream_twice_is_making_it_once(server: Running, jetstream_log: JetStreamLog) -> None:
    jetstream_log.append(frame(jetstream_log.campaign, 1))
    with jetstream.create(server.credential("owner"), jetstream_log.campaign) as again:
        assert again.last() == 1
    assert jetstream_log.campaign in jetstream.campaigns(server.credential("owner"))


def test_a_stream_that_loses_frames_is_not_taken_for_a_campaign(server: Running) -> None:
    name = f"gap{next(_numbers)}"
    _with_deletion(server, name).close()
    with pytest.raises(NotJetStream, match="not set up as a campaign's"):
        jetstream.create(server.credential("owner"), name)


def test_nobody_may_empty_or_shorten_a_campaign_that_exists(server: Running, jetstream_log: JetStreamLog) -> None:
    jetstream_log.append(frame(jetstream_log.campaign, 1))
    stream = jetstream.stream_of(jetstream_log.campaign)
    assert "error" in jetstream_log.connection.request(f"$JS.API.STREAM.PURGE.{stream}")
    assert "error" in jetstream_log.connection.request(f"$JS.API.STREAM.MSG.DELETE.{stream}", {"seq": 1})
    assert jetstream_log.last() == 1


def test_a_server_without_jetstream_is_told_in_one_sentence(tmp_path: Path) -> None:
    plain = subprocess.Popen(
        [binary.find(), "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", tmp_path], stderr=subprocess.DEVNULL
    )
    ports = tmp_path / f"nats-server_{plain.pid}.ports"
    until(lambda: ports.exists() and ports.read_text().strip().endswith("}"))
    url = json.loads(ports.read_text())["nats"][0]
    try:
        for opening in (jetstream.connect, jetstream.create):
            with pytest.raises(NotJetStream, match="without JetStream"):
                opening(url, "any")
    finally:
        plain.terminate()
        plain.wait()


def test_a_campaign_that_the_server_does_not_hold_is_named(server: Running) -> None:
    with pytest.raises(NotJetStream, match="holds no campaign elsewhere"):
        jetstream.connect(server.credential("owner"), "elsewhere")


def test_a_wrong_password_is_not_allowed(server: Running) -> None:
    address = server.url.removeprefix("nats://")
    with pytest.raises(NotAllowed, match="wrong password"):
        jetstream.connect(f"nats://owner:guess@{address}", "any")


def test_whoever_is_turned_away_leaves_no_socket_open(server: Running) -> None:
    address, held = server.url.removeprefix("nats://"), Path("/proc/self/fd")
    before = len([*held.iterdir()])
    gc.disable()  # the collector would close some of them, much later and with a warning
    try:
        for _ in range(5):
            with pytest.raises(NotAllowed):
                jetstream.connect(f"nats://owner:guess@{address}", "any")
        until(lambda: len([*held.iterdir()]) <= before)  # the last connection's thread ends in its own time
    finally:
        gc.enable()


def test_an_address_where_nobody_listens_is_a_lost_log() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LogLost, match="no server answers"):
        jetstream.connect(f"nats://127.0.0.1:{port}", "any")


@pytest.mark.parametrize(
    ("greeting", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not a NATS server"),
        (b'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"headers":true}\r\nPONG\r\n', "needs 2.12"),
        (b'INFO {"server_id":"x","version":"2.15.1","max_payload":65536,"headers":true}\r\nPONG\r\n', "max_payload"),
    ],
    ids=["http", "old", "small"],
)
def test_what_is_not_a_fit_server_is_told_in_one_sentence(greeting: bytes, sentence: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener, greeting), daemon=True).start()
        with pytest.raises(NotJetStream, match=sentence):
            jetstream.create(f"nats://127.0.0.1:{listener.getsockname()[1]}", "any")


@pytest.mark.parametrize("reference", ["http://host", "nats://", "nats://host:port", "nats://a:secret@host:99999"])
def test_an_address_that_is_not_one_is_refused_without_its_secret(reference: str) -> None:
    with pytest.raises(CredentialRefused) as refused:
        jetstream.connect(reference, "any")
    assert "secret" not in str(refused.value)


def test_a_credential_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.json"
    path.write_text('{"url":"nats://127.0.0.1:1"}')
    path.chmod(0o644)
    with pytest.raises(CredentialRefused, match="chmod 600"):
        jetstream.connect(path, "any")
    path.chmod(0o600)
    path.write_text("[]")
    with pytest.raises(CredentialRefused, match="not a credential"):
        jetstream.connect(path, "any")
    with pytest.raises(CredentialRefused, match="cannot be read"):
        jetstream.connect(tmp_path / "missing.json", "any")


def test_a_credential_does_not_show_its_password() -> None:
    assert "secret" not in repr(Credential(url="nats://127.0.0.1:1", user="u", password="secret"))


def test_a_campaign_name_that_a_subject_cannot_carry_is_refused(server: Running) -> None:
    with pytest.raises(LogError, match=r"campaign 'a\.b' must be"):
        jetstream.create(server.credential("owner"), "a.b")


def _with_deletion(server: Running, name: str) -> JetStreamLog:
    with jetstream.create(server.credential("owner"), "any") as maker:
        unprotected = jetstream.configuration(name) | {"deny_delete": False, "deny_purge": False}
        maker.connection.request(f"$JS.API.STREAM.CREATE.{jetstream.stream_of(name)}", unprotected)
    return jetstream.connect(server.credential("owner"), name)


def _greet(listener: socket.socket, greeting: bytes) -> None:
    connection, _ = listener.accept()
    connection.sendall(greeting)
    while connection.recv(4096):
        pass
