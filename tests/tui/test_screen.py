"""The screen: every key, every size, frozen and live, with what is on the log and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from events.log import Recorded
from events.memory import MemoryLog
from events.wire.jetstream import JetStreamLog
from replay.moments.moment import moment
from tests.chronicle import Chronicle
from tests.replay.tales import busy
from tests.tui.test_travel import golden
from tests.tui.test_views import types, view
from tests.tui.watching import PANELS, eventful, lines, recorded, said, until, watched
from tui.app import WatchApp
from tui.columns import cells_of
from tui.dossier import Dossiers
from tui.help import KEYS, Help
from tui.panel import Panel


def test_a_recorded_campaign_shows_where_it_ended(tmp_path: Path) -> None:
    c = busy(12)
    c.closes("the budget is spent")

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "badge") == "RECORDED"
        assert said(app, "name") == "tale · overview"
        assert said(app, "head") == f"position {c.log.last()} · 2025-06-15 15:08:30 UTC · closed: the budget is spent"
        assert said(app, "notice") == ""

    watched(recorded(tmp_path, c), story, size=(120, 30))


def test_the_head_says_the_best_with_its_noise_and_its_author(tmp_path: Path) -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        best = app.watching.shown.leaders[0]
        first = said(app, "best").splitlines()[0]
        assert first.startswith(
            f"best {best.validation:.4f} +- 0.0300 validation AP · {best.experiment} by {best.agent}"
        )
        assert "within noise" in first
        done = len(app.watching.shown.running_best)
        assert said(app, "chart").endswith(f" {best.validation:.4f} after {done}")
        counted = f"{done} completed  2 running  3 queued  1 failed  1 abandoned  24 declined"
        assert said(app, "counts").startswith(counted)

    watched(recorded(tmp_path, c), story, size=(120, 30))


def test_test_scores_are_nowhere_on_the_screen(tmp_path: Path) -> None:
    c = Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), validation=0.5, test=0.98765)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        everything = [line for panel in PANELS for line in lines(app, panel)]
        everything += [said(app, where) for where in ("head", "best", "chart", "counts", "trend")]
        assert not any("0.987" in line for line in everything)

    watched(recorded(tmp_path, c), story, size=(240, 70))


def test_test_scores_are_shown_on_request_and_hidden_again(tmp_path: Path) -> None:
    c = Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), validation=0.5, test=0.98765)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        def shown() -> bool:
            return any("0.9877" in line for line in lines(app, "leaders"))

        await types(pilot, "colon", "test")
        await until(pilot, shown)
        await types(pilot, "colon", "test")
        await until(pilot, lambda: not shown())
        await types(pilot, "colon", "test")
        await types(pilot, "colon", "e-1")
        await until(pilot, lambda: any("test 0.9877" in line for line in view(app, Dossiers).sheet.lines))

    watched(recorded(tmp_path, c), story, size=(240, 70))


def test_the_agents_panel_says_health_model_what_it_cost_and_the_last_idea() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        told = lines(app, "speakers")
        assert "agent health model cycles ideas done best" in " ".join(told[0].split())
        assert told[1].split()[1] in ("well", "barren")
        assert any("i-tpe" in line or "i-uniform" in line for line in told)

    watched(golden(), story, size=(400, 70))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 50), (240, 70)])
def test_every_panel_is_legible(size: tuple[int, int], tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        for panel in app.watching.query(Panel):
            room = panel.size
            assert room.width >= 24
            assert room.height >= (1 if size[1] < 24 else 4)
            assert panel.lines
            assert all(cells_of(line) <= room.width for line in panel.lines), panel.lines
        assert app.watching.query_one("Foot").region.bottom == size[1]

    watched(recorded(tmp_path, eventful()), story, size=size)


def test_the_panels_say_what_is_going_on(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert lines(app, "devices")[1].split()[:3] == ["worker-cpu0-a", "e-30", "running"]
        assert lines(app, "devices")[3].split()[:2] == ["worker-cpu2-a", "idle"]
        assert lines(app, "devices")[3].endswith("work waits: a pack is being made")
        assert lines(app, "speakers")[1].split()[:2] == ["tpe", "well"]
        tape = app.watching.model.tape
        head = [line.split()[0] for line in lines(app, "queue")[1:]]
        assert head == [one.experiment for one in moment(tape, str(tape.last())).waiting]
        assert lines(app, "queue")[1].endswith("wish 0.50")
        assert len(lines(app, "leaders")) == 11
        assert any("e-32 diverged: micro_batches applied" in line for line in lines(app, "troubles"))
        assert "RemedyApplied" in lines(app, "stream")[1]

    watched(recorded(tmp_path, eventful()), story, size=(240, 70))


def test_a_terminal_that_is_too_small_is_told_so_and_all_comes_back_with_room(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "small").startswith("This terminal has 50 columns and 12 lines; the screen needs 60 and 16")
        assert app.watching.query_one("#small").display
        assert not app.watching.query_one("#views").display
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: bool(app.watching.query_one("#views").display))
        await until(pilot, lambda: len(lines(app, "leaders")) == 11)
        assert not app.watching.query_one("#small").display

    watched(recorded(tmp_path, eventful()), story, size=(50, 12))


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_these_keys_quit(key: str, tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0

    watched(recorded(tmp_path, busy(2)), story)


def test_space_freezes_the_view_counts_what_arrives_and_catches_up() -> None:
    c = busy(6)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        seen = c.log.last()
        await pilot.press("space")
        assert said(app, "badge") == "LIVE FROZEN, 0 facts wait"
        frozen = [lines(app, panel) for panel in PANELS]
        c.runs(c.queues(c.proposes("tpe", batch=64)), validation=0.99)
        await until(pilot, lambda: said(app, "badge") == "LIVE FROZEN, 7 facts wait")
        assert [lines(app, panel) for panel in PANELS] == frozen
        assert f"position {seen} " in said(app, "head")
        await pilot.press("space")
        await until(pilot, lambda: f"position {c.log.last()} " in said(app, "head"))
        assert said(app, "badge") == "LIVE"
        assert "best 0.9900" in said(app, "best")

    watched(c.log, story)


def test_a_live_campaign_is_followed_fact_by_fact() -> None:
    c = Chronicle()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "badge") == "LIVE"
        assert lines(app, "stream") == ["no fact is on the log"]
        c.opened()
        await until(pilot, lambda: "CampaignOpened" in lines(app, "stream")[-1])
        c.assigns(run := c.queues(c.proposes("tpe")))
        await until(pilot, lambda: "assigned" in lines(app, "devices")[-1])
        c.starts(run)
        await until(pilot, lambda: "running" in lines(app, "devices")[-1])
        c.completes(run, validation=0.75)
        await until(pilot, lambda: "best 0.7500" in said(app, "best"))
        await until(pilot, lambda: "idle" in lines(app, "devices")[-1])

    watched(c.log, story)


@pytest.mark.parametrize("close", ["question_mark", "escape", "q"])
def test_a_question_mark_shows_the_keys_and_these_close_them(close: str) -> None:
    c = busy(2)

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        c.closes("enough")
        await until(pilot, lambda: "closed: enough" in said(app, "head"))
        await pilot.press(close)
        await until(pilot, lambda: app.screen is app.watching)
        assert app.is_running

    watched(c.log, story, size=(120, 30))


def test_the_page_of_keys_fits_the_smallest_usual_terminal(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        page = app.screen.query_one("#keys")
        await until(pilot, lambda: page.region.height > len(KEYS))
        assert page.region.bottom <= 24
        assert page.region.right <= 80
        assert page.max_scroll_y == 0

    watched(recorded(tmp_path, busy(2)), story)


def test_tab_goes_through_the_panels_and_back(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        visited = []
        for _ in range(7):
            visited.append(str(app.focused and app.focused.id))
            await pilot.press("tab")
        assert visited == [*PANELS, PANELS[0]]
        await pilot.press("shift+tab", "shift+tab")
        assert app.focused is not None
        assert app.focused.id == PANELS[-1]

    watched(recorded(tmp_path, busy(8)), story)


def test_the_arrows_scroll_the_panel_in_focus(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        facts = app.watching.query_one("#stream", Panel)
        facts.focus()
        most = len(facts.lines) - facts.size.height
        assert most > 50
        for key, there in (
            ("down", 1),
            ("up", 0),
            ("pagedown", facts.size.height - 1),
            ("end", most),
            ("pageup", most - facts.size.height + 1),
            ("home", 0),
        ):
            await pilot.press(key)
            assert facts.top == there, key

    watched(recorded(tmp_path, busy(30)), story)


def test_enter_gives_the_screen_to_one_panel_and_esc_takes_it_back(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        leaders = app.watching.query_one("#leaders", Panel)
        leaders.focus()
        few = lines(app, "leaders")
        assert "configuration" not in few[0]
        await pilot.press("enter")
        await until(pilot, lambda: leaders.size.width > 70)
        await until(pilot, lambda: "which is" in lines(app, "leaders")[0])
        assert leaders.size.height >= 11
        await pilot.press("escape")
        await until(pilot, lambda: lines(app, "leaders") == few)

    watched(recorded(tmp_path, busy(30)), story)


def test_ctrl_p_opens_the_commands(tmp_path: Path) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen is not app.watching)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.watching)

    watched(recorded(tmp_path, busy(2)), story)


def test_markup_in_facts_is_shown_as_it_was_written() -> None:
    c = Chronicle()
    c.opened()
    c.abandons(c.queues(c.proposes("tpe")), "[bold]no[/] [@click=app.quit]way")

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert lines(app, "stream")[1].endswith("[bold]no[/] [@click=app.quit]way")

    watched(c.log, story, size=(209, 70))


def test_a_frame_from_a_newer_myriad_is_said_and_the_screen_stays(tmp_path: Path) -> None:
    log = MemoryLog("tale")
    log.restore(busy(3).log.read())
    sound = log.last()
    log.restore(
        [
            Recorded(
                sound + 1, "myriad.tale.campaign.x.person-test", "person-test:7", b'[{"type":"FromTomorrow","at":9}]'
            )
        ]
    )

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "written by a newer Myriad" in said(app, "notice"))
        assert app.watching.query_one("#notice").display
        assert said(app, "notice").startswith(f"Folding stopped after position {sound}")
        await pilot.press("tab", "space")
        assert app.is_running

    watched(log, story, through=sound)


def test_an_empty_campaign_says_that_it_is_empty() -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "head") == "position 0 · before the first fact · search open"
        assert said(app, "best").startswith("best: nothing has completed")
        assert [lines(app, panel)[0] for panel in PANELS[:4]] == [
            "no worker is present",
            "nothing has completed",
            "no agent has joined",
            "the queue is empty",
        ]

    watched(MemoryLog("nothing"), story)


def test_a_connection_that_breaks_is_said_and_the_screen_stays(jetstream_log: JetStreamLog) -> None:
    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "badge") == "LIVE"
        jetstream_log.close()
        await until(pilot, lambda: said(app, "badge") == "LOST")
        assert said(app, "notice").startswith("The log is out of reach, and is looked for: ")
        assert app.watching.query_one("#notice").display
        await pilot.press("tab", "question_mark", "escape", "space")
        assert said(app, "badge") == "LOST FROZEN, 0 facts wait"

    watched(jetstream_log, story)
