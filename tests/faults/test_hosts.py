"""Many hosts on one log: a machine elsewhere joins, is lost, comes back and leaves; nothing is lost or done twice."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import myriad
from actors.errors import CampaignError
from actors.hosts import doors
from actors.repair.workshop import DIFF
from events.errors import CampaignUnknown, NotJetStream
from events.facts import (
    Assigned,
    Completed,
    Fact,
    FilesShared,
    LeaseRevoked,
    PatchAdopted,
    RemedyProposed,
    Requeued,
    Started,
    WorkerJoined,
    WorkerLost,
    WorkerRetired,
)
from events.folder import Campaign as Folder
from events.log import Recorded
from events.wire import credentials, jetstream, server
from events.wire.credentials import Credential
from replay.audit import audit
from tests.actors.policies import planted
from tests.actors.policies.asking import PLANTED
from tests.actors.policies.provider import provider
from tests.actors.policies.test_proof import ready, thinking
from tests.faults.hosts import AHEAD, Lab, Network, two_hosts
from tests.faults.runs import MYRIAD, Place, Running
from tests.test_pages import taken

BOX = "worker-box-0"


@pytest.fixture
def network() -> Iterator[Network]:
    with two_hosts() as network:
        yield network


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def told(frames: list[Recorded], kind: type[Fact], by: str | None = None) -> list[Fact]:
    return [f for r in frames if by in (None, r.author) for f in r.facts if isinstance(f, kind)]


def once_and_lawful(lab: Place, experiments: int) -> list[Recorded]:
    """The frames of a campaign that has ended, each experiment completed once, and no law of the audit broken."""
    frames = lab.frames()
    names = [fact.experiment for fact in told(frames, Completed) if isinstance(fact, Completed)]
    assert len(names) == len(set(names)) == experiments
    assert len({recorded.id for recorded in frames}) == len(frames)
    log = lab.log()
    try:
        assert [ruling.breaches for ruling in audit(log).rulings if ruling.broken] == []
    finally:
        log.close()
    return frames


def test_a_machine_whose_clock_is_an_hour_ahead_joins_is_killed_follows_itself_and_leaves_when_asked(
    tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path, experiments=3, workers="local = false\nsilence = 300")
    places.append(lab)
    run = lab.starts("--listen", f"127.0.0.1:{free_port()}")
    lab.invites(run)
    first = lab.lends("--headless", program=AHEAD).until(lambda: lab.count_far("Started") == 1)
    first.kills("runner")
    # `near` is for the analyst, who runs the leaders again on its own machine before it seals.
    for where in ("weights", "near", "far"):
        lab.lets(where)
    second = lab.lends("--headless", program=AHEAD).until(lambda: lab.count_far("Completed") >= 1)
    second.until(lambda: "WorkerRetired" in str(lab.wrote_far()))
    ended = run.ended()
    assert ended.code == 0, ended
    assert second.ended().code == 0
    lab.all_gone()
    frames = once_and_lawful(lab, 3)
    assert [f.reason for f in told(frames, WorkerRetired, BOX) if isinstance(f, WorkerRetired)] == [
        "another process of its name follows it",
        "the campaign is closed",
    ]
    assert [f.reason for f in told(frames, LeaseRevoked) if isinstance(f, LeaseRevoked)] == ["retired"]
    (shared,) = told(frames, FilesShared)
    assert isinstance(shared, FilesShared)
    assert set(shared.files) == {"work/train.py", "work/space.toml"}
    far = [f.at for f in told(frames, Started, BOX)]
    near = [f.at for f in told(frames, Assigned, "scheduler")]
    assert min(far) - max(near) > 3_000_000_000
    (weights,) = {f.checkpoint for f in told(frames, Completed) if isinstance(f, Completed) and f.experiment == "e-2"}
    assert weights is not None
    assert (lab.folder.checkpoints / f"{weights}.safetensors").read_bytes() == b"e-2" * 50_000


def cut_off(lab: Lab, network: Network, run: Running, worker: Running) -> None:
    """Cut the cable while both hosts train, until the far one is lost and its run has ended in vain; then heal it."""
    run.until(lambda: lab.marked("began-far") and lab.marked("began-near"))
    network.cut()
    run.until(lambda: lab.count("WorkerLost") == 1 and lab.count("Requeued") == 1)
    lab.lets("far")
    run.until(lambda: any(entry["order"].startswith("p-") for entry in lab.wrote_far("done")))
    network.heal()
    worker.until(lambda: lab.count_far("WorkerJoined") == 2)
    run.until(lambda: lab.count_far("Completed") >= 1)


def test_a_cable_is_cut_and_healed_and_the_lost_machine_comes_back_and_its_late_result_is_refused(
    network: Network, tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path, experiments=4, workers='devices = ["cpu"]\nsilence = 2')
    places.append(lab)
    run = Running(lab, "run", str(lab.file), "--headless", "--listen", f"{network.NEAR}:4222", program=network.near())
    lab.invites(run, program=network.near())
    worker = lab.lends("--headless", program=network.far())
    cut_off(lab, network, run, worker)
    lab.lets("near")
    ended = run.ended()
    assert ended.code == 0, ended
    left = worker.ended()
    assert left.code == 0, left
    lab.all_gone()
    frames = once_and_lawful(lab, 4)
    (lost,) = told(frames, WorkerLost)
    assert isinstance(lost, WorkerLost)
    assert lost.worker == BOX
    assert lost.silence > 2
    (revoked,) = told(frames, LeaseRevoked)
    assert isinstance(revoked, LeaseRevoked)
    assert (revoked.worker, revoked.reason) == (BOX, "lost")
    (requeued,) = told(frames, Requeued)
    assert isinstance(requeued, Requeued)
    assert [r.author for r in frames if revoked.pack in r.subject.split(".")] == ["scheduler", BOX, "scheduler"]
    assert ["Completed"] in [entry["facts"] for entry in lab.wrote_far("forestalled")]
    joins = [f for f in told(frames, WorkerJoined, BOX) if isinstance(f, WorkerJoined)]
    assert len(joins) == 2
    assert joins[0].instrument == joins[1].instrument


@pytest.mark.prove
def test_the_page_of_hosts_is_followed_to_the_letter_on_two_hosts(
    network: Network, tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path, experiments=2, workers="local = false", name="mine")
    places.append(lab)
    run_it, invite_it, lend = (line.split()[1:] for line in taken("docs/hosts.md", "tests/faults/test_hosts.py"))
    for where in ("near", "far"):
        lab.lets(where)
    run = Running(lab, *run_it, program=network.near()).until(lab.folder.server.exists)
    invited = Running(lab, *invite_it, program=network.near()).ended()
    assert invited.code == 0, invited
    shutil.copy(tmp_path / "gpu-box.json", lab.elsewhere)
    cached = network.far(("env", f"XDG_CACHE_HOME={lab.lent}", *MYRIAD))
    worker = Running(lab, *lend, program=cached, cwd=lab.elsewhere)
    ended = run.ended()
    assert ended.code == 0, ended
    left = worker.ended()
    assert (left.code, "the campaign is closed; these devices are free" in left.out) == (0, True), left
    authors = {r.author for r in once_and_lawful(lab, 2) if told([r], Completed)}
    assert all(author.startswith("worker-gpu-box-") for author in authors)


def another_version(path: Path) -> tuple[str, ...]:
    """The program as a release with another protocol of scripts would be."""
    copy, root = path / "another", Path(myriad.__file__).parent
    for room in ("actors", "events", "kernels", "replay", "tui"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "myriad.py", copy)
    module = copy / "kernels" / "tasks" / "command.py"
    text = module.read_text()
    assert text.count('PROTOCOL = "') == 1
    module.write_text(text.replace('PROTOCOL = "', 'PROTOCOL = "another '))
    return ("env", f"PYTHONPATH={copy}", *MYRIAD)


def test_a_machine_of_another_version_is_told_what_differs_and_gets_no_work(
    tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path, experiments=1, workers='devices = ["cpu"]')
    places.append(lab)
    run = lab.starts("--listen", f"127.0.0.1:{free_port()}")
    run.until(lambda: lab.marked("began-near"))
    lab.invites(run)
    refused = lab.lends(program=another_version(tmp_path)).ended()
    assert refused.code == 2, refused
    assert "which differ in protocol: it gets no work" in refused.sentence
    lab.lets("near")
    assert run.ended().code == 0
    assert told(once_and_lawful(lab, 1), WorkerJoined, BOX) == []


OLD = b'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"headers":true}\r\nPONG\r\n'


def test_a_server_that_is_too_old_is_told_in_a_sentence_and_gets_no_devices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's release is what its greeting says; nothing of ours speaks to an old one for longer."""
    credential = tmp_path / "box.json"
    credentials.save(Credential(url="nats://127.0.0.1:1", user="worker-box", password="x"), credential)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=greet, args=(listener, OLD), daemon=True).start()
        address = f"nats://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(NotJetStream) as refused:
            doors.worker(connect=address, creds=credential, cache=tmp_path / "lent")
    assert str(refused.value) == f"{address} is nats-server 2.9.10; a campaign needs 2.12 or later"
    assert "lending" not in capsys.readouterr().out


def greet(listener: socket.socket, greeting: bytes) -> None:
    connection, _ = listener.accept()
    connection.sendall(greeting)
    while connection.recv(4096):
        pass


def test_a_server_that_holds_no_campaign_yet_is_waited_at_and_of_several_one_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server.running(Folder(tmp_path / "empty")) as up:
        owner, path = up.credential("owner"), tmp_path / "owner.json"
        credentials.save(owner, path)
        with pytest.raises(CampaignError, match=r"nobody took these devices for 0\.5 seconds"):
            doors.worker(creds=path, cache=tmp_path / "lent", patience=0.5)
        assert f"{owner.url} holds no campaign yet; waiting for one" in capsys.readouterr().out
        for name in ("one", "two"):
            jetstream.create(owner, name).close()
        with pytest.raises(CampaignUnknown, match="holds one, two: say --campaign NAME"):
            doors.worker(creds=path, cache=tmp_path / "lent", patience=0.5)


@pytest.mark.prove
def test_a_cable_that_stays_cut_ends_the_connection_and_the_machine_connects_anew(
    network: Network, tmp_path: Path, places: list[Place]
) -> None:
    lab = Lab(tmp_path, experiments=4, workers='devices = ["cpu"]\nsilence = 2')
    places.append(lab)
    run = Running(lab, "run", str(lab.file), "--headless", "--listen", "0.0.0.0:4222", program=network.near())
    lab.invites(run, "--address", network.NEAR, program=network.near())
    worker = lab.lends(program=network.far())
    run.until(lambda: lab.marked("began-far") and lab.marked("began-near"))
    network.cut()
    worker.until(lambda: "trying again" in worker.said())
    network.heal()
    lab.lets("far")
    worker.until(lambda: lab.count_far("Completed") >= 1)
    lab.lets("near")
    assert run.ended().code == 0
    assert worker.ended().code == 0
    frames = once_and_lawful(lab, 4)
    assert len(told(frames, WorkerLost)) == 1
    assert len(told(frames, WorkerJoined, BOX)) == 2


def a_box_lends(place: Place, path: Path, *words: str) -> tuple[Running, Running, Path]:
    """Start a campaign that trains nowhere near, and a machine that lends to it; both, and the machine's cache."""
    run = place.starts("--listen", f"127.0.0.1:{free_port()}").until(place.folder.server.exists)
    credential, cache = path / "box.json", path / "lent"
    assert place.calls("invite", "tiny", "box", "--to", str(credential)).code == 0
    lent = ("--creds", str(credential), "--devices", "2", "--cache", str(cache))
    return run, Running(place, "worker", *lent, *words), cache


@pytest.mark.prove
def test_features_travel_through_the_object_store_and_weights_come_back(
    world: Folder, tmp_path: Path, places: list[Place]
) -> None:
    place = Place(tmp_path, world, ('devices = ["cpu", "cpu"]', "local = false"))
    places.append(place)
    run, worker, _ = a_box_lends(place, tmp_path)
    assert run.ended().code == 0
    ended = worker.ended()
    assert (ended.code, "4 of 4 files fetched, verified" in ended.out) == (0, True), ended
    frames = once_and_lawful(place, 6)
    kept = [f.checkpoint for f in told(frames, Completed) if isinstance(f, Completed)]
    assert all((place.folder.checkpoints / f"{digest}.safetensors").exists() for digest in kept)
    again = place.calls("predict", "tiny", "champion")
    assert (again.code, "the same" in again.out) == (0, True), again


@pytest.mark.prove
def test_over_a_shared_path_nothing_travels_but_facts_and_weights(
    world: Folder, tmp_path: Path, places: list[Place]
) -> None:
    place = Place(tmp_path, world, ('devices = ["cpu", "cpu"]', "local = false"))
    places.append(place)
    run, worker, cache = a_box_lends(place, tmp_path, "--shared", str(place.folder.path))
    assert run.ended().code == 0
    ended = worker.ended()
    assert ended.code == 0, ended
    assert "fetched" not in ended.out
    assert not list(cache.rglob("*.safetensors"))
    once_and_lawful(place, 6)


def repair_at_length(house: Path) -> str:
    """What mends the planted bug, with so many words beside it that its fact holds only its ends and its digest."""
    text = (house / "kernels" / "pooling.py").read_text()
    words = "".join(f"# {number}: twenty steps have twenty places, and not nineteen.\n" for number in range(90))
    return planted.diff(house, "pooling.py", text, text.replace(planted.BUG[1], planted.BUG[0]) + words)


@pytest.mark.prove
def test_a_patch_that_the_fixer_adopts_comes_to_a_machine_elsewhere_by_its_digest_and_is_trained_with_there(
    world: Folder, tmp_path: Path, places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLANTED)
    monkeypatch.setenv("GEMINI_API_KEY", PLANTED)
    house = planted.planted(tmp_path / "house")
    mend = planted.answer("Twenty steps have nineteen places.", repair_at_length(house))
    with provider(planted.telling_apart(thinking(), mend)) as models:
        elsewhere = ('devices = ["cpu", "cpu"]', "local = false")
        place = ready(world, tmp_path, house, models, elsewhere, experiments=3, adopt="auto")
        places.append(place)
        run = place.starts("--listen", f"127.0.0.1:{free_port()}").until(place.folder.server.exists)
        credential, cache = tmp_path / "box.json", tmp_path / "lent"
        assert place.calls("invite", "tiny", "box", "--to", str(credential)).code == 0
        worker = Running(place, "worker", "--creds", str(credential), "--devices", "1", "--cache", str(cache))
        run.until(lambda: place.count("RemedyProposed")).until(lambda: place.count("PatchAdopted"))
        run.until(lambda: any(cache.rglob(DIFF))).until(lambda: place.count("CampaignClosed"))
        assert run.ended().code == 0
        assert worker.ended().code == 0
    frames = once_and_lawful(place, 3)
    (adopted,) = [fact for fact in told(frames, PatchAdopted) if isinstance(fact, PatchAdopted)]
    (patch,) = [fact for fact in told(frames, RemedyProposed) if isinstance(fact, RemedyProposed) and fact.diff]
    digest = patch.diff.digest if patch.diff is not None else None
    assert digest is not None
    (blob,) = cache.rglob(digest)
    (copy,) = cache.rglob(adopted.patch)
    assert sha256(blob.read_bytes()).hexdigest() == digest
    assert (copy / DIFF).read_bytes() == blob.read_bytes()
    assert place.folder.path not in copy.parents
    moved = {fact.experiment for fact in told(frames, Started, BOX) if fact.instrument == adopted.instrument}
    assert moved & {fact.experiment for fact in told(frames, Completed, BOX)}
