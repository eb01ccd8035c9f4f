"""One digest under every Python that we support, each with the packages that the exact measures need and no others."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from events.archives import archive
from replay.measures import Measurement

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.myriad"))
VERSIONS = ("3.11", "3.12")

TELL = """
import sys
from pathlib import Path
from events.archives import archive
from replay.measures import Measurement
from tests.replay import tales
print(*sys.version_info[:2], sep=".")
for path in map(Path, sys.argv[1:]):
    measurement = Measurement()
    measurement.advance(archive.open_file(path).read())
    print(measurement.digest(), sorted(measurement.values().items()))
told = tales.measured(tales.busy(120))
print(told.digest(), sorted(told.values().items()))
"""

SAID = {
    "vocabulary-1": "m3:62d1f944f7f8eb78e3e78e9dd551c7f9cd690df98ea53743cc4c826d1747b982",
    "vocabulary-2": "m3:d4db54612e0e4dcd210c2aad9e44f00039f6934b8429c93644f7888b4908754b",
}
"""What the golden archives fold to since the scheme m3, under whichever Python."""


def interpreter(version):
    """Return an interpreter of a version, asked for its version itself: a name on the path may be an empty shim."""
    named = os.environ.get(f"PYTHON{version.replace('.', '')}")
    here = sys.executable if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else None
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for found in (named, here, shutil.which(f"python{version}"), *map(str, installed)):
        if found and answer(found, "-c", "import sys; print(*sys.version_info[:2], sep='.')") == version:
            return found
    pytest.fail(f"this proof needs Python {version}: put python{version} on the path, or name it in PYTHON{version}")


def answer(*command, **options):
    done = subprocess.run([*command], capture_output=True, text=True, check=False, cwd=ROOT, **options)
    return done.stdout.strip() if done.returncode == 0 else None


def environment(version, folder):
    """The Python of a fresh environment of a version, with what reads an archive and nothing else."""
    made = interpreter(version)
    subprocess.run([made, "-m", "venv", folder], check=True, capture_output=True)
    python = str(folder / "bin" / "python")
    wanted = ["install", "--quiet", "--disable-pip-version-check", "--constraint", "constraints.txt", "msgspec", "isal"]
    subprocess.run([python, "-m", "pip", *wanted], check=True, capture_output=True, cwd=ROOT)
    return python


def told(version, folder):
    """What the log's digests and values are under a version, in a fresh environment of it."""
    python = environment(version, folder)
    said = subprocess.run(
        [python, "-c", TELL, *map(str, GOLDEN)], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout
    first, _, rest = said.partition("\n")
    assert first == version
    return rest


@pytest.mark.prove
def test_every_python_gives_one_digest_and_the_same_values_to_the_last_bit(tmp_path):
    assert GOLDEN
    answers = {version: told(version, tmp_path / version) for version in VERSIONS}
    assert set(answers.values()) == {answers[VERSIONS[0]]}
    assert answers[VERSIONS[0]].count("m3:") == len(GOLDEN) + 1


@pytest.mark.parametrize("name", SAID)
def test_the_python_that_runs_this_gives_the_digest_that_the_others_gave(name):
    measurement = Measurement()
    measurement.advance(archive.open_file(ROOT / "tests" / "golden" / f"{name}.myriad").read())
    assert measurement.digest() == SAID[name]


def test_a_python_that_is_not_there_is_said_to_be_missing_not_passed_over():
    with pytest.raises(pytest.fail.Exception, match=r"needs Python 2\.8"):
        interpreter("2.8")
