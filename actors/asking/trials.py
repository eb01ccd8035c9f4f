"""What a policy may know of a campaign, made from the ledger; what has ended is made once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from actors.orders import History, Trial
from events.space import Space
from replay.defects import known_now
from replay.ledger import Experiment, Ledger


class Trials:
    """Makes the histories of one growing ledger, each in time proportional to what is open."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._completed: list[Trial] = []

    def history(self, ledger: Ledger) -> History:
        """Return the history as immutable data: ended trials in the order of their ends, then open ones."""
        if ledger is not self._ledger:
            self._ledger, self._completed = ledger, []
        for name in islice(ledger.completed, len(self._completed), None):
            self._completed.append(_trial(ledger, ledger.experiments[name]))
        abandoned = (_trial(ledger, experiment) for experiment in ledger.standing("abandoned"))
        waiting = (_trial(ledger, e) for e in ledger.standing("queued", "assigned", "running", "failed"))
        space = ledger.space or Space(name="empty", dimensions=())
        return History(space=space, ended=(*self._sound(ledger), *abandoned), open=tuple(waiting))

    def _sound(self, ledger: Ledger) -> Iterator[Trial]:
        """Yield completed trials as they are known now: one that a defect touches by its sound rerun, or not at all."""
        touched, reruns = ledger.defects.touched, ledger.defects.reruns
        for name, trial in zip(ledger.completed, self._completed, strict=True):
            if name not in touched:
                yield trial
            elif name in reruns and (known := known_now(ledger, name)) is not None:
                yield msgspec.structs.replace(trial, validation=known)


def history(ledger: Ledger) -> History:
    """Return the history of a ledger at this moment; see `Trials`."""
    return Trials().history(ledger)


def _trial(ledger: Ledger, experiment: Experiment) -> Trial:
    idea = ledger.ideas[experiment.idea]
    return Trial(
        idea=idea.idea,
        agent=idea.agent,
        configuration=idea.configuration,
        validation=experiment.outcome.validation if experiment.outcome else None,
        failed=experiment.status == "abandoned",
    )
