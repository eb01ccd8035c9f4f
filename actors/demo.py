"""The demo: a whole campaign on this machine, then its recorded log replayed to the same digest."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

from actors import display, logbook, opening
from actors.campaign import parse
from actors.runner import Runner
from events import campaigns
from events.folder import Campaign as Folder
from replay.pages import report_page
from replay.report import Report, report

FILE = "campaigns/demo.toml"


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
    print(f"\nreplayed {made.subject.through} frames in {time.monotonic() - began:.1f} s")
    return 0 if _same_digest(made) else 1


def _same_digest(made: Report) -> bool:
    return made.record.verdict == "held"


def _next_name(home: Path) -> str:
    number = 2
    while (home / f"demo-{number}").exists():
        number += 1
    return f"demo-{number}"
