"""The model behind the screen: takes what comes, goes to any moment, says what it knows.

Every method may be called from any thread; who reads `sight` holds `lock` while doing so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from events.errors import LogError
from events.facts import Assigned, Completed, Failed
from events.log import Recorded
from replay.errors import ReplayError
from replay.folds import Pass
from replay.lessons import Lessons
from replay.moments.snapshots import EVERY, Timeline
from tui.feed import Heard, Item, Several
from tui.links import Link
from tui.overview import Overview, lanes, overview
from tui.pulses import Epoch
from tui.remembered import Remembered
from tui.sight import FOLDS, Sight
from tui.tape import Tape

MARKS = 28
"""Moments that are kept on the way, to go from; each takes 1.9 MB of a campaign of 10,000 experiments."""

WORTH = 1000
"""Frames that must be new for a picture to be left anew."""


class Model:
    """One campaign as far as it was read, seen at one moment.

    Attributes:
        campaign: the log's name.
        lock: held while frames are folded; hold it to read `sight`.
        tape: everything that arrived.
        sight: what is shown: everything, or a past moment.
        following: whether what arrives is shown at once.
        problem: why no further frame can be folded, None when all could.
        with_test: whether test scores are shown, which nobody sees unasked.
    """

    def __init__(self, campaign: str, remembered: Remembered | None = None) -> None:
        self.campaign = campaign
        self._remembered = remembered
        self._left: Overview | None = None
        self.lock = threading.RLock()
        self.tape = Tape(campaign)
        self.following = True
        self.link = Link()
        self.problem: str | None = None
        self.with_test = False
        self._timeline = Timeline(self.tape, *FOLDS, marks=MARKS)
        self._lessons = Lessons()
        self._head = self.sight = self._seen(self._timeline.head)
        self._epochs: dict[str, Epoch] = {}
        self._losses: dict[str, list[float | None]] = {}
        self._known: Overview | None = None

    def take(self, item: Item) -> None:
        """Let a frame, a pulse or word of the link change the state.

        A frame that cannot be folded ends the folding and is said in the overview: what came before it stands.
        """
        with self.lock:
            if isinstance(item, Link):
                self._linked(item)
            elif isinstance(item, Heard):
                self._hear(item.epoch)
            else:
                new = self.tape.extend(item.frames if isinstance(item, Several) else (item,))
                if new and self.following:
                    self._fold(new)

    @property
    def ahead(self) -> int:
        """How many frames were on the log when it was opened, and have not come yet."""
        return max(0, self.link.last - len(self.tape))

    def hold(self) -> None:
        """Let the shown moment stand, whatever arrives."""
        with self.lock:
            self.following = False
            self._known = None

    def go(self, sequence: int) -> None:
        """Show the moment after a sequence, and stand there; beyond the last one, the last."""
        with self.lock:
            self.following = False
            self._go(sequence)

    def apart(self) -> Pass[Any]:
        """Return the shown moment as a pass of its own, to read for as long as it takes; from the folder's thread."""
        with self.lock:
            return self._timeline.at(self.sight.through)

    def leave(self, picture: Overview) -> None:
        """Leave a picture of all that there is for the next screen, where it is worth it; from the folder's thread."""
        known = self._left.subject.through if self._left is not None else 0
        through, shows_all = picture.subject.through, picture.following and picture.problem is None
        if self._remembered is None or through - known < WORTH or self.ahead or not shows_all or self.with_test:
            return
        self._left = picture
        self._remembered.leave(picture)

    def ask_test(self) -> None:
        """Show test scores, or no longer."""
        with self.lock:
            self.with_test = not self.with_test
            self._known = None

    def follow(self) -> None:
        """Show everything that arrived, and from now on what arrives."""
        with self.lock:
            self.following = True
            self._catch_up()

    def overview(self) -> Overview:
        """Return the overview of the shown moment; it shares nothing that later items change.

        Between two frames only pulses and the link can have changed: that costs next to nothing.
        """
        with self.lock:
            if self._left is not None and self._awaited(self._left):
                return msgspec.structs.replace(self._left, link=self.link, end=len(self.tape))
            sight, epochs = self.sight, self._epochs if self.following else {}
            if self._known is None:
                sight.refresh()
                sight.recall(self.tape)
                self._known = overview(
                    sight,
                    epochs,
                    self._losses,
                    link=self.link,
                    problem=self.problem,
                    campaign=self.campaign,
                    through=self.tape,
                    following=self.following,
                    with_test=self.with_test,
                )
            else:
                told = lanes(sight, epochs, self._losses)
                self._known = msgspec.structs.replace(
                    self._known, link=self.link, lanes=told, arrived=self.tape.facts, end=len(self.tape)
                )
            return self._known

    def _seen(self, passing: Pass[Any]) -> Sight:
        return Sight(passing, self._lessons)

    def _awaited(self, left: Overview) -> bool:
        """Say whether what an earlier screen saw stands, since not as much is folded again yet."""
        return self.following and self.problem is None and self._timeline.through < left.subject.through

    def _linked(self, link: Link) -> None:
        self.link = link
        if link.state != "live":
            self._epochs.clear()
            self._losses.clear()
        if not len(self.tape) and link.last:
            if self._remembered is not None:
                self._left = self._remembered.find()
            # a long log is marked from the start as sparsely as it would be in the end
            self._timeline = Timeline(self.tape, *FOLDS, every=max(EVERY, link.last // MARKS), marks=MARKS)
            self._head = self.sight = self._seen(self._timeline.head)

    def _hear(self, epoch: Epoch) -> None:
        known = self._epochs.get(epoch.experiment)
        if known is None or known.worker != epoch.worker or epoch.epoch <= known.epoch:
            self._losses[epoch.experiment] = []
        self._epochs[epoch.experiment] = epoch
        self._losses[epoch.experiment].append(epoch.loss)

    def _go(self, sequence: int) -> None:
        self._known = None
        wanted = max(0, min(sequence, len(self.tape)))
        try:
            passing = self._timeline.at(wanted, here=self._travelled())
        except (LogError, ReplayError) as error:
            self._stopped(error)
            passing = self._timeline.at(self._timeline.through)
        if passing is not self.sight.passing:
            self.sight = self._seen(passing)

    def _travelled(self) -> Pass[Any] | None:
        return self.sight.passing if self.sight is not self._head else None

    def _catch_up(self) -> None:
        self._known, self.sight = None, self._head
        try:
            self._timeline.catch_up()
        except (LogError, ReplayError) as error:
            self._stopped(error)

    def _fold(self, frames: Sequence[Recorded]) -> None:
        self._known = None
        if self.problem is not None:
            return
        try:
            self._timeline.advance(frames)
        except (LogError, ReplayError) as error:
            self._stopped(error)
            return
        self.sight.refresh()  # a little now and then: who goes to a mark should not have to count from the start
        if self._epochs:
            self._forget(frames)

    def _forget(self, frames: Sequence[Recorded]) -> None:
        """Drop pulses about attempts that have ended since."""
        for fact in (fact for recorded in frames for fact in recorded.facts):
            if isinstance(fact, Assigned | Completed | Failed):
                self._epochs.pop(fact.experiment, None)
                self._losses.pop(fact.experiment, None)

    def _stopped(self, error: Exception) -> None:
        self.problem = str(error)
