"""By which values agents may widen the space: what the campaign's [widen] allows, and what can be trained at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from events.space import Choice, Configuration, Space, Value
from replay.acts import wider

TRAINABLE = {"batch": (2, 1024), "length": (2, 32), "epochs": (1, 1000)}
"""Whole numbers that the tasks of this house can train with: features hold 32 frames a clip, and a batch has a pair."""

READ = 1024
"""Values of one dimension that can be told apart when an answer is read."""


class Widen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The [widen] table of a campaign file.

    Attributes:
        at_most: new values in all; 0 lets nothing in.
        within: by dimension, for whole numbers the lowest and the highest, for words those that may come.
    """

    at_most: int = 3
    within: dict[str, list[str | int]] = {}


class Step(msgspec.Struct, frozen=True):
    """A value that an idea brings."""

    dimension: str
    value: Value


def allowed(choice: Choice, within: list[str | int]) -> tuple[str | int, ...]:
    """Return the values that a dimension may come to have beside those that it has."""
    if not any(isinstance(value, str) for value in choice.values):
        low, high = (int(value) for value in within)
        values: Iterable[str | int] = range(low, high + 1)
    else:
        values = within
    return tuple(value for value in values if value not in choice.values)


def problems(widen: Widen, searched: Space, whole: Space, *, trained_here: bool) -> list[str]:
    """Say, one sentence each, what [widen] asks for that cannot be.

    Args:
        searched: the campaign's space; `whole` that of its task before it was narrowed.
        trained_here: whether our own code trains, which cannot take everything; a script says for itself.
    """
    found = [] if widen.at_most >= 0 else ["widen.at_most must be at least 0"]
    choices = {choice.name: choice for choice in searched.choices}
    for name, within in widen.within.items():
        key = f"widen.within.{name}"
        if name not in choices:
            found.append(f"{key} is not a categorical dimension; those are {', '.join(choices)}")
        elif any(isinstance(value, str) for value in choices[name].values):
            found += _words(key, within, whole[name], trained_here=trained_here)
        else:
            found += _numbers(key, within, TRAINABLE.get(name) if trained_here else None)
    return found


def steps(widen: Widen, space: Space, configuration: Configuration, used: int) -> tuple[Step, ...] | str | None:
    """Return the values by which a space must grow for a configuration, the reason why it may not, or None.

    None means that the rule says nothing of what is wrong with the configuration.

    Args:
        used: values that the space was widened by before.
    """
    new = tuple(
        Step(choice.name, configuration[choice.name])
        for choice in space.choices
        if choice.name in widen.within and choice.name in configuration and _is_new(choice, configuration[choice.name])
    )
    if not new or grown(space, new).problems(configuration):
        return None
    for step in new:
        choice = next(choice for choice in space.choices if choice.name == step.dimension)
        if step.value not in allowed(choice, widen.within[step.dimension]):
            return f"{step.dimension} = {step.value!r} is beyond what [widen] allows, {_told(choice, widen)}"
    if used + len(new) > widen.at_most:
        return f"the space was widened by {used} values, and widen.at_most = {widen.at_most}"
    return new


def grown(space: Space, new: Iterable[Step]) -> Space:
    """Return a space with some values more."""
    for step in new:
        space = wider(space, step.dimension, step.value)
    return space


def readable(widen: Widen, space: Space) -> Space:
    """Return the space in which an answer is read: with every value that could come; how many may is judged later."""
    if widen.at_most == 0:
        return space
    for choice in space.choices:
        for value in allowed(choice, widen.within[choice.name]) if choice.name in widen.within else ():
            space = wider(space, choice.name, value)
    return space


def sentences(widen: Widen, space: Space, used: int) -> tuple[str, ...]:
    """Tell a model, one line each, which new values it may propose; none where the number of them is used up."""
    if used >= widen.at_most:
        return ()
    told = tuple(f"- {c.name} may take a new value: {_told(c, widen)}" for c in space.choices if c.name in widen.within)
    return (*told, f"- at most {widen.at_most - used} new values in all") if told else ()


def _told(choice: Choice, widen: Widen) -> str:
    within = widen.within[choice.name]
    if any(isinstance(value, str) for value in choice.values):
        return f"one of {', '.join(map(str, within))}"
    return f"a whole number from {within[0]} to {within[1]}"


def _is_new(choice: Choice, value: Value) -> bool:
    return choice.problem(value) is not None and isinstance(value, str) == isinstance(choice.values[0], str)


def _words(key: str, within: list[str | int], known: object, *, trained_here: bool) -> list[str]:
    values: Mapping[object, None] = dict.fromkeys(known.values if isinstance(known, Choice) else ())
    strange = [str(value) for value in within if value not in values] if trained_here else []
    can = ", ".join(map(str, values))
    return [f"{key}: {', '.join(strange)} cannot be trained here; {can} can"] if strange else []


def _numbers(key: str, within: list[str | int], trainable: tuple[int, int] | None) -> list[str]:
    if len(within) != 2 or any(isinstance(value, str) for value in within) or int(within[0]) > int(within[1]):
        return [f"{key} must be [lowest, highest], two whole numbers"]
    low, high = (int(value) for value in within)
    if trainable is not None and not trainable[0] <= low <= high <= trainable[1]:
        return [f"{key}: only {trainable[0]} to {trainable[1]} can be trained here"]
    return [f"{key} spans more than {READ} values"] if high - low >= READ else []
