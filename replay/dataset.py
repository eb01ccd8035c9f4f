"""A campaign as open tables, one row a thing: what a paper's data set holds, with a sentence for every column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from events.envelope import Text
from events.log import LogReader
from events.space import Choice, Dimension
from replay import defects
from replay.champions import stood
from replay.conversations import status
from replay.cycles import Cycles
from replay.entries import Experiment
from replay.leaderboard import leaderboard
from replay.ledger import Ledger
from replay.measures import Measurement

Kind = Literal["text", "integer", "number", "boolean", "time", "texts"]
"""time: microseconds since 1970 UTC; texts: a list of them."""

Row = tuple[Any, ...]
Whole = Callable[[Text], str]
"""Returns the whole of a text whose middle may lie elsewhere."""

PREFIX = "configuration_"


class Column(NamedTuple):
    """One column: None in it is what is not known, or does not apply."""

    name: str
    kind: Kind
    meaning: str


class Table(NamedTuple):
    """One table; every row has a value for every column, in their order."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: list[Row]


class Dataset(NamedTuple):
    """Every table, the ledger that they were made from, the last frame that was read, and the digest there."""

    tables: tuple[Table, ...]
    ledger: Ledger
    through: int
    digest: str


def dataset(log: LogReader, whole: Whole) -> Dataset:
    """Fold a log once and return its tables."""
    measurement = Measurement()
    measurement.advance(log.read())
    ledger, cycles = measurement.ledger, measurement.results[1]
    tables = (
        _experiments(ledger),
        _attempts(ledger),
        _curves(ledger),
        _ideas(ledger),
        _cycles(ledger, cycles, whole),
        _defects(ledger),
        _eras(ledger),
    )
    return Dataset(tables, ledger, measurement.through, measurement.digest())


EXPERIMENTS = (
    Column("experiment", "text", "its id"),
    Column("number", "integer", "its place in the order in which experiments were queued, from 1"),
    Column("completion", "integer", "its place in the order of completions, from 1"),
    Column("idea", "text", "the idea that it tests, in ideas"),
    Column("agent", "text", "who proposed the idea"),
    Column("origin", "text", "agent, sweep or fixer"),
    Column("status", "text", "queued, assigned, running, completed, failed or abandoned"),
    Column("era", "integer", "the era of its last run, in eras"),
    Column("validation", "number", "average precision on the validation split; all selection read this alone"),
    Column("test", "number", "average precision on the test split; recorded, never selected on"),
    Column("noise", "number", "bootstrap standard deviation of validation"),
    Column(
        "known_now",
        "number",
        "what validation counts for today: empty where a defect touches it and no rerun clears it",
    ),
    Column(
        "standing",
        "text",
        "of leaders: champion; candidate while its interval over other seeds is unknown; repeated; else empty",
    ),
    Column("defects", "texts", "the defects that touch its result, in defects"),
    Column("best_epoch", "integer", "the training epoch that was chosen, best by validation, from 1"),
    Column("gpu_seconds", "number", "device time of all its attempts"),
    Column("peak_memory", "integer", "bytes"),
    Column("attempts", "integer", "how often it was leased, in attempts"),
    Column("priority", "number", "in the queue, higher first"),
    Column("queued_at", "time", "by the scheduler's clock"),
    Column("ended_at", "time", "end of its last attempt, by the clock of who said so"),
    Column("checkpoint", "text", "sha256 of the weights, where they were kept"),
    Column("abandoned", "text", "why it was given up"),
)


def _experiments(ledger: Ledger) -> Table:
    dimensions = ledger.space.dimensions if ledger.space is not None else ()
    columns = EXPERIMENTS + tuple(_dimension(d) for d in dimensions)
    told = {row.experiment: row.standing for row in stood(ledger, leaderboard(ledger))}
    rows = [_experiment(ledger, one, dimensions, told.get(one.experiment)) for one in ledger.experiments.values()]
    return Table("experiments", "Accepted ideas and what became of them.", columns, rows)


def _dimension(dimension: Dimension) -> Column:
    if not isinstance(dimension, Choice):
        scope = f"{dimension.low:g} to {dimension.high:g}, {dimension.scale} scale"
        return Column(PREFIX + dimension.name, "number", f"{scope}; empty where it has no meaning")
    kind: Kind = "integer" if all(isinstance(value, int) for value in dimension.values) else "text"
    return Column(PREFIX + dimension.name, kind, f"one of {', '.join(map(str, dimension.values))}")


def _experiment(ledger: Ledger, one: Experiment, dimensions: Iterable[Dimension], standing: str | None) -> Row:
    idea, outcome = ledger.ideas[one.idea], one.outcome
    scored = (outcome.validation, outcome.test, outcome.noise) if outcome is not None else (None, None, None)
    return (
        *(one.experiment, one.number, one.completion, one.idea, idea.agent, idea.origin, one.status),
        ledger.eras.of.get(one.experiment),
        *scored,
        defects.known_now(ledger, one.experiment),
        standing,
        list(ledger.defects.touched.get(one.experiment, ())),
        outcome.epoch if outcome is not None else None,
        one.gpu_seconds,
        outcome.peak_memory if outcome is not None else None,
        *(len(one.attempts), one.priority, one.queued_at),
        one.attempts[-1].ended_at if one.attempts else None,
        outcome.checkpoint if outcome is not None else None,
        one.abandoned,
        *(_value(d, idea.configuration) for d in dimensions),
    )


def _value(dimension: Dimension, configuration: Mapping[str, object]) -> object:
    value = configuration.get(dimension.name)
    if value is None or (isinstance(dimension, Choice) and all(isinstance(known, int) for known in dimension.values)):
        return value
    return str(value) if isinstance(dimension, Choice) else float(str(value))


def _attempts(ledger: Ledger) -> Table:
    columns = (
        Column("experiment", "text", "in experiments"),
        Column("attempt", "integer", "from 1"),
        Column("pack", "text", "the lease"),
        Column("lane", "integer", "of the pack, from 0"),
        Column("worker", "text", "who ran it"),
        Column("seed", "integer", "of everything drawn"),
        Column("instrument", "text", "digest of what gave its number a meaning"),
        Column("device", "text", "kind of device"),
        Column("failure", "text", "how it ended without a result"),
        Column("step", "integer", "optimiser step at which it failed"),
        Column("gpu_seconds", "number", "device time"),
        Column("assigned_at", "time", "by the scheduler's clock"),
        Column("started_at", "time", "by the worker's clock"),
        Column("ended_at", "time", "by the clock of who said so"),
    )
    rows: list[Row] = [
        (
            *(one.experiment, a.attempt, a.pack, a.lane, a.worker, a.seed, a.instrument, a.platform.get("device")),
            *(a.failure, a.step, a.gpu_seconds, a.assigned_at, a.started_at, a.ended_at),
        )
        for one in ledger.experiments.values()
        for a in one.attempts
    ]
    return Table("attempts", "Every lease of an experiment and how it ended.", columns, rows)


def _curves(ledger: Ledger) -> Table:
    columns = (
        Column("experiment", "text", "in experiments"),
        Column("epoch", "integer", "training epoch, from 1"),
        Column("loss", "number", "training loss, empty where it was not finite"),
        Column("validation", "number", "average precision on the validation split"),
        Column("learning_rate", "number", "empty where it was not recorded"),
    )
    rows = [row for one in ledger.experiments.values() for row in _epochs(one)]
    return Table("curves", "One row a training epoch of every completed run.", columns, rows)


def _epochs(one: Experiment) -> Iterator[Row]:
    if one.outcome is None:
        return
    curves = one.outcome.curves
    recorded = (curves.loss, curves.validation, curves.learning_rate)
    for epoch in range(max(map(len, recorded))):
        yield (one.experiment, epoch + 1, *(curve[epoch] if epoch < len(curve) else None for curve in recorded))


def _ideas(ledger: Ledger) -> Table:
    columns = (
        Column("idea", "text", "its id"),
        Column("agent", "text", "who proposed it"),
        Column("origin", "text", "agent, sweep or fixer"),
        Column("source", "text", "the cycle or repair that it came from"),
        Column("position", "text", "of the fact on the log: SEQUENCE.INDEX"),
        Column("at", "time", "by the proposer's clock"),
        Column("parents", "texts", "ideas that it was made from"),
        Column("priority", "number", "the proposer's wish, 0 to 1"),
        Column("rationale", "text", "in the proposer's words"),
        Column("experiment", "text", "what it became, empty where it was declined or not judged"),
        Column("declined", "text", "why it was not run: twin, invalid, banned or budget"),
        Column("twin", "text", "the idea or experiment that it repeats"),
        Column("configuration", "text", "JSON, as it was proposed"),
    )
    rows: list[Row] = [
        (
            *(i.idea, i.agent, i.origin, i.source, str(i.proposed), i.at, list(i.parents), i.priority, i.rationale),
            *(i.experiment, i.declined, i.twin, msgspec.json.encode(i.configuration).decode()),
        )
        for i in ledger.ideas.values()
    ]
    return Table("ideas", "Every configuration that somebody proposed, and the verdict on it.", columns, rows)


def _cycles(ledger: Ledger, cycles: Cycles, whole: Whole) -> Table:
    columns = (
        Column("cycle", "text", "its id"),
        Column("agent", "text", "who asked"),
        Column("policy", "text", "of the agent"),
        Column("model", "text", "who exactly answered"),
        Column("status", "text", "open, answered or refused"),
        Column("refused", "text", "why it ended without ideas"),
        Column("started_at", "time", "by the agent's clock"),
        Column("ended_at", "time", "by the agent's clock"),
        Column("prompt", "text", "as it was sent, empty for a policy that reads no text"),
        Column("answer", "text", "as it came"),
        Column("correction", "text", "what was sent back about the answer"),
        Column("corrected", "text", "the answer to that"),
        Column("problems", "texts", "what was still wrong then"),
        Column("ideas", "integer", "proposed"),
        Column("accepted", "integer", "of these"),
        Column("tokens_in", "integer", "of all its calls"),
        Column("tokens_out", "integer", "of all its calls"),
        Column("usd", "number", "US dollars spent; the whole reservation where nobody knows"),
        Column("seconds", "number", "until the answer"),
        Column("calls", "integer", "requests sent, failed ones included"),
    )
    rows: list[Row] = [
        (
            *(c.cycle, c.agent, cycles.agents[c.agent].policy, c.model, status(c), c.refused, c.at, c.ended_at),
            *(None if text is None else whole(text) for text in (c.prompt, c.answer, c.correction, c.corrected)),
            *(list(c.problems), len(c.ideas), c.accepted, c.tokens_in, c.tokens_out, c.spent, c.seconds, c.calls),
        )
        for c in cycles.cycles.values()
    ]
    return Table("cycles", "Every question to a policy: prompt, answer and cost.", columns, rows)


def _defects(ledger: Ledger) -> Table:
    columns = (
        Column("defect", "text", "its id"),
        Column("component", "text", "what was wrong"),
        Column("predicate", "text", "over runs: which results it touches"),
        Column("reason", "text", "in words"),
        Column("found_by", "text", "a person, the analyst or a canary"),
        Column("since", "integer", "first sequence whose runs may be touched, empty for the beginning"),
        Column("found", "text", "position of the fact"),
        Column("fixed", "text", "position of the fact that fixed it, empty while none does"),
        Column("instrument", "text", "the one without it"),
        Column("touched", "integer", "completed experiments whose result it touches"),
    )
    rows: list[Row] = [
        (
            *(d.defect, d.component, d.where, d.reason, d.by, d.since, str(d.found)),
            *(str(d.fixed) if d.fixed is not None else None, d.instrument),
            sum(d.defect in touching for touching in ledger.defects.touched.values()),
        )
        for d in ledger.defects.all.values()
    ]
    return Table("defects", "What made results mean other than they say.", columns, rows)


def _eras(ledger: Ledger) -> Table:
    columns = (
        Column("era", "integer", "its number"),
        Column("instrument", "text", "digest of what gave numbers their meaning"),
        Column("reason", "text", "why it was opened"),
        Column("opened", "text", "position on the log"),
        Column("at", "time", "by the clock of who opened it"),
        Column("declared", "boolean", "whether a fact opens it, or the runs imply it"),
        Column("experiments", "integer", "whose last run belongs to it"),
    )
    of = list(ledger.eras.of.values())
    rows: list[Row] = [
        (e.number, e.instrument, e.reason, str(e.opened), e.at, e.declared, of.count(e.number)) for e in ledger.eras.all
    ]
    return Table("eras", "Stretches of the log under one instrument.", columns, rows)
