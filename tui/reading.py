"""The overview without a screen: one pass over the log as it stands, for scripts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from events import campaigns
from tui.links import Link, is_live
from tui.model import Model
from tui.overview import Overview


def read(campaign: str | Path, home: Path | None = None) -> Overview:
    """Return the overview of all that is on a campaign's log now; pulses are not on it, and not waited for.

    Raises:
        LogError: what opening or reading meets.
    """
    with closing(campaigns.open(campaign, home)) as log:
        model = Model(log.campaign)
        model.take(Link(state="live" if is_live(log) else "recorded", last=log.last()))
        for recorded in log.read():
            model.take(recorded)
        return model.overview()
