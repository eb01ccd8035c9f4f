"""The workshop: private copies of what trains, each with patches, and their trials in processes of their own.

What surrounds a copy: a process without keys and connections, under limits, killed when its time is over; and sealed
files that are those of what is installed. What does not: it may read what its user may read, write where its user may
write, and reach the network.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec

import kernels
from actors.benches.child import Child
from actors.benches.limits import Limits
from actors.benches.vetting import Verified, Verify
from actors.errors import BenchBroken
from actors.judgement.budgets import CHECKING
from actors.orders import Breakdown, Described, Refused, Result, Score, Train, Trained, Tried, Try
from actors.repair import patches
from actors.repair.patches import ROOM, PatchRefused

INSTALLED = Path(kernels.__path__[0])
"""The room as it is installed."""

COPIES, DIFF = "patches", "patch.diff"
"""The folder of a campaign's copies, and the file of a copy that holds its patch."""

NEVER = 2.0
"""A validation AP that no run reaches: no weights of a trial are kept."""

SPARE = 600
"""Seconds of processor time that a trial's process may take beside its run's."""

Bench = Callable[[Path, Limits, str], Child]
"""Returns a bench, not started yet, that trains with the copy in a folder, under limits, on a device."""


class Workshop:
    """The copies of one campaign, each in a folder named by its patch; the installed room is the copy None."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, patch: str) -> Path:
        """Return the folder whose kernels/ is a patch's copy."""
        return self._folder / patch

    def read(self, base: str | None) -> Callable[[str], str]:
        """Return what reads a file of a copy by its path inside the room; raises `FileNotFoundError` there."""
        room = self._room(base)
        return lambda path: (room / path).read_text()

    def make(self, patch: str, diff: str, base: str | None) -> Path:
        """Make a patch's copy, unless it is there as it should be, and return its folder.

        Raises:
            PatchRefused: the diff cannot be used.
            OSError: there is no room for the copy.
        """
        if patches.digest(diff, base) != patch:
            raise PatchRefused("the diff is not the one that was recorded")
        room, place = self._room(base), self.place(patch)
        changed = {path: text.encode() for path, text in patches.apply(patches.parse(diff), self.read(base)).items()}
        wanted = _sources(room) | {path: sha256(content).hexdigest() for path, content in changed.items()}
        if _sources(place / ROOM) != wanted:
            partial = place.with_name(f"{patch}.partial")
            for folder in (partial, place):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(room, partial / ROOM, ignore=shutil.ignore_patterns("__pycache__"))
            for path, content in changed.items():
                (partial / ROOM / path).write_bytes(content)
            (partial / DIFF).write_text(diff)
            partial.rename(place)
        return place

    def _room(self, base: str | None) -> Path:
        return INSTALLED if base is None else self.place(base) / ROOM


class Proving:
    """Tries patches, one at a time.

    Args:
        bench: makes the process in which a trial takes place.
        memory: bytes that it may take, None for the limits' own.
    """

    def __init__(self, workshop: Workshop, bench: Bench, *, memory: int | None = None) -> None:
        self._workshop = workshop
        self._bench = bench
        self._memory = memory
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False

    def perform(self, order: Try) -> Tried:
        """Make the copy, hold it against its checks, make the broken run again in it, and say what came of it."""
        began = time.monotonic()
        try:
            place = self._workshop.make(order.patch, order.diff, order.base)
            tried = self._in(self._open(place, order), order)
        except (PatchRefused, BenchBroken, OSError) as error:
            tried = Tried(id=order.id, seconds=0.0, problem=_short(str(error)))
        finally:
            self._done()
        return msgspec.structs.replace(tried, seconds=time.monotonic() - began)

    def close(self) -> None:
        """End the trial and begin no other; called from another thread."""
        with self._lock:
            self._closed = True
        self._done()

    def _open(self, place: Path, order: Try) -> Child:
        limits = Limits(cpu=int(order.execution.timeout) + SPARE)
        if self._memory is not None or order.device != "cpu":
            # What a GPU's driver maps is no measure of what a process takes.
            limits = limits._replace(memory=self._memory or 0)
        with self._lock:
            if self._closed:
                raise BenchBroken("the trial was called off")
            self._child = self._bench(place, limits, order.device)
            return self._child

    def _done(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _in(self, child: Child, order: Try) -> Tried:
        described = child.describe()
        if not isinstance(described, Described):
            return Tried(id=order.id, seconds=0.0, problem=_short(f"the copy cannot train: {described.reason}"))
        if order.checked:
            return self._run(child, order, described.instrument)
        seen: Result = child.ask(Verify(id=order.id), CHECKING)
        if not isinstance(seen, Verified) or seen.problem is not None:
            why = seen.problem if isinstance(seen, Verified) else getattr(seen, "reason", "no answer")
            problem = _short(f"the copy is refused by the checks of the instrument: {why}")
            return Tried(id=order.id, seconds=0.0, problem=problem, instrument=described.instrument)
        tried = self._run(child, order, described.instrument)
        return msgspec.structs.replace(tried, verified=seen)

    def _run(self, child: Child, order: Try, instrument: str) -> Tried:
        train = Train(id=order.id, runs=(order.run,), execution=order.execution, keep_from=NEVER)
        trained: Result = child.ask(train, order.execution.timeout)
        end = trained.ends[0] if isinstance(trained, Trained) else trained
        if not isinstance(end, Score):
            why = end.trace if isinstance(end, Breakdown) else end.reason if isinstance(end, Refused) else "no answer"
            problem = _short(f"the run still does not end with a result: {why}")
            return Tried(id=order.id, seconds=0.0, problem=problem, instrument=instrument)
        return Tried(id=order.id, seconds=0.0, instrument=instrument, validation=end.validation)


def _sources(room: Path) -> dict[str, str]:
    """Return the digest of every file of a copy, by its path inside the room; none where there is no copy."""
    return {
        path.relative_to(room).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(room.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _short(text: str, most: int = 2000) -> str:
    """Return a reason's beginning and end: of a trace, what was being done and what went wrong."""
    text = text.strip()
    return text if len(text) <= most else f"{text[: most // 4]} ... {text[-most // 2 :]}"
