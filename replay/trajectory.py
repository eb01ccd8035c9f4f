"""How the search moved: each value of each dimension, by whom it came in and why, how much it was used, and its best.

Continuous dimensions are told by their bins, which are also what deduplication compares (`events.space.Interval`).
The paper's Appendix A and Figure 3b tell the same of a few values. A value that a widening brought in stands after
those that the space began with, and says so.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from events.envelope import Position
from events.log import LogReader
from events.space import Configuration, Dimension, Interval
from replay.counts import Window, window_for
from replay.ledger import Idea, Ledger
from replay.measures import Measurement
from replay.metrics import included
from replay.milestones import Milestone, Milestones, MilestonesFold, milestones


class First(msgspec.Struct, frozen=True, kw_only=True):
    """Who proposed a value first, and why; `at` in microseconds since 1970 UTC by the author's clock."""

    position: Position
    at: int
    idea: str
    agent: str
    origin: str
    rationale: str


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best result with a value: its validation AP, and when it came in the order of completions, from 1."""

    experiment: str
    validation: float
    completion: int
    position: Position


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one dimension.

    Attributes:
        value: as configurations write it; a bin as `low..high`.
        widened: the search brought it in; the space did not begin with it.
        proposed: ideas; `completed`: results.
        shares: its share of a sliding window over the completions in which its dimension exists, as (n, share), n
            counting those completions.
        first, best: None where there is none.
    """

    value: str
    widened: bool
    proposed: int
    completed: int
    shares: tuple[tuple[int, float], ...]
    first: First | None
    best: Best | None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension: n completions in which it exists, and its values in the order of the space."""

    dimension: str
    part: str
    continuous: bool
    n: int
    window: str
    values: tuple[Usage, ...]


class Trajectory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `myriad replay NAME trajectory --json` prints; `line` has every turn, widenings and fixes too.

    Attributes:
        eras: as in `replay.metrics.Metric`; bests of two of them do not compare.
        null: what shares are held against.
    """

    campaign: str
    through: int
    n: int
    eras: tuple[str, ...]
    scale: str
    null: str
    tracks: tuple[Track, ...]
    line: tuple[Milestone, ...]


def trajectory(log: LogReader) -> Trajectory:
    """Fold a log and tell how it moved."""
    measurement = Measurement(MilestonesFold())
    measurement.advance(log.read())
    return moved(measurement, measurement.beside[0])


def moved(measurement: Measurement, turns: Milestones) -> Trajectory:
    """Tell how what was folded moved; `turns` as `MilestonesFold` leaves them."""
    ledger = measurement.ledger
    dimensions = ledger.space.dimensions if ledger.space is not None else ()
    return Trajectory(
        campaign=ledger.campaign,
        through=measurement.through,
        n=len(ledger.completed),
        eras=included(ledger),
        scale="validation",
        null="values that nobody prefers have equal shares; see ablations and importance for what they change",
        tracks=tuple(track(ledger, dimension) for dimension in dimensions),
        line=milestones(turns, measurement.results),
    )


def track(ledger: Ledger, dimension: Dimension) -> Track:
    """Tell one dimension of a space."""
    proposed: dict[str, list[Idea]] = {label: [] for label in labels(dimension)}
    for idea in ledger.ideas.values():
        if (found := label_of(dimension, idea.configuration)) is not None:
            proposed.setdefault(found, []).append(idea)
    sequence = [
        (found, name)
        for name in ledger.completed
        if (found := label_of(dimension, ledger.configuration(name))) is not None
    ]
    n = len(sequence)
    window = window_for(n)
    brought = {str(value) for name, value in ledger.widened if name == dimension.name}
    shares = _shares([found for found, _ in sequence], window)
    return Track(
        dimension=dimension.name,
        part=dimension.part,
        continuous=isinstance(dimension, Interval),
        n=n,
        window=f"{window.name}: {window.length(n)}, read every {window.step(n)}",
        values=tuple(
            Usage(
                value=label,
                widened=label in brought,
                proposed=len(ideas),
                completed=sum(found == label for found, _ in sequence),
                shares=tuple((at, counts[label] / sum(counts.values())) for at, counts in shares),
                first=_first(ideas),
                best=_best(ledger, [name for found, name in sequence if found == label]),
            )
            for label, ideas in proposed.items()
        ),
    )


def labels(dimension: Dimension) -> tuple[str, ...]:
    """Return the values of a dimension in order, those of a continuous one as its bins."""
    if isinstance(dimension, Interval):
        return tuple(_bin(dimension, index) for index in range(dimension.bins))
    return tuple(str(value) for value in dimension.values)


def label_of(dimension: Dimension, configuration: Configuration) -> str | None:
    """Return the value that a configuration has, None where the dimension does not exist in it.

    A value that the space does not have, as an invalid idea may propose, is told as it was written.
    """
    value = configuration.get(dimension.name)
    if value is None or not isinstance(dimension, Interval) or dimension.problem(value) is not None:
        return None if value is None else str(value)
    return _bin(dimension, dimension.bin(float(value)))


def readings(n: int, window: Window) -> list[int]:
    """Return the numbers of observations after which a series of n is read, the last one always."""
    step = window.step(n)
    return [at for at in range(1, n + 1) if at % step == 0 or at == n]


def _shares(sequence: list[str], window: Window) -> list[tuple[int, Counter[str]]]:
    n = len(sequence)
    length = window.length(n)
    return [(at, Counter(sequence[max(0, at - length) : at])) for at in readings(n, window)]


def _bin(dimension: Interval, index: int) -> str:
    low, high = (dimension.at(edge / dimension.bins) for edge in (index, index + 1))
    return f"{low:.3g}..{high:.3g}"


def _first(ideas: list[Idea]) -> First | None:
    if not ideas:
        return None
    idea = ideas[0]
    return First(
        position=idea.proposed,
        at=idea.at,
        idea=idea.idea,
        agent=idea.agent,
        origin=idea.origin,
        rationale=idea.rationale,
    )


def _best(ledger: Ledger, names: list[str]) -> Best | None:
    scored = [(e, e.outcome) for e in (ledger.experiments[name] for name in names) if e.outcome is not None]
    if not scored:
        return None
    # the earliest among equals: max keeps the first, and names come in the order of completion
    experiment, outcome = max(scored, key=lambda pair: pair[1].validation)
    return Best(
        experiment=experiment.experiment,
        validation=outcome.validation,
        completion=experiment.completion or 0,
        position=experiment.ended or Position(0),
    )
