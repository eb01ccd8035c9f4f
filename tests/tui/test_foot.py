"""The foot and the mouse: what is open is marked, and what is clicked is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from tests.tui.test_views import SCREENS, golden, types, view
from tests.tui.watching import eventful, recorded, until, watched
from tui.agents import Agents
from tui.app import WatchApp
from tui.experiments import Experiments
from tui.foot import Foot
from tui.help import Help
from tui.panel import Panel


def foot(app: WatchApp) -> str:
    """What stands on the last line."""
    return "".join(app.watching.query_one(Foot).words())


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (240, 70)])
def test_the_foot_marks_the_open_screen_on_one_line(size: tuple[int, int]) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number, name in enumerate(SCREENS, start=1):
            await pilot.press(str(number))
            assert f"[{number} {name.capitalize()}]" in foot(app)
            assert foot(app).count("[") == 1
            assert len(foot(app)) <= size[0]
            assert all(f" {key}" in foot(app).replace("[", " ") for key in "123456?")

    watched(golden(), story, size=size)


def test_a_dossier_and_a_cycle_are_marked_as_the_screens_that_they_belong_to() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "e-2")
        assert "[2 Experiments]" in foot(app)
        await pilot.press("b")
        await until(pilot, lambda: "[3 Agents]" in foot(app))
        await pilot.press("escape")
        assert "[2 Experiments]" in foot(app)

    watched(golden(), story)


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
def test_a_click_on_the_foot_opens_what_its_key_opens(size: tuple[int, int]) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for name in (*SCREENS[1:], SCREENS[0]):
            place = SCREENS.index(name)
            before = "".join(app.watching.query_one(Foot).words()[:place])
            await pilot.click(Foot, offset=(len(before) + 1, 0))
            assert app.watching.current == name
        await pilot.click(Foot, offset=(len(foot(app)) - 2, 0))
        await until(pilot, lambda: isinstance(app.screen, Help))

    watched(golden(), story, size=size)


def test_a_click_on_a_row_moves_the_cursor_there_and_another_one_opens_it() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        roll = view(app, Experiments).roll
        await pilot.click(roll, offset=(5, 4))
        assert (roll.cursor, app.watching.current) == (2, "experiments")
        await pilot.click(roll, offset=(5, 4))
        await until(pilot, lambda: app.watching.current == "dossier")
        assert app.watching.view.about == "e-3"
        await pilot.press("3")
        cycles = view(app, Agents).below
        await pilot.click(cycles, offset=(5, 2))
        await until(pilot, lambda: app.watching.current == "cycle")

    watched(golden(), story, size=(120, 40))


def test_a_click_gives_a_panel_the_focus_and_the_wheel_scrolls_what_is_under_it(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.click("#stream", offset=(5, 2))
        assert app.focused is not None
        assert app.focused.id == "stream"
        await pilot._post_mouse_events([MouseScrollDown], widget="#stream", offset=(5, 2))
        await until(pilot, lambda: app.watching.query_one("#stream", Panel).top == 3)
        await pilot._post_mouse_events([MouseScrollUp], widget="#stream", offset=(5, 2))
        await until(pilot, lambda: app.watching.query_one("#stream", Panel).top == 0)

    watched(recorded(tmp_path, eventful()), story, size=(120, 40))
