"""The parent's end of a bench: starts it, asks it, hears its pulses, and kills it when its time is over."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from actors.errors import BenchBroken
from actors.orders import Describe, Described, Epoch, Order, Progress, Refused, Result, Setup

PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")
"""All that a bench sees of our environment; keys and tokens are not among it."""

STARTING = 120.0
"""Seconds in which a new bench must have described itself."""

TAIL = 8192
"""Bytes of its standard error that a dead bench's trace keeps."""

_lines: Any = msgspec.json.Decoder(Result | Progress | Epoch)
_encoder = msgspec.json.Encoder()


class TimedOut(BenchBroken):
    """The bench took longer than it was given, and was killed."""


class Child:
    """One bench process; used by one thread at a time, killed from any.

    Args:
        errors: file that takes its standard error.
        hear: called with every pulse and progress, from the asking thread.
    """

    def __init__(self, setup: Setup, errors: Path, hear: Callable[[Epoch | Progress], None]) -> None:
        self._setup = setup
        self._errors = errors
        self._hear = hear
        self._process: subprocess.Popen[bytes] | None = None
        self._said: SimpleQueue[bytes | None] = SimpleQueue()

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

    def _start(self) -> None:
        self.kill()
        self._errors.parent.mkdir(parents=True, exist_ok=True)
        self._said = SimpleQueue()
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "actors.bench"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={name: os.environ[name] for name in PASSED if name in os.environ} | {"OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        threading.Thread(target=_listen, args=(self._process, self._said), daemon=True).start()
        self._write(_encoder.encode(self._setup))

    def ask(self, order: Order, timeout: float) -> Any:
        """Return the bench's answer to an order.

        Raises:
            TimedOut: it took longer than `timeout` seconds in all, and was killed.
            BenchBroken: it ended without an answer; the text ends with the tail of what it said.
        """
        if not self.alive:
            self._start()
        self._write(_encoder.encode(order))
        return self._answer(timeout)

    def kill(self) -> None:
        """End the process now, whatever it does."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _write(self, line: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise BenchBroken("the bench was not started")
        try:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
        except OSError:
            raise BenchBroken(self._last_words()) from None

    def _answer(self, timeout: float) -> Any:
        alarm = threading.Timer(timeout, self.kill)
        alarm.daemon = True
        alarm.start()
        try:
            while (said := self._said.get()) is not None:
                line = _lines.decode(said)
                if not isinstance(line, Epoch | Progress):
                    return line
                self._hear(line)
        finally:
            in_time = alarm.is_alive()
            alarm.cancel()
        if not in_time:
            raise TimedOut(f"killed after {timeout:g} s")
        raise BenchBroken(self._last_words())

    def _last_words(self) -> str:
        code = self._process.wait() if self._process is not None else None
        said = self._errors.read_bytes()[-TAIL:].decode(errors="replace") if self._errors.exists() else ""
        return f"the bench ended with status {code}\n{said}"


def _listen(process: subprocess.Popen[bytes], said: SimpleQueue[bytes | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            said.put(line)
    said.put(None)
