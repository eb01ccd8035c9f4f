"""Every panel of every screen: it fits, it has a title to be read aloud, it prints no emoji, and it has its twin."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.test_views import SCREENS, golden, types
from tests.tui.watching import PANELS, eventful, recorded, until, watched
from tui import doors
from tui.app import WatchApp
from tui.columns import cells_of
from tui.foot import Foot
from tui.front import Said
from tui.reading import PANELS as TWINS
from tui.roll import Roll
from tui.sheet import Sheet

PLAIN = {"So", "Cs", "Co", "Cn"}
"""Categories of what may be an emoji: symbols that are no letters, numbers or signs, and what has no meaning."""

CHARTS = (("\u2580", "\u259f"), ("\u2800", "\u28ff"))
"""Blocks and Braille dots, which charts are drawn with."""


def panels(app: WatchApp) -> Iterator[Widget]:
    """Everything in the open view that takes the focus."""
    return (each for each in app.watching.view.query("*") if each.can_focus and isinstance(each, Roll | Sheet))


def words(app: WatchApp) -> list[str]:
    """All that the open screen says."""
    told = [each.said for each in app.watching.query(Said)] + app.watching.query_one(Foot).words()
    for panel in panels(app):
        assert isinstance(panel, Roll | Sheet)
        told += [*panel.lines, str(panel.border_title), str(panel.border_subtitle)]
    return told


def is_emoji(character: str) -> bool:
    chart = any(first <= character <= last for first, last in CHARTS)
    return not chart and (unicodedata.category(character) in PLAIN or character in "\ufe0f\u200d")


@pytest.mark.parametrize("character", ["\U0001f680", "\u2705", "\u26a0", "\ufe0f"])
def test_what_looks_for_emoji_finds_them(character: str) -> None:
    assert is_emoji(character)


@pytest.mark.parametrize("size", [(80, 24), (240, 70)])
def test_every_panel_fits_has_a_spoken_title_and_prints_no_emoji(size: tuple[int, int], tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number in range(1, 9):
            if number <= len(SCREENS):
                await pilot.press(str(number))
            elif number == 7:
                await types(pilot, "colon", "e-2")
            else:
                await pilot.press("b")
            await until(pilot, lambda: all(panel.lines for panel in panels(app)))  # type: ignore[attr-defined]
            await pilot.pause()
            for panel in panels(app):
                assert isinstance(panel, Roll | Sheet)
                title = str(panel.border_title)
                assert len(title) > 3
                assert title.isprintable()
                assert title[0].isupper()
                assert panel.region.right <= size[0]
                assert panel.region.bottom <= size[1] - 1
                for y in range(panel.size.height):
                    assert panel.render_line(y).cell_length == panel.size.width
                if isinstance(panel, Roll):
                    assert all(cells_of(line) <= panel.size.width for line in panel.lines)
            assert [c for text in words(app) for c in text if is_emoji(c)] == []
            foot = app.watching.query_one(Foot)
            assert foot.region.bottom == size[1]
            assert foot.render_line(0).cell_length == size[0]

    watched(golden(), story, size=size)


def test_every_screen_and_what_opens_from_it_has_its_twin(capsys: pytest.CaptureFixture[str]) -> None:
    shown: dict[str, list[str]] = {}

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for name in app.watching.views:
            shown[name] = []

    watched(golden(), story)
    opened = {"dossier": "e-2", "cycle": next(iter(_cycles()))}
    assert {*shown} == {*TWINS, *opened}
    path = str(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")
    for name in shown:
        assert doors.watch(path, json=True, panel=opened.get(name, name)) == 0
        assert json.loads(capsys.readouterr().out)


def test_the_twin_of_the_overview_holds_what_each_of_its_panels_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, eventful()).close()
    assert doors.watch(str(tmp_path / "tale.myriad"), json=True) == 0
    told = json.loads(capsys.readouterr().out)
    parts = {
        "devices": "lanes",
        "leaders": "leaders",
        "speakers": "speakers",
        "queue": "waiting",
        "troubles": "troubles",
        "stream": "latest",
    }
    assert {*parts} == {*PANELS}
    assert all(told[part] for part in parts.values())


def _cycles() -> list[str]:
    from replay.folds import run
    from replay.measures import MEASURES

    return list(run(golden(), *MEASURES)[1].cycles)
