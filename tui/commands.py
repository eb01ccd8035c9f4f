"""The commands: what may be typed after a colon and chosen with ctrl+p, each with the words that say what it does."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tui.acting import ACTS
from tui.errors import WatchError
from tui.themes import THEMES

if TYPE_CHECKING:
    from tui.screen import WatchScreen


class CommandUnknown(WatchError):
    """What was typed is no command."""

    def __init__(self, word: str) -> None:
        near = difflib.get_close_matches(word, COMMANDS, n=1)
        neither = f", and no such experiment at this moment: there are {', '.join(COMMANDS)}"
        super().__init__(f"there is no command {word}" + (f": did you mean :{near[0]}?" if near else neither))
        self.word = word


class CommandUnclear(WatchError):
    """What was typed begins several commands, or has something after it that its command does not take."""


class Command(NamedTuple):
    """One command.

    Attributes:
        takes: what is typed after its name, empty for nothing.
        run: does it on a screen; raises `WatchError` with a sentence for the person.
    """

    says: str
    takes: str
    run: Callable[[WatchScreen, str], None]


def run(screen: WatchScreen, typed: str) -> None:
    """Do what was typed: a command by its name or the beginning of one, or the name of an experiment.

    Raises:
        WatchError: it is no command, or the command cannot be done.
    """
    word, _, rest = (part.strip() for part in typed.partition(" "))
    with screen.model.lock:
        known = word in screen.model.sight.ledger.experiments
    name = word if known and word not in COMMANDS else _meant(word)
    if rest and not (name in COMMANDS and COMMANDS[name].takes):
        raise CommandUnclear(f"{name} takes nothing after it, and {rest!r} stands there")
    if name in COMMANDS:
        return COMMANDS[name].run(screen, rest)
    return screen.open("dossier", name)


def _meant(word: str) -> str:
    """Return the command that a word is, or the only one that it begins."""
    begun = [name for name in COMMANDS if name.startswith(word)]
    if word in COMMANDS or len(begun) == 1:
        return word if word in COMMANDS else begun[0]
    if begun:
        raise CommandUnclear(f"{word} may be {' or '.join(begun)}")
    raise CommandUnknown(word)


def _theme(screen: WatchScreen, name: str) -> None:
    if name not in THEMES:
        raise WatchError(f"there is no theme {name!r}: there are {', '.join(THEMES)}")
    screen.app.theme = THEMES[name]


def _act(name: str) -> Callable[[WatchScreen, str], None]:
    return lambda screen, text: screen.act(name, text)


COMMANDS: dict[str, Command] = {
    "overview": Command("show the campaign at a glance", "", lambda screen, _: screen.open("overview")),
    "experiments": Command("show every experiment", "", lambda screen, _: screen.open("experiments")),
    "agents": Command("show agents and their cycles", "", lambda screen, _: screen.open("agents")),
    "dynamics": Command("show how the search moves", "", lambda screen, _: screen.open("dynamics")),
    "facts": Command("show the facts as they were written", "", lambda screen, _: screen.open("facts")),
    "eras": Command("show instruments, defects and taint", "", lambda screen, _: screen.open("eras")),
    "go": Command("go to a position, a time or an experiment", "WHERE", lambda screen, text: screen.go(text)),
    "live": Command("catch up with what has arrived", "", lambda screen, _: screen.catch_up()),
    "play": Command("play from here", "", lambda screen, _: screen.action_play()),
    "test": Command("show test scores too, or no longer; nothing is ordered by them", "", lambda s, _: s.ask_test()),
    "theme": Command("dark, light, contrast or colour-blind", "NAME", _theme),
    **{name: Command(act.says, act.takes, _act(name)) for name, act in ACTS.items()},
    "quit": Command("leave; a running campaign goes on", "", lambda screen, _: screen.app.exit()),
}
