"""One sitting with a campaign: from what a person typed to the sentence that they read at the end."""

from __future__ import annotations

import sys
from pathlib import Path

from actors import tasks
from actors.campaign import read
from actors.repair import menders
from actors.reruns import amends, rerun
from actors.running import display, logbook
from actors.running.hosting import HERE, Hosting
from actors.running.runner import Runner
from events import campaigns
from events.errors import CampaignUnknown
from events.folder import Campaign as Folder
from events.wire import server
from replay.champions import champion, standing_words
from replay.leaderboard import leaderboard, left_out
from replay.measures import Measurement


def file_of(campaign: str, home: Path) -> Path:
    """Return the campaign file that a person means: a path, or the file of a campaign that was started before.

    Raises:
        CampaignUnknown: it is neither.
    """
    path = Path(campaign)
    if path.suffix == ".toml" or path.is_file():
        return path
    known = home / campaign / "campaign.toml"
    if known.is_file():
        return known
    raise CampaignUnknown(
        f"{campaign} is neither a campaign file (.toml) nor a campaign under {home}; myriad list names those"
    )


def session(file: Path, home: Path, *, headless: bool = False, hosting: Hosting = HERE) -> int:
    """Run a campaign to its end or until it is stopped, and say how it stands."""
    campaign, text = read(file)
    tasks.refuse_missing(campaign.backbones)
    folder = Folder(home / campaign.name)
    logbook.open_logbook(folder.path / "logs" / "run.jsonl", terminal=headless, campaign=campaign.name)
    _print_offer(folder)
    with display.on(headless=headless) as shown:
        ending = Runner(campaign, text, folder, shown, hosting=hosting).run()
    reference = hosting.connect or str(folder.path)
    print(f"{stands(folder)}; myriad replay {campaign.name} report tells the rest")
    if ending == "stopped":
        print(f"stopped; everything is on the log in {reference}; myriad run {campaign.name} resumes it")
    offered = _print_offer(folder)
    for line in menders.offers(folder):
        print(line)
    if offered and not headless and hosting.connect is None and _agrees("make them again now? [y/N] "):
        return rerun.amend(str(folder.path), home, gpu_hours=None, most=None, device=None)
    return 0


def _print_offer(folder: Folder) -> bool:
    """Print what may be made again, and say whether it can be now."""
    if (offer := amends.offer(folder)) is None:
        return False
    print(offer.sentence)
    return offer.ready


def _agrees(question: str) -> bool:
    """Ask a person who sits at a terminal; nobody else agrees to anything."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def stands(folder: Folder) -> str:
    """Say in one line how a campaign stands, from its archive alone."""
    log = campaigns.open(folder.path)
    try:
        measurement = Measurement()
        measurement.advance(log.read())
    finally:
        log.close()
    ledger = measurement.ledger
    best = "".join(f", best {row.validation:.4f} by {row.agent}" for row in leaderboard(ledger, top=1))
    best += f", {how}" if (how := standing_words(champion(ledger))) is not None else ""
    best += f" ({omitted})" if (omitted := left_out(ledger)) is not None else ""
    state = f"closed ({ledger.closed})" if ledger.closed is not None else "open"
    return f"campaign {folder.name}: {state}, {len(ledger.completed)} completed{best}, digest {measurement.digest()}"


def running_pid(name: str, home: Path) -> int | None:
    """Return the process that runs a campaign on this machine, None when none does or it cannot be told.

    Raises:
        CampaignUnknown: there is no such campaign.
    """
    found = server.holder(campaigns.find(name, home).folder or Folder(home / name))
    return found[0] or None if found is not None else None
