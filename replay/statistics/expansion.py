"""A space's dimensions as columns that are orthonormal under its uniform measure: what a decomposition is made in.

A choice of m values gives m - 1 contrasts, an interval its first Legendre polynomials on the interval's own scale, each
with mean 0 and mean square 1 over the space, and any two uncorrelated there. An interval that exists under some choices
only is 0 elsewhere, and scaled by how often it exists. The product of two contrasts is the two choices' interaction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

from events.space import Choice, Dimension, Interval, Space, Value, is_active
from replay.runs import Floats


class Component(NamedTuple):
    """One dimension's columns, or two choices' interaction."""

    names: tuple[str, ...]
    part: str
    columns: int


class Expansion(NamedTuple):
    """What the columns are, in order; `degree` is that of the polynomials."""

    space: Space
    degree: int
    components: tuple[Component, ...]

    @property
    def columns(self) -> int:
        """How many columns there are in all."""
        return sum(component.columns for component in self.components)

    def rows(self, configurations: Sequence[Mapping[str, Value]]) -> Floats:
        """Return the configurations as rows, (n, columns)."""
        single = {d.name: _columns(self.space, d, self.degree, configurations) for d in self.space.dimensions}
        blocks = [
            single[c.names[0]] if len(c.names) == 1 else _product(single[c.names[0]], single[c.names[1]])
            for c in self.components
        ]
        return np.hstack(blocks)


BETWEEN = "between parts"
"""The part of an interaction whose two choices belong to different ones."""


def expand(space: Space, n: int) -> Expansion | None:
    """Choose as many columns as n runs can bear, three runs a column for single dimensions and ten for interactions.

    Cubic polynomials where they fit, else straight lines; then every pair of choices, else those of the architecture,
    else none. None where even straight lines are too many.
    """
    for degree in (3, 1):
        single = [Component((d.name,), d.part, _width(d, degree)) for d in space.dimensions if _width(d, degree)]
        if single and n >= 3 * sum(component.columns for component in single):
            break
    else:
        return None
    choices = [choice for choice in space.choices if len(choice.values) > 1]
    pairs = [_pair(one, other) for index, one in enumerate(choices) for other in choices[index + 1 :]]
    for wanted in (pairs, [pair for pair in pairs if pair.part == "architecture"]):
        if n >= 10 * sum(component.columns for component in (*single, *wanted)):
            return Expansion(space, degree, (*single, *wanted))
    return Expansion(space, degree, tuple(single))


def _pair(one: Choice, other: Choice) -> Component:
    part = one.part if one.part == other.part else BETWEEN
    return Component((one.name, other.name), part, (len(one.values) - 1) * (len(other.values) - 1))


def _width(dimension: Dimension, degree: int) -> int:
    if isinstance(dimension, Choice):
        return len(dimension.values) - 1
    return degree if dimension.high > dimension.low else 0


def _columns(space: Space, dimension: Dimension, degree: int, points: Sequence[Mapping[str, Value]]) -> Floats:
    if isinstance(dimension, Choice):
        place = {value: index for index, value in enumerate(dimension.values)}
        contrast: Floats = contrasts(len(dimension.values))[[place[point[dimension.name]] for point in points]]  # type: ignore[index] # a Choice's values are str or int
        return contrast
    exists = [is_active(dimension, point) for point in points]
    at = [dimension.position(float(p[dimension.name])) if on else 0.5 for p, on in zip(points, exists, strict=True)]
    polynomials = legendre.legvander(2 * np.array(at) - 1, degree)[:, 1:] * np.sqrt(2 * np.arange(1, degree + 1) + 1)
    columns: Floats = polynomials * np.array(exists)[:, None] / math.sqrt(how_often(space, dimension))
    return columns


def contrasts(m: int) -> Floats:
    """Return Helmert's contrasts of m values, (m, m - 1): mean 0, mean square 1, uncorrelated over equal shares."""
    columns = np.zeros((m, m - 1))
    for j in range(1, m):
        columns[:j, j - 1] = 1.0
        columns[j, j - 1] = -j
    squares: Floats = (columns**2).mean(axis=0)
    return columns / np.sqrt(squares)


def how_often(space: Space, interval: Interval) -> float:
    """Return the share of the space's cells in which an interval exists."""
    sizes = {choice.name: choice.values for choice in space.choices}
    return math.prod(len(set(sizes[name]) & set(allowed)) / len(sizes[name]) for name, allowed in interval.when.items())


def _product(one: Floats, other: Floats) -> Floats:
    product: Floats = (one[:, :, None] * other[:, None, :]).reshape(len(one), -1)
    return product
