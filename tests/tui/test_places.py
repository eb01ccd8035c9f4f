"""Where a person goes: the very fact, in the list of facts too; and what is no place is said to be none."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from replay.times import parsed, shown
from tests.tui.test_travel import loaded
from tests.tui.test_views import golden, types, view
from tests.tui.watching import eventful, said, until, watched
from tui.app import WatchApp
from tui.stream import Facts
from tui.travel import PlaceUnknown, Travel


@pytest.mark.parametrize("text", ["", "7.zzz", "7.99", "0.0", "agent", "tpe", "configuration", "e-9999", "-5", "7."])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceUnknown):
        Travel(loaded()).find(text)


def test_a_time_may_be_typed_as_the_screen_shows_it() -> None:
    at = 1_780_000_000_000_000
    assert parsed(shown(at)) == at


def test_a_place_inside_a_frame_is_the_very_fact() -> None:
    travel = Travel(loaded())
    wide = next(n for n in range(1, 193) if travel.to(n) and travel.position.index > 1)
    assert travel.go(f"{wide}.1") == wide
    assert str(travel.position) == f"{wide}.1"
    with pytest.raises(PlaceUnknown, match=f"its last fact is {wide}."):
        travel.go(f"{wide}.500")


def test_the_facts_go_along_inside_a_frame_and_follow_again_afterwards() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        roll, travel = view(app, Facts).roll, app.watching.travel

        def under() -> str:
            return roll.lines[roll.cursor - roll.top + 1].split()[0]

        for key in ("left_square_bracket", "left_square_bracket", "right_square_bracket"):
            await pilot.press(key)
            await until(pilot, lambda: under() == str(travel.position))
        await pilot.press("up")
        there = under()
        c.runs(c.queues(c.proposes("tpe", batch=64)), validation=0.99)
        await until(pilot, lambda: "facts ahead" in said(app, "badge") and app.watching.shown.end == c.log.last())
        assert under() == there
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: under() == str(travel.position))
        await pilot.press("space")
        await until(pilot, lambda: under().startswith(f"{c.log.last()}."))

    watched(c.log, story, size=(120, 40))


def test_facts_that_are_narrowed_go_to_the_last_one_before() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await types(pilot, "slash", "Completed")
        stream = view(app, Facts)
        many = stream.roll.count
        await types(pilot, "g", "e-3")
        await until(pilot, lambda: app.watching.shown.subject.through == app.watching.travel.position.sequence < 193)
        await until(pilot, lambda: 0 < stream.roll.count < many)
        assert '"e-3"' in stream.raw(stream.roll.cursor)

    watched(golden(), story, size=(120, 40))


def test_the_speed_is_said_while_nothing_plays() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("plus")
        assert said(app, "word") == "p plays at 60x"

    watched(golden(), story)


def test_where_no_fact_is_listed_there_is_none_to_copy() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await types(pilot, "slash", "zzzz")
        await pilot.press("y")
        await until(pilot, lambda: any("no fact to copy" in str(n.message) for n in app._notifications))

    watched(golden(), story)
