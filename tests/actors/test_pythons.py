"""The same seed gives the same bytes of a simulated campaign under every Python, whatever the hash seed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.replay.test_pythons import ROOT, VERSIONS, environment

PLAY = """
import sys
from hashlib import sha256
from actors.virtual.laboratory import Laboratory, Setting
from events.memory import MemoryLog
log = MemoryLog("sim")
Laboratory(Setting(experiments=int(sys.argv[1])), log).play()
whole = sha256()
for recorded in log.read():
    whole.update(recorded.subject.encode() + recorded.id.encode() + recorded.payload)
print(*sys.version_info[:2], sep=".", end=f" {hash('x')} {whole.hexdigest()}")
"""


ENDURE = """
import sys
from hashlib import sha256
from actors.chaos.faults import script
from actors.chaos.nemesis import Nemesis
whole = sha256()
for seed in range(1, int(sys.argv[1]) + 1):
    nemesis = Nemesis(seed, script(seed))
    nemesis.play()
    for recorded in nemesis.wire.read():
        whole.update(recorded.subject.encode() + recorded.id.encode() + recorded.payload)
print(*sys.version_info[:2], sep=".", end=f" {hash('x')} {whole.hexdigest()}")
"""


@pytest.mark.prove
@pytest.mark.parametrize("experiments", [500, 10_469])
def test_a_simulated_campaign_is_the_same_to_the_byte_under_every_python_and_hash_seed(
    tmp_path: Path, experiments: int
) -> None:
    same(tmp_path, PLAY, experiments)


@pytest.mark.prove
def test_campaigns_under_faults_are_the_same_to_the_byte_under_every_python_and_hash_seed(tmp_path: Path) -> None:
    same(tmp_path, ENDURE, 100)


def same(folder: Path, play: str, many: int) -> None:
    """Every Python, each with a hash seed of its own, prints one digest."""
    said = []
    for number, version in enumerate(VERSIONS, start=1):
        python = environment(version, folder / version)
        done = subprocess.run(
            [python, "-c", play, str(many)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": str(number)},
        )
        said.append(done.stdout.split())
    assert [version for version, _, _ in said] == list(VERSIONS)
    assert said[0][1] != said[1][1]
    assert said[0][2] == said[1][2]
