"""What a person can get wrong: one sentence on standard error, an exit code that is not zero, and nothing damaged."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import myriad
from events.folder import Campaign as Folder
from events.wire import binary
from tests import tiny
from tests.actors.waiting import eventually
from tests.faults.runs import MYRIAD, Place


@pytest.fixture
def untouched(tmp_path: Path, places: list[Place]) -> Place:
    """A campaign that was never run, without clips."""
    places.append(Place(tmp_path, None))
    return places[-1]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("clips =", "clipz =", "unknown key task.clipz; did you mean clips?"),
        ("epochs = [5]", "epochs = [6]", "space.epochs = 6 is not one of 5, 10, 15, 20, 30"),
        ("timeout = 60", 'timeout = "long"', "budget.timeout: expected `float`, got `str`"),
        ("[task]", "task]", "is not TOML: "),
    ],
)
def test_a_file_that_cannot_be_used_starts_nothing(
    tmp_path: Path, places: list[Place], before: str, after: str, sentence: str
) -> None:
    place = Place(tmp_path, None, (before, after))
    places.append(place)
    ended = place.runs()
    assert ended.code == 1
    assert ended.sentence.startswith(str(place.file))
    assert sentence in ended.sentence
    assert list(place.home.iterdir()) == []
    assert not place.processes()


def test_a_missing_file_and_an_unknown_name_are_told_apart(untouched: Place) -> None:
    missing = untouched.calls("run", "nowhere.toml", "--headless")
    assert (missing.code, missing.sentence) == (
        1,
        "nowhere.toml: there is no such file; myriad new FILE writes one",
    )
    unknown = untouched.calls("run", "nobody", "--headless")
    assert unknown.code == 2
    assert "nobody is neither a campaign file (.toml) nor a campaign under" in unknown.sentence


DOORS = {
    "tail": ("tail", "nobody"),
    "replay": ("replay", "nobody", "report"),
    "replay alone": ("replay", "nobody"),
    "watch": ("watch", "nobody", "--json"),
    "export": ("export", "nobody", "nobody.myriad"),
    "whatif": ("whatif", "nobody"),
    "rehearse": ("rehearse", "nobody"),
    "predict": ("predict", "nobody", "champion"),
    "stop": ("stop", "nobody"),
    "declare": ("declare", "nobody", "pause"),
}


@pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens")  # the door's own command line
@pytest.mark.parametrize("door", DOORS)
def test_a_campaign_that_there_is_not_is_two_at_every_door(
    door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["myriad", *DOORS[door]])
    with pytest.raises(SystemExit) as left:
        myriad.main()
    assert left.value.code == 2
    assert "no campaign nobody" in capsys.readouterr().err


def test_a_port_in_use_starts_nothing_and_is_free_to_be_tried_again(untouched: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = untouched.runs("--port", str(port))
    assert ended.code == 1
    assert ended.sentence == f"port {port} is in use on this machine: name another one, or 0 for a free one"
    untouched.all_gone()


@pytest.fixture
def plain_server(tmp_path: Path) -> Iterator[str]:
    """A nats-server without JetStream."""
    with subprocess.Popen(
        [binary.find(), "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            ports = eventually(lambda: next(iter(tmp_path.glob("nats-server_*.ports")), None))
            yield msgspec.json.decode(eventually(ports.read_bytes))["nats"][0]
        finally:
            process.terminate()


def test_a_server_without_jetstream_is_named(untouched: Place, plain_server: str) -> None:
    ended = untouched.runs("--connect", plain_server)
    assert ended.code == 1
    assert ended.sentence == f"{plain_server} is a NATS server without JetStream: start it with -js"


def test_an_address_where_nobody_answers_is_named(untouched: Place) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = untouched.runs("--connect", f"nats://127.0.0.1:{port}")
    assert ended.code == 1
    assert f"no server answers at nats://127.0.0.1:{port}" in ended.sentence


def test_a_home_that_is_a_file_is_named(tmp_path: Path, untouched: Place) -> None:
    shutil.rmtree(untouched.home)
    untouched.home.write_text("a file stands here")
    ended = untouched.runs()
    assert ended.code == 1
    assert "Not a directory" in ended.sentence


def test_clips_of_another_world_are_not_overwritten(world: Folder, tmp_path: Path, places: list[Place]) -> None:
    place = Place(tmp_path, world, (f"seed = {tiny.SEED}", "seed = 99"))
    places.append(place)
    clips = place.folder.path / "clips"
    before = sorted((path.name, path.stat().st_mtime_ns) for path in clips.rglob("*.mp4"))
    ended = place.runs()
    assert ended.code == 1
    assert "clips and features could not be made: " in ended.sentence
    assert f"{clips} holds clips of" in ended.sentence
    assert sorted((path.name, path.stat().st_mtime_ns) for path in clips.rglob("*.mp4")) == before


FULL = r"""
set -e
mount -t tmpfs -o size=400m tmpfs "$HOME_OF_IT"
cp -r "$WORLD/." "$HOME_OF_IT/tiny"
used=$(du -sk "$HOME_OF_IT" | cut -f1)
mount -o remount,size=$((used + ROOM))k "$HOME_OF_IT"
set +e
"$@" run "$FILE" --headless > "$SAID/out1" 2> "$SAID/err1"; echo $? > "$SAID/code1"
"$@" tail tiny > "$SAID/before" 2> "$SAID/tail1"
mount -o remount,size=400m "$HOME_OF_IT"
"$@" run "$FILE" --headless > "$SAID/out2" 2> "$SAID/err2"; echo $? > "$SAID/code2"
"$@" tail tiny > "$SAID/after" 2> "$SAID/tail2"
"""


def unshared() -> list[str]:
    """A shell in which a disk of one's own can be mounted: as root, or as root of a user namespace."""
    flags = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    if subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk, so none can be filled")
    return ["unshare", *flags, "sh", "-c", FULL, "sh"]


SPARE = 32 * 1024
"""KiB that the server leaves free (events/wire/server.py), so that a frame is refused before the disk refuses it."""


@pytest.mark.parametrize(
    ("room", "sentence"),
    [(SPARE - 1024, "is full: make room, nothing was started"), (SPARE + 800, "the server has no room for ")],
)
def test_a_full_disk_is_one_sentence_and_once_there_is_room_the_campaign_goes_on(
    world: Folder, tmp_path: Path, untouched: Place, room: int, sentence: str
) -> None:
    shell = unshared()
    # An agent that never has enough: 1,500 ideas are twice what the small disk holds.
    untouched.file.write_text(tiny.FILE.replace(*tiny.ALONE).replace("ideas = 3", "ideas = 200\nbacklog = 1500"))
    told = {
        "HOME_OF_IT": str(untouched.home),
        "WORLD": str(world.path),
        "FILE": str(untouched.file),
        "SAID": str(untouched.said),
        "ROOM": str(room),
    }
    subprocess.run([*shell, *MYRIAD], env=untouched.environment | told, check=True, timeout=240)
    said = {path.name: path.read_text() for path in untouched.said.iterdir()}
    assert said["code1"].strip() == "1", said
    (line,) = [line for line in said["err1"].splitlines() if line.startswith("myriad: ")]
    assert sentence in line, said
    assert "Traceback" not in said["err1"]
    assert said["code2"].strip() == "0", said
    assert "closed (6 experiments completed" in said["out2"]
    assert said["after"].startswith(said["before"])
    assert bool(said["before"]) == (room > SPARE), said
    untouched.all_gone()
