"""What a defect touched: the screen says so wherever it stands, and never that nothing has completed."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from events import facts
from tests.chronicle import Chronicle
from tests.tui.test_views import types, view
from tests.tui.watching import lines, recorded, said, until, watched
from tui.app import WatchApp
from tui.dossier import Dossiers


def declares(c: Chronicle, where: str) -> None:
    """A person declares a defect."""
    found = facts.DefectFound(defect="d-1", component="pooling", where=where, reason="it reads padding")
    c.says("person-test", "defect", "d-1", found)


def pair() -> tuple[Chronicle, str, str]:
    """A campaign with a run that completed and a child of it that waits."""
    c = Chronicle()
    c.opened()
    parent = c.queues(idea := c.proposes("tpe", batch=64))
    c.runs(parent, validation=0.75)
    return c, parent, c.queues(c.mends(parent, parent=idea, batch=32))


def test_where_everything_is_touched_the_overview_says_so_and_not_that_nothing_has_completed(tmp_path: Path) -> None:
    c, _, _ = pair()
    declares(c, "everything")
    left_out = "1 of 1 results, touched by d-1, is left out"

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert said(app, "best").splitlines() == ["best: nothing that counts has completed", left_out]
        assert lines(app, "leaders") == ["nothing that counts has completed", left_out]
        assert "running best as believed 0.7500" in said(app, "chart")

    watched(recorded(tmp_path, c), story, size=(120, 40))


def test_a_running_best_is_believed_only_where_something_is_left_out(tmp_path: Path) -> None:
    c, _, _ = pair()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        assert "running best 0.7500" in said(app, "chart")

    watched(recorded(tmp_path, c), story)


def test_an_open_dossier_hears_of_a_defect_and_of_its_childs_score_though_neither_names_it() -> None:
    c, parent, child = pair()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", parent)
        page = view(app, Dossiers).sheet

        def row(run: str) -> str:
            return next((line for line in page.lines if line.startswith(f"{run} ")), "")

        await until(pilot, lambda: bool(row(child)))
        assert not any("touched" in line for line in page.lines)
        c.runs(child, validation=0.625)
        await until(pilot, lambda: row(child).endswith("0.6250"))
        declares(c, "batch == 64")
        await until(pilot, lambda: any(line.startswith("touched by d-1: it means other") for line in page.lines))

    watched(c.log, story, size=(120, 40))


def test_a_dossier_names_the_whole_instrument_and_platform_in_whatever_width(tmp_path: Path) -> None:
    c, parent, _ = pair()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", parent)
        page = view(app, Dossiers)
        await until(pilot, lambda: page.made is not None)
        assert page.made is not None
        told = " ".join(page.sheet.lines)
        assert "of device time in 1 attempt, " in told
        assert f"instrument {page.made.entry.instrument}" in told
        assert all(f"{name} {value}" in told for name, value in page.made.platform.items())
        assert max(map(len, page.sheet.lines)) <= page.sheet.size.width

    watched(recorded(tmp_path, c), story, size=(80, 24))
