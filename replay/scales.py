"""Two scales that never mix: selection reads validation AP; test AP is recorded, shown, and selects nothing.

Whoever selects must give the same answer when every test score is another one. `selects_by_validation` asks twice, once
with the scores turned round (the best becomes the worst), and refuses an answer that differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from events.envelope import Fact
from events.facts import Completed
from events.log import LogReader, Recorded
from replay.errors import ReplayError
from replay.rewriting import Rewritten

R = TypeVar("R")


class SelectedOnTest(ReplayError):
    """An answer that should read validation alone depends on test scores.

    Attributes:
        name: of who answered.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} selects on test scores: its answer is another one where these are turned round")
        self.name = name


def turned_round(log: LogReader) -> LogReader:
    """Return a view of a log in which every test AP is 1 minus itself."""
    return Rewritten(log, lambda recorded: tuple(map(_turned, recorded.facts)) if _scores(recorded) else recorded.facts)


def selects_by_validation(ask: Callable[[LogReader], R], log: LogReader, *, name: str = "") -> R:
    """Return what `ask` answers of a log; it must not contain a test score itself.

    Raises:
        SelectedOnTest: it answers something else where only test scores differ.
    """
    answer = ask(log)
    if _plain(answer) != _plain(ask(turned_round(log))):
        raise SelectedOnTest(name or getattr(ask, "__name__", "this"))
    return answer


def _scores(recorded: Recorded) -> bool:
    return any(isinstance(fact, Completed) for fact in recorded.facts)


def _turned(fact: Fact) -> Fact:
    return (
        msgspec.structs.replace(fact, test=1.0 - fact.test)
        if isinstance(fact, Completed) and fact.test is not None
        else fact
    )


def _plain(answer: Any) -> bytes:
    # equal bytes: unlike ==, they take a missing number for equal to itself
    return msgspec.json.encode(answer, order="deterministic", enc_hook=str)
