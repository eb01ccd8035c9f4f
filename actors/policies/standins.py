"""Two policies that stand in for the paper's agents: they read a briefing, ask no model, and draw from a key.

Like a model that is sent the paper's prompt, they see the twenty best runs, how the latest runs spread, the last
failures and the space; not what else was tried. So they repeat themselves and each other, as models do, and the
scheduler declines most of what they say. Nothing in them counts steps or knows a date: phases of breadth and of
refinement come from what the briefing shows. The diversity budget is the paper's rule that some ideas must leave the
leading backbone and encoder.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from actors.orders import History, Suggestion, Trial
from events.space import Choice, Configuration, Dimension, Interval, Space, Value, is_active

LEADERS, RECENT, FAILURES = 20, 200, 10
"""What a briefing shows: the best runs, the latest ones, the last that broke (paper, Appendix B)."""

CROWDED = 0.85
"""Share of the latest runs on one backbone above which a reader of the rules leaves it with most of its ideas."""


class Glance(NamedTuple):
    """A briefing as data.

    Attributes:
        leaders: the best completed trials, best first.
        backbones: of the latest completed trials, how often each.
        failed: the last trials that broke.
    """

    space: Space
    leaders: tuple[Trial, ...]
    backbones: Counter[Value]
    failed: tuple[Trial, ...]


class Temper(NamedTuple):
    """How a stand-in works.

    Attributes:
        opening: how it weighs the values of the dimensions that it opens with, in their order; dimensions that are not
            named are weighed alike.
        grid: values of a continuous dimension that it thinks of.
        moves: settings that it changes in an idea that follows a leader; of these parts of the space.
        sweeps: continuous dimensions that its variants move along, as far as they are active.
        doubles: share of its variants that move along two of them at once.
        fresh: share of its variants that expand ideas of the same answer, for each of those that leaves the leaders;
            the others expand leaders.
        faith: how steeply it prefers the first leaders to the later ones, 0 for not at all.
    """

    name: str
    opening: dict[str, tuple[float, ...]]
    grid: int
    moves: int
    parts: tuple[str, ...]
    sweeps: tuple[str, ...]
    doubles: float
    fresh: float
    faith: float


SURVEYOR = Temper(
    name="surveyor",
    opening={"backbone": (9, 3, 6, 4, 1, 1), "encoder": (6, 4, 2, 1, 1), "pooling": (6, 1, 1, 1), "loss": (5, 1, 1)},
    grid=6,
    moves=2,
    parts=("training", "data"),
    sweeps=("learning_rate", "focal_gamma", "focal_alpha", "smoothing"),
    doubles=0.2,
    fresh=0.115,
    faith=1.45,
)
TUNER = Temper(
    name="tuner",
    opening={"backbone": (9, 6, 2, 1, 3, 3), "encoder": (2, 4, 6, 1, 2), "pooling": (5, 3, 1, 1), "loss": (4, 2, 1)},
    grid=5,
    moves=1,
    parts=("training", "data", "loss"),
    sweeps=("learning_rate", "weight_decay", "dropout"),
    doubles=0.3,
    fresh=0.115,
    faith=2.75,
)


class Standin:
    """Proposes base ideas, each followed by its variants.

    Args:
        temper: how it works.
        diversity: whether it heeds the diversity budget.
    """

    def __init__(self, temper: Temper, *, diversity: bool = True) -> None:
        self._temper = temper
        self._diversity = diversity
        self.name = temper.name

    def propose(self, history: History, key: int, count: int) -> tuple[Suggestion, ...]:
        """Return `count` base ideas."""
        return self.answer(history, key, count, 0)

    def answer(self, history: History, key: int, count: int, variants: int) -> tuple[Suggestion, ...]:
        """Return `count` base ideas and so many variants of them, spread evenly."""
        drawing = _Drawing(self._temper, glance(history), Random(key))  # noqa: S311 # a seeded draw of a search, not a secret
        away = self._away(drawing.glance, count)
        ideas = [drawing.idea(n, away) for n in range(count)]
        swept = [drawing.variant(ideas[n % count], self._temper.fresh * away) for n in range(variants)]
        return (*ideas, *swept)

    def _away(self, seen: Glance, count: int) -> int:
        """Return how many ideas leave the leading backbone or encoder."""
        if not seen.leaders:
            return count
        if not self._diversity:
            return 0
        latest = sum(seen.backbones.values())
        share = max(seen.backbones.values()) / latest if latest else 0.0
        return count - 1 if share > CROWDED else 1


def surveyor() -> Standin:
    """Return the stand-in that thinks in architectures."""
    return Standin(SURVEYOR)


def tuner() -> Standin:
    """Return the stand-in that thinks in settings."""
    return Standin(TUNER)


def glance(history: History) -> Glance:
    """Reduce a history to what a briefing shows of it."""
    scored = [trial for trial in history.ended if trial.validation is not None]
    return Glance(
        space=history.space,
        leaders=tuple(heapq.nlargest(LEADERS, scored, key=_validation)),
        backbones=Counter(trial.configuration[history.space.choices[0].name] for trial in scored[-RECENT:]),
        failed=tuple(trial for trial in history.ended if trial.failed)[-FAILURES:],
    )


class _Drawing:
    """One answer in the making."""

    def __init__(self, temper: Temper, glance: Glance, random: Random) -> None:
        self.glance = glance
        self._temper = temper
        self._random = random

    def idea(self, number: int, away: int) -> Suggestion:
        """Return a base idea; the first `away` of an answer leave the leaders."""
        leaders = self.glance.leaders
        if not leaders:
            return Suggestion(self._opened(), "an opening: nothing has been measured", priority=0.5)
        base = self._leader()
        if number >= away:
            moved = self._moved(base.configuration, self._temper.moves)
            return Suggestion(moved, f"close to {base.idea}, which leads", parents=(base.idea,), priority=0.7)
        # the rules ask for one idea off the leading backbone and for one off the leading encoder
        name = self.glance.space.choices[number % 2].name
        changed = self._other(base.configuration, name)
        return Suggestion(changed, f"off the leading {name} of {base.idea}", parents=(base.idea,), priority=0.6)

    def variant(self, idea: Suggestion, fresh: float) -> Suggestion:
        """Return an idea, or a leader, with one or two of its settings moved on the grid."""
        leaders = self.glance.leaders
        if leaders and self._random.random() >= fresh:
            base = self._leader()
            idea = Suggestion(base.configuration, "a leader", parents=(base.idea,))
        many = 2 if self._random.random() < self._temper.doubles else 1
        along = [d for d in self.glance.space.intervals if d.name in self._temper.sweeps]
        moved = self._moved(idea.configuration, many, along)
        return Suggestion(moved, "one of a sweep", origin="sweep", parents=idea.parents, priority=0.4)

    def _leader(self) -> Trial:
        leaders = self.glance.leaders
        weights = [(1 + rank) ** -self._temper.faith for rank in range(len(leaders))]
        return self._random.choices(leaders, weights)[0]

    def _opened(self) -> Configuration:
        space = self.glance.space
        opened = {
            choice.name: self._drawn(choice, self._temper.opening.get(choice.name, ())) for choice in space.choices
        }
        return self._filled(opened)

    def _other(self, configuration: Configuration, name: str) -> Configuration:
        """Return a configuration that leaves its own value of a dimension for one of the others."""
        choice = self.glance.space[name]
        left = {**configuration}
        if isinstance(choice, Choice) and len(choice.values) > 1:
            weights = self._temper.opening.get(name, ())
            while left[name] == configuration[name]:
                left[name] = self._drawn(choice, weights)
        return self._moved(self._filled(left), self._temper.moves)

    def _drawn(self, choice: Choice, weights: tuple[float, ...]) -> Value:
        if len(weights) < len(choice.values):
            return self._random.choice(choice.values)
        return self._random.choices(choice.values, weights[: len(choice.values)])[0]

    def _moved(self, configuration: Configuration, many: int, along: Sequence[Dimension] = ()) -> Configuration:
        space, moved = self.glance.space, {**configuration}
        allowed = along or [dimension for dimension in space.dimensions if dimension.part in self._temper.parts]
        active = [dimension for dimension in space.active(moved) if dimension in allowed]
        for dimension in self._random.sample(active, min(many, len(active))):
            if isinstance(dimension, Interval):
                moved[dimension.name] = self._on_grid(dimension)
            else:
                moved[dimension.name] = self._random.choice(dimension.values)
        return self._filled(moved)

    def _filled(self, configuration: Configuration) -> Configuration:
        """Return the configuration with what it newly needs, and without what has lost its meaning."""
        space = self.glance.space
        for interval in space.intervals:
            if not is_active(interval, configuration):
                configuration.pop(interval.name, None)
            elif interval.name not in configuration:
                configuration[interval.name] = self._on_grid(interval)
        return space.normal(configuration)

    def _on_grid(self, interval: Interval) -> float:
        return interval.at((self._random.randrange(self._temper.grid) + 0.5) / self._temper.grid)


def _validation(trial: Trial) -> float:
    return trial.validation or 0.0
