"""What each panel says: an overview and a width in cells to lines of text; the first line is a heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap

from textual.content import Content

from replay.agents import AgentRow
from replay.caps import Caps
from replay.conversations import Speaker
from replay.leaderboard import NOISE, Row
from replay.pages.tables import TOO_FEW, brief, measured, pairs
from replay.times import lasted, shown
from tui.chart import bars, curve
from tui.columns import Column, cells_of, cut, fit
from tui.overview import Lane, Overview
from tui.telling import Line, plain
from tui.travel import Travel

WIDE = 400
"""Cells of a configuration before it is cut to what the panel has."""

Page = Callable[[Overview, int], list[str]]


def devices(overview: Overview, width: int) -> list[str]:
    """Each present worker's lanes: what trains there, and how far it is."""
    columns = (
        Column("worker", 2, long=14),
        Column("run"),
        Column("epoch", right=True),
        Column("AP", right=True),
        Column("loss", 1, right=True),
        Column("loss, by epoch", 3),
        Column("try", 4, right=True),
        Column("agent", 2),
        Column("pack", 6),
        Column("lane", 5, right=True),
        Column("device", 7),
        Column("why idle", 1),
    )
    gone = [f"left: {pairs(overview.gone)}"] if overview.gone else []
    if not overview.lanes:
        return ["no worker is present", *gone]
    return [*fit(columns, [_lane(lane) for lane in overview.lanes], width), *gone]


def rising(overview: Overview, width: int, height: int) -> Content:
    """Draw the running best from left to right, each stretch under one instrument in a colour of its own."""
    best = overview.running_best
    if not best:
        return Content("running best: none yet")
    believed = " as believed" if overview.subject.left_out else ""
    first, last = f"running best{believed} {best[0]:.4f} ", f" {best[-1]:.4f} after {len(best)}"
    room = max(1, width - len(first) - len(last))
    drawn = [bars(best, room)] if height == 1 else curve(best, room, height)
    lines = []
    for number, line in enumerate(drawn):
        left = first if number == len(drawn) - 1 else " " * len(first)
        right = last if number == 0 else ""
        lines.append(Content.assemble(left, *_banded(line, overview), right))
    return Content("\n").join(lines)


def trend(overview: Overview, width: int) -> list[str]:
    """Chart entropy, divergence and innovation as the analyst recorded them, each beside its value now."""
    told = (
        ("entropy", "entropy_whole", "bits"),
        ("divergence", "divergence", "bits"),
        ("innovation", "innovation_rate", "a run"),
    )
    lines = []
    for name, key, unit in told:
        value = overview.values.get(key)
        now = f"{value:.3g} {unit}" if isinstance(value, float) else TOO_FEW
        heading = f"{name:<11}{now:<12} "
        series = [reading.values.get(key) for reading in overview.trend]
        lines.append(cut(heading + bars(series, min(len(series), max(0, width - len(heading)))), width))
    return lines


def _banded(line: str, overview: Overview) -> list[tuple[str, str]]:
    """Part a line at the borders of the bands."""
    total, parts, begun = len(overview.running_best), [], 0
    for number, band in enumerate(overview.bands):
        end = len(line) if band is overview.bands[-1] else round(band.last / total * len(line))
        parts.append((line[begun:end], f"${'primary' if number % 2 == 0 else 'accent'}"))
        begun = max(begun, end)
    return parts


def agents(overview: Overview, width: int) -> list[str]:
    """Each author of ideas: health, model, ideas, best, and what it spent of what it may; then its last idea."""
    columns = (
        Column("agent"),
        Column("health", 1),
        Column("model", 5, long=10),
        Column("cycles", 8, right=True),
        Column("ideas", 4, right=True),
        Column("done", 6, right=True),
        Column("best", right=True),
        Column("firsts", 9, right=True),
        Column("failed", 7, right=True),
        Column("device time", 10, right=True),
        Column("tokens", 3, right=True),
        Column("USD", right=True),
        Column("of", 2, right=True),
    )
    known = {speaker.agent: speaker for speaker in overview.speakers}
    rows = [_author(row, known.get(row.agent), overview.caps) for row in overview.agents]
    if not rows:
        return ["no agent has joined"]
    last = (f"{agent} {idea}: {why}" for agent, (idea, why) in overview.last_ideas.items())
    return [*fit(columns, rows, width), *(cut(plain(told), width) for told in last)]


def queue(overview: Overview, width: int) -> list[str]:
    """The head of the queue: what runs next, and why."""
    columns = (Column("run"), Column("prio", right=True), Column("agent", 1), Column("why", long=16))
    rows = [(w.experiment, f"{w.priority:.3f}", w.agent, w.why) for w in overview.waiting]
    behind = overview.queue.by_status.get("queued", 0) - len(rows)
    rest = [f"and {behind} behind them"] if behind > 0 else []
    unjudged = overview.queue.unjudged
    judged = [f"{unjudged} ideas wait for a verdict"] if unjudged else []
    bans = [cut(plain(f"ban {ban.ban} of {ban.where}: {ban.reason}"), width) for ban in overview.bans]
    return [*(fit(columns, rows, width) if rows else ["the queue is empty"]), *rest, *judged, *bans]


def leaders(overview: Overview, width: int) -> list[str]:
    """The best ten by validation AP, each lead held against the noise of both."""
    columns = (
        Column("#", right=True),
        Column("run"),
        Column("AP", right=True),
        Column("test", 1, right=True),
        Column("noise", right=True),
        Column("lead", 2, right=True),
        Column("which is", 3),
        Column("stands", 2),
        Column("agent", 1),
        Column("configuration", 4, long=20),
    )
    rows = [_leader(row) for row in overview.leaders]
    return fit(columns, rows, width) if rows else [part for said in _none(overview) for part in wrap(said, width)]


def troubles(overview: Overview, width: int) -> list[str]:
    """Failures and repairs: how many of each kind, what is being mended, and the last facts about them."""
    counted = overview.failures
    totals = (
        f"failures {pairs(counted.by_kind)}; {counted.recovered} recovered, {counted.again} run again, "
        f"{counted.abandoned} abandoned"
    )
    fixing = [f"{f.repair} {f.experiment} {f.kind}: {f.remedy} {f.status}" for f in overview.fixing]
    lines = [totals, f"remedies {pairs(counted.remedies)}", *fixing]
    return [*(part for text in lines for part in wrap(plain(text), width)), *_told(overview.troubles, width)]


def stream(overview: Overview, width: int) -> list[str]:
    """The last facts, the newest first."""
    return _told(overview.latest, width) or ["no fact is on the log"]


def head(overview: Overview, width: int, inside: int | None = None) -> str:
    """Say at which moment the campaign is, as one line; `inside` is a place in the frame, where it is known.

    Where there is room for little, the moment is said in few words rather than cut.
    """
    at = shown(overview.at) if overview.at else "before the first fact"
    through, last = overview.subject.through, max(overview.link.last, overview.end)
    where = (
        f"position {through}" + (f".{inside}" if inside is not None else "") + (f" of {last}" if through < last else "")
    )
    closed = overview.subject.closed
    clock = f"{at}, virtual" if overview.virtual else at
    if cells_of(f"{where} · {clock}") > width:
        where = where.removeprefix("position ").partition(" ")[0]
        clock = clock.replace(" UTC, virtual", " virtual")
    behind = overview.arrived - overview.facts
    lag = [f"{behind} facts behind"] if behind and overview.following else []
    paused = f"paused: {overview.paused or 'no reason given'}" if overview.paused is not None else "search open"
    return _joined([where, clock, *lag, f"closed: {closed}" if closed is not None else paused], width)


def best(overview: Overview, width: int) -> list[str]:
    """Say in two lines what leads, by how much, and against which null."""
    if not overview.leaders:
        none, *why = _none(overview)
        return [cut(f"best: {none}", width), cut(" ".join(why), width)]
    row = overview.leaders[0]
    told = [f"best {row.validation:.4f} +- {measured(row.noise)} validation AP", f"{row.experiment} by {row.agent}"]
    told += [f"lead {row.lead:.4f} {_noise(row)}"] if row.lead is not None else []
    told += [f"{c.control.replace('_', ' ')} {c.validation:.4f} +- {c.noise:.4f}" for c in overview.controls]
    many = len(overview.subject.instruments)
    told += [overview.subject.left_out] if overview.subject.left_out else []
    told += [f"{many} instruments: scores do not compare across them"] if many > 1 else []
    return [_joined(told, width), cut(plain(brief(row.configuration, WIDE)), width)]


def counts(overview: Overview, width: int) -> str:
    """Count experiments by where they stand, and the ideas that were declined."""
    by = overview.queue.by_status
    states = ("completed", "running", "assigned", "queued", "failed", "abandoned")
    words = [f"{by.get(state, 0)} {state}" for state in states if state != "assigned" or by.get(state)]
    words.append(f"{sum(overview.queue.declined.values())} declined")
    rate = overview.per_hour if overview.subject.closed is None else None
    hour = [f"{rate:.1f} an hour"] if rate is not None else []
    words += hour
    if len(overview.bands) > 1:
        words.append("best by era " + " ".join(f"{band.best:.3f}" for band in overview.bands[-6:]))
    while cells_of("  ".join(words)) > width and (none := [word for word in words if word.startswith("0 ")]):
        words.remove(none[-1])
    if cells_of("  ".join(words)) > width:
        words = [words[0], *hour, *(word for word in words[1:] if word not in hour)]
    return cut("  ".join(words), width)


def badge(overview: Overview, travel: Travel) -> str:
    """Say whether what is shown is live, stands still, or is a moment of the person's choice, and what waits."""
    behind, state = overview.arrived - overview.facts, overview.link.state
    facts = f"{behind} fact{'s' * (behind != 1)}"
    told = state.upper()
    if travel.mode == "frozen":
        told += f" FROZEN, {facts} wait{'s' * (behind == 1)}"
    elif travel.mode == "replay":
        told = f"REPLAY PLAYING {travel.speed}x, {behind} ahead" if travel.playing else f"REPLAY, {facts} ahead"
    if overview.end < overview.link.last:
        told += f", {100 * overview.end // overview.link.last} % read"
    return told


def notice(overview: Overview) -> str:
    """Say what stands between the person and the log; empty when nothing does."""
    if overview.problem is not None:
        return plain(f"Folding stopped after position {overview.subject.through}: {overview.problem}")
    if overview.link.state == "lost":
        return plain(f"The log is out of reach, and is looked for: {overview.link.sentence}")
    if overview.link.state == "broken":
        return plain(f"Reading stopped: {overview.link.sentence}")
    return ""


def _joined(parts: Sequence[str], width: int) -> str:
    return cut(" · ".join(map(plain, parts)), width)


def _lane(lane: Lane) -> tuple[str, ...]:
    if lane.experiment is None:
        return (lane.worker, "idle", "", "", "", "", "", "", "", "", lane.device, lane.idle)
    told = f"{lane.epoch}/{lane.epochs}" if lane.epoch is not None else "running" if lane.started else "assigned"
    loss = f"{lane.loss:.3f}" if lane.loss is not None else ""
    score = f"{lane.validation:.3f}" if lane.validation is not None else ""
    where = (str(lane.attempt), str(lane.agent), str(lane.pack), str(lane.lane), lane.device, "")
    drawn = bars(lane.losses, min(len(lane.losses), 16))
    return (lane.worker, lane.experiment, told, score, loss, drawn, *where)


def _author(row: AgentRow, speaker: Speaker | None, caps: Caps) -> tuple[str, ...]:
    cap = caps.agents.get(row.agent, caps.usd) if speaker is not None else None
    return (
        row.agent,
        speaker.health if speaker is not None else "",
        (speaker.model if speaker is not None else None) or row.policy or "",
        str(row.cycles),
        str(row.proposed),
        str(row.completed),
        _score(row.best_validation),
        str(row.improvements),
        str(row.failed),
        lasted(row.gpu_seconds),
        str(speaker.tokens) if speaker is not None and speaker.tokens else "",
        f"{row.usd:.2f}",
        f"{cap:.2f}" if cap is not None else "",
    )


def _leader(row: Row) -> tuple[str, ...]:
    lead = f"{row.lead:.4f}" if row.lead is not None else ""
    configuration = brief(row.configuration, WIDE)
    test = f"{row.test:.4f}" if row.test is not None else ""
    numbers = (f"{row.validation:.4f}", test, measured(row.noise), lead)
    return (str(row.rank), row.experiment, *numbers, _noise(row), row.standing or "", row.agent, configuration)


def _noise(row: Row) -> str:
    return "none below" if row.lead is None else NOISE[row.within_noise]


def _told(lines: Sequence[Line], width: int) -> list[str]:
    columns = (
        Column("at", 1, right=True),
        Column("fact"),
        Column("author", 3),
        Column("time", 2),
        Column("what", long=24),
    )
    rows = [(told.position, told.type, told.author, shown(told.at)[11:19], told.words) for told in reversed(lines)]
    return fit(columns, rows, width) if rows else []


def _none(overview: Overview) -> list[str]:
    """Say that nobody leads, and why where runs have completed."""
    left_out = overview.subject.left_out
    return ["nothing that counts has completed", left_out] if left_out else ["nothing has completed"]


def _score(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else TOO_FEW
