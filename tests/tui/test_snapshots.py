"""Pictures of the screen, pinned: the overview where there is least room and most, a table, a dossier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.watching import eventful, recorded, until
from tui.app import WatchApp

PICTURES = {
    "80x24": ((80, 24), ()),
    "240x70": ((240, 70), ()),
    "experiments": ((120, 30), ("2", "down")),
    "dossier": ((100, 50), ("2", "down", "enter")),
}


@pytest.mark.parametrize("picture", PICTURES)
def test_an_eventful_campaign_looks_as_it_did(picture: str, snap_compare: Callable[..., bool], tmp_path: Path) -> None:
    """The last facts and leaders, two runs under way, three in the queue, a repair that is not settled."""
    size, keys = PICTURES[picture]
    log = recorded(tmp_path, eventful())
    app, last = WatchApp(log), log.last()

    async def settled(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.watching.shown.subject.through == last)
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)
