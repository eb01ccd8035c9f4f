"""What the screen answers: whole sentences, numbers of this moment, and nothing passed over in silence."""

from __future__ import annotations

from pathlib import Path
from queue import Queue

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from events import declarations
from events.folder import Campaign
from events.log import Frame
from events.wire import jetstream, server
from replay.errors import QuestionUnknown
from tests.replay.tales import busy
from tests.tui.test_views import golden, types, view
from tests.tui.watching import said, until, watched
from tui import acting
from tui.acting import writer
from tui.agents import Agents
from tui.app import WatchApp
from tui.commands import COMMANDS, CommandUnclear, CommandUnknown, run
from tui.errors import NARROWED
from tui.help import KEYS
from tui.prompt import Prompt
from tui.reading import twin

GOLDEN = Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("quit now", "quit takes nothing after it, and 'now' stands there"),
        ("play 5", "play takes nothing after it, and '5' stands there"),
        ("e-2 boost", "e-2 takes nothing after it, and 'boost' stands there"),
        ("p", "p may be play or pause"),
        ("go", "type a position, a time such as 2026-05-01T12:00, or an experiment"),
        ("e-9999", "there is no command e-9999, and no such experiment at this moment: there are overview"),
    ],
)
def test_what_is_typed_beside_the_commands_is_answered_and_nothing_is_done(typed: str, answer: str) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", typed)
        await until(pilot, lambda: said(app, "word").startswith(answer))
        assert app.is_running
        assert (app.watching.current, app.watching.travel.mode) == ("overview", "following")

    watched(golden(), story)


def test_a_slash_asks_only_where_something_can_be_narrowed_and_says_with_what() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for number, name in enumerate(("overview", "experiments", "agents", "dynamics", "facts", "eras"), start=1):
            await pilot.press(str(number), "slash")
            prompt, told = app.watching.query_one(Prompt), any(key == "/" for key, _ in app.watching.view.KEYS)
            assert prompt.display == told == (name in NARROWED)
            if told:
                assert app.watching.query_one("#typed", Input).placeholder == app.watching.view.NARROWS
                await pilot.press("escape")
            else:
                assert said(app, "word").startswith(f"{name} has nothing to narrow")
        assert not any(key == "/" for key, _ in KEYS)

    watched(golden(), story)


def test_every_beginning_of_a_command_is_that_command_or_says_which_it_may_be() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for begun in {name[:length] for name in COMMANDS for length in range(1, len(name))}:
            if len([name for name in COMMANDS if name.startswith(begun)]) > 1 and begun not in COMMANDS:
                with pytest.raises(CommandUnclear, match=f"^{begun} may be "):
                    run(app.watching, begun)
        with pytest.raises(CommandUnknown):
            run(app.watching, "zzz")

    watched(golden(), story)


def test_a_long_answer_is_there_to_its_last_word_in_the_smallest_usual_terminal() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await types(pilot, "slash", "nonsense > 1")
        word = app.watching.query_one("#word")
        await until(pilot, lambda: "there is no nonsense" in said(app, "word"))
        await until(pilot, lambda: word.size.height * word.size.width >= len(said(app, "word")))
        assert word.virtual_size.height <= word.size.height

    watched(golden(), story)


def test_a_count_of_what_is_narrowed_is_of_the_moment_that_is_shown() -> None:
    c = busy(6)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await types(pilot, "slash", "0.987654")
        assert said(app, "word") == "0 facts hold 0.987654"
        c.runs(c.queues(c.proposes("tpe", batch=64)), validation=0.987654)
        await until(pilot, lambda: said(app, "word") == "1 facts hold 0.987654")
        await types(pilot, "g", "1")
        await until(pilot, lambda: app.watching.shown.subject.through == 1)
        assert not said(app, "word").startswith("1 facts")

    watched(c.log, story, size=(120, 40))


def test_an_agents_cycles_alone_and_all_again_and_a_word_in_whatever_case() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("3")
        agents = view(app, Agents)
        many, first = agents.below.count, agents.above.lines[1].split()[0]
        await pilot.press("enter")
        await until(pilot, lambda: 0 < agents.below.count < many)
        assert agents.below.border_title == f"Cycles of {first}, newest first"
        await pilot.press("shift+tab", "enter")
        await until(pilot, lambda: agents.below.count == many)
        assert agents.below.border_title == "Cycles, newest first"
        await types(pilot, "slash", first.upper())
        await until(pilot, lambda: 0 < agents.below.count < many)
        assert said(app, "word") == f"{agents.below.count} cycles hold {first.upper()}"

    watched(golden(), story, size=(120, 40))


@pytest.mark.parametrize(
    "asked",
    [{"where": "x"}, {"panel": "dynamics", "where": "x"}, {"panel": "e-1", "where": "x"}, {"sort": "validation"}],
)
def test_a_twin_passes_nothing_over_in_silence(asked: dict[str, str]) -> None:
    with pytest.raises(QuestionUnknown, match=r"has nothing to narrow|has no order to choose"):
        twin(GOLDEN, **asked)


def test_the_twin_of_the_agents_is_narrowed_as_on_the_screen() -> None:
    every, some = (twin(GOLDEN, panel="agents", where=word) for word in ("", "TPE"))
    assert 0 < len(some["cycles"]) < len(every["cycles"])
    assert {cycle.agent for cycle in some["cycles"]} == {"tpe"}


def test_who_confirms_too_late_is_told_that_nobody_runs_it_any_more(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    with server.running(folder) as running, jetstream.create(running.credential("owner"), "tale") as log:
        for frame in busy(2).log.read():
            log.append(Frame(frame.subject, frame.id, frame.facts))
    write, told = writer("tale", tmp_path), Queue[str]()
    acting.write(write, declarations.pause(), told.put)
    assert told.get(timeout=60) == (
        "Nothing was written: nobody runs tale any more: myriad declare writes to it all the same"
    )
