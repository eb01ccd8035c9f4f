"""The space that a campaign searches: typed dimensions, conditional ones included, and what identity means in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Literal, cast

import msgspec

from events.errors import ConfigurationInvalid, SpaceInvalid

Value = str | int | float
Configuration = dict[str, Value]
Cell = tuple[str | int, ...]
Part = Literal["architecture", "loss", "training", "data"]
Stage = Literal["batch", "parameters", "forward", "loss", "gradient", "schedule"]


class Choice(msgspec.Struct, frozen=True, tag="choice", kw_only=True):
    """A categorical dimension: one of finitely many values; part of the cell.

    Attributes:
        part: the factor of eq. 1 that it belongs to.
        stage: where in a training step it must be seen to act.
        aliases: other names that people and models use for a value.
        keys: other names that they use for the dimension.
    """

    name: str
    values: tuple[str | int, ...]
    part: Part
    stage: Stage
    aliases: dict[str, str | int] = {}
    keys: tuple[str, ...] = ()

    def problem(self, value: object) -> str | None:
        """Say why `value` is not allowed here, or None."""
        for allowed in self.values:
            if value == allowed and type(value) is type(allowed):
                return None
        return f"{self.name} = {value!r} is not one of {', '.join(map(str, self.values))}"


class Interval(msgspec.Struct, frozen=True, tag="interval", kw_only=True):
    """A continuous dimension on [low, high], active only where `when` says so.

    Attributes:
        scale: how distance is measured, "log" for values that span decades.
        when: dimension name to the values under which this dimension exists.
        bins: equal widths on the scale; two values in one bin are the same idea.
        keys: other names that people and models use for the dimension.
    """

    name: str
    low: float
    high: float
    part: Part
    stage: Stage
    scale: Literal["linear", "log"] = "linear"
    when: dict[str, tuple[str | int, ...]] = {}
    bins: int = 10
    keys: tuple[str, ...] = ()

    def problem(self, value: object) -> str | None:
        """Say why `value` is not allowed here, or None."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{self.name} = {value!r} is not a finite number"
        if not self.low <= value <= self.high:
            return f"{self.name} = {value!r} is outside [{self.low:g}, {self.high:g}]"
        return None

    def position(self, value: float) -> float:
        """Place `value` on the scale: 0 at low, 1 at high."""
        if self.high == self.low:
            return 0.0
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def at(self, position: float) -> float:
        """Return the value at `position` in [0, 1] of the scale, inside the interval to the last bit."""
        if self.scale == "log":
            value = self.low * math.pow(self.high / self.low, position)
        else:
            value = self.low + (self.high - self.low) * position
        return min(self.high, max(self.low, value))

    def bin(self, value: float) -> int:
        """Number the bin of `value`, 0 to bins - 1."""
        return min(self.bins - 1, int(self.position(value) * self.bins))


Dimension = Choice | Interval


class Space(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Dimensions in canonical order; the order of every configuration, cell and fingerprint (paper, Definition 1)."""

    name: str
    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        names = [dimension.name for dimension in self.dimensions]
        if len(set(names)) != len(names):
            raise SpaceInvalid(f"space {self.name} names a dimension twice: {', '.join(names)}")
        for dimension in self.intervals:
            _check_interval(dimension, {choice.name: choice for choice in self.choices})

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The categorical dimensions, in order."""
        return tuple(d for d in self.dimensions if isinstance(d, Choice))

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """The continuous dimensions, in order."""
        return tuple(d for d in self.dimensions if isinstance(d, Interval))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The dimensions' names, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def cells(self) -> int:
        """Number of cells: the product of the categorical dimensions' sizes."""
        return math.prod(len(choice.values) for choice in self.choices)

    def __getitem__(self, name: str) -> Dimension:
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise SpaceInvalid(f"space {self.name} has no dimension {name!r}; it has {', '.join(self.names)}")

    def active(self, configuration: Mapping[str, Value]) -> tuple[Dimension, ...]:
        """Return the dimensions that exist under the configuration's categorical values."""
        return tuple(d for d in self.dimensions if isinstance(d, Choice) or is_active(d, configuration))

    def problems(self, configuration: Mapping[str, object]) -> tuple[str, ...]:
        """List, one sentence each, why the configuration is not a point of this space; empty when it is."""
        found = [f"{key} is not a dimension" for key in configuration if key not in self.names]
        for dimension in self.dimensions:
            if isinstance(dimension, Interval) and not is_active(dimension, configuration):
                if dimension.name in configuration:
                    found.append(f"{dimension.name} has no meaning here: it needs {_condition(dimension)}")
            elif dimension.name not in configuration:
                found.append(f"{dimension.name} is missing")
            elif problem := dimension.problem(configuration[dimension.name]):
                found.append(problem)
        return tuple(found)

    def normal(self, configuration: Mapping[str, Value]) -> Configuration:
        """Return the canonical form: dimensions in order, continuous values as floats.

        Raises:
            ConfigurationInvalid: it is not a point of this space.
        """
        if problems := self.problems(configuration):
            raise ConfigurationInvalid(problems)
        return {d.name: _normal(d, configuration[d.name]) for d in self.active(configuration)}

    def cell(self, configuration: Mapping[str, Value]) -> Cell:
        """Return the categorical part, in the order of the dimensions."""
        return tuple(cast("str | int", configuration[choice.name]) for choice in self.choices)

    def bins(self, configuration: Mapping[str, Value]) -> tuple[tuple[str, int], ...]:
        """Return (name, bin) of every active continuous dimension; with the cell it is what deduplication compares."""
        active = (d for d in self.intervals if is_active(d, configuration))
        return tuple((d.name, d.bin(float(configuration[d.name]))) for d in active)

    def fingerprint(self, configuration: Mapping[str, Value]) -> str:
        """Return 16 hex digits of the sha256 of the canonical form, whatever the key order."""
        return sha256(msgspec.json.encode(self.normal(configuration))).hexdigest()[:16]

    def narrowed(self, changes: Mapping[str, Iterable[Value]]) -> Space:
        """Return this space with fewer values or shorter intervals.

        Raises:
            SpaceInvalid: an unknown dimension, a value that it does not have, or an interval that is not inside it.
        """
        for name in changes:
            self[name]
        narrowed = tuple(_narrow(d, tuple(changes[d.name])) if d.name in changes else d for d in self.dimensions)
        values = {d.name: set(d.values) for d in narrowed if isinstance(d, Choice)}
        return Space(name=self.name, dimensions=tuple(d for d in narrowed if _reachable(d, values)))


def is_active(dimension: Interval, configuration: Mapping[str, object]) -> bool:
    """Say whether a continuous dimension exists under the configuration's categorical values."""
    for name, values in dimension.when.items():  # noqa: SIM110 # asked millions of times: a generator costs twice as much
        if configuration.get(name) not in values:
            return False
    return True


def jaccard(one: Cell, other: Cell) -> float:
    """Similarity of two cells of one space as sets of (dimension, value) pairs, in [0, 1].

    With eight dimensions it takes the values 1, 7/9, 6/10, 5/11 ...: above 7/9 it means "the same cell".
    """
    shared = sum(a == b for a, b in zip(one, other, strict=True))
    return shared / (2 * len(one) - shared) if one else 1.0


def _normal(dimension: Dimension, value: Value) -> Value:
    return float(value) if isinstance(dimension, Interval) else value


def _condition(interval: Interval) -> str:
    return " and ".join(f"{name} = {' or '.join(map(str, values))}" for name, values in interval.when.items())


def _check_interval(interval: Interval, choices: Mapping[str, Choice]) -> None:
    if not (math.isfinite(interval.low) and math.isfinite(interval.high) and interval.low <= interval.high):
        raise SpaceInvalid(f"{interval.name}: [{interval.low:g}, {interval.high:g}] is not an interval")
    if interval.scale == "log" and interval.low <= 0:
        raise SpaceInvalid(f"{interval.name}: a log scale needs a low end above 0, not {interval.low:g}")
    for name, values in interval.when.items():
        if name not in choices or not set(values) & set(choices[name].values):
            raise SpaceInvalid(f"{interval.name} depends on {name} = {values}, which the space does not have")


def _narrow(dimension: Dimension, values: tuple[Value, ...]) -> Dimension:
    if not values:
        raise SpaceInvalid(f"{dimension.name}: at least one value must remain")
    if isinstance(dimension, Choice):
        return _narrow_choice(dimension, values)
    if len(values) != 2 or any(dimension.problem(v) for v in values) or float(values[0]) > float(values[1]):
        inside = f"[{dimension.low:g}, {dimension.high:g}]"
        raise SpaceInvalid(f"{dimension.name}: give [low, high] inside {inside}, not {list(values)}")
    return msgspec.structs.replace(dimension, low=float(values[0]), high=float(values[1]))


def _narrow_choice(choice: Choice, values: tuple[Value, ...]) -> Choice:
    for value in values:
        if problem := choice.problem(value):
            raise SpaceInvalid(problem)
    return msgspec.structs.replace(choice, values=tuple(v for v in choice.values if v in values))


def _reachable(dimension: Dimension, values: Mapping[str, set[str | int]]) -> bool:
    return isinstance(dimension, Choice) or all(values[name] & set(allowed) for name, allowed in dimension.when.items())
