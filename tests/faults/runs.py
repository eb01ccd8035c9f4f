"""Real runs in real processes: started from the command line, watched through their logs, killed without warning.

This process adopts every orphan below it (`adopting`), so that whatever a run left behind is found among our own
descendants; no other process of the machine is looked into.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from events import campaigns
from events.folder import Campaign as Folder
from events.log import LogReader, Recorded
from events.wire import server
from tests import tiny
from tests.actors.waiting import eventually

MYRIAD = (sys.executable, "-c", "import myriad; myriad.main()")
PR_SET_CHILD_SUBREAPER = 36

MANY = 30
"""Experiments of a campaign that is to be disturbed before it is brought to its end."""

LONG = 120.0
"""Seconds in which whatever a test waits for must have come; nothing here takes a tenth of it on an idle machine."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it told the person; fails unless it is one line on standard error, and not a trace."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("myriad: ")]
        assert "Traceback" not in self.err, self.err
        return line.removeprefix("myriad: ")


class Place:
    """Where a campaign of a test is: its home, its file, and everything that runs for it."""

    def __init__(self, path: Path, world: Folder | None, *changes: tuple[str, str], name: str = "tiny") -> None:
        self.home = path / "campaigns"
        self.home.mkdir(parents=True, exist_ok=True)
        self.said = path / "said"
        self.said.mkdir(exist_ok=True)
        self._others = descendants()
        self.folder = Folder(self.home / name)
        if world is not None:
            self.file = tiny.settle_in(world, self.home, name, *changes)
        else:
            text = tiny.FILE
            for before, after in changes:
                assert text.count(before) == 1, before
                text = text.replace(before, after)
            self.file = path / f"{name}.toml"
            self.file.write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        """What commands run under."""
        return os.environ | {"MYRIAD_HOME": str(self.home), "OMP_NUM_THREADS": "1"}

    def starts(self, *arguments: str) -> Running:
        """Start `myriad run` of the campaign's file, without a screen."""
        return Running(self, "run", str(self.file), "--headless", *arguments)

    def runs(self, *arguments: str) -> Ended:
        """Run it to its end."""
        return self.starts(*arguments).ended()

    def calls(self, *arguments: str) -> Ended:
        """Run any command to its end."""
        return Running(self, *arguments).ended()

    def frames(self) -> list[Recorded]:
        """Every frame that the campaign's log holds, caught up from the store where nothing runs."""
        log = self.log()
        try:
            return list(log.read())
        finally:
            log.close()

    def log(self) -> LogReader:
        """The campaign's log, caught up from the store where nothing runs."""
        return campaigns.open(self.folder.path)

    def processes(self) -> dict[int, str]:
        """The processes that were started since this place was made and have not ended, with their commands."""
        found = {}
        for pid in descendants() - self._others:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def all_gone(self) -> None:
        """Wait until no process of this campaign is left."""
        eventually(lambda: not self.processes(), within=LONG)

    def wrote(self) -> list[dict[str, Any]]:
        """The frames that the operational log says were acknowledged, in its order."""
        return [entry for entry in journal(self.folder.path / "logs" / "run.jsonl") if entry["event"] == "wrote"]

    def acknowledged(self) -> int:
        """The last position that a role was told stands on the disk."""
        return max((entry["position"] for entry in self.wrote()), default=0)

    def count(self, fact: str) -> int:
        """How many facts of a kind were written, by the operational log."""
        return sum(entry["facts"].count(fact) for entry in self.wrote())


def journal(path: Path) -> list[dict[str, Any]]:
    """The entries of an operational log, the last one only once it is whole."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Make this process the parent of every orphan among its descendants, instead of the machine's first process."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def descendants() -> set[int]:
    """Our children and theirs that have not ended; parents are read from /proc/PID/stat, which says nothing else."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
    found, newest = set[int](), {os.getpid()}
    while newest:
        newest = {pid for pid, parent in parents.items() if parent in newest}
        found |= newest
    return found


class Running:
    """One command under way."""

    _number = 0

    def __init__(
        self, place: Place, *arguments: str, program: tuple[str, ...] = MYRIAD, cwd: Path | None = None
    ) -> None:
        Running._number += 1
        self._place = place
        self._out = place.said / f"out-{Running._number}"
        self._err = place.said / f"err-{Running._number}"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                (*program, *arguments), stdout=out, stderr=err, env=place.environment, cwd=cwd or place.home.parent
            )

    @property
    def pid(self) -> int:
        """The command's process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def interrupts(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def until(self, seen: Callable[[], Any]) -> Running:
        """Wait until something is seen; fail when the command ends before."""

        def found() -> bool:
            if seen():
                return True
            assert self.alive, self.ended()
            return False

        eventually(found, within=LONG)
        return self

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self._process.wait(LONG)
        return Ended(code, self._out.read_text(), self._err.read_text())

    def said(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    def pids(self, whom: str) -> list[int]:
        """The processes of the run that a killer means: the runner, its server, its benches, or all of them."""
        if whom == "runner":
            return [self.pid]
        if whom == "server":
            held = server.holder(self._place.folder)
            return [held[1]] if held is not None and held[1] else []
        mine = self._place.processes()
        if whom == "bench":
            return [pid for pid, command in mine.items() if "actors.benches.start_bench" in command][:1]
        assert whom == "everything"
        return list(mine)

    def kills(self, whom: str) -> None:
        """End processes as the kernel does: without a word."""
        self.kills_all(self.pids(whom))

    def kills_all(self, pids: list[int]) -> None:
        """End these processes, one right after the other."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
