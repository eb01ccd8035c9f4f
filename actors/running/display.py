"""What a person sees while a campaign runs: bars and lanes on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from actors import orders
from actors.running.runner import Display, View
from replay.leaderboard import leaderboard
from replay.pages.tables import measured


class Terminal:
    """Bars that move in place; used as a context, so that the terminal is whole again at the end."""

    def __init__(self) -> None:
        self._console = Console()
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}
        # Preparations report from other threads, and the refresher draws in its own: what is drawn is made beforehand.
        self._lock = threading.Lock()
        self._below: list[RenderableType] = []
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def progress(self, progress: orders.Progress) -> None:
        """Move a preparation's bar; from any thread."""
        with self._lock:
            self._bar(progress.stage, progress.done, progress.total)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(Text(sentence))

    def show(self, view: View) -> None:
        """Take in the campaign as it stands; drawn at the next refresh."""
        with self._lock:
            for stage in [name for name in self._tasks if name != "experiments"]:
                self._bars.remove_task(self._tasks.pop(stage))
            total = view.campaign.budget.experiments
            self._bar("experiments", len(view.known.measurement.ledger.completed), total)
        self._below = [_lanes(view), *(Text(line) for line in summary(view))]

    def _bar(self, name: str, done: int, total: int | None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def _render(self) -> RenderableType:
        return Group(self._bars, *self._below)


class Plain:
    """Lines for a pipe, a file or --headless: a sentence each, and a line for every fifth completion."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self._say = say
        self._stages: set[str] = set()
        self._completed = 0
        self._request: str | None = None

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *exception: object) -> None:
        sys.stdout.flush()

    def progress(self, progress: orders.Progress) -> None:
        """Name a stage when it begins."""
        if progress.stage not in self._stages:
            self._stages.add(progress.stage)
            self._say(f"{progress.stage}: {progress.total}")

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._say(sentence)

    def show(self, view: View) -> None:
        """Print a line when five more are completed, and when a person asked to stop."""
        completed = len(view.known.measurement.ledger.completed)
        if completed >= self._completed + 5 or view.request != self._request:
            self._completed, self._request = completed, view.request
            self._say("; ".join(line.strip() for line in summary(view)))


def on(*, headless: bool) -> Terminal | Plain:
    """Return the display that fits where standard output goes."""
    return Plain() if headless or not sys.stdout.isatty() else Terminal()


def summary(view: View) -> list[str]:
    """Say in a few lines how the search stands."""
    ledger = view.known.measurement.ledger
    states = [experiment.status for experiment in ledger.experiments.values()]
    total = view.campaign.budget.experiments
    goal = f" of {total}" if total else ""
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("running", "queued", "failed", "abandoned"))
    lines = [f"{len(ledger.completed)}{goal} completed, {counts}; {len(ledger.ideas)} ideas"]
    if best := leaderboard(ledger, top=1):
        row, c = best[0], best[0].configuration
        lines.append(
            f"best {row.validation:.4f} +- {measured(row.noise)} validation AP: {row.experiment} by {row.agent}, "
            f"{' '.join(str(value) for value in list(c.values())[:3])}"
        )
    if (again := ledger.repeats.open) is not None:
        lines.append(
            f"{again.experiment} leads, and is run again under another seed: a candidate until its interval is known"
        )
    if ledger.paused is not None:
        why = f" ({ledger.paused})" if ledger.paused else ""
        lines.append(f"paused by a person{why}: what runs goes on; myriad declare {ledger.campaign} resume ends it")
    if view.request is not None:
        lines.append("stopping: running packs are left" if view.request == "leaving" else "stopping after what runs")
    return lines


def _lanes(view: View) -> Table:
    table = Table.grid(padding=(0, 2))
    for worker in view.known.fleet.present():
        epoch = view.epochs.get(worker.worker)
        pack = view.known.fleet.packs.get(worker.pack or "")
        if pack is None:
            table.add_row(worker.worker, "idle", "", "")
        elif epoch is not None and epoch.experiment in pack.waiting:
            curve = f"validation {epoch.validation:.3f}"
            table.add_row(worker.worker, epoch.experiment, f"epoch {epoch.epoch:>2}/{epoch.epochs}", curve)
        else:
            table.add_row(worker.worker, ", ".join(pack.waiting), "starting", "")
    return table


__all__ = ["Display", "Plain", "Terminal", "on", "summary"]
