"""The parent's end of a bench: starts it, asks it, hears its pulses, and kills it when its time is over."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from actors.benches.limits import Limits
from actors.benches.setups import Setup
from actors.errors import BenchBroken
from actors.orders import Describe, Described, Epoch, Order, Progress, Refused, Result

SWITCHES = ("MYRIAD_COMPILED", "XDG_CACHE_HOME")
"""Where the compiled loops lie, and whether they are used."""

PASSED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    *SWITCHES,
    "MYRIAD_MODELS",
    "HF_HOME",
)
"""All that a bench sees of our environment; keys and tokens are not among it. It imports from where we import."""

STARTING = 120.0
"""Seconds in which a new bench must have described itself."""

TAIL = 8192
"""Bytes of its standard error that a dead bench's trace keeps."""

_lines: Any = msgspec.json.Decoder(Result | Progress | Epoch)
_encoder = msgspec.json.Encoder()


Place = Callable[[], tuple[Path | None, Limits | None]]
"""Returns the folder of a copy of kernels/, None for what is installed, and the limits of who trains with a copy."""


def installed() -> tuple[None, None]:
    """Return the place of a bench that trains with what is installed, and may take what there is."""
    return None, None


class TimedOut(BenchBroken):
    """The bench took longer than it was given, and was killed."""


class Child:
    """One bench process; used by one thread at a time, killed from any.

    Args:
        errors: file that takes its standard error.
        hear: called with every pulse and progress, from the asking thread.
        place: asked whenever a process is started: where its kernels/ is, and what it may take.
    """

    def __init__(
        self,
        setup: Setup,
        errors: Path,
        hear: Callable[[Epoch | Progress], None],
        *,
        place: Place = installed,
    ) -> None:
        self._setup = setup
        self._place = place
        self._errors = errors
        self._hear = hear
        self._process: subprocess.Popen[bytes] | None = None
        self._said: SimpleQueue[bytes | None] = SimpleQueue()
        self._starting = threading.Lock()
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether there is a process that can be asked."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process, None before it was started."""
        return self._process.pid if self._process is not None else None

    def describe(self) -> Described | Refused:
        """Start the process and return under which instrument it would train; raises as `ask` does."""
        answer: Described | Refused = self.ask(Describe(id="describe"), STARTING)
        return answer

    def ask(self, order: Order, timeout: float) -> Any:
        """Return the bench's answer to an order, from a new process where there is none.

        Raises:
            TimedOut: it took longer than `timeout` seconds in all, and was killed.
            BenchBroken: it ended without an answer; the text ends with the tail of what it said.
        """
        process = self._living()
        said = self._said
        with _alarm(timeout, process) as late:
            try:
                _write(process, _encoder.encode(order))
                while (line := said.get()) is not None:
                    heard = _lines.decode(line)
                    if isinstance(heard, Epoch | Progress):
                        self._hear(heard)
                    elif heard.id == order.id:
                        return heard
            except (OSError, ValueError):
                _end(process)
        if late.is_set():
            raise TimedOut(f"killed after {timeout:g} s")
        raise BenchBroken(self._last_words(process))

    def move(self, copy: Path, limits: Limits) -> None:
        """End the process; the next order starts one that trains with a copy of kernels/, under limits."""
        self._place = lambda: (copy, limits)
        self.kill()

    def kill(self) -> None:
        """End the process and its helpers now, whatever they do; the next order starts another."""
        if (process := self._process) is not None:
            _end(process)

    def close(self) -> None:
        """End the process and start no other."""
        with self._starting:
            self._closed = True
        self.kill()

    def _living(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._closed:
                raise BenchBroken("the bench was given back")
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors.parent.mkdir(parents=True, exist_ok=True)
        self._said = SimpleQueue()
        copy, limits = self._place()
        with self._errors.open("wb") as errors:
            # -P: a file of the user's folder must not stand in for a module of ours or of Python's.
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "actors.benches.start_bench",
                    *(limits.arguments() if limits is not None else ()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(copy),
                start_new_session=True,
            )
        threading.Thread(target=_listen, args=(process, self._said), name="bench", daemon=True).start()
        with contextlib.suppress(OSError):
            _write(process, _encoder.encode(self._setup))
        return process

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        said = self._errors.read_bytes()[-TAIL:].decode(errors="replace") if self._errors.exists() else ""
        return f"the bench ended with status {process.wait()}\n{said}"


def _environment(copy: Path | None) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED if name in os.environ} | {"OMP_NUM_THREADS": "1"}
    if copy is not None:
        # Before everything else on the path, and without bytecode, so that the copy stays as it was made.
        places = [str(copy), *filter(None, [passed.get("PYTHONPATH")])]
        passed |= {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    return passed


@contextlib.contextmanager
def _alarm(timeout: float, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """End the process after `timeout` seconds unless the block is left before; the event says that it was so."""
    late = threading.Event()

    def ring() -> None:
        late.set()
        _end(process)

    alarm = threading.Timer(timeout, ring)
    alarm.daemon = True
    alarm.start()
    try:
        yield late
    finally:
        # Joined, so that an alarm which has begun to ring can never reach the next order.
        alarm.cancel()
        alarm.join()


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line + b"\n")
        process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    # The bench leads a session of its own, and so a group: its helpers end with it. Once its output is closed all are
    # gone, and the number may be somebody else's.
    if process.stdout is not None and not process.stdout.closed:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _listen(process: subprocess.Popen[bytes], said: SimpleQueue[bytes | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            said.put(line)
    _end(process)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    said.put(None)
