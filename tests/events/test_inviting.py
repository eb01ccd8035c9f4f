"""A machine from elsewhere: how it is let in, what it may do, what it may not, and a server that is open to others."""

from __future__ import annotations

import itertools
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from events import subjects
from events.errors import (
    CampaignHeld,
    Conflict,
    CredentialRefused,
    LogError,
    LogLost,
    NotAllowed,
    NotJetStream,
    ServerFailed,
)
from events.facts import LeaseRevoked, WorkerRetired
from events.folder import Campaign
from events.log import Fence, Frame
from events.wire import certificates, credentials, jetstream, server
from events.wire.connection import Connection
from events.wire.credentials import LENDERS, Credential, api_of
from events.wire.inviting import invite
from events.wire.lenders import lending
from events.wire.objects import Objects
from events.wire.permissions import Listening
from events.wire.server import Running
from tests.events.saying import frame

ME = "worker-box-0"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with TLS, as one that is open to others has it, on the loopback address all the same."""
    folder = Campaign(tmp_path_factory.mktemp("inviting") / "tale")
    tls = certificates.made(folder.credentials / "tls", "tale", ())
    with server.running(folder, listening=Listening(tls=tls)) as up:
        with jetstream.create(up.credential("owner"), "tale") as log:
            for bucket in (subjects.files("tale"), subjects.returns("tale")):
                Objects(log.connection, bucket).create()
            log.append(frame("tale", 1))
        yield up


@pytest.fixture(scope="module")
def box(running: Running) -> Credential:
    """The credential of an invited machine with one device."""
    return invite(running.folder, "box", devices=1)


def retired(author: str, number: int) -> Frame:
    subject = subjects.subject("tale", "worker", author, author)
    return Frame(subject, f"{author}:{number}", (WorkerRetired(worker=author, reason="x"),))


def test_a_credential_is_one_file_with_address_user_password_and_the_certificate_itself(
    running: Running, box: Credential, tmp_path: Path
) -> None:
    path = tmp_path / "box.json"
    credentials.save(box, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(msgspec.json.decode(path.read_bytes())) >= {"url", "user", "password", "ca"}
    assert str(box.ca).startswith("-----BEGIN CERTIFICATE")
    assert box.url.startswith("tls://127.0.0.1:")
    for secret in running.folder.credentials.rglob("*"):
        assert secret.is_dir() or stat.S_IMODE(secret.stat().st_mode) == 0o600, secret
    with jetstream.connect(path, "tale") as log:
        assert [recorded.sequence for recorded in log.read()] == list(range(1, log.last() + 1))
    assert jetstream.campaigns(path) == ["tale"]


def test_a_machine_speaks_for_its_own_devices_under_its_fences_and_for_nobody_else(
    running: Running, box: Credential
) -> None:
    with jetstream.connect(box, "tale") as log:
        last = log.append(retired(ME, 1), expecting=Fence(subjects.own("tale", ME), 0)).sequence
        assert log.last() == last
        again = log.append(retired(ME, 1), expecting=Fence(subjects.own("tale", ME), 0))
        assert (again.sequence, again.duplicate) == (last, True)
        for forged in ("worker-box-1", "worker-other-0", "scheduler", "person-1"):
            with pytest.raises(NotAllowed):
                log.connection.request(f"myriad.tale.pack.p-1.{forged}", {"type": "Completed"})
        for aggregate in ("campaign.x", "cycle.c-1", "analysis.x", "repair.r-1", "worker.worker-box-1"):
            with pytest.raises(NotAllowed):
                log.connection.request(f"myriad.tale.{aggregate}.{ME}", {"type": "Completed"})
        assert log.last() == last


@pytest.mark.parametrize(
    "verb", ["STREAM.PURGE", "STREAM.DELETE", "STREAM.UPDATE", "STREAM.MSG.DELETE", "STREAM.CREATE"]
)
def test_a_machine_changes_no_stream_and_no_bucket(running: Running, box: Credential, verb: str) -> None:
    connection = Connection(box)
    buckets = (subjects.kept(bucket("tale")) for bucket in (subjects.files, subjects.returns))
    for api, stream in itertools.product((api_of(None), api_of(LENDERS)), ("myriad-tale", *buckets)):
        with pytest.raises(NotAllowed):
            connection.request(f"{api}.{verb}.{stream}", {})
    connection.close()


def test_a_machine_reaches_no_other_campaign_and_nothing_of_the_servers_own(running: Running, box: Credential) -> None:
    connection = Connection(box)
    asked = [f"{connection.api}.{verb}" for verb in ("STREAM.INFO.myriad-other", "CONSUMER.CREATE.myriad-other.x")]
    asked += ["$JS.API.STREAM.INFO.myriad-tale", "$JS.API.DIRECT.GET.myriad-other", f"{connection.api}.INFO"]
    asked += ["$SYS.REQ.SERVER.PING", f"myriad.other.worker.{ME}.{ME}", f"$O.{subjects.returns('other')}.C.x"]
    for subject in asked:
        with pytest.raises(NotAllowed):
            connection.request(subject, {})
    connection.close()


def test_an_old_lease_is_worth_nothing_to_a_machine_that_replays_it(running: Running) -> None:
    """Its own words again are a duplicate; new words under the fence that it knew are too late."""
    late = invite(running.folder, "late", devices=1)
    author, pack = "worker-late-0", subjects.pack("tale", "p-late")
    with jetstream.connect(running.credential("owner"), "tale") as owner, jetstream.connect(late, "tale") as log:
        said_ = Frame(subjects.subject("tale", "pack", "p-late", author), f"{author}:1", retired(author, 1).facts)
        first = log.append(said_, expecting=Fence(pack, 0)).sequence
        taken = LeaseRevoked(pack="p-late", worker=author, reason="lost")
        owner.append(Frame(subjects.subject("tale", "pack", "p-late", "scheduler"), "scheduler:1", (taken,)))
        again = Frame(said_.subject, f"{author}:2", said_.facts)
        with pytest.raises(Conflict):
            log.append(again, expecting=Fence(pack, first))
        assert log.append(said_).duplicate


def test_a_machine_reads_the_campaigns_files_and_cannot_write_among_them(
    running: Running, box: Credential, tmp_path: Path
) -> None:
    with jetstream.connect(running.credential("person"), "tale") as log:
        name = Objects(log.connection, subjects.files("tale")).put(b"features")
    far = Connection(box)
    files, returns = (Objects(far, bucket("tale")) for bucket in (subjects.files, subjects.returns))
    files.get(name, tmp_path / "features")
    assert (tmp_path / "features").read_bytes() == b"features"
    with pytest.raises(NotAllowed):
        files.put(b"other features")
    weights = returns.put(b"weights" * 100_000)
    far.close()
    with jetstream.connect(running.credential("person"), "tale") as log:
        Objects(log.connection, subjects.returns("tale")).get(weights, tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == b"weights" * 100_000


def test_no_answer_that_a_machine_asks_for_lands_on_the_log_or_with_another_machine(
    running: Running, box: Credential
) -> None:
    other = Connection(invite(running.folder, "other", devices=1))
    heard: list[bytes] = []

    async def hears(message: object) -> None:
        heard.append(b"")

    unsubscribe = other.run(other.subscribe("_INBOX.stolen", hears))
    with jetstream.connect(box, "tale") as log:
        before = log.last()
        for reply in ("myriad.tale.pack.p-1.scheduler", "myriad.tale.pack.p-1.worker-other-0", "_INBOX.stolen"):
            asked = f"{log.connection.api}.STREAM.INFO.myriad-tale"
            log.connection.run(log.connection.publish(asked, b"", reply=reply))
        assert log.last() == before
    other.request(f"{other.api}.STREAM.INFO.myriad-tale")
    assert heard == []
    other.run(unsubscribe_(unsubscribe))
    other.close()


async def unsubscribe_(unsubscribe: object) -> None:
    await unsubscribe()  # type: ignore[operator]


def test_its_pulses_are_heard_by_the_campaign_and_calls_are_heard_by_it(running: Running, box: Credential) -> None:
    import threading

    came, called = threading.Event(), threading.Event()
    with jetstream.connect(box, "tale") as far, jetstream.connect(running.credential("person"), "tale") as near:
        near.subscribe_pulses(lambda author, payload: came.set() if author == ME else None)
        far.subscribe_calls(lambda payload: called.set())
        far.last(), near.last()
        far.publish_pulse(ME, b"{}")
        near.publish_call(b"{}")
        assert came.wait(20)
        assert called.wait(20)
        with pytest.raises(NotAllowed):
            far.connection.request(subjects.pulse("tale", "worker-other-0"), {})


def test_a_machine_is_lent_by_one_process_at_a_time_and_a_dead_one_keeps_nobody_away(
    running: Running, box: Credential
) -> None:
    first, second = Connection(box), Connection(box)
    told = pytest.raises(CampaignHeld, match="the devices of worker-box are being lent by process")
    with lending(first, "tale", "worker-box"), told, lending(second, "tale", "worker-box"):
        pass
    with lending(second, "tale", "worker-box"):
        pass
    holder = lending(first, "tale", "worker-box")
    holder.__enter__()
    first.close()
    with lending(second, "tale", "worker-box"):
        pass
    second.close()


def test_an_invitation_survives_the_servers_restart_and_changing_it_keeps_the_password(tmp_path: Path) -> None:
    folder, listening = Campaign(tmp_path / "tale"), Listening(port=free_port())
    with server.running(folder, listening=listening) as up:
        jetstream.create(up.credential("owner"), "tale").close()
        first = invite(folder, "box", devices=1)
        more = invite(folder, "box", devices=3)
        assert more == first
    with server.running(folder, listening=listening):
        Connection(first).close()
    with pytest.raises(CredentialRefused, match="is not running on this machine: myriad run tale --listen"):
        invite(folder, "box", devices=1)


@pytest.mark.parametrize(
    ("name", "devices", "host", "sentence"),
    [
        ("a b", 1, None, "1 to 48 letters, digits"),
        ("x" * 49, 1, None, "1 to 48 letters, digits"),
        ("box", 0, None, "at least one device"),
        (
            "box",
            1,
            "10.1.2.3",
            "where 10.1.2.3 is not heard: run it with --listen 10.1.2.3:",
        ),
        ("box", 1, "größe.lab", "größe.lab is no host's name or address"),
    ],
)
def test_an_invitation_that_cannot_be_is_one_sentence(
    running: Running, name: str, devices: int, host: str | None, sentence: str
) -> None:
    with pytest.raises(CredentialRefused, match=sentence):
        invite(running.folder, name, devices=devices, host=host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org"])
def test_no_server_listens_where_others_may_reach_it_without_tls(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServerFailed) as refused:
        server.start(tmp_path / "tale", listening=Listening(host))
    assert str(refused.value) == f"{host} can be reached from other machines: no server listens there without TLS"
    assert not (tmp_path / "tale").exists()


def test_certificates_are_made_once_and_only_the_servers_anew_for_another_name(tmp_path: Path) -> None:
    made = certificates.made(tmp_path / "tls", "tale", ())
    before = [path.read_bytes() for path in made]
    assert [path.read_bytes() for path in certificates.made(tmp_path / "tls", "tale", ())] == before
    again = [path.read_bytes() for path in certificates.made(tmp_path / "tls", "tale", ("10.1.2.3", "log.lab"))]
    assert again[0] == before[0]
    assert again[1] != before[1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()} == {0o600}


def test_a_running_server_is_vouched_for_under_the_address_that_an_invitation_names(tmp_path: Path) -> None:
    """Who listens on every address knows none of them: 127.0.0.2 stands for one that the certificate did not name."""
    folder = Campaign(tmp_path / "tale")
    tls = certificates.made(folder.credentials / "tls", "tale", ())
    with server.running(folder, listening=Listening("0.0.0.0", tls=tls)) as up:
        jetstream.create(up.credential("owner"), "tale").close()
        first = invite(folder, "box", devices=1, host="127.0.0.1")
        elsewhere = msgspec.structs.replace(first, url=first.url.replace("127.0.0.1", "127.0.0.2"))
        with pytest.raises(NotJetStream, match=r"not valid for '127\.0\.0\.2'"):
            Connection(elsewhere)
        assert invite(folder, "box", devices=1, host="127.0.0.2") == elsewhere
        Connection(elsewhere).close()
        Connection(first).close()
    before = tls.server.read_bytes()
    certificates.made(folder.credentials / "tls", "tale", ())
    assert tls.server.read_bytes() == before


def test_another_authoritys_server_is_not_trusted_and_is_told_no_password(
    running: Running, box: Credential, tmp_path: Path
) -> None:
    other = certificates.made(tmp_path / "tls", "tale", ()).authority.read_text()
    with pytest.raises(NotJetStream, match="cannot be trusted"):
        Connection(msgspec.structs.replace(box, ca=other))


def test_who_asks_for_tls_tells_a_server_without_it_nothing(server: Running, box: Credential) -> None:
    plain = msgspec.structs.replace(server.credential("owner"), ca=box.ca)
    for credential in (plain, msgspec.structs.replace(plain, ca=None, url=plain.url.replace("nats://", "tls://"))):
        with pytest.raises(CredentialRefused, match="does not offer TLS, which the credential asks for"):
            Connection(credential)


def test_a_password_is_not_sent_in_the_clear_to_another_machine(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = {"10.1.2.3": "127.0.0.1"}
    resolved = socket.getaddrinfo

    def elsewhere(host: str, *arguments: object, **named: object) -> object:
        return resolved(address.get(host, host), *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", elsewhere)
    credential = server.credential("owner")
    there = msgspec.structs.replace(credential, url=credential.url.replace("127.0.0.1", "log.lab"))
    address["log.lab"] = "127.0.0.1"
    with pytest.raises(CredentialRefused, match="a password would cross the network in the clear"):
        Connection(there)


def test_of_several_servers_the_first_that_answers_is_taken(server: Running) -> None:
    credential = server.credential("owner")
    both = msgspec.structs.replace(credential, url=f"nats://127.0.0.1:{free_port()},{credential.url}")
    Connection(both).close()
    assert credentials.parse("nats://a:1,nats://b:2").servers == ("nats://a:1", "nats://b:2")
    with pytest.raises(LogLost):
        Connection(msgspec.structs.replace(credential, url=f"nats://127.0.0.1:{free_port()}"))


def test_a_certificate_that_is_none_is_one_sentence(server: Running, tmp_path: Path) -> None:
    for ca in (str(tmp_path / "missing.pem"), "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n"):
        with pytest.raises(LogError, match="cannot be used"):
            Connection(msgspec.structs.replace(server.credential("owner"), ca=ca))
