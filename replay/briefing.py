"""What an agent is told: a view of the ledger in sections that can be switched off (paper, Appendix B and F).

The same log gives the same bytes. Only numbers, names of the space and idea ids come from the log: no rationale and no
other free text of a model reaches another model, and a trace is cut to one line of plain characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import msgspec

from events.space import Choice, Configuration, Dimension, Space, Value, is_active
from replay.failing import Failing
from replay.leaderboard import Row, beats, leaderboard
from replay.ledger import Ledger
from replay.lineage import changes, gained, member
from replay.pages.tables import measured
from replay.repairs import Repairs

Section = Literal["leaderboard", "distribution", "failures", "bans", "genealogy", "schema", "rules", "diversity"]

SECTIONS: tuple[Section, ...] = get_args(Section)
"""Every section, in the order of the paper's list; `schema` and `rules` come first in the text, which never changes."""

LEADERS, RECENT, ANCESTORS, TOP = 20, 50, 4, 5
"""Rows of the leaderboard; latest experiments of the distribution; generations and leaders of the genealogy."""

TOUCHED = 10
"""Results touched by a defect that are named, the best by what was measured first; the others are counted."""

LED = ("backbone", "encoder")
"""Dimensions of which at least one idea must leave the leading value."""

SAID = 160
"""Characters of a trace's last line that are told."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the campaign file says about an agent's briefing.

    Attributes:
        ideas: fewest and most that are asked for.
        rules: the person's own words to the model.
        base: a value for every dimension; what an idea leaves out, and its parent does not have, is taken from it.
        extensions: by which values the space may be widened, a line each.
    """

    ideas: tuple[int, int] = (3, 5)
    sections: tuple[Section, ...] = SECTIONS
    rules: str = ""
    base: Configuration = {}
    extensions: tuple[str, ...] = ()


class Briefing(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt in two parts, sent one after the other and nothing between.

    Attributes:
        stable: the same in every cycle of a campaign, so that a provider may keep it in its cache.
        fresh: what the log tells at this moment.
        leading: what `LED` leads with; empty without results, where there is no choice, or with `diversity` off.
    """

    stable: str
    fresh: str
    leading: dict[str, Value]

    @property
    def text(self) -> str:
        """The whole, as it is sent and stored."""
        return self.stable + self.fresh


def briefing(ledger: Ledger, repairs: Repairs, failing: Failing, terms: Terms) -> Briefing:
    """Return what an agent is told of this ledger."""
    space = ledger.space or Space(name="empty", dimensions=())
    rows = leaderboard(ledger, top=LEADERS)
    leading = _leading(space, rows) if "diversity" in terms.sections else {}
    told: dict[Section, Callable[[], list[str]]] = {
        "leaderboard": lambda: _leaderboard(ledger, rows, space),
        "distribution": lambda: _distribution(ledger, space),
        "failures": lambda: _failures(ledger, repairs, failing),
        "bans": lambda: _bans(ledger),
        "genealogy": lambda: _genealogy(ledger, rows),
        "diversity": lambda: _diversity(leading),
    }
    fresh = [lines() for name, lines in told.items() if name in terms.sections]
    fresh.append(["## Task", f"Propose {_between(terms.ideas)} ideas that are not among those above, as YAML."])
    return Briefing(stable=_stable(space, terms), fresh=_blocks(fresh), leading=leading)


def _bans(ledger: Ledger) -> list[str]:
    """List the bans in force: the predicate, which is in our words, and how long it stands; never a person's reason."""
    told = [
        f"- {ban.where}" + ("" if ban.until is None else f" (for {max(0, ban.until - ledger.asked)} more cycles)")
        for ban in ledger.bans.values()
    ]
    return ["## Banned configurations", *(told or ["None."])]


def _stable(space: Space, terms: Terms) -> str:
    blocks = [_role(), _form(space, terms)]
    if "schema" in terms.sections:
        blocks.append(["## Configuration schema", *(_described(d) for d in space.dimensions), *terms.extensions])
    if "rules" in terms.sections and terms.rules.strip():
        blocks.append(["## Research rules", terms.rules.strip()])
    return _blocks(blocks)


def _role() -> list[str]:
    return [
        "You are a research agent. You search for the configuration of a video classifier that reaches the highest",
        "average precision (AP, 0 to 1) on the validation clips. Each idea that you propose is trained and measured,",
        "unless it repeats an earlier one: the same categorical values, and continuous values that are almost equal.",
    ]


def _form(space: Space, terms: Terms) -> list[str]:
    example = {name: terms.base[name] for name in space.names if name in terms.base}
    shown = [d.name for d in space.dimensions if isinstance(d, Choice) or is_active(d, example)]
    return [
        "## How to answer",
        f"Answer with a YAML list of {_between(terms.ideas)} ideas and nothing else: no anchors, no tags, one value",
        "for each key. For example:",
        "```yaml",
        '- idea_name: "a few words"',
        *(f"  {name}: {_number(example[name])}" for name in shown if name in example),
        "  priority: medium",
        '  rationale: "why this should score higher"',
        "```",
        "`priority` is low, medium or high. `parent` may name the idea that yours was made from, such as i-NAME-3-1;",
        "a dimension that you leave out is taken from the parent, and without one from the values of the example.",
    ]


def _described(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return f"- {dimension.name}: one of {', '.join(map(str, dimension.values))}"
    scale = ", on a logarithmic scale" if dimension.scale == "log" else ""
    needs = " and ".join(f"{name} is {' or '.join(map(str, v))}" for name, v in dimension.when.items())
    only = f"; only where {needs}" if needs else ""
    return f"- {dimension.name}: a number from {_number(dimension.low)} to {_number(dimension.high)}{scale}{only}"


def _leaderboard(ledger: Ledger, rows: Sequence[Row], space: Space) -> list[str]:
    title = f"## Leaderboard (top {len(rows)} of {len(ledger.completed)})"
    if not rows:
        none = "No result can be ranked." if ledger.completed else "No experiment is completed yet."
        return [title, none, *_touched(ledger)]
    first = [name for name in LED if name in space.names]
    lines = [_cells(["rank", "AP", "noise", "idea", *first, "other values"])]
    lines.append(_cells(["---"] * (5 + len(first))))
    for row in rows:
        rest = {name: value for name, value in row.configuration.items() if name not in first}
        known = [str(row.configuration[name]) for name in first]
        idea = ledger.experiments[row.experiment].idea
        lines.append(_cells([str(row.rank), f"{row.validation:.4f}", measured(row.noise), idea, *known, _values(rest)]))
    return [title, *lines, *_touched(ledger)]


def _touched(ledger: Ledger) -> list[str]:
    """Mark what a defect touched: it is no leader, and its score means other than it says."""
    touched = sorted(ledger.defects.touched, key=lambda name: beats(ledger.experiments[name]))
    if not touched:
        return []
    outcomes = ((ledger.experiments[name].idea, ledger.experiments[name].outcome) for name in touched[:TOUCHED])
    told = [f"{idea} (measured as {outcome.validation:.4f})" for idea, outcome in outcomes if outcome is not None]
    more = f" and {len(touched) - TOUCHED} more" if len(touched) > TOUCHED else ""
    return [f"Not ranked, because a bug touched these results and their AP is unknown: {', '.join(told)}{more}."]


def _distribution(ledger: Ledger, space: Space) -> list[str]:
    recent = list(ledger.experiments.values())[-RECENT:]
    title = f"## Distribution of the last {len(recent)} experiments"
    if not recent:
        return [title, "There are none yet."]
    ran = [ledger.configuration(experiment.experiment) for experiment in recent]
    lines = []
    for choice in space.choices:
        counts = Counter(configuration.get(choice.name) for configuration in ran)
        lines.append(f"- {choice.name}: " + ", ".join(f"{value} {counts[value]}" for value in choice.values))
    return [title, *lines]


def _failures(ledger: Ledger, repairs: Repairs, failing: Failing) -> list[str]:
    lines = []
    for failure in failing.failures:
        experiment = ledger.experiments[failure.experiment]
        attempts = [a for a in experiment.attempts if a.attempt == failure.attempt and a.failure == failure.kind]
        if not attempts:
            continue  # spoken under no valid lease
        repair = repairs.of(failure.experiment, failure.attempt)
        done = f"; {_plain(repair.diagnosis)}" if repair is not None else ""
        what = f"{failure.kind} at step {failure.step}: {_plain(failure.said)}{done}"
        lines.append(f"- {experiment.idea} ({_values(ledger.configuration(failure.experiment))}): {what}")
    return [f"## Last {len(lines)} failed runs", *(lines or ["None."])]


def _genealogy(ledger: Ledger, rows: Sequence[Row]) -> list[str]:
    lines = [line for row in rows[:TOP] for line in _line(ledger, row)]
    return ["## Where the leaders come from", *(lines or ["No leader was made from another idea."])]


def _line(ledger: Ledger, row: Row) -> list[str]:
    """Return a leader's steps from its first parents, the nearest first."""
    child, seen = ledger.ideas[ledger.experiments[row.experiment].idea], set[str]()
    lines: list[str] = []
    while len(lines) < ANCESTORS and child.idea not in seen:
        seen.add(child.idea)
        parent = next((ledger.ideas[name] for name in child.parents if name in ledger.ideas), None)
        if parent is None:
            break
        gain, within = gained(member(ledger, parent), member(ledger, child))
        differing = changes(parent.configuration, child.configuration)
        steps = [f"{c.dimension} {_number(c.before)} -> {_number(c.after)}" for c in differing]
        if any(idea.experiment in ledger.defects.touched for idea in (parent, child)):
            gain = None
        worth = "no result to compare" if gain is None else f"{gain:+.4f} AP{' (within noise)' if within else ''}"
        lines.append(f"- rank {row.rank}: {child.idea} from {parent.idea}: {', '.join(steps) or 'no change'}; {worth}")
        child = parent
    return lines


def _diversity(leading: dict[str, Value]) -> list[str]:
    lines = [f"- At least 1 idea must use another {name} than {value}." for name, value in leading.items()]
    return ["## Diversity budget", *(lines or ["None yet: nothing leads."])]


def _leading(space: Space, rows: Sequence[Row]) -> dict[str, Value]:
    """Return the most frequent value among the leaders, the higher ranked among equals."""
    found: dict[str, Value] = {}
    for choice in space.choices:
        if choice.name in LED and len(choice.values) > 1 and rows:
            counts = Counter(row.configuration[choice.name] for row in rows)
            found[choice.name] = counts.most_common(1)[0][0]
    return found


def _between(ideas: tuple[int, int]) -> str:
    low, high = ideas
    return str(low) if low == high else f"{low} to {high}"


def _values(configuration: Configuration) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in configuration.items())


def _number(value: Value | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "none" if value is None else str(value)


def _plain(text: str) -> str:
    words = " ".join("".join(c if " " <= c <= "~" else " " for c in text).split())
    return words if len(words) <= SAID else words[: SAID - 3] + "..."


def _cells(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _blocks(blocks: Sequence[Sequence[str]]) -> str:
    return "".join("\n".join(block) + "\n\n" for block in blocks)
