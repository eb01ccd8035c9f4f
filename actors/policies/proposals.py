"""From an answer to ideas: each held against the space on its own, what it leaves out filled in and marked as such."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from actors.orders import Suggestion
from actors.policies.answers import AnswerUnreadable, Item, Node, items, shown
from events.space import Choice, Configuration, Dimension, Interval, Space, Value, is_active

WISHES = {"low": 0.25, "medium": 0.5, "high": 0.75}
"""What the words of a wish mean as a priority."""

NAMES, PARENTS = ("idea_name", "name"), ("parent", "parents")

PROSE = 600
"""Characters of a rationale that are kept."""

SENTENCE = 300
"""Characters of one problem in words."""

BASE = "base"
"""Where a filled-in value came from when no parent had it."""

_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?")
_INTEGER = re.compile(r"[+-]?\d{1,9}")


class Terms(NamedTuple):
    """What ideas are held against.

    Attributes:
        parents: configurations by the idea that may be named as a parent.
        base: a value for every dimension.
        leading: values that at least one idea must leave, by dimension.
        fewest, most: ideas that were asked for.
    """

    space: Space
    parents: Mapping[str, Configuration]
    base: Configuration
    leading: Mapping[str, Value]
    fewest: int
    most: int


class Reading(NamedTuple):
    """What an answer came to: ideas that stand, a sentence for each thing to correct, and ideas that were too many."""

    ideas: tuple[Suggestion, ...]
    errors: tuple[str, ...]
    surplus: tuple[str, ...] = ()


class _Invalid(Exception):
    """One idea cannot be used."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(text: str, terms: Terms, *, cut: bool = False) -> Reading:
    """Return what an answer proposes; nothing in it raises.

    Args:
        text: the raw answer.
        terms: what each idea is held against.
        cut: it was cut at a limit.
    """
    try:
        written = items(text, cut=cut)
    except AnswerUnreadable as error:
        return Reading((), (_sentence(str(error)),))
    ideas: list[Suggestion] = []
    errors: list[str] = []
    surplus: list[str] = []
    for item in written:
        try:
            idea = _idea(item, terms)
        except _Invalid as invalid:
            errors += [_sentence(f"{_label(item)}: {problem}") for problem in invalid.problems]
            continue
        if len(ideas) < terms.most:
            ideas.append(idea)
        else:
            surplus.append(f"{_label(item)}: one too many, at most {terms.most} were asked for")
    together = lacking(tuple(ideas), terms._replace(fewest=0) if errors else terms) if ideas else []
    return Reading(tuple(ideas), (*errors, *together), tuple(surplus))


def lacking(ideas: tuple[Suggestion, ...], terms: Terms) -> list[str]:
    """Return what the ideas lack together: a sentence if they are too few, and one for each dimension of the diversity
    budget in which none of them leaves the leading value.
    """
    few = [f"{len(ideas)} ideas: at least {terms.fewest} are asked for"] if len(ideas) < terms.fewest else []
    return few + [
        f"no idea uses another {name} than {value}: at least one must"
        for name, value in terms.leading.items()
        if all(idea.configuration[name] == value for idea in ideas)
    ]


def _idea(item: Item, terms: Terms) -> Suggestion:
    if item.problem is not None:
        raise _Invalid(item.problem)
    given, about, problems = _sorted(item.fields, terms.space)
    parent, wish = _known_parent(about, terms, problems), _wish(about, problems)
    if problems:
        raise _Invalid(*problems)
    configuration, filled = _filled(given, parent, terms)
    if wrong := terms.space.problems(configuration):
        raise _Invalid(*wrong)
    prose = [_prose(about[key]) for key in (*NAMES, "rationale") if key in about]
    return Suggestion(
        configuration=terms.space.normal(configuration),
        rationale=": ".join(words for words in prose if words) or "no reason was given",
        parents=(parent,) if parent else (),
        priority=wish,
        filled=filled,
    )


def _sorted(fields: Mapping[str, Node], space: Space) -> tuple[Configuration, dict[str, str], list[str]]:
    """Tell an idea's values of the space from what it says about itself; the third part says what is wrong."""
    keys = {name: d for d in space.dimensions for name in (d.name, *d.keys)}
    given: Configuration = {}
    about: dict[str, str] = {}
    problems: list[str] = []
    for written, node in fields.items():
        key, value = unicodedata.normalize("NFKC", written).strip(), _scalar(node)
        if key not in keys and key not in (*NAMES, *PARENTS, "rationale", "priority"):
            problems.append(f"{shown(written)} is not a key: dimensions are {', '.join(space.names)}")
        elif value is None:
            problems.append(f"{key} is a {'list' if isinstance(node, list) else 'mapping'}: give one value")
        elif key not in keys:
            about[key] = value
        elif keys[key].name in given:
            problems.append(f"{keys[key].name} is given twice, once as {shown(written)}")
        else:
            _place(given, keys[key], value, problems)
    return given, about, problems


def _scalar(node: Node) -> str | None:
    if isinstance(node, list) and len(node) == 1:
        (node,) = node
    return node if isinstance(node, str) else None


def _place(given: Configuration, dimension: Dimension, text: str, problems: list[str]) -> None:
    value = _value(dimension, unicodedata.normalize("NFKC", text).strip())
    if value is None:
        allowed = _allowed(dimension)
        problems.append(f"{dimension.name} = {shown(text)} is not {allowed}")
    elif (problem := dimension.problem(value)) is not None:
        problems.append(problem)
    else:
        given[dimension.name] = value


def _value(dimension: Dimension, text: str) -> Value | None:
    if isinstance(dimension, Interval):
        return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None
    names: dict[str, str | int] = {str(value).casefold(): value for value in dimension.values}
    names |= {alias.casefold(): value for alias, value in dimension.aliases.items() if value in dimension.values}
    if text.casefold() in names:
        return names[text.casefold()]
    return int(text) if _INTEGER.fullmatch(text) and text.isascii() and int(text) in dimension.values else None


def _allowed(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return f"one of {', '.join(map(str, dimension.values))}"
    return f"a number from {dimension.low:g} to {dimension.high:g}"


def _known_parent(about: Mapping[str, str], terms: Terms, problems: list[str]) -> str:
    named = [about[key].strip() for key in PARENTS if about.get(key, "").strip()]
    if not named or named[0].casefold() in ("none", "null", "~"):
        return ""
    if named[0] not in terms.parents:
        problems.append(f"parent = {shown(named[0])} is not an idea that was run or waits")
    return named[0]


def _wish(about: Mapping[str, str], problems: list[str]) -> float:
    text = about.get("priority", "medium").strip().casefold()
    if text in WISHES:
        return WISHES[text]
    if _NUMBER.fullmatch(text) and text.isascii() and 0 <= float(text) <= 1:
        return float(text)
    problems.append(f"priority = {shown(text)} is not low, medium, high or a number from 0 to 1")
    return WISHES["medium"]


def _filled(given: Configuration, parent: str, terms: Terms) -> tuple[Configuration, dict[str, str]]:
    """Give every active dimension a value: its own, its parent's or the base's; say where the latter came from."""
    known, filled = dict(given), dict[str, str]()
    inherited = terms.parents.get(parent, {})
    dimensions: tuple[Dimension, ...] = (*terms.space.choices, *terms.space.intervals)
    for dimension in dimensions:
        name = dimension.name
        if name in known or (isinstance(dimension, Interval) and not is_active(dimension, known)):
            continue
        known[name], filled[name] = (inherited[name], parent) if name in inherited else (terms.base[name], BASE)
    return known, filled


def _prose(text: str) -> str:
    """Return a model's own words for a person: one line, composed characters, nothing that steers a terminal."""
    composed = unicodedata.normalize("NFKC", text)
    words = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in composed).split()
    return " ".join(words)[:PROSE]


def _label(item: Item) -> str:
    name = next((item.fields[key] for key in NAMES if isinstance(item.fields.get(key), str)), None)
    return f"idea {item.number} ({shown(str(name), 40)})" if name is not None else f"idea {item.number}"


def _sentence(text: str) -> str:
    return text if len(text) <= SENTENCE else text[: SENTENCE - 3] + "..."
