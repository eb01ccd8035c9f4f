"""The screen over a campaign of the paper's size: opening, keys while facts arrive, travel, memory, and doing nothing.

    just bench screen [--experiments 10469] [--archive FILE] [--keys 200]

Each figure stands beside what it was promised to be. The program is the real one, without a terminal; a key's time runs
from the key to the moment at which the screen has been drawn anew.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

BEGUN = time.perf_counter()

RATE = 500
"""Facts a second that arrive while keys are pressed."""

KEYS = ("2", "pagedown", "down", "greater_than_sign", "1", "tab", "5", "up", "3", "down", "6", "pagedown")


def megabytes() -> float:
    """Return the largest resident memory so far, in MB."""
    # getrusage would count whoever started this process, too
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def archived(many: int) -> Path:
    """Simulate a campaign, and return its archive."""
    from myriad import app

    path = Path(tempfile.mkdtemp()) / "screen.myriad"
    app()(["simulate", "--experiments", str(many), "--seed", "1", "--to", str(path)], result_action="return_value")
    return path


def opened(path: Path, left: Path) -> dict[str, float]:
    """Open an archive: seconds to the first picture and to the whole campaign; then travel, memory and silence.

    Args:
        left: where an earlier screen may have left a picture, and this one leaves its own.
    """
    gc.disable()  # as the door does
    from events.archives import archive
    from tui.app import WatchApp
    from tui.remembered import Remembered

    figures: dict[str, float] = {}

    async def story() -> None:
        log = archive.open_file(path)
        last = log.last()
        app = WatchApp(log, remembered=Remembered(log, left))
        async with app.run_test(size=(120, 40)) as pilot:
            while app.watching.shown.subject.through < 1:
                await asyncio.sleep(0.001)
            figures["first picture, s"] = time.perf_counter() - BEGUN
            while app.watching.shown.subject.through < last:
                await asyncio.sleep(0.005)
            figures["picture of its end, s"] = time.perf_counter() - BEGUN
            while app.watching.shown.end < last or app.watching.model.sight.through < last:
                await asyncio.sleep(0.005)
            figures["whole campaign folded, s"] = time.perf_counter() - BEGUN
            figures["CPU until then, s"] = time.process_time()
            figures["memory, MB"] = megabytes()
            figures.update(await travelled(app, last))
            await pilot.pause(1.0)
            begun = time.process_time()
            await asyncio.sleep(5.0)
            figures["CPU while nothing moves, %"] = (time.process_time() - begun) / 5.0 * 100
            figures["memory at the end, MB"] = megabytes()

    asyncio.run(story())
    return figures


async def travelled(app: object, last: int) -> dict[str, float]:
    """Go to places all over the log; milliseconds until the screen shows each."""
    from tui.app import WatchApp

    assert isinstance(app, WatchApp)
    random, times = Random(1), []
    for _ in range(200):
        place = random.randint(1, last)
        begun = time.perf_counter()
        app.watching.go(str(place))
        while app.watching.shown.subject.through != place:
            await asyncio.sleep(0.001)
        times.append(1e3 * (time.perf_counter() - begun))
    app.watching.catch_up()
    times.sort()
    return {
        "travel p50, ms": statistics.median(times),
        "travel p95, ms": times[int(0.95 * len(times))],
        "travel worst, ms": times[-1],
    }


def pressed(path: Path, many: int) -> dict[str, float]:
    """Press keys while the last part of the campaign arrives at a steady rate; milliseconds from key to repaint."""
    from events.archives import archive
    from events.log import Recorded
    from events.memory import MemoryLog
    from tui.app import WatchApp

    frames = list(archive.open_file(path).read())
    late = len(frames) - 8000 if len(frames) > 10_000 else len(frames) // 2
    log = MemoryLog(archive.open_file(path).campaign)
    log.restore(frames[:late])
    waiting: Iterator[Recorded] = iter(frames[late:])
    stopped, arrived, times = threading.Event(), [0], []
    worked: list[float] = []  # by the thread that draws: it says more than the clock where others use the machine

    def arrive() -> None:
        begun = time.perf_counter()
        for frame in waiting:
            if stopped.is_set():
                return
            log.restore([frame])
            arrived[0] += len(frame.facts)
            stopped.wait(max(0.0, arrived[0] / RATE - (time.perf_counter() - begun)))

    async def story() -> None:
        app = WatchApp(log)
        async with app.run_test(size=(120, 40)):
            while app.watching.shown.subject.through < late:
                await asyncio.sleep(0.01)
            feeding = threading.Thread(target=arrive)
            feeding.start()
            began, shown = time.perf_counter(), app.watching.shown.facts
            for number in range(many):
                own = time.thread_time()
                times.append(1e3 * await repainted(app, KEYS[number % len(KEYS)]))
                worked.append(1e3 * (time.thread_time() - own))
                await asyncio.sleep(0.05)
            figures["facts shown a second"] = (app.watching.shown.facts - shown) / (time.perf_counter() - began)
            stopped.set()
            feeding.join()

    figures: dict[str, float] = {}
    asyncio.run(story())
    times.sort()
    worked.sort()
    figures["of it CPU, p50, ms"] = statistics.median(worked)
    figures["of it CPU, p95, ms"] = worked[int(0.95 * len(worked))]
    figures["key to repaint p50, ms"] = statistics.median(times)
    figures["key to repaint p95, ms"] = times[int(0.95 * len(times))]
    return figures


async def repainted(app: object, key: str) -> float:
    """Return the seconds from a key to the first drawing after it was handled."""
    from textual.events import Key

    from tui.app import WatchApp

    assert isinstance(app, WatchApp)
    done = asyncio.Event()
    begun = time.perf_counter()
    app.post_message(Key(key, None))
    # the key goes from the program to the widget in focus and from there to the screen, each with a queue of its own
    screen = app.watching
    asked = screen.focused or screen
    app.call_later(lambda: asked.call_later(lambda: screen.call_later(lambda: screen.call_after_refresh(done.set))))
    await done.wait()
    return time.perf_counter() - begun


PROMISED: dict[str, str] = {
    "picture of its end, s": "under 1.5",
    "whole campaign folded, s": "under 1.5",
    "key to repaint p95, ms": "under 50",
    "travel worst, ms": "under 150",
    "memory, MB": "under 400",
    "memory at the end, MB": "under 400",
    "CPU while nothing moves, %": "idle",
}


def main() -> None:
    """Measure, and print a line a figure."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--experiments", type=int, default=10_469)
    asked.add_argument("--archive", type=Path)
    asked.add_argument("--keys", type=int, default=200)
    asked.add_argument("--part", choices=("open", "keys"))
    asked.add_argument("--left", type=Path)
    arguments = asked.parse_args()
    path = arguments.archive or archived(arguments.experiments)
    if arguments.part is None:
        apart(path, arguments.keys)
        return
    left = arguments.left or Path(tempfile.mkdtemp())
    figures = opened(path, left) if arguments.part == "open" else pressed(path, arguments.keys)
    for name, value in figures.items():
        sys.stdout.write(f"{name:<28}{value:>10.2f}   {PROMISED.get(name, '')}\n")


def apart(path: Path, keys: int) -> None:
    """Measure each part in a process of its own: what one keeps in memory does not count for the other."""
    import subprocess

    left = tempfile.mkdtemp()
    for part, said in (("open", "opened first"), ("open", "opened again"), ("keys", "keys while facts arrive")):
        line = [sys.executable, "-m", "tests.benchmarks.screen", "--archive", str(path), "--keys", str(keys)]
        line += ["--left", left]
        sys.stdout.write(f"\n{said}\n")
        sys.stdout.flush()
        subprocess.run([*line, "--part", part], check=True)


if __name__ == "__main__":
    main()
