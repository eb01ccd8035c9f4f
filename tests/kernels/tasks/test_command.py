"""A program of the user's own: told twice, heard line by line, and whatever ends it is said with its own last words."""

import json
import sys
from pathlib import Path

import pytest

from kernels.errors import BadTask
from kernels.outcomes import Completed, Epoch, Failed
from kernels.tasks.command import Program, run
from kernels.wiring import Run
from tests.actors.waiting import eventually

ONE = Run("e-1", {"model": "ridge", "learning_rate": 0.25}, 2**53 - 1)


def ran(tmp_path: Path, code: str, *, timeout: float = 60.0) -> list[Epoch | Completed | Failed]:
    script = tmp_path / "script.py"
    script.write_text(code)
    return list(run(Program((sys.executable, str(script))), ONE, tmp_path / "run", lane=0, timeout=timeout))


def test_a_program_is_told_its_configuration_by_file_and_by_environment(tmp_path: Path) -> None:
    code = """
import json, os
told = json.load(open(os.environ["MYRIAD_CONFIGURATION"]))
assert told == {"experiment": "e-1", "seed": 2**53 - 1, "configuration": {"model": "ridge", "learning_rate": 0.25}}
assert os.environ["MYRIAD_MODEL"] == "ridge" and os.environ["MYRIAD_LEARNING_RATE"] == "0.25"
assert os.environ["MYRIAD_SEED"] == str(2**53 - 1) and os.environ["MYRIAD_EXPERIMENT"] == "e-1"
print("hello, this is no JSON")
print(json.dumps({"epoch": 1, "loss": 0.5, "validation": 0.6}), flush=True)
print(json.dumps({"epoch": 2, "loss": 0.4, "validation": 0.7}))
open(os.environ["MYRIAD_CHECKPOINT"], "w").write("weights")
print(json.dumps({"validation": 0.7, "test": 0.65, "noise": 0.01}))
"""
    *epochs, end = ran(tmp_path, code)
    assert epochs == [Epoch("e-1", 0, 1, 0.5, 0.6), Epoch("e-1", 0, 2, 0.4, 0.7)]
    assert isinstance(end, Completed), end
    assert (end.validation, end.test, end.noise, end.epoch) == (0.7, 0.65, 0.01, 2)
    assert end.curves.validation == (0.6, 0.7)
    assert end.checkpoint == b"weights"
    assert "no JSON" in (tmp_path / "run" / "stdout.txt").read_text()


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("import sys; sys.stderr.write('it broke here\\n'); sys.exit(3)", "crashed", ("exit code 3", "it broke here")),
        ("print('nothing')", "crashed", ("without a result", "got none")),
        ("print('{\"test\": 0.5}')", "crashed", ("without a result", '{"test": 0.5}')),
        ('print(\'{"test": NaN, "validation": 1}\')', "crashed", ("without a result",)),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed", ("was ended by SIGSEGV",)),
    ],
)
def test_how_a_program_fails_is_said_in_its_own_words(
    tmp_path: Path, code: str, kind: str, words: tuple[str, ...]
) -> None:
    (end,) = ran(tmp_path, code)
    assert isinstance(end, Failed)
    assert end.kind == kind
    for word in words:
        assert word in end.detail


def test_a_program_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    code = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("CHILD", "w").write(str(child.pid))
sys.stderr.write("still at it")
sys.stderr.flush()
print('{"epoch": 1, "loss": 1, "validation": 0.1}', flush=True)
time.sleep(600)
""".replace("CHILD", str(tmp_path / "child"))
    epoch, end = ran(tmp_path, code, timeout=3.0)
    assert isinstance(epoch, Epoch)
    assert isinstance(end, Failed)
    assert (end.kind, end.step) == ("timeout", 1)
    assert "killed after 3 s" in end.detail
    assert "still at it" in end.detail
    pid = int((tmp_path / "child").read_text())
    eventually(lambda: has_ended(pid))


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_program_that_is_not_there_is_a_failure_and_not_an_accident(tmp_path: Path) -> None:
    (end,) = run(Program((str(tmp_path / "none"),)), ONE, tmp_path / "run", lane=0, timeout=5.0)
    assert isinstance(end, Failed)
    assert "none cannot be started: No such file" in end.detail


def test_another_input_or_command_line_is_another_instrument(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2\n")
    program = Program(("python", "train.py"), (str(tmp_path / "data.csv"),))
    before = program.digest
    assert Program(("python", "other.py"), program.inputs).digest != before
    (tmp_path / "data.csv").write_text("1,3\n")
    assert program.digest != before
    (tmp_path / "data.csv").unlink()
    with pytest.raises(BadTask, match=r"task\.inputs and cannot be read"):
        assert program.digest


def test_what_was_told_is_kept_beside_what_was_said(tmp_path: Path) -> None:
    ran(tmp_path, "import sys; sys.stderr.write('a word'); print('{\"validation\": 1, \"test\": 1}')")
    assert json.loads((tmp_path / "run" / "configuration.json").read_text())["experiment"] == "e-1"
    assert (tmp_path / "run" / "stderr.txt").read_text() == "a word"
