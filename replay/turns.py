"""The order of the queue: whose turn it is, and which of an agent's experiments goes first, and why.

Agents take turns, and a turn is a pack: whoever had the fewest heads the next one, and one that comes back, or comes
late, begins where the others are. Lanes that the head leaves free are filled, in the same order, by experiments of its
shape whoever proposed them, and cost no turn. So between two packs of an agent that has something waiting, the others
head at most 2 (agents - 1), however many lanes a pack has. Each eighth turn of an agent takes its oldest experiment, so
that none waits for more than eight of its agent's turns for itself and for each older one. What a person has boosted
goes before all that. Otherwise an agent's experiments go by their value: its wish and its novelty, as they were when it
was queued, what it may gain for a GPU-second beside the most promising one that waits, and a person's boost.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from replay.ledger import Experiment, Ledger
from replay.lessons import Prospect
from replay.prospects import Prospects

WORTH = 1.0
"""Weight of the gain for a GPU-second beside wish and novelty, which make up 1 together."""

OLDEST = 8
"""Each so-manieth turn of an agent takes its oldest experiment."""


class Turn(NamedTuple):
    """An experiment in its place.

    Attributes:
        turn: of its agent, counted in packs as if each had one lane; the lowest goes first.
        value: what orders the experiments of one agent, higher first, then the older.
        worth: gain for a GPU-second beside the best that waits, 0 to 1; 0 while nothing is known.
        prospect: what is expected of the run, None while nothing is known.
        rule: why it has this place: `value`, `oldest` or `boosted`.
    """

    experiment: Experiment
    agent: str
    turn: int
    value: float
    worth: float
    prospect: Prospect | None
    rule: str


class _Waiting(NamedTuple):
    """An experiment of a queue: sorts by value, then age."""

    key: tuple[float, int]
    experiment: Experiment
    worth: float
    prospect: Prospect | None


def order(ledger: Ledger, prospects: Prospects) -> Iterator[Turn]:
    """Yield the queued experiments as they would be leased now if nothing else came."""
    queues = _queues(ledger, prospects)
    boosted = heapq.merge(*([w for w in queue if w.experiment.boost > 0] for queue in queues.values()))
    for waiting in boosted:
        agent = ledger.author(waiting.experiment.experiment)
        yield _turn(waiting, agent, ledger.turns.get(agent, 0), "boosted")
    heads = [
        (ledger.turns.get(agent, 0), ledger.served.get(agent, 0), agent, _picks(queue, ledger.turns.get(agent, 0)))
        for agent, queue in queues.items()
    ]
    yield from _taken_in_turn(heads)


def _queues(ledger: Ledger, prospects: Prospects) -> dict[str, list[_Waiting]]:
    """Return each agent's queue, the most valuable first."""
    found = [(experiment, prospects.of(ledger, experiment)) for experiment in ledger.standing("queued")]
    best = max((prospect.rate for _, prospect in found if prospect is not None), default=0.0)
    queues: dict[str, list[_Waiting]] = {}
    for experiment, prospect in found:
        worth = prospect.rate / best if prospect is not None and best > 0 else 0.0
        value = experiment.priority + WORTH * worth + experiment.boost
        waiting = _Waiting((-value, experiment.number), experiment, worth, prospect)
        queues.setdefault(ledger.ideas[experiment.idea].agent, []).append(waiting)
    for queue in queues.values():
        queue.sort(key=lambda waiting: waiting.key)
    return queues


def _picks(queue: list[_Waiting], turn: int) -> Iterator[tuple[_Waiting, str]]:
    """Yield an agent's experiments, turn after turn, without those that are boosted, which went before."""
    left = {w.experiment.number: w for w in queue if w.experiment.boost <= 0}
    ages = iter(sorted(left))
    values = iter(queue)
    while left:
        if turn % OLDEST == OLDEST - 1:
            picked, rule = next(left[number] for number in ages if number in left), "oldest"
        else:
            picked, rule = next(w for w in values if w.experiment.number in left), "value"
        del left[picked.experiment.number]
        yield picked, rule
        turn += 1


def _taken_in_turn(heads: list[tuple[int, int, str, Iterator[tuple[_Waiting, str]]]]) -> Iterator[Turn]:
    places = {agent: picks for _, _, agent, picks in heads}
    waiting = [(turn, served, agent) for turn, served, agent, _ in heads]
    heapq.heapify(waiting)
    while waiting:
        turn, served, agent = heapq.heappop(waiting)
        if (picked := next(places[agent], None)) is not None:
            yield _turn(picked[0], agent, turn, picked[1])
            heapq.heappush(waiting, (turn + 1, served + 1, agent))


def _turn(waiting: _Waiting, agent: str, turn: int, rule: str) -> Turn:
    return Turn(waiting.experiment, agent, turn, -waiting.key[0], waiting.worth, waiting.prospect, rule)
