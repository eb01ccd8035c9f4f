"""The screen: a head that always shows, the views of the keys 1 to 6, and a moment that may stand, move or follow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from tui import acting, commands, pages
from tui.acting import ACTS, Confirm, NotActed, Write
from tui.errors import NothingToNarrow, WatchError
from tui.foot import Foot, Tab
from tui.front import Said
from tui.help import Help
from tui.model import Model
from tui.overview import Overview
from tui.prompt import Prompt
from tui.travel import Travel
from tui.view import Opened, View

if TYPE_CHECKING:
    from tui.folding import Folding

LEAST = (60, 16)
"""Columns and lines below which nothing would be legible."""

WIDE = 100
"""Columns from which the head has room for the view's name beside a moment."""

TICK = 0.1
"""Seconds between two steps of playing."""

TABS = tuple(
    Tab(str(number), name.capitalize(), f"open('{name}')")
    for number, name in enumerate(("overview", "experiments", "agents", "dynamics", "facts", "eras"), start=1)
)
"""The views that have a key."""

HINTS = {
    ":": "a command, or an experiment: esc leaves",
    "g": "go to a position, a time or an experiment",
}


class WatchScreen(Screen[None]):
    """One campaign.

    Attributes:
        shown: the moment that is seen.
        travel: how it moves.

    Args:
        write: how a person's facts are written, None for somebody who only looks on.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)  # who gets or loses the focus is drawn, not all
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (210, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-tall")]

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(tab.key, tab.action, tab.word) for tab in TABS),
        Binding("question_mark", "keys", "Keys", show=False),
        Binding("q", "app.quit", "Quit", show=False),
        Binding("space", "freeze", "Freeze", show=False),
        Binding("left_square_bracket", "step(-1)", "A fact back", show=False),
        Binding("right_square_bracket", "step(1)", "A fact on", show=False),
        Binding("left_curly_bracket", "era(-1)", "An era back", show=False),
        Binding("right_curly_bracket", "era(1)", "An era on", show=False),
        Binding("g", "ask('g')", "Go to", show=False),
        Binding("p", "play", "Play", show=False),
        Binding("plus", "faster(1)", "Faster", show=False),
        Binding("minus", "faster(-1)", "Slower", show=False),
        Binding("slash", "ask('/')", "Filter", show=False),
        Binding("colon", "ask(':')", "Command", show=False),
        Binding("enter", "alone", "Panel alone", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, model: Model, folding: Folding, views: dict[str, View], write: Write | None = None) -> None:
        super().__init__()
        self._write = write
        self.model = model
        self.travel = Travel(model)
        self.shown = model.overview()
        self.views = views
        self.current = "overview"
        self._folding = folding
        self._wanted: int | None = None
        self._came: list[tuple[str, str]] = []
        # made here and kept, so that a picture may come before the screen is composed, and after it is gone
        self._said = {where: Said(where) for where in ("small", "name", "badge", "head", "notice", "word")}
        self._prompt = Prompt()
        self._foot = Foot((*TABS, Tab("?", "Keys", "keys")))
        self._ticked = 0.0
        self._counting = False

    @property
    def view(self) -> View:
        """The view that is seen."""
        return self.views[self.current]

    def compose(self) -> ComposeResult:
        """Yield the head, the views, the prompt and the keys."""
        said = self._said
        yield said["small"]
        yield Horizontal(said["name"], said["badge"], said["head"], id="top")
        yield said["notice"]
        yield ContentSwitcher(*self.views.values(), initial=self.current, id="views")
        yield said["word"]
        yield self._prompt
        yield self._foot

    def on_mount(self) -> None:
        """Show what is known so far."""
        self.set_interval(TICK, self._tick)
        self._foot.mark(TABS[0].action)
        self.say("")
        self._paint()
        self.view.first()

    def on_resize(self, event: Resize) -> None:
        """Say so where the terminal is too small, and show everything again where it is not."""
        columns, lines = event.size
        self.set_class(small := columns < LEAST[0] or lines < LEAST[1], "-small")
        needed = f"the screen needs {LEAST[0]} and {LEAST[1]}. q quits."
        self._said["small"].say(f"This terminal has {columns} columns and {lines} lines; {needed}")
        self._paint_head()
        if not small and self.focused is None:  # what is hidden keeps no focus
            self.call_after_refresh(self.view.first)

    def show(self, overview: Overview) -> None:
        """Take a newer picture."""
        self.shown = overview
        self.travel.shown(overview.subject.through)
        self._paint()

    def say(self, sentence: str) -> None:
        """Say one thing to the person at the foot; nothing takes it away again."""
        self._counting = False
        self._said["word"].display = bool(sentence)
        self._said["word"].say(sentence)

    def open(self, name: str, about: str = "") -> None:
        """Show a view; `esc` comes back to this one."""
        if (name, about) != (self.current, self.view.about):
            self._came.append((self.current, self.view.about))
        self._turn_to(name, about)

    def go(self, text: str) -> None:
        """Go to the moment that a text means; raises `tui.travel.PlaceUnknown`."""
        self._move(self.travel.go(text))

    def act(self, name: str, text: str) -> None:
        """Write a person's fact once they have confirmed it; raises `tui.acting.NotActed`."""
        if self._write is None:
            raise NotActed("this screen is read-only: it was opened so, or the campaign is a portable file")
        if self.shown.link.state != "live":
            campaign = self.shown.subject.campaign
            raise NotActed(f"nobody runs {campaign} now: myriad declare {campaign} {name} writes to it all the same")
        write, declaration = self._write, ACTS[name].make(text)

        def confirmed(yes: bool | None) -> None:
            if yes:
                acting.write(write, declaration, lambda told: self.app.call_from_thread(self.say, told))
            else:
                self.say("Nothing was written.")

        self.app.push_screen(Confirm(self.shown.subject.campaign, f"{name} {text}".rstrip()), confirmed)

    def ask_test(self) -> None:
        """Show test scores, or no longer."""
        told = "hidden again" if self.model.with_test else "shown; nothing is ordered by them"
        self._folding.ask(Model.ask_test)
        self.say(f"Test scores are {told}")

    def catch_up(self) -> None:
        """Show all that arrived, and what arrives."""
        self.travel.mode, self.travel.playing = "following", False
        self._folding.ask(Model.follow)
        self._paint_badge()

    def action_open(self, name: str) -> None:
        """Show one of the six views."""
        self.open(name)

    def action_freeze(self) -> None:
        """Let the view stand still, or catch up."""
        if self.travel.mode != "following":
            return self.catch_up()
        self.travel.mode = "frozen"
        self.model.hold()
        return self._paint_badge()

    def action_step(self, by: int) -> None:
        """Go so many facts back or on."""
        self._move(self.travel.step(by))

    def action_era(self, by: int) -> None:
        """Go an era back or on."""
        self._move(self.travel.era(by))

    def action_play(self) -> None:
        """Play from here, or stop."""
        if (sequence := self.travel.play()) is not None:
            self.travel.fact = self.model.tape.told(sequence)
            self._move(sequence)
        else:
            self.model.hold()
        self._ticked = time.monotonic()
        self._paint_badge()

    def action_faster(self, by: int) -> None:
        """Play faster, or slower."""
        self.travel.faster(by)
        self.say("" if self.travel.playing else f"p plays at {self.travel.speed}x")
        self._paint_badge()

    def action_ask(self, what: str) -> None:
        """Ask for a line, save for a filter where nothing can be narrowed."""
        hint = self.view.NARROWS if what == "/" else HINTS[what]
        self.say("" if hint else str(NothingToNarrow(self.view.NAME)))
        if hint:
            self._prompt.ask(what, hint)

    def action_alone(self) -> None:
        """Give the focused panel the whole screen."""
        if self.focused is not None and self.focused.allow_maximize:
            self.maximize(self.focused)

    def action_back(self) -> None:
        """Show all panels again, or the view before this one."""
        self.say("")
        if self.maximized is not None:
            self.minimize()
        elif self._came:
            self._turn_to(*self._came.pop())

    def action_keys(self) -> None:
        """Say which key does what."""
        self.app.push_screen(Help(self.view.NAME, self.view.KEYS))

    def on_opened(self, message: Opened) -> None:
        """Show what a view asks for."""
        self.open(message.view, message.about)

    def on_prompt_answered(self, message: Prompt.Answered) -> None:
        """Do what was typed, or say why not."""
        self.view.first()
        if message.text is None:
            return
        try:
            self._answer(message.asked, message.text)
        except (WatchError, ValueError) as error:
            self.say(str(error))

    def typed_ahead(self, character: str) -> bool:
        """Take a character that was on its way when the prompt opened; say whether it is open."""
        if self._prompt.display:
            self._prompt.typed(character)
        return bool(self._prompt.display)

    def _answer(self, asked: str, text: str) -> None:
        if asked == ":" and text:
            commands.run(self, text)
        elif asked == "g" and text:
            self.go(text)
        elif asked == "/":
            self.say(self.view.narrow(text))
            self._counting = bool(text)

    def _turn_to(self, name: str, about: str) -> None:
        self.say("")
        if self.maximized is not None:
            self.minimize()
        self.current = name
        self.view.open(about)
        self.query_one(ContentSwitcher).current = name
        self._foot.mark(f"open('{self.view.UNDER or name}')")
        self._look()
        self.view.first()
        self._paint_head()

    def _move(self, sequence: int) -> None:
        self._wanted = sequence
        self._folding.ask(self._gone)
        self._paint_badge()

    def _gone(self, model: Model) -> None:
        """In the folder's thread: go where a person last wanted to; what was asked before that is forgotten."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            model.go(wanted)

    def _tick(self) -> None:
        now = time.monotonic()
        passed, self._ticked = now - self._ticked, now
        if self.travel.playing:
            if (sequence := self.travel.tick(passed)) is not None:
                self._move(sequence)
            elif not self.travel.playing:
                self._paint_badge()

    def _paint(self) -> None:
        self._paint_badge()
        self._look()

    def _look(self) -> None:
        self.view.look(self.shown)
        if self.travel.mode == "replay" and not self.travel.playing:
            self.view.point(self.travel.position)
        if self._counting:
            self._said["word"].say(self.view.narrowed())

    def _paint_badge(self) -> None:
        state, badge, travel = self.shown.link.state, self._said["badge"], self.travel
        kind = f"-{state}" if travel.mode == "following" else f"-{travel.mode}"
        if not badge.has_class(kind):  # the same ones again would be looked up for every widget
            badge.set_classes(kind)
        badge.say(pages.badge(self.shown, travel))
        notice = pages.notice(self.shown)
        self._said["notice"].display = bool(notice)
        self._said["notice"].say(notice)
        self._paint_head()

    def _paint_head(self) -> None:
        about = f" {self.view.about}" if self.view.about else ""
        # the foot marks the view too, and a moment that is travelled to must be seen whole
        view = f" · {self.view.NAME}" if self.travel.mode == "following" or self.size.width >= WIDE else ""
        self._said["name"].say(f"{self.shown.subject.campaign}{view}{about}")
        inside = self.travel.position.index if self.travel.mode == "replay" else None
        room = self.size.width - sum(len(self._said[where].said) for where in ("name", "badge")) - 6
        self._said["head"].say(pages.head(self.shown, room, inside))
