"""The head where there is little room: the moment is seen whole, and so is how many there are of each kind."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from replay.times import shown
from tests.tui.test_views import golden, types
from tests.tui.watching import eventful, recorded, said, until, watched
from tui import pages
from tui.app import WatchApp
from tui.columns import cells_of
from tui.reading import read

GOLDEN = Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad"


@pytest.mark.parametrize("playing", [False, True])
def test_the_smallest_usual_terminal_shows_the_moment_that_is_travelled_to(playing: bool) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "g", "100")
        await until(pilot, lambda: app.watching.shown.subject.through == 100)
        if playing:
            await pilot.press("minus", "p")
            assert " PLAYING 1x, " in said(app, "badge")
        head = app.watching.query_one("#head")
        told = said(app, "head")
        assert shown(app.watching.shown.at)[:19] in told
        assert told.startswith(("position ", f"{app.watching.shown.subject.through}."))
        assert cells_of(told) <= head.size.width

    watched(golden(), story, size=(80, 24))


def test_freezing_makes_room_for_the_moment_at_once(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("space")
        assert said(app, "badge").startswith("RECORDED FROZEN")
        assert said(app, "name") == "tale"
        assert cells_of(said(app, "head")) <= app.watching.query_one("#head").size.width
        await pilot.press("space")
        await until(pilot, lambda: said(app, "name") == "tale · overview")

    watched(recorded(tmp_path, eventful()), story, size=(80, 24))


def test_runs_an_hour_are_seen_before_what_was_declined() -> None:
    overview = msgspec.structs.replace(read(GOLDEN), per_hour=25.0)
    overview = msgspec.structs.replace(overview, subject=msgspec.structs.replace(overview.subject, closed=None))
    for width in (80, 60, 40):
        assert "25.0 an hour" in pages.counts(overview, width)
    assert pages.counts(overview, 400).endswith("25.0 an hour") or "25.0 an hour  best by era" in pages.counts(
        overview, 400
    )


def test_what_nothing_is_of_gives_way_to_what_there_is() -> None:
    overview = read(GOLDEN)
    wide = pages.counts(overview, 400)
    assert "  0 " in wide
    narrow = pages.counts(overview, cells_of(wide) - 1)
    assert "…" not in narrow
    assert [word for word in wide.split("  ") if not word.startswith("0 ")] == [
        word for word in narrow.split("  ") if not word.startswith("0 ")
    ]
