"""Taint as text for a terminal: the defects, the counts, the tree, and what is worth making again."""

from __future__ import annotations

from collections.abc import Iterator

from replay.defects import Defect
from replay.pages.tables import folded, table
from replay.taint import Followed, Taint, Touched, worth_rerunning
from replay.times import lasted

SHOWN = 40
"""Lines of the tree that a page shows; the JSON twin has it whole."""

INDENT = "  "


def taint_page(taint: Taint) -> str:
    """Return a taint's text."""
    lines = [f"taint of {taint.campaign}: {len(taint.results)} of {taint.completed} results are touched"]
    if not taint.defects:
        return f"{lines[0]}; no defect was found"
    for defect in taint.defects:
        lines += ["", *_defect(taint, defect)]
    lines += ["", *_counts(taint), "", *_drawn([*_tree(taint)]), ""]
    worth = worth_rerunning(taint)
    took = lasted(sum(result.gpu_seconds for result in worth))
    lines.append(
        f"{len(worth)} touched results matter, since they would lead: {took} of device time would make them again "
        f"(myriad rerun {taint.campaign} --tainted)"
    )
    return folded(lines, indent=4)


def rerun_page(worth: list[Touched]) -> str:
    """Return the text of what to make again, best first, with the device time that is spent by then."""
    rows, spent = [], 0.0
    for result in worth:
        spent += result.gpu_seconds
        rows.append((result.experiment, result.agent, result.believed, ", ".join(result.defects), lasted(spent)))
    headers = ("experiment", "agent", "believed", "defects", "device time so far")
    return folded(table(headers, rows)) if rows else "nothing that a defect touched is worth making again"


def _defect(taint: Taint, defect: Defect) -> list[str]:
    touched = [result for result in taint.results if defect.defect in result.defects]
    since = f", since position {defect.since}" if defect.since is not None else ""
    by = f" by {defect.by}" if defect.by else ""
    told = f"{defect.defect}  {defect.component}: {defect.where}{since}; found{by} at position {defect.found}"
    end = (
        f"fixed at position {defect.fixed} by instrument {str(defect.instrument)[:12]}"
        if defect.fixed is not None
        else "not fixed"
    )
    best = f", the best believed {touched[0].believed:.4f} ({touched[0].experiment})" if touched else ""
    why = [f"{INDENT}{defect.reason}"] * bool(defect.reason)
    return [told, *why, f"{INDENT}{end}; touches {len(touched)} results{best}"]


def _counts(taint: Taint) -> list[str]:
    followed = taint.followed
    by = f"{followed['parent']} as children, {followed['sweep']} in sweeps, {followed['patch']} under patches"
    alone = f"{followed['briefing']} from briefings alone"
    return [
        f"{sum(followed.values())} ideas followed from touched results: {by}, {alone}",
        f"{taint.briefed} cycles were told a touched result; what a briefing alone led to is not drawn",
    ]


def _drawn(tree: list[str]) -> list[str]:
    if not tree:
        return ["Tree: nothing is touched"]
    return [f"Tree, {min(len(tree), SHOWN)} of {len(tree)} lines, the best first", *tree[:SHOWN]]


def _tree(taint: Taint) -> Iterator[str]:
    behind: dict[tuple[str, str], list[Followed]] = {}
    for one in taint.tree:
        if one.via != "briefing":
            behind.setdefault((one.root, "" if one.depth == 1 else one.source), []).append(one)
    for result in taint.results:
        known = f"known now {result.known:.4f}" if result.known is not None else "unknown now"
        yield f"{INDENT}{result.experiment}: believed {result.believed:.4f}, {known} ({', '.join(result.defects)})"
        waiting = behind.get((result.experiment, ""), [])[::-1]
        while waiting:
            one = waiting.pop()
            yield _branch(one)
            waiting += behind.get((one.root, one.idea), [])[::-1]


def _branch(one: Followed) -> str:
    own = f"{one.validation:.4f}" if one.validation is not None else "no result"
    state = ", touched itself" if one.touched else ""
    return f"{INDENT * (one.depth + 1)}{one.experiment or one.idea} by {one.via}: {own}{state}"
