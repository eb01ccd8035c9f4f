"""What a person does to a search, as the ledger keeps it: pauses, boosts, cancellations, bans, a wider space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from events.authors import role_of
from events.envelope import Fact, Position
from events.facts import (
    AnswerReceived,
    AnswerRefused,
    BanLifted,
    Banned,
    Boosted,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Cancelled,
    SpaceWidened,
    StudyImported,
)
from events.log import Recorded
from events.space import Choice, Space, Value
from replay.entries import Ban, Experiment
from replay.folds import Handler

if TYPE_CHECKING:
    from replay.ledger import Ledger


def _paused(ledger: Ledger, fact: CampaignPaused, recorded: Recorded, index: int) -> None:
    ledger.paused, ledger.pausing = fact.reason, Position(recorded.sequence, index)


def _resumed(ledger: Ledger, fact: CampaignResumed, recorded: Recorded, index: int) -> None:
    ledger.paused = ledger.pausing = None


def _reopened(ledger: Ledger, fact: CampaignReopened, recorded: Recorded, index: int) -> None:
    ledger.closed = ledger.closing = None
    ledger.reopening, ledger.fruitless = Position(recorded.sequence, index), 0
    ledger.repeats.forgive()


def _boosted(ledger: Ledger, fact: Boosted, recorded: Recorded, index: int) -> None:
    if (experiment := ledger.experiments.get(fact.experiment)) is None:
        ledger.void.append(Position(recorded.sequence, index))
        return
    ledger.experiments[fact.experiment] = replace(experiment, boost=experiment.boost + fact.by)


def _cancelled(ledger: Ledger, fact: Cancelled, recorded: Recorded, index: int) -> None:
    experiment = ledger.experiments.get(fact.experiment)
    if experiment is None or experiment.status in ("completed", "abandoned"):
        ledger.void.append(Position(recorded.sequence, index))
        return
    ledger.experiments[fact.experiment] = replace(experiment, cancelled=fact.reason)
    ledger.cancelled[fact.experiment] = Position(recorded.sequence, index)


def _banned(ledger: Ledger, fact: Banned, recorded: Recorded, index: int) -> None:
    ledger.bans[fact.ban] = Ban(
        ban=fact.ban,
        where=fact.where,
        reason=fact.reason,
        until=None if fact.cycles is None else ledger.asked + fact.cycles,
        declared=Position(recorded.sequence, index),
        ruled=role_of(recorded.author) == "scheduler",
    )
    ledger.dead_ends.pop(fact.where, None)


def _lifted(ledger: Ledger, fact: BanLifted, recorded: Recorded, index: int) -> None:
    ledger.bans.pop(fact.ban, None)


def _asked(ledger: Ledger, fact: AnswerReceived | AnswerRefused, recorded: Recorded, index: int) -> None:
    ledger.asked += 1


def _widened(ledger: Ledger, fact: SpaceWidened, recorded: Recorded, index: int) -> None:
    if ledger.space is not None:
        ledger.space = wider(ledger.space, fact.dimension, fact.value)
        ledger.widened.append((fact.dimension, fact.value))


def wider(space: Space, dimension: str, value: Value) -> Space:
    """Return a space in which one categorical dimension has one value more, after the others."""
    return Space(
        name=space.name,
        dimensions=tuple(
            replace(one, values=(*one.values, value))
            if isinstance(one, Choice) and one.name == dimension and value not in one.values
            else one
            for one in space.dimensions
        ),
    )


def waits(ledger: Ledger, agent: str) -> None:
    """Count what an agent has waiting; one that had nothing begins at the turn that was served last."""
    ledger.waiting[agent] = ledger.waiting.get(agent, 0) + 1
    if ledger.waiting[agent] == 1:
        ledger.turns[agent] = max(ledger.turns.get(agent, 0), ledger.turn)


def served(ledger: Ledger, experiment: Experiment, lane: int) -> None:
    """Count an experiment that is assigned for the first time, and a pack as a turn of the agent whose experiment heads
    it, which says which turn is served.

    The other lanes would have been empty, so nobody pays for them. A person's boost says nothing of turns.
    """
    agent = ledger.ideas[experiment.idea].agent
    if not experiment.attempts:
        ledger.served[agent] = ledger.served.get(agent, 0) + 1
    if lane > 0:
        return
    mine = ledger.turns.get(agent, 0)
    if experiment.boost <= 0:
        ledger.turn = max(ledger.turn, mine)
    ledger.turns[agent] = mine + 1


def _imported(ledger: Ledger, fact: StudyImported, recorded: Recorded, index: int) -> None:
    score = "its objective" if fact.direction == "maximize" else "the negative of its objective, which was minimised"
    ledger.imported = (
        f"{fact.imported} of {fact.trials} trials of the {fact.program} study {fact.study}; AP stands for {score}. "
        f"Unknown: {'; '.join(fact.unknown)}"
    )


HANDLERS: Mapping[type[Fact], Handler] = {
    CampaignPaused: _paused,
    CampaignResumed: _resumed,
    CampaignReopened: _reopened,
    Boosted: _boosted,
    Cancelled: _cancelled,
    Banned: _banned,
    BanLifted: _lifted,
    AnswerReceived: _asked,
    AnswerRefused: _asked,
    SpaceWidened: _widened,
    StudyImported: _imported,
}
"""How the ledger takes each of them in."""
