"""The picture that a screen leaves: found again by the next one, believed only where log and code are the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from events import sources
from events.archives.archive import ArchiveLog
from replay.moments import preserved
from tests.replay.tales import busy
from tests.tui.test_travel import golden, loaded
from tests.tui.watching import recorded, said, until
from tui import model as models
from tui.app import WatchApp
from tui.feed import Several
from tui.links import Link, Source
from tui.model import Model
from tui.remembered import Remembered


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Where a picture of the golden campaign was left."""
    assert Remembered(golden(), tmp_path / "left").leave(loaded().overview())
    return tmp_path / "left"


def test_a_picture_is_found_as_it_was_left(left: Path) -> None:
    assert Remembered(golden(), left).find() == loaded().overview()


def test_a_damaged_picture_is_not_believed(left: Path) -> None:
    (path,) = left.iterdir()
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 997):
        content[place] ^= 1
        path.write_bytes(content)
        assert Remembered(golden(), left).find() is None
        content[place] ^= 1
    path.write_bytes(content[: len(content) // 2])
    assert Remembered(golden(), left).find() is None


def test_a_picture_of_another_log_or_of_other_code_is_not_believed(
    left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Remembered(recorded(tmp_path, busy(60)), left).find() is None
    with monkeypatch.context() as patched:
        patched.setattr(preserved, "_code", lambda: "other code of replay")
        assert Remembered(golden(), left).find() is None
    with monkeypatch.context() as patched:
        patched.setattr(sources, "code", lambda folders: "other code of the screen")
        assert Remembered(golden(), left).find() is None
    assert Remembered(golden(), left).find() is not None


def test_where_nothing_can_be_written_nothing_is_left_and_nothing_breaks(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    there = Remembered(golden(), tmp_path / "file")
    assert not there.leave(loaded().overview())
    assert there.find() is None


def test_the_picture_stands_until_as_much_is_folded_again_and_nothing_is_missed(left: Path) -> None:
    log, whole = golden(), loaded().overview()
    model = Model(log.campaign, Remembered(log, left))
    model.take(Link(state="recorded", last=log.last()))
    early = model.overview()
    assert (early.leaders, early.subject, early.end) == (whole.leaders, whole.subject, 0)
    frames = tuple(log.read())
    model.take(Several(frames[:100]))
    assert msgspec.structs.replace(model.overview(), end=whole.end) == whole
    model.take(Several(frames[100:]))
    assert model.overview() == whole
    model.go(50)
    assert model.overview().subject.through == 50


def test_a_moment_that_a_person_goes_to_is_never_the_picture(left: Path) -> None:
    log = golden()
    model = Model(log.campaign, Remembered(log, left))
    model.take(Link(state="recorded", last=log.last()))
    model.take(Several(tuple(log.read())[:60]))
    model.go(30)
    assert model.overview().subject.through == 30


def test_a_screen_leaves_a_picture_of_all_that_there_is_and_the_next_one_begins_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setattr(models, "WORTH", 1)
    log = golden()

    async def run() -> None:
        app = WatchApp(log, remembered=Remembered(log, tmp_path))
        async with app.run_test(size=(120, 40)) as pilot:
            await whole(app, pilot)
            await until(pilot, lambda: bool(list(tmp_path.iterdir())))

    async def whole(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.watching.shown.end == golden().last())
        await until(pilot, lambda: said(app, "badge") == "RECORDED")

    asyncio.run(run())
    found = Remembered(golden(), tmp_path).find()
    assert found is not None
    assert msgspec.structs.replace(found, link=loaded().link) == loaded().overview()


def test_test_scores_are_in_no_picture_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "WORTH", 1)
    log = golden()
    model = Model(log.campaign, Remembered(log, tmp_path / "left"))
    model.take(Link(state="recorded", last=log.last()))
    model.take(Several(tuple(log.read())))
    model.ask_test()
    model.leave(model.overview())
    assert not (tmp_path / "left").exists()
    model.ask_test()
    model.leave(model.overview())
    assert (tmp_path / "left").exists()


def test_pictures_of_files_lie_in_the_users_cache_and_only_of_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = []
    for number in range(12):
        home = tmp_path / str(number)
        home.mkdir()
        path = _archived(home)
        where = Source(path).pictures
        assert where is not None
        where.mkdir(parents=True)
        made.append(where)
    assert len(set(made)) == 12
    assert len(list((tmp_path / "cache" / "myriad" / "pictures").iterdir())) <= 8
    assert made[-1].exists()


def _archived(home: Path) -> Path:
    log: ArchiveLog = recorded(home, busy(1))
    log.close()
    return home / "tale.myriad"
