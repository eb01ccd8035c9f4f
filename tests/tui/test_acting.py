"""Acting: nothing is written that was not confirmed, what is written is a person's, and a looker-on writes nothing."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from events import declarations
from events.declarations import Declaration, Said
from events.envelope import Fact
from events.errors import LogError
from events.facts import Banned, Boosted, CampaignPaused, CampaignResumed, Cancelled, DefectFound
from tests.chronicle import Chronicle
from tests.tui.test_views import types
from tests.tui.watching import eventful, said, until
from tui.acting import ACTS, Confirm, NotActed, Write
from tui.app import WatchApp


def acted(c: Chronicle, story: object, *, write: Write | None) -> None:
    """Watch a live log with a way to write to it."""
    import asyncio

    async def run() -> None:
        app = WatchApp(c.log, write=write)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: app.watching.shown.subject.through >= c.log.last())
            await story(app, pilot)  # type: ignore[operator] # a coroutine function, as in `watched`

    asyncio.run(run())


def to(c: Chronicle) -> Write:
    def write(declaration: Declaration) -> Said:
        return declarations.declare(c.log, declaration)

    return write


def test_what_is_confirmed_is_written_under_a_persons_name_and_comes_back_through_the_log() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "pause lunch")
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: "CampaignPaused" in said(app, "word"))
        *_, last = c.log.read()
        assert last.author.startswith("person-")
        assert last.facts[0].reason == "lunch"  # type: ignore[attr-defined] # it is a CampaignPaused
        await until(pilot, lambda: app.watching.shown.latest[-1].type == CampaignPaused.__name__)

    acted(c, story, write=to(c))


@pytest.mark.parametrize("key", ["n", "escape"])
def test_what_is_not_confirmed_is_not_written(key: str) -> None:
    c = eventful()
    last = c.log.last()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "pause")
        await pilot.press(key)
        await until(pilot, lambda: said(app, "word") == "Nothing was written.")
        assert c.log.last() == last

    acted(c, story, write=to(c))


def test_a_looker_on_is_told_that_nothing_can_be_written() -> None:
    c = eventful()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "pause")
        assert said(app, "word").startswith("this screen is read-only")
        assert app.screen is app.watching

    acted(c, story, write=None)


def test_what_the_log_refuses_is_said_and_the_screen_stays() -> None:
    c = eventful()

    def refuse(declaration: Declaration) -> Said:
        raise LogError("the log is out of reach")

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", "boost e-99 1")
        await pilot.press("y")
        await until(pilot, lambda: said(app, "word") == "Nothing was written: the log is out of reach")

    acted(c, story, write=refuse)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("boost", "e-29 0.5 it looks well", Boosted),
        ("ban", "pooling == last; it reads padding", Banned),
        ("defect", "pooling; pooling == last; it reads padding", DefectFound),
    ],
)
def test_what_is_typed_becomes_the_fact_that_it_means(name: str, text: str, kind: type) -> None:
    c = eventful()
    fact = declarations.declare(c.log, ACTS[name].make(text)).fact
    assert isinstance(fact, kind)
    assert fact.reason in ("it looks well", "it reads padding")  # type: ignore[attr-defined] # all three have one


@pytest.mark.parametrize(
    ("name", "text"), [("boost", "e-1"), ("boost", "e-1 much"), ("ban", ""), ("defect", "pooling")]
)
def test_what_is_typed_wrongly_is_said_with_what_is_right(name: str, text: str) -> None:
    with pytest.raises(NotActed, match=r"it is typed as|by a number"):
        ACTS[name].make(text)


EVERY: tuple[tuple[str, type[Fact], str], ...] = (
    ("pause lunch", CampaignPaused, ""),
    ("resume we are back", CampaignResumed, "pause"),
    ("boost {run} 0.5 it looks well", Boosted, ""),
    ("cancel {run} it is dull", Cancelled, ""),
    ("ban pooling == last; it reads padding", Banned, ""),
    ("defect pooling; pooling == last; it reads padding", DefectFound, ""),
)
"""What is typed, the fact that it becomes, and what must have been declared before."""


@pytest.mark.parametrize(("typed", "kind", "before"), EVERY)
def test_every_act_is_asked_about_first_and_then_stands_under_a_persons_name(
    typed: str, kind: type[Fact], before: str
) -> None:
    c = eventful()
    if before:
        declarations.declare(c.log, ACTS[before].make(""))
    last = c.log.last()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        command = typed.format(run=app.watching.shown.waiting[0].experiment)
        await types(pilot, "colon", command)
        assert isinstance(app.screen, Confirm)
        assert str(app.screen.query_one("Static", Static).render()).startswith(command)
        assert c.log.last() == last
        await pilot.press("n")
        await until(pilot, lambda: said(app, "word") == "Nothing was written.")
        assert c.log.last() == last
        await types(pilot, "colon", command)
        await pilot.press("y")
        await until(pilot, lambda: kind.__name__ in said(app, "word"))
        *_, written = c.log.read(last)
        assert isinstance(written.facts[0], kind)
        assert written.author.startswith("person-")
        await until(pilot, lambda: app.watching.shown.latest[-1].type == kind.__name__)

    acted(c, story, write=to(c))


@pytest.mark.parametrize(("typed", "kind", "before"), EVERY)
def test_a_looker_on_may_do_none_of_it(typed: str, kind: type[Fact], before: str) -> None:
    c = eventful()
    last = c.log.last()

    async def story(app: WatchApp, pilot: Pilot[None]) -> None:
        await types(pilot, "colon", typed.format(run="e-29"))
        assert said(app, "word").startswith("this screen is read-only")
        assert app.screen is app.watching
        assert c.log.last() == last

    acted(c, story, write=None)
