"""Time travel: every step, every place that has a name, every panel with it; a moment is what replay says it was."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from events.archives import archive
from events.archives.archive import ArchiveLog
from replay.measures import Measurement, measured
from replay.moments.moment import moment
from replay.taint import taint
from tests.tui.test_views import drawn, types
from tests.tui.watching import eventful, lines, said, until, watched
from tui.app import WatchApp
from tui.links import Link
from tui.model import Model
from tui.travel import SPEEDS, PlaceUnknown, Travel


def golden() -> ArchiveLog:
    return archive.open_file(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")


def loaded() -> Model:
    log = golden()
    model = Model(log.campaign)
    model.take(Link(state="recorded", last=log.last()))
    for frame in log.read():
        model.take(frame)
    return model


@pytest.mark.parametrize("position", [0, 1, 60, 120, 193])
def test_a_moment_is_the_one_that_replay_finds(position: int) -> None:
    model = loaded()
    for detour in (193, 30, position):
        model.go(detour)
    shown = model.overview()
    fresh = Measurement()
    fresh.advance(frame for frame in golden().read() if frame.sequence <= position)
    assert msgspec.json.encode(shown.values) == msgspec.json.encode(measured(fresh.results))
    if position:
        then = moment(golden(), str(position))
        assert (shown.leaders, shown.at, shown.queue) == (then.leaders, then.at, then.queue)
        assert shown.latest[-1].position.startswith(f"{position}.")


def test_what_arrives_while_a_moment_is_looked_at_waits_and_comes_when_it_is_left() -> None:
    frames = list(eventful().log.read())
    model = Model("tale")
    for frame in frames[:100]:
        model.take(frame)
    model.go(50)
    for frame in frames[100:]:
        model.take(frame)
    shown = model.overview()
    assert (shown.subject.through, shown.end, shown.following) == (50, len(frames), False)
    assert shown.arrived > shown.facts
    model.follow()
    whole = Model("tale")
    for frame in frames:
        whole.take(frame)
    assert model.overview() == whole.overview()


def test_brackets_step_by_fact_and_braces_by_era_and_every_panel_goes_along() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        last, facts = c.log.last(), app.watching.shown.facts
        many = len(list(c.log.read())[-1].facts)
        await pilot.press("left_square_bracket")
        assert said(app, "badge").startswith("REPLAY, ")
        assert app.watching.travel.fact == facts - 1
        for _ in range(many):
            await pilot.press("left_square_bracket")
        travel = app.watching.travel
        await until(pilot, lambda: app.watching.shown.subject.through == travel.position.sequence < last)
        assert travel.fact == facts - 1 - many
        await pilot.press("right_square_bracket")
        assert travel.fact == facts - many
        await until(pilot, lambda: app.watching.shown.subject.through == travel.position.sequence)
        assert lines(app, "stream")[1].split()[0].startswith(f"{travel.position.sequence}.")
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: app.watching.shown.subject.through == 1)
        assert said(app, "best").startswith("best: nothing has completed")
        for number in range(2, 7):
            await pilot.press(str(number))
            await until(pilot, lambda: bool(drawn(app)))
        await pilot.press("5")
        await until(pilot, lambda: any("1 of 1" in str(app.focused.border_subtitle) for _ in (0,) if app.focused))
        await pilot.press("right_curly_bracket")
        await until(pilot, lambda: app.watching.shown.subject.through == last)

    watched(c.log, story, size=(120, 40))


def test_g_goes_to_a_position_a_time_and_an_experiment_and_says_what_it_does_not_know() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "g", "60")
        await until(pilot, lambda: app.watching.shown.subject.through == 60)
        await types(pilot, "g", "e-2")
        await until(pilot, lambda: app.watching.shown.subject.through != 60)
        assert "e-2" in str(app.watching.shown.latest[-1].words)
        await types(pilot, "g", "9999")
        assert said(app, "word") == "position 9999 is beyond the log, which ends at 193"
        await types(pilot, "g", "nowhere")
        assert said(app, "word").startswith("'nowhere' is no position")
        await types(pilot, "colon", "live")
        await until(pilot, lambda: app.watching.shown.subject.through == 193)
        assert said(app, "badge") == "RECORDED"

    watched(golden(), story)


def test_places_are_found_by_position_by_time_and_by_name() -> None:
    model = loaded()
    travel = Travel(model)
    assert [travel.find(text) for text in ("start", "7", "7.0", "end")] == [0, 7, 7, 193]
    at = model.tape.time(100)
    named = f"{at // 1_000_000}"
    with pytest.raises(PlaceUnknown):
        travel.find(named + "999")
    assert model.tape.until(at) >= 100
    assert model.tape.time(model.tape.until(at)) == at


def test_playing_lets_the_authors_time_pass_at_the_speed_and_ends_at_the_end() -> None:
    model = loaded()
    travel = Travel(model)
    travel.shown(193)
    assert travel.play() == 0
    travel.shown(0)
    reached = [sequence for _ in range(60) if (sequence := travel.tick(1.0)) is not None]
    assert reached == sorted(reached)
    begun = model.tape.time(1)
    assert model.tape.time(reached[-1]) <= begun + 60 * travel.speed * 1_000_000
    while travel.speed < SPEEDS[-1]:
        travel.faster(1)
    for _ in range(60):
        travel.tick(1.0)
    assert (travel.position.sequence, travel.playing) == (193, False)


def test_p_plays_from_here_and_stops_and_plus_and_minus_change_the_speed() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("minus", "p")  # a second of the campaign a second: minutes, however slow the machine
        assert " PLAYING 1x" in said(app, "badge")
        await until(pilot, lambda: 0 < app.watching.shown.subject.through < 193)
        await pilot.press("p")
        assert " PLAYING" not in said(app, "badge")
        assert said(app, "badge").startswith("REPLAY, ")
        await pilot.press("plus", "plus", "minus")
        assert app.watching.travel.speed == 10

    watched(golden(), story)


def test_a_campaign_without_defects_is_said_to_be_sound_in_the_words_of_replay() -> None:
    assert loaded().sight.trust()[2] == taint(golden())
