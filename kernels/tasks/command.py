"""command: a program of the user's own, in any language, as what an experiment runs.

The program is started once for each run, in a folder of its own, and is told what to do twice: by the file
`configuration.json` there (its path is in MYRIAD_CONFIGURATION), and by one variable for each key (MYRIAD_LEARNING_RATE
and so on), beside MYRIAD_EXPERIMENT, MYRIAD_SEED and MYRIAD_CHECKPOINT, a path where it may leave its weights. It
answers on standard output with one JSON object a line: {"epoch": 3, "loss": 0.2, "validation": 0.81} as often as it
likes, and last its result, {"validation": 0.81, "test": 0.8}, higher being better. Other lines are kept and pass by.
"""

import hashlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernels.errors import BadTask
from kernels.outcomes import Completed, Curves, Epoch, Failed
from kernels.wiring import Run

TAIL = 8192  # bytes of standard error that a failure quotes
PROTOCOL = "myriad command 1"
KEYS = ("validation", "test", "noise")
NEEDED = '{"validation": number, "test": number}'


@dataclass(frozen=True)
class Program:
    """What is run: words of the command line, and the files that give its numbers their meaning."""

    words: tuple[str, ...]
    inputs: tuple[str, ...] = ()

    def parts(self) -> dict[str, str]:
        """The digests of protocol, command line and inputs, by name.

        Raises:
            BadTask: an input cannot be read.
        """
        parts = {"protocol": _sha(PROTOCOL.encode()), "command": _sha(json.dumps(self.words).encode())}
        for name in self.inputs:
            try:
                parts[f"input/{name}"] = _sha(Path(name).expanduser().read_bytes())
            except OSError as error:
                raise BadTask(Path(name), f"is named in task.inputs and cannot be read ({error.strerror})") from error
        return parts

    @property
    def digest(self) -> str:
        """One digest over all parts; raises as `parts`."""
        return _sha(json.dumps(self.parts(), sort_keys=True).encode())


@dataclass
class _Said:
    """What a program has said so far."""

    losses: list[float] = field(default_factory=list)
    validations: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    result: Mapping[str, Any] | None = None


def run(program: Program, one: Run, folder: Path, *, lane: int, timeout: float) -> Iterator[Epoch | Completed | Failed]:
    """Runs the program for one experiment: its epochs as it says them, then how it ended.

    Args:
        program: what to run.
        one: the experiment, its configuration and its seed.
        folder: made anew; keeps configuration.json, stdout.txt, stderr.txt and what the program leaves.
        lane: said again in the outcome.
        timeout: seconds after which the program and all that it started are killed.
    """
    began, late = time.perf_counter(), threading.Event()
    try:
        process = _start(program, one, folder)
    except OSError as error:
        why = f"{program.words[0]} cannot be started: {error.strerror}"
        yield Failed(one.experiment, lane, "crashed", 0, why, time.perf_counter() - began)
        return
    alarm = threading.Timer(timeout, _ring, (late, process))
    alarm.daemon = True
    alarm.start()
    said = _Said()
    try:
        for line in process.stdout or ():
            with (folder / "stdout.txt").open("ab") as kept:
                kept.write(line)
            if (epoch := _heard(line, said, one, lane)) is not None:
                yield epoch
        process.wait()
    finally:
        alarm.cancel()
        alarm.join()
        _kill(process)
    seconds = time.perf_counter() - began
    if late.is_set():
        text = f"killed after {timeout:g} s\n{_tail(folder)}"
        yield Failed(one.experiment, lane, "timeout", len(said.losses), text, seconds)
    elif process.returncode != 0:
        how = f"ended with exit code {process.returncode}" if process.returncode > 0 else _signalled(process)
        yield Failed(one.experiment, lane, "crashed", len(said.losses), f"{how}\n{_tail(folder)}", seconds)
    else:
        yield _ended(said, one, folder, lane, seconds)


def _start(program: Program, one: Run, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("stdout.txt", "checkpoint"):
        (folder / name).unlink(missing_ok=True)
    told = {"experiment": one.experiment, "seed": one.seed, "configuration": dict(one.configuration)}
    path = (folder / "configuration.json").absolute()
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    own = {f"MYRIAD_{key.upper()}": str(value) for key, value in one.configuration.items()}
    own |= {"MYRIAD_CONFIGURATION": str(path), "MYRIAD_CHECKPOINT": str(path.with_name("checkpoint"))}
    own |= {"MYRIAD_EXPERIMENT": one.experiment, "MYRIAD_SEED": str(one.seed)}
    # "python" is the one that runs this: the user's own may lack what ours has, or be no python3 at all.
    first = sys.executable if program.words[0] == "python" else str(Path(program.words[0]).expanduser())
    words = [first, *program.words[1:]]
    with (folder / "stderr.txt").open("wb") as errors:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | own,
        )


def _ring(late: threading.Event, process: subprocess.Popen[bytes]) -> None:
    late.set()
    _kill(process)


def _heard(line: bytes, said: _Said, one: Run, lane: int) -> Epoch | None:
    """Takes in a line; an epoch is passed on."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    if "test" in value:
        said.result = value
        return None
    loss, validation = _number(value.get("loss")), _number(value.get("validation"))
    if "epoch" not in value or not math.isfinite(validation):
        return None
    said.losses.append(loss)
    said.validations.append(validation)
    said.rates.append(_number(value.get("learning_rate", 0.0)))
    return Epoch(one.experiment, lane, len(said.losses), loss, validation)


def _ended(said: _Said, one: Run, folder: Path, lane: int, seconds: float) -> Completed | Failed:
    result = said.result or {}
    validation, test, noise = (_number(result.get(key, 0.0 if key == "noise" else None)) for key in KEYS)
    if not all(map(math.isfinite, (validation, test, noise))):
        held = json.dumps(result) if result else "none"
        text = (
            f'ended well without a result; needed is a last line {{"validation": number, "test": number}}, got {held}'
        )
        return Failed(one.experiment, lane, "crashed", len(said.losses), f"{text}\n{_tail(folder)}", seconds)
    weights = folder / "checkpoint"
    content = weights.read_bytes() if weights.exists() else b""
    best = max(range(len(said.validations)), key=said.validations.__getitem__, default=0)
    return Completed(
        experiment=one.experiment,
        lane=lane,
        validation=validation,
        test=test,
        noise=noise,
        epoch=best + 1,
        curves=Curves(tuple(said.losses), tuple(said.validations), tuple(said.rates)),
        seconds=seconds,
        # Linux counts in KiB; the largest program that this process has waited for.
        peak_memory=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        checkpoint=content,
        digest=_sha(content),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _tail(folder: Path) -> str:
    return (folder / "stderr.txt").read_bytes()[-TAIL:].decode(errors="replace")


def _signalled(process: subprocess.Popen[bytes]) -> str:
    return f"was ended by {signal.Signals(-process.returncode).name}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and whatever it started; all are of this process's group, and end with it too."""
    if process.poll() is None:
        for pid in (*_descendants(process.pid), process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Processes that a process has started, as far as the system tells (Linux)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *_descendants(child))]


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
