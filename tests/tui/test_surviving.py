"""What goes wrong while somebody looks on: it is said, and the screen stays; and colours that every eye tells apart."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from events.archives import archive
from events.errors import LogError
from tests.replay.tales import busy
from tests.tui.seeing import contrast
from tests.tui.test_views import drawn, golden
from tests.tui.watching import eventful, recorded, said, until, watched
from tui import doors
from tui.app import WatchApp
from tui.links import Source
from tui.themes import OURS, THEMES

SIZES = ((240, 70), (80, 24), (59, 15), (120, 40), (60, 16))


def test_a_terminal_may_take_any_size_on_any_screen_while_facts_arrive() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number in range(1, 7):
            await pilot.press(str(number))
            for size in SIZES:
                await pilot.resize_terminal(*size)
                c.proposes("tpe", batch=128)
                last = c.log.last()
                await until(pilot, lambda: app.watching.shown.subject.through == last)  # noqa: B023 # asked at once
                small = size < (60, 16)
                assert bool(app.watching.query_one("#small").display) is small
                assert bool(app.watching.query_one("#views").display) is not small
            await until(pilot, lambda: number == 1 or bool(drawn(app)))  # noqa: B023 # asked at once

    watched(c.log, story, size=(80, 24))


@pytest.mark.parametrize("kept", [0, 3, 50, 0.3, 0.9, -1])
def test_a_half_written_archive_is_one_sentence(
    kept: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.export(eventful().log, tmp_path / "whole.myriad")
    content = (tmp_path / "whole.myriad").read_bytes()
    half = tmp_path / "half.myriad"
    half.write_bytes(content[: round(kept * len(content)) if isinstance(kept, float) else kept])
    assert doors.watch(str(half), json=True) == 1
    error = capsys.readouterr().err
    assert str(half) in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("cut", [1, 5000])
def test_a_half_written_archive_is_watched_through_its_last_whole_frame_and_says_where_it_ends(
    cut: int, tmp_path: Path
) -> None:
    log, half, text = eventful().log, tmp_path / "half.myriad", Random(1).randbytes(10_000)
    archive.export(log, half, [(sha256(text).hexdigest(), text)])
    half.write_bytes(half.read_bytes()[:-cut])  # in its manifest, and in the text before it
    source = Source(half)
    assert source.log.last() == log.last()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.watching.shown.link.state == "broken")
        assert f"Reading stopped: {half} is damaged at byte" in said(app, "notice")
        assert "it ends before its manifest" in said(app, "notice")
        await pilot.press("2", "enter", "escape", "5", "1")
        app.watching.go("3")
        await until(pilot, lambda: app.watching.shown.subject.through == 3)

    watched(source.log, story, size=(120, 40))


def test_an_archive_that_ends_before_its_first_frame_is_refused(tmp_path: Path) -> None:
    half = tmp_path / "half.myriad"
    archive.export(eventful().log, half)
    half.write_bytes(half.read_bytes()[:30])
    with pytest.raises(LogError, match=r"half\.myriad is damaged at byte"):
        Source(half)


def test_a_campaign_that_closes_says_so_and_is_watched_on_until_it_is_reopened() -> None:
    c = busy(4)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        c.closes("the budget is spent")
        await until(pilot, lambda: "closed: the budget is spent" in said(app, "head"))
        await pilot.press("2", "3", "6", "1")
        assert app.is_running
        assert said(app, "badge") == "LIVE"

    watched(c.log, story, size=(120, 30))


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_reaches_every_screen_and_all_that_is_written_can_be_read(theme: str, tmp_path: Path) -> None:
    known = {**BUILTIN_THEMES, **{own.name: own for own in OURS}}
    colours = known[THEMES[theme]].to_color_system().generate()
    ground, ink = Color.parse(colours["background"]), Color.parse(colours["foreground"])
    assert contrast(ink, ground) >= 7
    for badge in ("success", "primary", "error", "warning"):
        assert contrast(ground, Color.parse(colours[badge])) >= 3, badge

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        app.theme = THEMES[theme]
        for number in range(1, 7):
            await pilot.press(str(number))
            await until(pilot, lambda: number == 1 or bool(drawn(app)))  # noqa: B023 # asked at once
            _, shown = app.watching.view.background_colors
            assert shown == ground

    watched(golden(), story)


def test_a_recorded_campaign_idles_without_a_picture_or_a_drawing(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: not app.watching._repaint_required)
        drawings: list[object] = []
        show = app.watching.show
        app.watching.show = lambda overview: (drawings.append(overview), show(overview))  # type: ignore[assignment,func-returns-value]
        display = app._display
        app._display = lambda *what: (drawings.append(what), display(*what))  # type: ignore[method-assign,assignment,func-returns-value]
        await pilot.pause(1.5)
        assert drawings == []
        await pilot.press("down")
        await until(pilot, lambda: bool(drawings))

    watched(recorded(tmp_path, eventful()), story)
