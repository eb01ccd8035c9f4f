"""Taint: what defects touched, and what came of it through parents, sweeps, patches and briefings.

A *touched* result means other than it says; it is off the leaderboard. What *followed* has a sound number of its own,
but was tried because of a touched one: its reason is tainted, its result is not. Following goes on from child to child;
from a briefing it goes one step, since after that nearly everything would follow from nearly everything.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Literal

import msgspec

from events.log import LogReader
from replay.briefed import Horizons, HorizonsFold, shown
from replay.cycles import Cycles
from replay.defects import Defect, known_now
from replay.folds import run
from replay.leaderboard import beats, leaderboard
from replay.ledger import Ledger
from replay.measures import MEASURES
from replay.repairs import Repairs

Via = Literal["parent", "sweep", "patch", "briefing"]

BEST = 20
"""A touched result matters where it would stand among so many of the best sound ones: the leaderboard of a briefing."""


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """One touched result.

    Attributes:
        believed: validation AP as it was recorded.
        known: what it counts for today: a sound rerun's validation AP, None where there is none.
        followed: ideas that came of it through parents, sweeps and patches, however far.
        gpu_seconds: device time that its run took.
        matters: it would stand among the `BEST`, and nothing sound is known of it.
    """

    experiment: str
    agent: str
    defects: tuple[str, ...]
    believed: float
    noise: float | None
    known: float | None
    followed: int
    gpu_seconds: float
    matters: bool


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """One idea that came of a touched result.

    Attributes:
        root: the touched experiment that it leads back to.
        source: the idea that it came of directly (by a patch: whose broken run was mended), or the briefed cycle.
        depth: steps from the root.
        touched: whether its own result is touched too.
        validation: AP of its own result, None without one.
    """

    idea: str
    experiment: str | None
    via: Via
    root: str
    source: str
    depth: int
    touched: bool
    validation: float | None


class Taint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME taint --json` prints.

    Attributes:
        completed: results in all.
        results: touched ones, best first by what was believed.
        followed: ideas by how they came of touched results; `tree` has them all, each behind what it came of.
        briefed: cycles whose briefing showed a touched result.
    """

    campaign: str
    completed: int
    defects: list[Defect]
    results: list[Touched]
    followed: dict[Via, int]
    briefed: int
    tree: list[Followed]


def taint(log: LogReader) -> Taint:
    """Fold a log and say what its defects touched and what came of that."""
    search, cycles, repairs, horizons = run(log, *MEASURES, HorizonsFold())
    return tainted(search.ledger, cycles, repairs, horizons)


def tainted(ledger: Ledger, cycles: Cycles, repairs: Repairs, horizons: Horizons) -> Taint:
    """Say what defects touched and what came of it."""
    touched = sorted(ledger.defects.touched, key=lambda name: beats(ledger.experiments[name]))
    trace = _Trace(ledger, repairs)
    for name in touched:
        trace.descend(name)
    briefings = list(shown(ledger, cycles, horizons))
    for cycle, best in briefings:
        for idea in cycle.ideas:
            trace.add(idea, "briefing", best, cycle.cycle, 1)
    tree = list(trace.found.values())
    sizes = Counter(one.root for one in tree if one.via != "briefing")
    least = _least(ledger)
    return Taint(
        campaign=ledger.campaign,
        completed=len(ledger.completed),
        defects=list(ledger.defects.all.values()),
        results=[_result(ledger, name, sizes[name], least) for name in touched],
        followed={via: sum(one.via == via for one in tree) for via in ("parent", "sweep", "patch", "briefing")},
        briefed=len(briefings),
        tree=tree,
    )


class _Trace:
    """Follows ideas to their children, each idea once, by the shortest way from the best touched result."""

    def __init__(self, ledger: Ledger, repairs: Repairs) -> None:
        self._ledger = ledger
        self._children: dict[str, list[str]] = {}
        for idea in ledger.ideas.values():
            for parent in idea.parents:
                self._children.setdefault(parent, []).append(idea.idea)
        self._patched: dict[str, list[str]] = _patched(ledger, repairs)
        self.found: dict[str, Followed] = {}

    def descend(self, experiment: str) -> None:
        """Follow a touched experiment to everything that came of it."""
        waiting = deque([(self._ledger.experiments[experiment].idea, 1)])
        while waiting:
            source, depth = waiting.popleft()
            for child in self._children.get(source, ()):
                via: Via = "sweep" if self._ledger.ideas[child].origin == "sweep" else "parent"
                if self.add(child, via, experiment, source, depth):
                    waiting.append((child, depth + 1))
            patched = self._patched.get(source, ())
            waiting += [(idea, depth + 1) for idea in patched if self.add(idea, "patch", experiment, source, depth)]

    def add(self, name: str, via: Via, root: str, source: str, depth: int) -> bool:
        """Note an idea, unless it is known, or is the root itself."""
        idea = self._ledger.ideas[name]
        if name in self.found or idea.experiment == root:
            return False
        outcome = self._ledger.experiments[idea.experiment].outcome if idea.experiment is not None else None
        self.found[name] = Followed(
            idea=name,
            experiment=idea.experiment,
            via=via,
            root=root,
            source=source,
            depth=depth,
            touched=idea.experiment in self._ledger.defects.touched,
            validation=outcome.validation if outcome is not None else None,
        )
        return True


def _patched(ledger: Ledger, repairs: Repairs) -> dict[str, list[str]]:
    """Return, by the idea whose broken run a patch was made for, the ideas that ran under that patch."""
    made: dict[str, list[str]] = {}
    ran: dict[str, list[str]] = {}
    for experiment in ledger.experiments.values():
        if experiment.attempts and (instrument := experiment.attempts[-1].instrument) is not None:
            ran.setdefault(instrument, []).append(experiment.idea)
    for patch in repairs.patches.values():
        if patch.instrument is not None:
            idea = ledger.experiments[repairs.repairs[patch.repair].experiment].idea
            made.setdefault(idea, []).extend(ran.get(patch.instrument, []))
    return made


def _least(ledger: Ledger) -> float:
    """Return the validation AP from which a result would stand among the best sound ones."""
    rows = leaderboard(ledger, top=BEST)
    return rows[-1].validation if len(rows) == BEST else 0.0


def _result(ledger: Ledger, name: str, followed: int, least: float) -> Touched:
    experiment = ledger.experiments[name]
    outcome, known = experiment.outcome, known_now(ledger, name)
    assert outcome is not None  # noqa: S101 # only completed experiments are touched
    return Touched(
        experiment=name,
        agent=ledger.author(name),
        defects=ledger.defects.touched[name],
        believed=outcome.validation,
        noise=outcome.noise,
        known=known,
        followed=followed,
        gpu_seconds=experiment.attempts[-1].gpu_seconds,
        matters=known is None and outcome.validation >= least,
    )


def worth_rerunning(found: Taint, *, gpu_seconds: float | None = None, most: int | None = None) -> list[Touched]:
    """Return the touched results that matter, best first, as many as fit into so much device time and number."""
    kept: list[Touched] = []
    spent = 0.0
    for result in (one for one in found.results if one.matters):
        if (most is not None and len(kept) == most) or (
            gpu_seconds is not None and spent + result.gpu_seconds > gpu_seconds
        ):
            break
        kept.append(result)
        spent += result.gpu_seconds
    return kept
