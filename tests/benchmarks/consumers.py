"""What consumers cost a campaign: frames a second with none, with some that follow, and with as many that read nothing.

    just bench consumers [--many 8] [--frames 400]

The peer is the same writer without a consumer, in the same run; every frame is synced before it is acknowledged.
Beside the rate, which the disk and whatever else runs here decide, stands the processor time of writer and of server
for a frame: what consumers cost where cores are shared.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from events.folder import Campaign
from events.wire import jetstream, server
from events.wire.jetstream import JetStreamLog
from tests.events.saying import frame

ROOT = Path(__file__).parents[2]

FOLLOWER = """
import sys
from pathlib import Path
from events.wire import jetstream
log = jetstream.connect(Path(sys.argv[1]), "tale")
print("here", flush=True)
for recorded in log.follow(log.last()):
    pass
"""


@contextlib.contextmanager
def consumers(folder: Campaign, many: int, *, stopped: bool) -> Iterator[None]:
    """Have observers follow for the length of a block; stopped, they hold their connections and read nothing."""
    words = [sys.executable, "-c", FOLLOWER, str(folder.credentials / "reader.json")]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(many)]
    for each in started:
        assert each.stdout is not None
        each.stdout.readline()
        if stopped:
            each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.communicate()


class Cost(NamedTuple):
    """Frames acknowledged a second, and milliseconds of processor time a frame, the writer's and the server's."""

    rate: float
    writer: float
    server: float


def cost(log: JetStreamLog, folder: Campaign, frames: int, size: int) -> Cost:
    """Write frames and return what they cost."""
    held = server.holder(folder)
    assert held is not None
    first = log.last() + 1
    start, mine, theirs = time.perf_counter(), time.process_time(), processor(held[1])
    answers = [log.submit(frame("tale", first + n, reason="x" * size)) for n in range(frames)]
    for answer in answers:
        answer.result()
    wall = time.perf_counter() - start
    ms = 1e3 / frames
    return Cost(frames / wall, (time.process_time() - mine) * ms, (processor(held[1]) - theirs) * ms)


def processor(pid: int | None) -> float:
    """Return the seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure in turns, so that a moment's noise meets all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--many", type=int, default=8)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--size", type=int, default=4_000)
    asked = parser.parse_args()
    found: dict[str, list[Cost]] = {"none": [], "following": [], "stopped": []}
    with tempfile.TemporaryDirectory() as home:
        folder = Campaign(Path(home) / "tale")
        with server.running(folder) as up, jetstream.create(up.credential("owner"), "tale") as log:
            cost(log, folder, asked.frames, asked.size)
            for _ in range(5):
                for what, rates in found.items():
                    with consumers(folder, 0 if what == "none" else asked.many, stopped=what == "stopped"):
                        rates.append(cost(log, folder, asked.frames, asked.size))
    alone = statistics.median(one.rate for one in found["none"])
    for what, costs in found.items():
        rate, writer, taken = (statistics.median(values) for values in zip(*costs, strict=True))
        many = 0 if what == "none" else asked.many
        print(
            f"{what:<10} {many:>3} consumers  {rate:8.0f} frames/s  {rate / alone:5.2f} x alone   "
            f"processor a frame: writer {writer:5.2f} ms, server {taken:5.2f} ms"
        )


if __name__ == "__main__":
    main()
