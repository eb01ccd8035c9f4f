"""Agents and their cycles: how each fares and what it costs; a cycle opens with its briefing, answer and ideas."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult

from events.envelope import Text
from events.errors import LogError
from replay.conversations import Conversation, Speaker, conversation, cycles_of, cycles_that_hold, speakers
from replay.errors import QuestionUnknown
from replay.pages.tables import brief
from replay.times import shown
from tui.columns import Column, fit
from tui.model import Model
from tui.overview import Overview
from tui.roll import Roll, Table, kept
from tui.sheet import Sheet
from tui.telling import laid, plain
from tui.view import Keys, Opened, View

SPEAKERS = (
    Column("agent"),
    Column("health"),
    Column("model", 2, long=10),
    Column("policy", 5),
    Column("cycles", 1, right=True),
    Column("refused", 6, right=True),
    Column("ideas", 3, right=True),
    Column("accepted", 7, right=True),
    Column("tokens", 8, right=True),
    Column("USD", right=True),
    Column("of", 1, right=True),
    Column("an idea", 3, right=True),
    Column("an improvement", 4, right=True),
)
CYCLES = (
    Column("cycle"),
    Column("agent", 1),
    Column("began", 5),
    Column("at", 6, right=True),
    Column("status"),
    Column("ideas", 2, right=True),
    Column("accepted", 3, right=True),
    Column("tokens", 7, right=True),
    Column("seconds", 8, right=True),
    Column("USD", 1, right=True),
    Column("why", 4, long=16),
)


class Agents(View):
    """The agents, and below them their cycles, the newest first."""

    NAME = "agents"
    KEYS: ClassVar[Keys] = (
        ("arrows, pages, ends", "move the cursor"),
        ("enter", "on an agent: its cycles alone, then all; on a cycle: its briefing, answer and ideas"),
        ("/", "the cycles whose agent, name or status holds a word"),
    )
    NARROWS = "a word that a cycle's agent, name or status holds; nothing shows all"

    def __init__(self, model: Model, *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.above = Roll(title="Agents", id="agents-roll", empty="no agent has joined")
        self.below = Roll(title="Cycles, newest first", id="cycles-roll", empty="no cycle is here")
        self._speakers: list[Speaker] = []
        self._names: list[str] = []
        self._word = self._agent = ""

    def compose(self) -> ComposeResult:
        """Yield both."""
        yield self.above
        yield self.below

    def show(self, overview: Overview) -> None:
        """Show this moment."""
        before = self._names
        with self.model.lock:
            results, caps = self.model.sight.results, self.model.sight.caps
            self._speakers = speakers(results)
            names = cycles_of(results, self._agent) if self._agent else cycles_that_hold(results, self._word)
        self._names = names[::-1]
        rows = [_speaker(speaker, caps.agents.get(speaker.agent, caps.usd)) for speaker in self._speakers]
        self.above.styles.height = min(len(rows) + 3, 12)
        self.above.show(Table(SPEAKERS, len(rows), lambda first, last: rows[first:last]))
        told = kept(self.below.cursor, before, self._names)
        self.below.show(Table(CYCLES, len(self._names), self._cycles), cursor=told)

    def narrow(self, text: str) -> str:
        """Show the cycles that hold a word."""
        self._show_those(f" that hold {text}" if text else "", word=text)
        return self.narrowed()

    def narrowed(self) -> str:
        """Count the cycles that are shown where a word narrows them."""
        return f"{len(self._names)} cycles hold {self._word}" if self._word else ""

    def on_roll_chosen(self, message: Roll.Chosen) -> None:
        """Narrow to an agent, or open a cycle."""
        if message.roll is self.above:
            self._turn_to(self._speakers[message.row].agent)
        else:
            self.post_message(Opened("cycle", self._names[message.row]))

    def _turn_to(self, agent: str) -> None:
        """Show an agent's cycles alone; those of all agents where it was so already."""
        alone = agent if agent != self._agent else ""
        self._show_those(f" of {alone}" if alone else "", agent=alone)
        if alone:
            self.below.focus()

    def _show_those(self, which: str, *, word: str = "", agent: str = "") -> None:
        self._word, self._agent = word, agent
        self.below.border_title = f"Cycles{which}, newest first"
        self.again()

    def _cycles(self, first: int, last: int) -> list[tuple[str, ...]]:
        with self.model.lock:
            results = self.model.sight.results
            known = [name for name in self._names[first:last] if name in results[1].cycles]
            return [_cycle(conversation(results, name)) for name in known]


class Cycles(View):
    """One cycle: who asked what, what came back, and what became of the ideas.

    Args:
        whole: returns the whole of a long text; raises `LogError` where it is not at hand.
    """

    NAME = "cycle"
    UNDER = "agents"
    KEYS: ClassVar[Keys] = (("arrows, pages, ends", "scroll"),)

    def __init__(self, model: Model, whole: Callable[[Text], str], *, id: str) -> None:  # noqa: A002 # Textual's word
        super().__init__(model, id=id)
        self.sheet = Sheet(title="Cycle", id="cycle-sheet")
        self._whole = whole
        self._seen: tuple[Conversation | None, int] = (None, -1)

    def compose(self) -> ComposeResult:
        """Yield the page."""
        yield self.sheet

    def open(self, about: str) -> None:
        """Begin at the top of another one."""
        super().open(about)
        self.sheet.show([], top=0)
        self._seen = (None, -1)

    def on_resize(self) -> None:
        """Wrap anew."""
        self.again()

    def show(self, overview: Overview) -> None:
        """Show what was known at this moment."""
        width = self.size.width - 4
        if not self.about or width < 0:
            return None
        with self.model.lock:
            try:
                made = conversation(self.model.sight.results, self.about)
            except QuestionUnknown as error:
                return self.sheet.show([str(error)])
        if (made, width) != self._seen:
            self._seen = (made, width)
            self.sheet.show(page(made, width, self._whole))
        return None


def page(made: Conversation, width: int, whole: Callable[[Text], str]) -> list[str]:
    """Return a cycle's lines; texts are shown whole where the whole is at hand."""
    told = [
        f"# {made.cycle} of {made.agent}: {made.status}{f', {made.reason}' if made.reason else ''}",
        f"began {shown(made.at)} at {made.started}; {made.model or 'no model yet'}",
        f"{made.usd:.4f} USD of {made.reserve_usd:.4f} set aside, {made.calls} calls, {made.seconds:.1f} s",
        f"{made.tokens_in} tokens in, {made.tokens_out} out",
        *[f"failed call: {plain(failure)}" for failure in made.failures],
        *[f"problem: {plain(problem)}" for problem in made.problems],
        "",
        *_ideas(made, width),
    ]
    texts = (
        ("Raw answer", made.answer),
        ("Sent back with its errors", made.correction),
        ("Answer to that", made.corrected),
        (": ".join(["Briefing as it was sent", *([", ".join(made.sections)] if made.sections else [])]), made.prompt),
    )
    for title, text in texts:
        if text is not None:
            told += [f"# {title}", *laid(_read(text, whole), width), ""]
    return told


def _ideas(made: Conversation, width: int) -> list[str]:
    columns = (
        Column("idea"),
        Column("run"),
        Column("verdict"),
        Column("AP", right=True),
        Column("origin", 3),
        Column("rationale", 1, long=20),
        Column("configuration", 2, long=20),
    )
    rows = [
        (
            told.idea,
            told.experiment or "",
            told.verdict,
            f"{told.validation:.4f}" if told.validation is not None else "",
            told.origin,
            told.rationale,
            brief(told.configuration, 400),
        )
        for told in made.ideas
    ]
    return [f"# Ideas: {len(rows)}, {made.accepted} accepted", *(fit(columns, rows, width) if rows else []), ""]


def _read(text: Text, whole: Callable[[Text], str]) -> str:
    try:
        return whole(text)
    except LogError as error:
        return f"{text.head}\n... {error} ...\n{text.tail}"


def _speaker(speaker: Speaker, cap: float | None) -> tuple[str, ...]:
    return (
        speaker.agent,
        speaker.health,
        speaker.model or "",
        speaker.policy,
        str(speaker.cycles),
        str(speaker.refused),
        str(speaker.ideas),
        str(speaker.accepted),
        str(speaker.tokens),
        f"{speaker.usd:.2f}",
        f"{cap:.2f}" if cap is not None else "",
        _money(speaker.usd_per_idea),
        _money(speaker.usd_per_improvement),
    )


def _money(usd: float | None) -> str:
    return f"{usd:.4f}" if usd is not None else ""


def _cycle(made: Conversation) -> tuple[str, ...]:
    return (
        made.cycle,
        made.agent,
        shown(made.at)[:19],
        str(made.started),
        made.status,
        str(len(made.ideas)),
        str(made.accepted),
        str(made.tokens_in + made.tokens_out),
        f"{made.seconds:.1f}",
        f"{made.usd:.4f}",
        made.reason or "",
    )
