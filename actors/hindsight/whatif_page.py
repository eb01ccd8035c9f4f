"""An answer about another course of history, as text for a terminal."""

from __future__ import annotations

from actors.hindsight.whatif import Answer, Bound
from replay.pages.tables import WIDTH, brief, cut, entry, folded, measured, table

SHOWN = 12
"""Ideas and runs that a page shows; the JSON twin has them all."""

LEADERS = 5
"""Leaders that a page shows."""

MEASURES = (
    *("proposed", "declined", "queued", "completed", "failed", "improvements", "innovation_rate", "divergence"),
    *("cells_covered", "entropy_whole", "entropy_architecture", "entropy_training"),
)
"""Measures that a page compares."""


def whatif_page(answer: Answer) -> str:
    """Return an answer's text."""
    asked = [f"  {name} {words}" for name, words in answer.asked.items()]
    lines = [
        f"what if    campaign {answer.campaign}",
        *asked,
        "",
        *_parting(answer),
        f"best       {_best(answer)} (validation AP; history: {entry(answer.then['best_validation'])})",
        f"completed  {_bound(answer.completed)} (history: {answer.then['completed']})",
        f"device     {_bound(answer.gpu_seconds)} (seconds; history: {entry(answer.then['gpu_seconds'])})",
        f"order      the first {answer.same_order} experiments are assigned as in history",
        f"end        {_end(answer)}",
        *_open(answer),
        "",
        *_measures(answer),
    ]
    if answer.turned:
        lines += ["", f"Ideas with another verdict: {len(answer.turned)}"]
        for turned in answer.turned[:SHOWN]:
            score = f" (AP {turned.validation:.4f} in history)" if turned.validation is not None else ""
            lines.append(cut(f"  {turned.idea} by {turned.agent}: {turned.then} -> {turned.now}{score}", WIDTH))
    lines += ["", f"The best {min(LEADERS, len(answer.leaders))} whose ends history holds"] if answer.leaders else []
    for row in answer.leaders[:LEADERS]:
        lines.append(f"  {row.rank:>2}  {row.experiment}  {row.agent}  {row.validation:.4f} +- {measured(row.noise)}")
        lines.append(f"      {brief(row.configuration, WIDTH - 6)}")
    lines += ["", *(f"assuming   {sentence}" for sentence in answer.assumptions)] if answer.assumptions else []
    return folded(lines)


def _parting(answer: Answer) -> list[str]:
    if answer.identical:
        return ["history    is reproduced, byte for byte: nothing would have been otherwise"]
    where = f"history    is the same before position {answer.parted}"
    if answer.conditional:
        return [f"{where}; after it the answer holds under the assumptions below"]
    if answer.unknown or answer.idle or answer.beyond:
        return [f"{where}; no run begins after it that history could tell of"]
    return [f"{where}, and no run begins after it: the answer is exact"]


def _end(answer: Answer) -> str:
    if answer.closed is None:
        return "the search stays open"
    return (
        answer.closed if {"experiments", "gpu_hours"} & answer.asked.keys() else f"where history's was: {answer.closed}"
    )


def _best(answer: Answer) -> str:
    best = answer.best
    if best.low is None:
        return "unknown: history holds no end of any of its runs"
    return _bound(best) if best.low == best.high else f"at least {best.low:.4f}; how much more, history does not hold"


def _bound(bound: Bound) -> str:
    low = _number(bound.low)
    if bound.high is None:
        return f"at least {low}; history holds no more"
    return low if bound.low == bound.high else f"{low} to {_number(bound.high)}"


def _number(number: float | None) -> str:
    return f"{number:.4f}" if isinstance(number, float) and number <= 1 else entry(number)


def _open(answer: Answer) -> list[str]:
    lines = []
    if answer.unknown:
        named = ", ".join(f"{one.experiment} ({one.why})" for one in answer.unknown[:SHOWN])
        lines.append(f"unknown    {len(answer.unknown)} runs whose ends history did not see: {named}")
    if answer.idle:
        lines.append(f"idle       {answer.idle} slots for which history holds no idea")
    if answer.unborn:
        lines.append(f"unborn     {answer.unborn} ideas of history do not exist here")
    if answer.beyond:
        lines.append("beyond     the search would go on where history ends")
    return lines


def _measures(answer: Answer) -> list[str]:
    rows = [(name, answer.then.get(name), answer.now.get(name)) for name in MEASURES]
    return ["Measures, of the ends that history holds", *table(("", "history", "course"), rows)]
