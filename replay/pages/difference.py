"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replay.difference import Comparison, Delta, Side
from replay.leaderboard import NOISE
from replay.pages.tables import entry, folded, table

SHOWN = 20
"""Lines of a long list on a page; the JSON twin has them all."""


def difference_page(comparison: Comparison) -> str:
    """Return a comparison's text."""
    cells = comparison.cells
    lines = [
        *_side("a", comparison.a),
        *_side("b", comparison.b),
        f"logs       {_parted(comparison)}",
        *_incomparable(comparison),
        f"best       {_lead(comparison)}",
        f"cells      {cells['both']} on both, {cells['a']} on a alone, {cells['b']} on b alone",
    ]
    lines += [f"space      {side} alone: {', '.join(only)}" for side, only in comparison.space.items() if only]
    lines += [f"file       {sentence}" for sentence in comparison.files]
    lines += _deltas("Settings that differ", comparison.settings)
    lines += _deltas("Measures that differ", comparison.values)
    if comparison.turned:
        rows = [(t.experiment, t.a or "not yet", t.b or "not yet") for t in comparison.turned[:SHOWN]]
        lines += ["", f"Experiments that stand otherwise: {len(comparison.turned)}", *table(("", "a", "b"), rows)]
    if comparison.pairs:
        lines += ["", f"Configurations that both ran: {len(comparison.pairs)}", *_pairs(comparison)]
    return folded(lines)


def _side(letter: str, side: Side) -> list[str]:
    subject = side.subject
    state = f"closed: {subject.closed}" if subject.closed is not None else "open"
    where = f"{subject.campaign}, through position {subject.through} of {side.last}"
    return [f"{letter}          {side.reference}: {where}, {state}", f"  {side.digest}"]


def _parted(comparison: Comparison) -> str:
    if comparison.one_history:
        return f"one history: the {comparison.shared} frames of the shorter are the beginning of the longer"
    if comparison.shared:
        return f"the same through position {comparison.shared}, then they part"
    return "two histories: their first frames differ"


def _incomparable(comparison: Comparison) -> list[str]:
    if not comparison.instruments:
        return []
    return [
        f"eras       scores do not compare: measured by {', '.join(i[:12] for i in comparison.instruments)} on one side"
    ]


def _lead(comparison: Comparison) -> str:
    lead = comparison.lead
    if lead.change is None:
        return f"a {entry(lead.a)}, b {entry(lead.b)}"
    noise = NOISE[comparison.lead_within_noise]
    return f"a {lead.a:.4f}, b {lead.b:.4f}: {lead.change:+.4f}, {noise} (validation AP)"


def _deltas(title: str, deltas: Mapping[str, Delta]) -> list[str]:
    rows = [(name, _shown(d.a), _shown(d.b), _change(d)) for name, d in deltas.items()]
    return ["", title, *table(("", "a", "b", "b - a"), rows)] if rows else []


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return entry(value)
    return "none" if value is None else str(value)


def _change(delta: Delta) -> str:
    return "" if delta.change is None else f"{delta.change:+.4g}"


def _pairs(comparison: Comparison) -> list[str]:
    rows = [
        (p.a, p.b, f"{p.validation_a:.4f}", f"{p.validation_b:.4f}", f"{p.change:+.4f}", NOISE[p.within_noise])
        for p in comparison.pairs[:SHOWN]
    ]
    beyond = sum(pair.within_noise is False for pair in comparison.pairs)
    told = f"  beyond noise: {beyond} of {len(comparison.pairs)}"
    return [*table(("a", "b", "AP a", "AP b", "b - a", ""), rows), told]
