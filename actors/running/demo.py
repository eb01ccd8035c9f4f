"""The demo: a whole campaign on this machine, then its recorded log replayed to the same digest."""

from __future__ import annotations

import math
import time
from importlib.resources import files
from pathlib import Path

from actors.campaign import parse
from actors.running import display, logbook, opening
from actors.running.runner import Runner
from events import campaigns
from events.folder import Campaign as Folder
from replay.controls import Control
from replay.leaderboard import Row
from replay.pages.reports import report_page
from replay.report import Report, report

FILE = "campaigns/demo.toml"

NAMES = {"shuffled_labels": "the same model on shuffled labels", "linear": "a linear model on mean-pooled features"}


def demo(home: Path, *, again: bool, headless: bool) -> int:
    """Run the demo, or show the one that was recorded; 0 when the replay has the digest that the analyst recorded."""
    text = (files("actors") / FILE).read_text()
    name = _next_name(home) if again else "demo"
    text = text.replace('name = "demo"', f'name = "{name}"')
    campaign, folder = parse(text, file=FILE), Folder(home / name)
    if again:
        opening.reuse(Folder(home / "demo"), folder)
    if folder.exists():
        print(f"reused: the environment, and campaign {name} in {folder.path} with its clips, features and log")
        print("        (myriad demo --again runs a fresh one)")
    logbook.open_logbook(folder.path / "logs" / "run.jsonl", terminal=False, campaign=name)
    began = time.monotonic()
    with display.on(headless=headless) as shown:
        ending = Runner(campaign, text, folder, shown).run()
    if ending == "stopped":
        print("stopped; just demo, or myriad demo, goes on where it was")
        return 1
    print(f"\ncampaign: {time.monotonic() - began:.0f} s\n")
    return _replay(folder)


def _replay(folder: Folder) -> int:
    began = time.monotonic()
    log = campaigns.open(folder.path)
    try:
        made = report(log)
    finally:
        log.close()
    print(report_page(made))
    print(f"\nreplayed {made.subject.through} frames in {time.monotonic() - began:.1f} s\n")
    for line in closing(made):
        print(line)
    return 0 if made.record.verdict == "held" else 1


def closing(made: Report) -> list[str]:
    """Say in words what a demo is to show: whether its champion beats its controls, and whether its record holds.

    One beats another where it leads by more than the noise of both together, `hypot` of their standard deviations.
    """
    # controls are of the champion, which need not be who leads; a leader that nobody repeated is a candidate
    rows = {row.experiment: row for row in made.leaders}
    pairs = [(rows[control.experiment], control) for control in made.controls if control.experiment in rows]
    lines = [f"{_called(row)} {_beside(row, control)}" for row, control in pairs]
    if not lines:
        lines.append("champion  was held against no control")
    seals = [check for check in made.record.checks if check.kind == "LogSealed"]
    if not seals:
        return [*lines, f"digest    replayed {made.record.digest}; the analyst recorded none"]
    last = seals[-1]
    same = "the same as" if last.recorded == last.recomputed else f"NOT {last.recorded},"
    lines.append(f"digest    replayed {last.recomputed} is {same} the digest recorded while the campaign ran")
    if made.record.verdict != "held":
        lines.append(f"record    {made.record.verdict}: what was recorded is not what the log folds to")
    return lines


def _called(row: Row) -> str:
    return "candidate" if row.standing == "candidate" else "champion "


def _beside(champion: Row, control: Control) -> str:
    lead, noise = champion.validation - control.validation, math.hypot(champion.noise or 0.0, control.noise)
    verdict = "beats" if lead > noise else "does NOT beat"
    return (
        f"{champion.experiment} at {champion.validation:.4f} {verdict} {NAMES[control.control]} at "
        f"{control.validation:.4f} by more than the noise: lead {lead:.4f}, noise of both {noise:.4f}"
    )


def _next_name(home: Path) -> str:
    number = 2
    while (home / f"demo-{number}").exists():
        number += 1
    return f"demo-{number}"
