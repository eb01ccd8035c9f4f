"""Two pictures of the screen, pinned: the smallest usual terminal, and a wide one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.watching import eventful, recorded, until
from tui.app import WatchApp


@pytest.mark.parametrize("size", [(80, 24), (240, 70)], ids=["80x24", "240x70"])
def test_an_eventful_campaign_looks_as_it_did(
    size: tuple[int, int], snap_compare: Callable[..., bool], tmp_path: Path
) -> None:
    """The last facts and leaders, two runs under way, three in the queue, a repair that is not settled."""
    log = recorded(tmp_path, eventful())
    app, last = WatchApp(log), log.last()

    async def settled(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.watching.shown.subject.through == last)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)
