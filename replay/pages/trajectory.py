"""A trajectory as text for a terminal."""

from __future__ import annotations

from replay.milestones import Milestone
from replay.pages.tables import WIDTH, cut, folded, table
from replay.times import shown
from replay.trajectory import Track, Trajectory, Usage

SHOWN = 60
"""Turns that a page shows; the JSON twin has them all."""

ROOM = 18
"""Columns for who proposed a value first, and for a value's name."""


def trajectory_page(trajectory: Trajectory) -> str:
    """Return a trajectory's text: a table for each dimension, then the time line."""
    lines = [
        f"trajectory of {trajectory.campaign} through position {trajectory.through}: n = {trajectory.n} completed",
        f"eras       {', '.join(trajectory.eras) or 'none'}",
        f"scale      {trajectory.scale} AP",
        f"null       {trajectory.null}",
    ]
    for track in trajectory.tracks:
        lines += ["", *_track(track)]
    turns = trajectory.line
    lines += ["", f"Time line: {len(turns)} turns" + (f", the last {SHOWN}" if len(turns) > SHOWN else "")]
    lines += [_turn(turn) for turn in turns[-SHOWN:]]
    return folded(lines)


def _track(track: Track) -> list[str]:
    rows = [_usage(usage) for usage in track.values if usage.proposed]
    why = [_why(usage) for usage in track.values if usage.first is not None and not track.continuous]
    told = ["  + was not in the space at first"] * any(usage.widened for usage in track.values)
    untried = [usage.value for usage in track.values if not usage.proposed]
    head = f"{track.dimension} ({track.part}): n = {track.n}, window {track.window}"
    if not rows:
        return [head, "  too few observations: nobody proposed a value"]
    headers = ("value", "ideas", "done", "first", "mid", "last", "best AP", "run", "first by")
    return [head, *table(headers, rows), *told, *why, *([f"  never proposed: {', '.join(untried)}"] if untried else [])]


def _why(usage: Usage) -> str:
    first = usage.first
    assert first is not None  # noqa: S101 # who calls has looked
    return cut(f"  {usage.value}: {first.idea} at {first.position}, {' '.join(first.rationale.split())}", WIDTH)


def _usage(usage: Usage) -> tuple[str | int | float | None, ...]:
    shares = [f"{share:.0%}" for _, share in usage.shares] or ["too few"]
    best = (f"{usage.best.validation:.4f}", usage.best.completion) if usage.best is not None else ("none", "none")
    first = usage.first
    who = cut(f"{first.agent}, {first.origin}", ROOM) if first is not None else "nobody"
    middle = shares[len(shares) // 2]
    value = f"+ {usage.value}" if usage.widened else usage.value
    return (cut(value, ROOM), usage.proposed, usage.completed, shares[0], middle, shares[-1], *best, who)


def _turn(turn: Milestone) -> str:
    when = shown(turn.at)[5:19] if turn.at else "at no time"
    about = f"{turn.experiment}, " if turn.kind == "fix" else ""
    return cut(f"  {turn.position!s:>8}  {when:<14}  {turn.kind:<10}  {about}{turn.what}", WIDTH)
