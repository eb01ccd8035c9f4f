"""What a person was at stays theirs: the focus comes back with a view, the cursor stays on what it was put on."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.replay.tales import busy
from tests.tui.test_views import golden, view
from tests.tui.watching import until, watched
from tui.agents import Agents
from tui.app import WatchApp
from tui.experiments import Experiments
from tui.roll import Roll, kept


def has_focus(app: WatchApp) -> str:
    """The id of what has the focus."""
    return str(app.focused and app.focused.id)


def under(roll: Roll) -> str:
    """The first word of the row under the cursor."""
    return roll.lines[roll.cursor - roll.top + 1].split()[0]


def test_the_focus_comes_back_from_a_prompt_and_with_a_view() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "tab")
        had = has_focus(app)
        await pilot.press("colon", "escape")
        await until(pilot, lambda: has_focus(app) == had)
        await pilot.press("3", "tab")
        await until(pilot, lambda: has_focus(app) == "cycles-roll")
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.watching.current == "cycle")
        await pilot.press("escape")
        await until(pilot, lambda: has_focus(app) == "cycles-roll")
        await pilot.press("1")
        await until(pilot, lambda: has_focus(app) == had)

    watched(golden(), story, size=(120, 40))


def test_the_focus_comes_back_to_a_terminal_that_was_too_small() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "tab")
        had = has_focus(app)
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: bool(app.watching.query_one("#small").display))
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: has_focus(app) == had)

    watched(golden(), story, size=(120, 40))


def test_the_cursor_stays_on_its_cycle_and_its_run_while_others_arrive() -> None:
    c = busy(6)
    for _ in range(3):
        c.runs(c.queues(c.proposes("tpe", batch=64)), validation=0.5)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        cycles, runs = view(app, Agents).below, view(app, Experiments).roll
        await pilot.press("2", "greater_than_sign", "greater_than_sign", "greater_than_sign", "down", "down")
        run = under(runs)
        await pilot.press("3", "tab", "down", "down")
        cycle, many = under(cycles), cycles.count
        c.runs(c.queues(c.proposes("tpe", batch=32)), validation=0.999)
        await until(pilot, lambda: cycles.count > many)
        assert under(cycles) == cycle
        await pilot.press("2")
        await until(pilot, lambda: "0.9990" in runs.lines[1])
        assert (under(runs), runs.cursor) == (run, 3)

    watched(c.log, story, size=(120, 40))


def test_the_first_row_stays_the_first_and_one_that_is_gone_leaves_the_cursor() -> None:
    assert kept(0, ["a", "b"], ["c", "a", "b"]) is None
    assert kept(1, ["a", "b"], ["c", "a", "b"]) == 2
    assert kept(1, ["a", "b"], ["a"]) is None
    assert kept(7, ["a", "b"], ["a"]) is None
