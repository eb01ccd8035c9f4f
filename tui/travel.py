"""Time travel: where the shown moment stands among all that arrived, and how it moves; the clock is the caller's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Literal

from events.envelope import Position
from replay.moments.moment import MomentUnknown, located
from replay.times import parsed
from tui.errors import WatchError
from tui.model import Model

SPEEDS = (1, 10, 60, 300, 1000)
"""Seconds of the authors' clocks that pass in a second of playing."""

Mode = Literal["following", "frozen", "replay"]


class PlaceUnknown(WatchError):
    """A text names no moment of this campaign."""


class Travel:
    """The moves; `model.go` is the caller's to ask for.

    Attributes:
        mode: following what arrives; frozen where it stood; or in replay, at a moment of the person's choice.
        fact: the number of the fact that is shown last, from 1; 0 before the first.
        speed: of playing; `playing` whether it goes on by itself.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.mode: Mode = "following"
        self.fact = 0
        self.speed = SPEEDS[1]
        self.playing = False
        self._clock = 0.0

    @property
    def position(self) -> Position:
        """Where the last fact that is shown stands."""
        return self._model.tape.position(self.fact) if self.fact else Position(0)

    def shown(self, through: int) -> None:
        """Take note of which sequence a picture shows; a place inside its frame is kept."""
        if self.mode == "following" or self.position.sequence != through:
            self.fact = self._model.tape.told(through)

    def step(self, by: int) -> int:
        """Move by so many facts; returns the sequence to show: frames are folded whole."""
        self.mode, self.playing = "replay", False
        self.fact = max(0, min(self.fact + by, self._model.tape.facts))
        return self.position.sequence

    def era(self, by: int) -> int:
        """Move to the border of the era before, or of the next; returns the sequence to show."""
        tape = self._model.tape
        borders, here = [1, *(b for b in tape.chronology.borders if b <= len(tape)), len(tape)], self.position.sequence
        nth = bisect_right(borders, here) if by > 0 else bisect_left(borders, here) - 1
        return self.to(borders[max(0, min(nth, len(borders) - 1))])

    def to(self, sequence: int) -> int:
        """Move to the end of a frame; returns its sequence, the last one where it is beyond."""
        self.mode, self.playing = "replay", False
        sequence = max(0, min(sequence, len(self._model.tape)))
        self.fact = self._model.tape.told(sequence)
        return sequence

    def find(self, text: str) -> int:
        """Return the sequence that a text means: `120`, `120.3`, `start`, `end`, an ISO time, or an experiment's end.

        Raises:
            PlaceUnknown: it means none.
        """
        return self._place(text)[0]

    def go(self, text: str) -> int:
        """Move to where a text means, inside the frame too; returns the sequence to show; raises `PlaceUnknown`."""
        sequence, index = self._place(text)
        self.to(sequence)
        if index is not None:
            self.fact = self._model.tape.told(sequence - 1) + index + 1
        return sequence

    def play(self) -> int | None:
        """Begin to play, or stop; returns the sequence to show first where that is another one."""
        self.playing, self.mode = not self.playing, "replay"
        here, tape = self.position.sequence, self._model.tape
        start = 0 if self.playing and here >= len(tape) else here
        self._clock = float(max(tape.time(start), tape.time(1)) if len(tape) else 0)
        return start if start != here else None

    def tick(self, seconds: float) -> int | None:
        """Let so many seconds of playing pass; returns the sequence to show where that is a new one."""
        self._clock += seconds * self.speed * 1e6
        tape, here = self._model.tape, self.position.sequence
        sequence = tape.until(int(self._clock))
        if here >= len(tape):
            self.playing = False
        if sequence <= here:
            return None
        self.fact = tape.told(sequence)
        return sequence

    def faster(self, by: int) -> None:
        """Play at the next speed, or at the one before."""
        nth = SPEEDS.index(self.speed) + by
        self.speed = SPEEDS[max(0, min(nth, len(SPEEDS) - 1))]

    def _place(self, text: str) -> tuple[int, int | None]:
        """Return the sequence that a text means, and the fact's index where it names one."""
        if not text:
            raise PlaceUnknown("type a position, a time such as 2026-05-01T12:00, or an experiment")
        tape = self._model.tape
        if text in ("start", "end"):
            return (len(tape) if text == "end" else 0), None
        try:
            found = located(text, len(tape), lambda sequence: tape.told(sequence) - tape.told(sequence - 1))
        except MomentUnknown as error:
            raise PlaceUnknown(str(error)) from error
        if found is not None:
            return found
        if (at := parsed(text)) is not None:
            return tape.until(at), None
        if (ended := self._of_experiment(text)) is not None:
            return ended, None
        raise PlaceUnknown(f"{text!r} is no position, no time such as 2026-05-01T12:00, and no experiment here")

    def _of_experiment(self, name: str) -> int | None:
        # what is looked for stands between quotes: a field by that name, and not any word of the log
        named = self._model.tape.naming((f'experiment":"{name}',), through=len(self._model.tape))
        return named[-1] if named else None
