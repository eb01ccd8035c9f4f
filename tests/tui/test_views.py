"""The six screens and what opens from them: every key, over the archives that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from textual.events import Key
from textual.pilot import Pilot

from events import facts
from events.archives import archive
from events.archives.archive import ArchiveLog
from events.envelope import Text
from replay.conversations import speakers
from replay.dossier import dossier
from replay.roster import columns, order
from tests.tui.watching import eventful, recorded, said, until, watched
from tui.agents import SPEAKERS, Agents, Cycles
from tui.app import WatchApp
from tui.columns import cells_of
from tui.commands import COMMANDS
from tui.dossier import Dossiers
from tui.dynamics import Dynamics
from tui.eras import Eras
from tui.experiments import Experiments
from tui.help import Help
from tui.roll import Roll
from tui.sheet import Sheet
from tui.stream import Facts
from tui.themes import THEMES
from tui.view import View

SCREENS = ("overview", "experiments", "agents", "dynamics", "facts", "eras")

V = TypeVar("V", bound=View)


def golden() -> ArchiveLog:
    return archive.open_file(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")


def view(app: WatchApp, kind: type[V]) -> V:
    """The view of a kind."""
    return next(each for each in app.watching.views.values() if isinstance(each, kind))


async def types(pilot: Pilot[None], key: str, text: str) -> None:
    """Open the prompt with a key, and answer it, each letter on the heels of the last as a fast hand has it."""
    await pilot.press(key)
    for letter in text:
        pilot.app.post_message(Key(NAMES.get(letter, letter), letter))
    await pilot.press("enter")


NAMES = {
    " ": "space",
    ">": "greater_than_sign",
    "=": "equals_sign",
    "-": "minus",
    ".": "full_stop",
    ";": "semicolon",
}
"""What a terminal calls the keys that are no letters."""


def drawn(app: WatchApp) -> list[str]:
    """What the lists and pages of the view say."""
    return [line for widget in app.watching.view.query("Roll, Sheet") for line in shown(widget)]


def shown(widget: object) -> list[str]:
    return widget.lines if isinstance(widget, Roll | Sheet) else []


@pytest.mark.parametrize("size", [(80, 24), (240, 70)])
def test_each_number_shows_its_screen_which_fits_and_esc_goes_back(size: tuple[int, int]) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number, name in enumerate(SCREENS[1:], start=2):
            await pilot.press(str(number))
            await until(pilot, lambda name=name: said(app, "name").endswith(name))  # type: ignore[misc]
            await until(pilot, lambda: bool(drawn(app)))
            for roll in app.watching.view.query(Roll):
                assert all(cells_of(line) <= roll.size.width for line in roll.lines)
            assert app.focused is not None
            assert str(app.focused.border_title)
        for name in reversed(SCREENS[:-1]):
            await pilot.press("escape")
            assert app.watching.current == name
        await pilot.press("escape")
        assert app.watching.current == "overview"

    watched(golden(), story, size=size)


def test_a_question_mark_says_the_keys_of_the_screen_in_focus() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number in range(1, 7):
            await pilot.press(str(number), "question_mark")
            page = app.screen
            assert isinstance(page, Help)
            keys = page.query_one("#keys")
            await until(pilot, lambda keys=keys: keys.region.height > 10)  # type: ignore[misc]
            assert keys.region.bottom <= 24
            told = str(page.query_one("Static").render())
            assert all(key in told for key, _ in app.watching.view.KEYS)
            await pilot.press("escape")
            assert app.screen is app.watching

    watched(golden(), story)


def test_a_colon_takes_commands_by_name_by_their_beginning_and_experiments() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for typed, current in (("facts", "facts"), ("exp", "experiments"), ("e-2", "dossier"), ("over", "overview")):
            await types(pilot, "colon", typed)
            assert app.watching.current == current
        await types(pilot, "colon", "expriments")
        assert said(app, "word") == "there is no command expriments: did you mean :experiments?"
        await pilot.press("colon", "x", "escape")
        assert app.watching.current == "overview"
        await types(pilot, "colon", "quit")
        await until(pilot, lambda: not app.is_running)

    watched(golden(), story)


def test_every_theme_can_be_typed_and_an_unknown_one_is_said_with_those_that_there_are() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for theme, textuals in THEMES.items():
            await types(pilot, "colon", f"theme {theme}")
            await pilot.pause()
            assert app.theme == textuals
        await types(pilot, "colon", "theme pink")
        assert "dark, light, contrast, colour-blind" in said(app, "word")

    watched(golden(), story)


def test_a_command_that_comes_in_one_piece_is_the_command_that_was_typed() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for theme in ("light", "contrast"):
            for character in f":theme {theme}":
                app.post_message(Key({":": "colon", " ": "space"}.get(character, character), character))
            app.post_message(Key("enter", None))
            await until(pilot, lambda: app.theme == THEMES[theme])  # noqa: B023 # asked at once
        assert app.watching.travel.mode == "following"

    watched(golden(), story)


def test_the_palette_has_every_command_that_needs_nothing_typed() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert {name for name, command in COMMANDS.items() if not command.takes} < offered
        assert {f"theme {name}" for name in THEMES} < offered

    watched(golden(), story)


def test_experiments_are_sorted_by_every_column_both_ways() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        table = view(app, Experiments)
        ledger = app.watching.model.sight.ledger
        assert table.by == "number"
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert table.by == "experiment"
        for by in columns(ledger)[2:]:
            table.action_sort(1)
            assert table.by == by
            assert table.roll.lines[1].split()[0] == order(ledger, by=by, downward=table.downward)[0]
            assert by in str(table.roll.border_title)
        before = table.downward
        await pilot.press("r")
        assert table.downward is not before

    watched(golden(), story, size=(160, 30))


def test_experiments_are_narrowed_by_a_predicate_and_a_wrong_one_is_said() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        table = view(app, Experiments)
        everyone = table.roll.count
        await types(pilot, "slash", "validation > 0.8")
        assert 0 < table.roll.count < everyone
        assert said(app, "word") == f"{table.roll.count} experiments where validation > 0.8"
        await types(pilot, "slash", "validaton > 0.8")
        assert "did you mean validation" in said(app, "word")
        await types(pilot, "slash", "")
        assert table.roll.count == everyone

    watched(golden(), story, size=(160, 30))


def test_no_more_rows_are_made_than_are_seen() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        table = view(app, Experiments)
        for key in ("end", "pageup", "home", "down", "pagedown"):
            await pilot.press(key)
            assert len(table.roll.lines) <= table.roll.size.height
            assert table.roll.top <= table.roll.cursor < table.roll.top + table.roll.size.height

    watched(golden(), story)


def test_enter_opens_the_dossier_with_everything_that_was_said() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2", "down", "enter")
        assert said(app, "name") == "demo · dossier e-2"
        page = view(app, Dossiers)
        await until(pilot, lambda: len(page.sheet.lines) > 20)
        assert page.made is not None
        log = golden()
        assert page.made == dossier(app.watching.model.sight.results, "e-2", log.read())
        text = "\n".join(page.sheet.lines)
        for event in page.made.facts:
            assert f"{event.position} " in text
        assert [event.type for event in page.made.facts if event.cause] != []
        assert {"IdeaProposed", "Completed"} <= {event.type for event in page.made.facts}
        assert str(page.made.entry.configuration["backbone"]) in text

    watched(golden(), story, size=(120, 70))


def test_a_dossier_leads_to_parent_twin_and_briefing_and_back(tmp_path: Path) -> None:
    c = eventful()
    idea = c.proposes("tpe", batch=128, epochs=30)
    parent = c.queues(idea)
    c.runs(parent, on="worker-cpu2-a", validation=0.5)
    child = c.queues(c.mends(parent, parent=idea, batch=128, epochs=20))
    c.declines(c.proposes("uniform", batch=128, epochs=30), "twin", twin=idea)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", child)
        page = view(app, Dossiers)
        assert any("was 30" in line for line in page.sheet.lines)
        await pilot.press("u")
        await until(pilot, lambda: page.about == parent)
        await pilot.press("b")
        await until(pilot, lambda: app.watching.current == "cycle")
        assert any(idea in line for line in view(app, Cycles).sheet.lines)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: page.about == child)

    watched(recorded(tmp_path, c), story, size=(120, 40))


def test_a_dossier_shows_a_broken_attempt_with_its_trace_and_its_repair(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "e-32")
        text = "\n".join(view(app, Dossiers).sheet.lines)
        assert "Attempt 1 out_of_memory" in text
        assert "RemedyApplied" in text

    watched(recorded(tmp_path, eventful()), story, size=(120, 70))


def test_a_dossier_shows_the_patch_that_mended_its_run_and_what_a_rerun_said(tmp_path: Path) -> None:
    c = eventful()
    run = c.queues(c.proposes("tpe", batch=128))
    c.assigns(run, on="worker-cpu2-a")
    c.starts(run)
    c.fails(run, "crashed")
    diff = "--- a/kernels/pooling.py\n+++ b/kernels/pooling.py\n@@ -1 +1 @@\n-    return x[-1]\n+    return x[:, -1]"
    found = facts.DiagnosisMade(repair="r-9", experiment=run, attempt=1, kind="crashed", diagnosis="a missing axis")
    patch = facts.RemedyProposed(
        repair="r-9",
        experiment=run,
        remedy="patch",
        patch="ab12",
        diff=Text(head=diff, tail="", length=len(diff), digest="d"),
        files=("kernels/pooling.py",),
        explanation=Text(head="It took the last clip.", tail="", length=22, digest="e"),
    )
    c.says("fixer", "repair", "r-9", found, patch)
    c.says(
        "fixer", "repair", "r-9", facts.RemedyApplied(repair="r-9", experiment=run, instrument="beef", validation=0.5)
    )
    c.requeues(run)
    c.runs(run, on="worker-cpu2-a", validation=0.5)
    compared = facts.RunCompared(
        experiment=run,
        attempt=2,
        verdict="close",
        recorded=0.5,
        validation=0.4987,
        tolerance=0.01,
        instrument="beef",
        platform={"device": "cpu"},
    )
    c.says("person-test", "analysis", run, compared)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", run)
        page = view(app, Dossiers)
        await until(pilot, lambda: bool(page.sheet.lines))
        assert "# Patch of r-9, settled: kernels/pooling.py" in page.sheet.lines
        assert " It took the last clip." in page.sheet.lines
        assert [
            line[1:] for line in page.sheet.lines if line.startswith((" ---", " +", " -", " @@"))
        ] == diff.splitlines()
        assert "made again: close, AP 0.4987" in page.sheet.lines

    watched(recorded(tmp_path, c), story, size=(120, 70))


def test_the_agents_say_what_an_idea_and_an_improvement_cost() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("3")
        table = view(app, Agents).above
        assert {"an idea", "an improvement"} <= {column.header for column in SPEAKERS}
        assert "an idea" in table.lines[0]
        assert "an improvement" in table.lines[0]
        for speaker, line in zip(speakers(app.watching.model.sight.results), table.lines[1:], strict=True):
            told = [f"{usd:.4f}" for usd in (speaker.usd_per_idea, speaker.usd_per_improvement) if usd is not None]
            assert told
            assert line.split()[-len(told) :] == told

    watched(golden(), story, size=(240, 70))


def test_facts_are_shown_pretty_narrowed_by_words_and_copied_as_they_lie_on_the_log() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        stream = view(app, Facts)
        log = golden()
        everything = [fact for frame in log.read() for fact in msgspec.json.decode(frame.payload)]
        assert stream.roll.count == len(everything)
        assert stream.roll.cursor == len(everything) - 1
        await pilot.press("home")
        assert (
            "\n".join(stream.sheet.lines) == msgspec.json.format(msgspec.json.encode(everything[0]), indent=2).decode()
        )
        await pilot.press("y")
        assert msgspec.json.decode(app.clipboard) == everything[0]
        await types(pilot, "slash", "completed e-2")
        meant = [f for f in everything if f["type"] == "Completed" and "e-2" in msgspec.json.encode(f).decode()]
        assert 0 < stream.roll.count < len(everything)
        assert stream.roll.count >= len(meant)
        await types(pilot, "slash", "nothing-like-it")
        assert (stream.roll.count, stream.roll.lines) == (0, ["no fact is here"])
        await types(pilot, "slash", "")
        assert stream.roll.count == len(everything)

    watched(golden(), story, size=(120, 40))


def test_facts_are_followed_while_the_cursor_is_on_the_last_one() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        roll = view(app, Facts).roll
        before = roll.count
        c.proposes("tpe", batch=128)
        await until(pilot, lambda: roll.count > before)
        assert roll.cursor == roll.count - 1
        await pilot.press("home")
        before = roll.count
        c.proposes("tpe", batch=16)
        await until(pilot, lambda: roll.count > before)
        assert roll.cursor == 0

    watched(c.log, story)


def test_agents_lead_to_their_cycles_and_these_to_briefing_answer_and_ideas() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("3")
        agents = view(app, Agents)
        assert {line.split()[0] for line in agents.above.lines[1:]} == {"uniform", "tpe"}
        everyone = agents.below.count
        await pilot.press("down", "enter")
        assert 0 < agents.below.count < everyone
        await until(pilot, lambda: app.focused is agents.below)
        await pilot.press("enter")
        assert app.watching.current == "cycle"
        text = "\n".join(view(app, Cycles).sheet.lines)
        assert "# Ideas" in text
        assert "# Raw answer" in text
        await pilot.press("escape")
        assert app.watching.current == "agents"
        await types(pilot, "slash", "")
        assert agents.below.count == everyone

    watched(golden(), story, size=(120, 40))


def test_the_dynamics_are_drawn_beside_everything_else() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("4")
        dynamics = view(app, Dynamics)
        await until(pilot, lambda: dynamics.made is not None)
        await until(pilot, lambda: len(dynamics.sheet.lines) > 20)
        text = "\n".join(dynamics.sheet.lines)
        for told in ("Entropy over windows", "tpe", "power", "backbone by encoder", "shuffled pool", "learning_rate"):
            assert told in text or told == "learning_rate"

    watched(golden(), story, size=(120, 40))


def test_the_eras_name_instruments_and_what_defects_touched(tmp_path: Path) -> None:
    c = eventful()
    found = facts.DefectFound(defect="d-1", component="pooling", where="backbone == motion", reason="it reads padding")
    c.says("person-test", "defect", "d-1", found)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("6")
        await until(pilot, lambda: view(app, Eras).made is not None)
        text = "\n".join(view(app, Eras).sheet.lines)
        assert "d-1 in pooling" in text
        assert any(line.strip().startswith("on cpu") and "runs" in line for line in text.splitlines())
        assert "Touched results" in text
        await pilot.press("2")
        assert any("tainted" in line for line in view(app, Experiments).roll.lines)

    watched(recorded(tmp_path, c), story, size=(120, 60))


def test_a_screen_of_a_campaign_without_facts_says_so_everywhere() -> None:
    from events.memory import MemoryLog

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number in range(2, 7):
            await pilot.press(str(number))
            await until(pilot, lambda: bool(drawn(app)))
        assert app.is_running

    watched(MemoryLog("nothing"), story)
