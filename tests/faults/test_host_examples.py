"""The examples for Slurm, systemd and containers, run as far as one machine can."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from events.wire import credentials
from events.wire.credentials import Credential
from tests.faults.test_hosts import free_port

HOUSE = Path(__file__).resolve().parents[2]
EXAMPLES = HOUSE / "docs" / "examples" / "hosts"
MYRIAD = Path(sys.executable).with_name("myriad")


@pytest.fixture
def creds(tmp_path: Path) -> Path:
    """A credential of a campaign's server that is not there."""
    path = tmp_path / "node-3.json"
    credentials.save(Credential(url=f"nats://127.0.0.1:{free_port()}", user="worker-node-3", password="x"), path)
    return path


def waited(words: list[str], environment: dict[str, str]) -> None:
    """Run a command that lends devices, and see it wait for its campaign, and give up when its patience is over."""
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | environment, check=False, timeout=120)
    assert done.returncode == 1, done
    assert "no server answers at nats://127.0.0.1" in done.stdout, done
    assert "myriad: nobody took these devices for 0.5 seconds" in done.stderr, done


def test_the_batch_script_is_sound_and_lends_as_the_task_of_an_array_that_it_is(creds: Path, tmp_path: Path) -> None:
    script = EXAMPLES / "worker.slurm"
    subprocess.run(["bash", "-n", script], check=True)
    environment = {
        "MYRIAD": str(MYRIAD),
        "MYRIAD_CREDS": str(tmp_path / "node-%a.json"),
        "MYRIAD_PATIENCE": "0.5",
        "SLURM_ARRAY_TASK_ID": "3",
        "SLURM_TMPDIR": str(tmp_path / "scratch"),
    }
    waited(["bash", str(script)], environment)
    assert (tmp_path / "scratch" / "myriad" / "worker.jsonl").exists()
    without = subprocess.run(["bash", script], capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    assert "MYRIAD_CREDS: the credential file that myriad invite wrote" in without.stderr


def test_the_units_command_lends_with_the_credential_and_the_folder_that_systemd_gives(
    creds: Path, tmp_path: Path
) -> None:
    unit = (EXAMPLES / "myriad-worker.service").read_text()
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    creds.rename(tmp_path / "worker.json").chmod(0o400)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path), "CACHE_DIRECTORY": str(tmp_path / "cache")}
    for name, value in given.items():
        line = line.replace(f"${{{name}}}", value)
    program, *words = shlex.split(line.removeprefix("ExecStart="))
    assert program == "/opt/myriad/bin/myriad"
    waited([str(MYRIAD), *words, "--patience", "0.5"], {})


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    unit = tmp_path / "myriad-worker.service"
    unit.write_text((EXAMPLES / "myriad-worker.service").read_text().replace("/opt/myriad/bin/myriad", str(MYRIAD)))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def instructions() -> list[tuple[str, str]]:
    """The steps of the Containerfile."""
    lines = (EXAMPLES / "Containerfile").read_text().splitlines()
    steps = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(verb, rest) for verb, _, rest in steps]


def test_the_containers_command_lends_with_the_secret_that_it_is_given(creds: Path, tmp_path: Path) -> None:
    steps = dict(instructions())
    words = [*json.loads(steps["ENTRYPOINT"]), *json.loads(steps["CMD"])]
    assert words[0] == "myriad"
    here = {"/run/secrets/worker.json": str(creds), "/cache": str(tmp_path / "cache")}
    waited([str(MYRIAD), *(here.get(word, word) for word in words[1:]), "--patience", "0.5"], {})


@pytest.mark.prove
def test_the_containers_steps_make_an_environment_that_lends(creds: Path, tmp_path: Path) -> None:
    place, source = tmp_path / "venv", tmp_path / "src"
    venv.create(place, with_pip=True)
    site = sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)})
    # What is installed here stands for what an index would give, the builder too: nothing is downloaded.
    for old in (*Path(site).glob("setuptools*"), *Path(site).glob("pkg_resources")):
        shutil.rmtree(old)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        ours = entry.name.startswith(("myriad", "__editable__"))
        if not ours and not (Path(site) / entry.name).exists():
            (Path(site) / entry.name).symlink_to(entry)
    tracked = subprocess.run(["git", "ls-files"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HOUSE / name, source / name)
    environment = os.environ | {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    runs = [rest for verb, rest in instructions() if verb == "RUN"]
    assert len(runs) == 2
    for run in runs:
        done = subprocess.run(
            ["sh", "-c", run], cwd=source, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done
    words = ["worker", "--creds", str(creds), "--cache", str(tmp_path / "cache"), "--patience", "0.5"]
    waited([str(place / "bin" / "myriad"), *words], {"PYTHONPATH": ""})
