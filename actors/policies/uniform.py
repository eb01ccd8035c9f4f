"""The uniform policy: every cell alike, every continuous dimension alike on its own scale."""

from __future__ import annotations

from random import Random

from actors.orders import History, Suggestion
from events.space import Choice, Configuration, Space, is_active


def draw(space: Space, random: Random) -> Configuration:
    """Return one configuration, each active dimension drawn independently."""
    configuration: Configuration = {}
    for dimension in space.dimensions:
        if isinstance(dimension, Choice):
            configuration[dimension.name] = random.choice(dimension.values)
    for interval in space.intervals:
        if is_active(interval, configuration):
            configuration[interval.name] = interval.at(random.random())
    return space.normal(configuration)


class Uniform:
    """Proposes independent draws; looks at nothing that was measured."""

    name = "uniform"

    def propose(self, history: History, key: int, count: int) -> tuple[Suggestion, ...]:
        """Return `count` suggestions; the same key, the same suggestions."""
        random = Random(key)  # noqa: S311 # a seeded draw of a search, not a secret
        drawn = (draw(history.space, random) for _ in range(count))
        return tuple(Suggestion(configuration=c, rationale="an independent uniform draw") for c in drawn)
