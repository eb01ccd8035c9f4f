"""What went wrong and what waits: failures and repairs, and the scheduler's queue of verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from replay.ledger import Ledger
from replay.measures import Results
from replay.statistics.costs import mended


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that ended without a result.

    Attributes:
        by_kind: failed attempts by kind; "lost" and "retired" are leases taken back from workers that left.
        again: experiments that were run more than once.
        abandoned: experiments that were given up.
        recovered: experiments with a failed attempt that completed after all.
        remedies: repairs by remedy and where they stand, as `retry settled`.
        repairs: tried, and their next run has ended; at_once: of those, that it completed (see `costs.Mended`).
        patched: places in what trains that broke and for which a patch was tried, and
        patched_at_once: for how many of those the first patch held.
    """

    by_kind: dict[str, int]
    again: int
    abandoned: int
    recovered: int
    remedies: dict[str, int]
    repairs: int = 0
    at_once: int = 0
    patched: int = 0
    patched_at_once: int = 0


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, and why ideas were turned away.

    Attributes:
        unjudged: ideas without a verdict.
        by_status: experiments by status.
        declined: ideas by the reason of their refusal.
    """

    unjudged: int
    by_status: dict[str, int]
    declined: dict[str, int]


def failures(results: Results) -> Failures:
    """Count what went wrong."""
    search, _, repairs = results
    experiments = search.ledger.experiments.values()
    ended = (attempt.failure for experiment in experiments for attempt in experiment.attempts)
    failed = [e for e in experiments if any(attempt.broken for attempt in e.attempts)]
    return Failures(
        by_kind=_tally(kind for kind in ended if kind is not None),
        again=sum(len(experiment.attempts) > 1 for experiment in experiments),
        abandoned=sum(experiment.abandoned is not None for experiment in experiments),
        recovered=sum(experiment.outcome is not None for experiment in failed),
        remedies=_tally(f"{repair.remedy} {repair.status}" for repair in repairs.repairs.values()),
        **mendings(results),
    )


def mendings(results: Results) -> dict[str, int]:
    """Count repairs and patches, and how many of each were right at once, under the names that `Failures` has."""
    tried = mended(results)[:1]
    first = {patch.site: patch for patch in reversed(results[2].patches.values())}
    return {
        "repairs": sum(row.tried - row.open for row in tried),
        "at_once": sum(row.right for row in tried),
        "patched": len(first),
        "patched_at_once": sum(patch.instrument is not None for patch in first.values()),
    }


def at_once(results: Results) -> int:
    """Count the repairs whose very next run completed; see `replay.statistics.costs.Mended`."""
    return next((row.right for row in mended(results)), 0)


def queue(ledger: Ledger) -> Queue:
    """Count what waits."""
    return Queue(
        unjudged=sum(len(ideas) for ideas in ledger.unjudged.values()),
        by_status=_tally(experiment.status for experiment in ledger.experiments.values()),
        declined=_tally(idea.declined for idea in ledger.ideas.values() if idea.declined is not None),
    )


def _tally(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
