"""The embedded server: its lock, its users, its end, its crash, and every way in which it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from events import subjects
from events.errors import LogLost, NotAllowed, PortInUse, ServerFailed, StoreFull, StoreLocked
from events.folder import Campaign
from events.wire import binary, jetstream, server
from events.wire.binary import VARIABLE
from events.wire.connection import Connection
from events.wire.permissions import Listening
from tests.events.saying import frame, own, until

PARENT = """
import sys
from pathlib import Path
from events.wire import server
running = server.start(Path(sys.argv[1]))
print(running.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Campaign:
    return Campaign(tmp_path / "tale")


def test_a_second_run_of_a_campaign_is_refused_and_told_who_runs_it(folder: Campaign) -> None:
    with server.running(folder) as running:
        with pytest.raises(StoreLocked, match=f"process {os.getpid()} .*server is {running.pid}") as refused:
            server.start(folder)
        assert refused.value.pid == os.getpid()
        assert running.alive
        assert server.holder(folder) == (os.getpid(), running.pid)
    assert server.holder(folder) is None
    with server.running(folder):
        pass


def test_a_server_says_where_it_is_while_it_runs_and_only_then(folder: Campaign) -> None:
    assert server.address(folder) is None
    with server.running(folder) as running:
        found = server.address(folder)
        assert found is not None
        assert (found.url, found.pid, found.run) == (running.url, running.pid, os.getpid())
        assert running.url.startswith("nats://127.0.0.1:")
    assert server.address(folder) is None
    assert not folder.server.exists()
    with server.running(folder, announce=False):
        assert server.address(folder) is None


def test_what_holds_a_secret_can_be_read_by_its_owner_alone(folder: Campaign) -> None:
    with server.running(folder) as running:
        secrets = [folder.server, *folder.credentials.iterdir()]
        assert {path.name for path in secrets} == {
            "server.json",
            "owner.json",
            "person.json",
            "reader.json",
            "server.conf",
            "machines.conf",
        }
        assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
        passwords = {running.credential(user).password for user in ("owner", "person", "reader")}
        assert len(passwords) == 3
        assert all(len(str(password)) >= 32 for password in passwords)


def test_passwords_outlive_a_restart(folder: Campaign) -> None:
    with server.running(folder) as running:
        before = running.credential("person")
    with server.running(folder) as running:
        assert running.credential("person").password == before.password


def test_the_server_is_gone_when_its_parent_was_killed(folder: Campaign) -> None:
    command = [sys.executable, "-c", PARENT, str(folder.path)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert server.holder(folder) == (parent.pid, pid)
    parent.kill()
    parent.communicate()
    until(lambda: server.holder(folder) is None)
    with server.running(folder):
        pass


def test_the_interrupt_of_a_terminal_does_not_reach_the_server(folder: Campaign) -> None:
    with server.running(folder) as running:
        assert os.getpgid(running.pid) != os.getpgid(0)
        assert os.getsid(running.pid) != os.getsid(0)


def test_a_killed_server_keeps_every_acknowledged_frame(folder: Campaign) -> None:
    acknowledged = {}
    for life in range(3):
        with server.running(folder) as running, jetstream.create(running.credential("owner"), folder.name) as log:
            sent = [frame(folder.name, n, author=f"worker-{life}") for n in range(120)]
            answers = [log.submit(each) for each in sent]
            answers[40 * life].result(20)
            os.kill(running.pid, signal.SIGKILL)
            for each, answer in zip(sent, answers, strict=True):
                if answer.exception(20) is None:
                    acknowledged[answer.result().sequence] = each.payload
                else:
                    assert isinstance(answer.exception(), LogLost)
    with server.running(folder) as running, jetstream.connect(running.credential("reader"), folder.name) as log:
        kept = {recorded.sequence: recorded.payload for recorded in log.read()}
    assert acknowledged
    assert acknowledged.items() <= kept.items()


def test_what_is_pending_when_the_server_dies_is_lost_and_not_answered(folder: Campaign) -> None:
    with server.running(folder) as running, jetstream.create(running.credential("owner"), folder.name) as log:
        log.append(frame(folder.name, 1))
        os.kill(running.pid, signal.SIGSTOP)
        answers = [log.submit(frame(folder.name, n), expecting=own(log, n - 1)) for n in range(2, 9)]
        os.kill(running.pid, signal.SIGKILL)
        assert {type(answer.exception(20)) for answer in answers} == {LogLost}
        until(lambda: not running.alive)


def test_an_author_writes_reads_and_pulses_and_changes_nothing_else(folder: Campaign) -> None:
    with server.running(folder, authors=["worker-a"]) as running:
        jetstream.create(running.credential("owner"), folder.name).close()
        with jetstream.connect(running.credential("worker-a"), folder.name) as log:
            assert log.append(frame(folder.name, 1), expecting=own(log, 0)).sequence == 1
            assert log.append(frame(folder.name, 1), expecting=own(log, 0)).duplicate
            stream = jetstream.stream_of(folder.name)
            for verb in ("PURGE", "DELETE", "UPDATE", "MSG.DELETE", "CREATE"):
                with pytest.raises(NotAllowed, match="does not allow worker-a"):
                    log.connection.request(f"$JS.API.STREAM.{verb}.{stream}", {})
            assert [recorded.sequence for recorded in log.read()] == [1]
            heard: list[bytes] = []
            log.subscribe_pulses(lambda _, payload: heard.append(payload))
            log.publish_pulse("worker-a", b"alive")
            until(lambda: heard)


def test_the_reader_reads_and_hears_and_cannot_speak(folder: Campaign) -> None:
    with server.running(folder) as running, jetstream.create(running.credential("owner"), folder.name) as owner:
        owner.append(frame(folder.name, 1))
        with jetstream.connect(running.credential("reader"), folder.name) as log:
            heard: list[bytes] = []
            log.subscribe_pulses(lambda _, payload: heard.append(payload))
            assert [recorded.sequence for recorded in log.read()] == [1]
            with pytest.raises(NotAllowed, match="does not allow reader"):
                log.append(frame(folder.name, 2))
            log.publish_pulse("worker-a", b"forged")
            assert log.last() == 1
            owner.publish_pulse("worker-a", b"real")
            until(lambda: heard)
            assert heard == [b"real"]


def test_another_campaign_is_not_an_authors_to_write(folder: Campaign) -> None:
    with server.running(folder, authors=["worker-a"]) as running:
        connection = Connection(running.credential("worker-a"))
        with pytest.raises(NotAllowed):
            connection.request(subjects.subject("another", "pack", "p-1", "worker-a"))
        connection.close()


def test_a_full_store_refuses_frames_and_keeps_those_it_has(folder: Campaign) -> None:
    with (
        server.running(folder, room=1_000_000) as running,
        jetstream.create(running.credential("owner"), folder.name) as log,
    ):
        answers = [log.submit(frame(folder.name, n, reason=str(n) * 100_000)) for n in range(1, 20)]
        kept = [answer.result().sequence for answer in answers if answer.exception(20) is None]
        assert {type(answer.exception()) for answer in answers} == {type(None), StoreFull}
        assert [recorded.sequence for recorded in log.read()] == kept


def test_a_full_disk_is_told_before_anything_starts(folder: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SPARE", 1 << 62)
    with pytest.raises(ServerFailed, match="is full"):
        server.start(folder)
    assert server.holder(folder) is None


def test_a_port_in_use_is_named(folder: Campaign) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use") as refused:
            server.start(folder, listening=Listening(port=port))
        assert refused.value.port == port
    assert server.holder(folder) is None
    with server.running(folder, listening=Listening(port=port)) as running:
        assert running.url.endswith(f":{port}")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "is not a program that can be run"),
        ("exit 0", "is not nats-server"),
        ("echo nats-server: v2.9.10", "needs? 2.12 or later"),
        ("echo nats-server: v2.15.1; test $1 = --version || { echo broken >&2; exit 3; }", "did not start: broken"),
    ],
    ids=["missing", "other", "old", "broken"],
)
def test_a_wrong_binary_is_told_in_one_sentence(
    folder: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, sentence: str
) -> None:
    path = tmp_path / "nats-server"
    if script is not None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(ServerFailed, match=sentence):
        server.start(folder)
    assert server.holder(folder) is None


def test_the_binary_is_given_no_key_whether_it_is_asked_for_its_release_or_started(
    folder: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given = tmp_path / "nats-server", tmp_path / "given"
    path.write_text(f'#!/bin/sh\n{{ echo $1; env; }} >> {given}\nexec {binary.find()} "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(path))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "planted-key-0123456789")
    with server.running(folder):
        pass
    said = given.read_text()
    assert "--version\n" in said
    assert "-c\n" in said
    assert f"PATH={os.environ['PATH']}\n" in said
    assert "planted" not in said


def test_only_the_main_thread_starts_a_server(folder: Campaign) -> None:
    failures: list[Exception] = []

    def try_it() -> None:
        try:
            server.start(folder)
        except ServerFailed as failure:
            failures.append(failure)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert "main thread" in str(failures[0])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerFailed, match="cannot be made"):
        server.start(Campaign(tmp_path / "file" / "tale"))


def test_nothing_of_the_server_listens_but_its_port(folder: Campaign) -> None:
    with server.running(folder) as running:
        port = int(running.url.rpartition(":")[2])
        inodes = {str(link.readlink()) for link in Path(f"/proc/{running.pid}/fd").iterdir() if link.is_symlink()}
        listening = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{running.pid}/net/{table}").read_text().splitlines()[1:]
        ]
        ours = [words[1] for words in listening if words[3] == "0A" and f"socket:[{words[9]}]" in inodes]
        assert ours == [f"0100007F:{port:04X}"]


def test_a_run_that_was_killed_can_be_resumed_at_once(folder: Campaign) -> None:
    command = [sys.executable, "-c", PARENT, str(folder.path)]
    for _ in range(3):
        parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()
        parent.communicate()
        with server.running(folder) as running:
            assert running.alive


def test_a_second_run_in_another_process_is_told_in_one_sentence(folder: Campaign) -> None:
    command = [sys.executable, "-c", PARENT, str(folder.path)]
    with server.running(folder):
        second = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert second.returncode != 0
    assert f"campaign tale is being run by process {os.getpid()}" in second.stderr.splitlines()[-1]
