"""Two hosts on one machine: network namespaces with a cable between them, and campaigns whose runs a test lets go on.

What is trained is a script that waits: near the runner until the file `near` is there, elsewhere until `far` is. It
leaves weights where `weights` is there. It comes to a machine elsewhere as everything does, through the object store.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.runs import MYRIAD, Place, Running, journal

SCRIPT = """
import json, os, pathlib, time

marks = pathlib.Path({marks!r})
where = "far" if "lent" in pathlib.Path(os.environ["MYRIAD_CONFIGURATION"]).parts else "near"
experiment = os.environ["MYRIAD_EXPERIMENT"]
(marks / f"began-{{where}}-{{experiment}}").touch()
while not (marks / where).exists():
    time.sleep(0.02)
if (marks / "weights").exists():
    pathlib.Path(os.environ["MYRIAD_CHECKPOINT"]).write_bytes(experiment.encode() * 50_000)
validation = 0.5 + int(experiment[2:]) / 100
print(json.dumps({{"epoch": 1, "loss": 0.5, "validation": validation}}))
(marks / f"ended-{{where}}-{{experiment}}").touch()
print(json.dumps({{"validation": validation, "test": 0.5, "noise": 0.01}}))
"""

SPACE = """
name = "waiting"

[[dimension]]
name = "depth"
values = [1, 2, 3, 4, 5, 6, 7, 8]

[[dimension]]
name = "rate"
low = 0.001
high = 0.1
scale = "log"
"""

CAMPAIGN = """
name = "{name}"

[task]
kind = "command"
run = ["python", "train.py"]
inputs = ["train.py"]
space = "space.toml"

[budget]
experiments = {experiments}
timeout = 300

[workers]
{workers}

[[agent]]
name = "u"
policy = "uniform"
ideas = 3
"""

AHEAD = (
    *MYRIAD[:-1],
    "import time; real = time.time_ns; time.time_ns = lambda: real() + 3600 * 10**9; import myriad; myriad.main()",
)
"""The program under a clock that is an hour ahead."""


class Lab(Place):
    """A campaign of scripts that wait, and the machines that lend devices to it."""

    def __init__(self, path: Path, *, experiments: int, workers: str, name: str = "lab") -> None:
        super().__init__(path, None, ('name = "tiny"', f'name = "{name}"'), name=name)
        self.file.write_text(CAMPAIGN.format(name=name, experiments=experiments, workers=workers))
        self.marks = path / "marks"
        self.elsewhere = path / "elsewhere"
        self.lent = path / "lent"
        for folder in (self.marks, self.elsewhere, self.lent):
            folder.mkdir()
        (path / "train.py").write_text(SCRIPT.format(marks=str(self.marks)))
        (path / "space.toml").write_text(SPACE)

    @property
    def credential(self) -> Path:
        """The credential of the machine elsewhere."""
        return self.elsewhere / "box.json"

    def lets(self, where: str) -> None:
        """Let the runs near the runner, or far from it, go on; or leave weights."""
        (self.marks / where).touch()

    def marked(self, mark: str) -> list[str]:
        """The experiments that a script has left a mark of."""
        return [path.name for path in self.marks.glob(f"{mark}-e-*")]

    def invites(self, run: Running, *arguments: str, program: tuple[str, ...] = MYRIAD) -> None:
        """Invite the machine elsewhere, once the campaign's server runs."""
        run.until(self.folder.server.exists)
        ended = Running(
            self, "invite", self.folder.name, "box", "--to", str(self.credential), *arguments, program=program
        ).ended()
        assert ended.code == 0, ended

    def lends(self, *arguments: str, program: tuple[str, ...] = MYRIAD) -> Running:
        """Start `myriad worker` elsewhere."""
        words = ("worker", "--creds", str(self.credential), "--cache", str(self.lent), "--devices", "1", *arguments)
        return Running(self, *words, program=program, cwd=self.elsewhere)

    def wrote_far(self, event: str = "wrote") -> list[dict[str, Any]]:
        """What the machine elsewhere says that it wrote, or another event of its operational log."""
        return [entry for entry in journal(self.lent / "worker.jsonl") if entry["event"] == event]

    def count_far(self, fact: str, event: str = "wrote") -> int:
        """How many facts of a kind the machine elsewhere wrote."""
        return sum(entry["facts"].count(fact) for entry in self.wrote_far(event))


class Network:
    """Two hosts, `near` and `far`, and the cable between them; near has the address that docs/hosts.md shows."""

    NEAR, FAR = "10.0.0.5", "10.0.0.6"

    def __init__(self) -> None:
        self._near, self._far = (f"myriad-{os.getpid()}-{where}" for where in ("near", "far"))

    def lay(self) -> str | None:
        """Make hosts and cable, or return why this machine does not let us."""
        cable = f"link add v0 netns {self._near} type veth peer name v0 netns {self._far}"
        steps = [f"netns add {self._near}", f"netns add {self._far}", cable]
        for host, address in ((self._near, self.NEAR), (self._far, self.FAR)):
            steps += [f"-n {host} addr add {address}/24 dev v0"]
            steps += [f"-n {host} link set {device} up" for device in ("lo", "v0")]
        for step in steps:
            try:
                done = subprocess.run(("ip", *step.split()), capture_output=True, text=True, check=False)
            except OSError as error:
                return f"ip: {error.strerror}"
            if done.returncode != 0:
                return f"ip {step}: {done.stderr.strip()}"
        return None

    def tear_up(self) -> None:
        """Take hosts and cable away."""
        for host in (self._near, self._far):
            with contextlib.suppress(OSError):
                subprocess.run(("ip", "netns", "del", host), capture_output=True, check=False)

    def cut(self) -> None:
        """Pull the cable."""
        self._set("down")

    def heal(self) -> None:
        """Plug it in again."""
        self._set("up")

    def near(self, program: tuple[str, ...] = MYRIAD) -> tuple[str, ...]:
        """A program on the runner's host."""
        return ("ip", "netns", "exec", self._near, *program)

    def far(self, program: tuple[str, ...] = MYRIAD) -> tuple[str, ...]:
        """A program on the other host."""
        return ("ip", "netns", "exec", self._far, *program)

    def _set(self, state: str) -> None:
        subprocess.run(("ip", "-n", self._near, "link", "set", "v0", state), check=True)


@contextlib.contextmanager
def two_hosts() -> Iterator[Network]:
    """Lend two hosts; a machine on which none can be made skips what asks for them, and says why."""
    network = Network()
    try:
        if (reason := network.lay()) is not None:
            pytest.skip(f"no network namespaces can be made here: {reason}")
        yield network
    finally:
        network.tear_up()
