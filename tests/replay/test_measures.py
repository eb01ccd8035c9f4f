import math
from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.counts import PAPER
from replay.divergence import divergence
from replay.diversity import cells, entropy, projections
from replay.measures import Measurement
from replay.metrics import validations
from replay.progress import innovations
from tests.chronicle import Chronicle
from tests.replay import tales


def by_definition(ledger):
    """The values that have a reference form, from the whole ledger at once."""
    n = len(ledger.completed)
    recent = innovations(validations(ledger))[-PAPER.length(n) :]
    compared = cells(ledger, ("backbone", "encoder", "loss", "pooling"))
    authors = [ledger.author(name) for name in ledger.completed]
    agents = [Counter(c for a, c in zip(authors, compared, strict=True) if a == agent) for agent in tales.AGENTS]
    values = {
        "completed": n,
        "declined": sum(idea.declined is not None for idea in ledger.ideas.values()),
        "best_validation": max(validations(ledger)),
        "innovation_rate": sum(recent) / len(recent),
        "cells_covered": len({ledger.space.cell(ledger.configuration(name)) for name in ledger.completed}),
        "gpu_seconds": math.fsum(a.gpu_seconds for e in ledger.experiments.values() for a in e.attempts),
        "failed": sum(a.broken for e in ledger.experiments.values() for a in e.attempts),
        "divergence": divergence(agents),
    }
    for part, dimensions in projections(ledger.space).items():
        values[f"entropy_{part}"] = entropy(cells(ledger, dimensions)[-PAPER.length(n) :])
    return values


def test_the_live_values_are_those_of_the_definitions():
    measurement = tales.measured(tales.busy(60))
    values = measurement.values()
    for name, expected in by_definition(measurement.ledger).items():
        assert values[name] == expected or math.isclose(values[name], expected, abs_tol=1e-12), name


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 200), max_size=6))
def test_a_log_in_any_batches_folds_to_the_same(cuts):
    frames = list(tales.busy(20).log.read())
    whole, parts = Measurement(), Measurement()
    whole.advance(frames)
    for cut in sorted(cuts):
        parts.advance(frames[:cut])
    parts.advance(frames)
    assert parts.values() == whole.values()
    assert parts.digest() == whole.digest()
    assert parts.results == whole.results


def test_what_is_known_passes_by():
    c = tales.busy(5)
    measurement = tales.measured(c)
    before = measurement.digest()
    measurement.advance(c.log.read())
    assert (measurement.digest(), measurement.through) == (before, c.log.last())


def test_asking_for_a_digest_changes_no_value():
    measurement = tales.measured(tales.busy(12))
    before = measurement.values()
    assert measurement.digest() == measurement.digest()
    assert measurement.values() == before


def test_void_completions_are_not_measured():
    c = tales.one(0.7)
    before = tales.measured(c).values()
    c.completes("e-1", validation=0.99)
    after = tales.measured(c).values()
    assert after == before | {"void": 1}


def test_the_state_survives_as_bytes():
    search = tales.measured(tales.busy(15)).results[0]
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(search), type=type(search))
    assert kept.exact() == search.exact()
    assert kept.ledger == search.ledger


def test_costs_and_failures_are_told_apart_by_kind():
    c = Chronicle()
    c.opened()
    one, other = (c.queues(idea) for idea in c.cycle("tpe", {"batch": 16}, {"batch": 32}, usd=0.25))
    c.assigns(one)
    c.starts(one)
    c.fails(one, "timeout", gpu_seconds=600.0)
    c.runs(other, gpu_seconds=20.0)
    values = tales.measured(c).values()
    assert values["failed.timeout"] == 1
    assert values["gpu_seconds"] == 620.0
    assert values["usd"] == 0.25
    assert values["completed.tpe"] == 1
