"""What a law of the log is, and how it is ruled: each case that it was put to counts, so that no "held" is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from events.envelope import Fact, Position
from replay.laws.story import Entry, Story
from replay.seals import Verdict

SHOWN = 20
"""Breaches that a ruling keeps in words; all of them are counted."""


class Case(NamedTuple):
    """One time that a law was put to the test: what came of it and, unless it held, a sentence."""

    verdict: Verdict
    sentence: str = ""


Cases = Iterator[Case]

KEPT = Case("held")


def broken(sentence: str) -> Case:
    """Return a case that broke the law."""
    return Case("broken", sentence)


def untold(sentence: str) -> Case:
    """Return a case of which the log does not tell how it went."""
    return Case("unknown", sentence)


def tested(sentence: str, *, holds: bool) -> Case:
    """Return a case that held, or broke the law as the sentence says."""
    return KEPT if holds else broken(sentence)


class Law(NamedTuple):
    """One law.

    Attributes:
        check: yields a case each time that a fact puts the law to the test; the story is what was known before it.
        kinds: facts that the law looks at; every fact where empty.
        everywhere: every finished campaign puts it to the test; when none of its cases came, nobody can say it held.
    """

    check: Callable[[Story, Entry], Cases]
    kinds: tuple[type[Fact], ...] = ()
    everywhere: bool = False


Closing = Callable[[Story], Cases]
"""A law that only the end of the log decides."""


def named(law: Callable[..., Cases]) -> str:
    """Return a law in words."""
    return law.__name__.replace("_", " ")


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A case that did not hold: where (None for the log as a whole), what came of it, and why."""

    position: Position | None
    verdict: Verdict
    sentence: str


class Ruling(msgspec.Struct, kw_only=True):
    """How one law was kept.

    Attributes:
        verdict: broken where one case was; else unknown where one was, or none ever came; else held.
        held, broken, unknown: cases.
        breaches: the first cases that did not hold, in the order of the log.
        everywhere: whether every finished campaign puts it to the test.
    """

    law: str
    everywhere: bool = False
    verdict: Verdict = "unknown"
    held: int = 0
    broken: int = 0
    unknown: int = 0
    breaches: list[Breach] = []

    def add(self, case: Case, position: Position | None) -> None:
        """Count a case."""
        if case.verdict == "held":
            self.held += 1
            if self.verdict == "unknown" and not self.unknown:
                self.verdict = "held"
            return
        if case.verdict == "broken":
            self.broken += 1
            self.verdict = "broken"
        else:
            self.unknown += 1
            self.verdict = "broken" if self.broken else "unknown"
        if len(self.breaches) < SHOWN:
            self.breaches.append(Breach(position=position, verdict=case.verdict, sentence=case.sentence))


def overall(rulings: list[Ruling]) -> Verdict:
    """Return broken where a law is; unknown where a case was, or where a law that applies everywhere had no case."""
    if any(ruling.broken for ruling in rulings):
        return "broken"
    open_ = any(ruling.unknown or (ruling.everywhere and not ruling.held) for ruling in rulings)
    return "unknown" if open_ else "held"
