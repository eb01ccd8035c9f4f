"""What a person may do to a running campaign from the screen: each a fact of their own, written once confirmed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from events import declarations
from events.declarations import Declaration, Said
from events.errors import LogError, ServerFailed
from events.writable import writable
from tui.errors import WatchError

Write = Callable[[Declaration], Said]
"""Writes a declaration to the campaign; raises `LogError`. Called in a thread of its own."""


class Act(NamedTuple):
    """One thing to do: what it says of itself, what must be typed, and how that becomes a declaration."""

    says: str
    takes: str
    make: Callable[[str], Declaration]


class NotActed(WatchError):
    """What was typed cannot be done; its text says what would be."""


def writer(reference: str | Path, home: Path | None) -> Write:
    """Return how to write to the campaign that a reference means."""

    def write(declaration: Declaration) -> Said:
        try:
            with writable(reference, home) as log:
                return declarations.declare(log, declaration)
        except ServerFailed as error:  # nobody's server runs any more, and here none may be started
            raise LogError(f"nobody runs {reference} any more: myriad declare writes to it all the same") from error

    return write


def _boost(text: str) -> Declaration:
    experiment, by, reason = _parts(text, 3, "boost EXPERIMENT BY [REASON], such as boost e-12 0.5")
    try:
        return declarations.boost(experiment, by=float(by), reason=reason)
    except ValueError as error:
        raise NotActed(f"boost {experiment} by a number, not {by!r}") from error


def _cancel(text: str) -> Declaration:
    experiment, reason = _parts(text, 2, "cancel EXPERIMENT [REASON]", least=1)
    return declarations.cancel(experiment, reason=reason)


def _ban(text: str) -> Declaration:
    where, reason = _parts(text, 2, "ban PREDICATE [; REASON]", least=1, between=";")
    return declarations.ban(where=where, reason=reason)


def _lift(text: str) -> Declaration:
    ban, reason = _parts(text, 2, "lift BAN [REASON]", least=1)
    return declarations.lift(ban, reason=reason)


def _defect(text: str) -> Declaration:
    component, where, reason = _parts(text, 3, "defect COMPONENT ; PREDICATE [; REASON]", between=";")
    return declarations.defect(component=component, where=where, reason=reason)


def _fixed(text: str) -> Declaration:
    defect, instrument, reason = _parts(text, 3, "fixed DEFECT INSTRUMENT [REASON]")
    return declarations.fixed(defect, instrument=instrument, reason=reason)


def _parts(text: str, many: int, form: str, *, least: int = 2, between: str | None = None) -> list[str]:
    parts = [part.strip() for part in text.split(between, many - 1)]
    if len([part for part in parts if part]) < least:
        raise NotActed(f"it is typed as: {form}")
    return parts + [""] * (many - len(parts))


ACTS = {
    "pause": Act("start nothing new", "[REASON]", declarations.pause),
    "resume": Act("end a pause", "[REASON]", declarations.resume),
    "boost": Act("run an experiment before others", "EXPERIMENT BY [REASON]", _boost),
    "cancel": Act("do not run an experiment", "EXPERIMENT [REASON]", _cancel),
    "ban": Act("decline what a predicate means", "PREDICATE [; REASON]", _ban),
    "lift": Act("end a ban", "BAN [REASON]", _lift),
    "defect": Act("say that results mean other than they say", "COMPONENT ; PREDICATE [; REASON]", _defect),
    "fixed": Act("say that an instrument is free of a defect", "DEFECT INSTRUMENT [REASON]", _fixed),
}


class Confirm(ModalScreen[bool]):
    """Asks whether a fact should be written; the answer is no unless it is yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape,q", "dismiss(False)", "No"),
    ]

    def __init__(self, campaign: str, typed: str) -> None:
        super().__init__()
        self._said = f"{typed}\n\nWritten to {campaign} as a person's fact, for everybody to read.\n\ny yes   n no"

    def compose(self) -> ComposeResult:
        """Yield the question."""
        page = Vertical(Static(self._said, markup=False), id="confirm")
        page.border_title = "Write this fact?"
        yield page


def write(act: Write, declaration: Declaration, tell: Callable[[str], None]) -> None:
    """Write in a thread, and tell in a sentence what came of it."""

    def run() -> None:
        try:
            said = act(declaration)
        except LogError as error:
            tell(f"Nothing was written: {error}")
        else:
            tell(f"{said.words} stands at {said.position}")

    threading.Thread(target=run, name="acting", daemon=True).start()
