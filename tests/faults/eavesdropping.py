"""What other programs of this user could overhear of a campaign: its processes' command lines and environments."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.faults.runs import Place, Running


class Eavesdropper:
    """Looks at every process of a place again and again, while a block runs.

    Attributes:
        heard: by what was looked at, everything that was ever seen there; of the run itself its command line alone,
            since a person put the keys into its environment; so of a child that is still a copy of the run, for the
            instant before it becomes another program.
        seen: the commands that were looked at.
    """

    def __init__(self, place: Place, run: Running) -> None:
        self._place, self._run = place, run
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.heard: dict[str, set[bytes]] = {"cmdline": set(), "environ": set()}
        self.seen: set[str] = set()

    def __enter__(self) -> Eavesdropper:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _listen(self) -> None:
        own = ""
        while not self._ended.wait(0.005):  # a program that crashes at once lives for a few hundredths of a second
            commands = self._place.processes()
            own = commands.get(self._run.pid) or own  # one that ends has no command any more; its last copy has
            for pid, command in commands.items():
                self.seen.add(command)
                for what, content in _open_to_all(pid):
                    if what == "cmdline" or command not in {"", own}:
                        self.heard[what].add(content)


def _open_to_all(pid: int) -> Iterator[tuple[str, bytes]]:
    for what in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            yield what, Path(f"/proc/{pid}/{what}").read_bytes()
