"""What can go wrong when a log is folded or questioned."""

from __future__ import annotations

from events.envelope import Position


class ReplayError(Exception):
    """Root of every error that the room raises; its text is one sentence that a person can act on."""


class HistoryBroken(ReplayError):
    """A fact contradicts the facts before it.

    Attributes:
        position: where the fact stands.
    """

    def __init__(self, position: Position, sentence: str) -> None:
        super().__init__(f"position {position}: {sentence}")
        self.position = position


class QuestionUnknown(ReplayError):
    """Something was asked for that there is not: a metric by another name, a moment beyond the log."""
