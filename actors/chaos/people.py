"""People who speak to a small campaign while faults strike: what each is about to say, at turns that a seed draws.

They speak through the door that people have (`events.declarations`), each from what they have read so far, which is not
always the latest. Who is not told whether a word was written says it once more; who asked for a pause ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal, NamedTuple, get_args

from actors.chaos.faults import LAST, SPAN, drawn
from actors.chaos.network import Voice, Wire
from events import declarations
from events.declarations import Declaration, Refused
from events.errors import LogError
from events.knowing import Known
from events.space import Choice

Verb = Literal["pause", "boost", "cancel", "ban", "lift", "defect", "fixed", "reopen", "resume"]
VERBS: tuple[Verb, ...] = get_args(Verb)

MOST = 5
"""Things that one person says at most, resumptions not counted."""

AGAIN = 3
"""Turns after which somebody says once more what may not have been written."""

PAUSE = 20
"""Turns after which a pause is ended, at least."""


class Word(NamedTuple):
    """Something that a person is about to say: from which turn on, what, and a number that chooses of whom."""

    turn: int
    verb: Verb
    pick: int


class Person:
    """One person and what they are about to say.

    Args:
        wire: the log as this person reaches it.
        clock: theirs, microseconds since 1970 UTC.
    """

    def __init__(self, author: str, wire: Wire, clock: Callable[[], int], words: tuple[Word, ...]) -> None:
        self.author = author
        self._voice = Voice(wire, author)
        self._clock = clock
        self._words = sorted(words)
        self._known = Known()

    @property
    def next(self) -> int | None:
        """The turn from which on this person speaks, None once everything is said."""
        return self._words[0].turn if self._words else None

    def speak(self, turn: int) -> Verb | None:
        """Say what comes first; return what it was where it is written, or may be, and None where it was refused."""
        word = self._words.pop(0)
        # who ends a pause has waited for long enough to have read of it
        self._voice.lags(word.pick % 4 if word.verb != "resume" else 0)
        self._known.read(self._voice)
        try:
            declarations.declare(
                self._voice,  # type: ignore[arg-type] # a log is the verbs that a declaration uses
                MEANT[word.verb](self._known, word.pick),
                known=self._known,
                clock=self._clock,
            )
        except Refused:
            return None
        except LogError:
            self._say(turn + AGAIN, word)
        if word.verb == "pause":
            self._say(turn + PAUSE + word.pick % PAUSE, word._replace(verb="resume"))
        return word.verb

    def _say(self, turn: int, word: Word) -> None:
        self._words = sorted((*self._words, word._replace(turn=turn)))


def _boost(known: Known, pick: int) -> Declaration:
    waiting = [name for name, state in known.experiments.items() if state == "queued"]
    return declarations.boost(_one(waiting, pick, "e-1"), by=pick % 7 - 2.5)


def _cancel(known: Known, pick: int) -> Declaration:
    # what runs is missed more often than what waits
    live = [name for name, state in known.experiments.items() if state in ("assigned", "running")]
    return declarations.cancel(_one(live if pick % 4 else known.experiments, pick, "e-1"), reason="it takes too long")


def _ban(known: Known, pick: int) -> Declaration:
    return declarations.ban(where=_where(known, pick), cycles=(None, 1, 2)[pick % 3])


def _defect(known: Known, pick: int) -> Declaration:
    since = None if pick % 2 else known.through
    return declarations.defect(component="loss", where=_where(known, pick), since=since)


def _fixed(known: Known, pick: int) -> Declaration:
    return declarations.fixed(_one(known.defects, pick, "d-1"), instrument=_one(known.instruments, pick, "none"))


MEANT: dict[Verb, Callable[[Known, int], Declaration]] = {
    "pause": lambda *_: declarations.pause("somebody is at the machine"),
    "resume": lambda *_: declarations.resume("nobody is at the machine"),
    "reopen": lambda *_: declarations.reopen("there is more to find"),
    "boost": _boost,
    "cancel": _cancel,
    "ban": _ban,
    "lift": lambda known, pick: declarations.lift(_one(known.bans, pick, "b-1")),
    "defect": _defect,
    "fixed": _fixed,
}
"""What is said, of something among what its speaker has read of."""


class People:
    """Everybody who speaks to the campaign of a seed; in some campaigns nobody does."""

    def __init__(self, seed: int, wire: Wire, clock: Callable[[], int], person: type[Person] = Person) -> None:
        many = drawn(seed, "people") % 3
        names = [f"person-{number}" for number in range(1, many + 1)]
        self._people = [person(name, wire, clock, words(seed, name)) for name in names]

    @property
    def authors(self) -> list[str]:
        """Their names on the log."""
        return [person.author for person in self._people]

    def speaks(self, turn: int) -> Person | None:
        """Return who speaks at a turn."""
        return next((p for p in self._people if p.next is not None and p.next <= turn), None)

    def waits(self) -> Person | None:
        """Return who has the next thing to say, whenever that was to be."""
        waiting = [person for person in self._people if person.next is not None]
        return min(waiting, key=lambda person: person.next or 0, default=None)


def words(seed: int, author: str) -> tuple[Word, ...]:
    """Return what a seed has a person say."""
    many = 1 + drawn(seed, author, "many") % MOST
    return tuple(_word(seed, author, number) for number in range(many))


def _word(seed: int, author: str, number: int) -> Word:
    turn = 4 + drawn(seed, author, "turn", number) % SPAN
    verb = VERBS[drawn(seed, author, "verb", number) % (len(VERBS) - 1)]
    # a search is reopened once everybody has fallen silent
    return Word(turn if verb != "reopen" else turn + LAST, verb, drawn(seed, author, "pick", number) % 1_000_000)


def _one(names: Collection[str], pick: int, otherwise: str) -> str:
    """Choose a name; where there is none yet, one that is not known is said."""
    return [*names][pick % len(names)] if names else otherwise


def _where(known: Known, pick: int) -> str:
    choices = [dimension for dimension in known.space.dimensions if isinstance(dimension, Choice)]
    if not choices:
        return "everything"
    choice = choices[pick % len(choices)]
    return f"{choice.name} == {choice.values[pick // 8 % len(choice.values)]}"
