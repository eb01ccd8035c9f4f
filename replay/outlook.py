"""What the statistics say of a campaign, a sentence each, for its report; their numbers are metrics of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

from replay.ledger import Ledger
from replay.metrics import TOO_FEW
from replay.progress import running_best
from replay.runs import Run, architecture, by_dimensions, runs, scores
from replay.statistics.association import enrichment, top_of
from replay.statistics.bands import band
from replay.statistics.contributions import subsets
from replay.statistics.convergence import CEILING
from replay.statistics.dynamics import found_phases
from replay.statistics.fits import fits
from replay.statistics.genealogy import descents
from replay.statistics.importance import importance
from replay.statistics.innovation import decay, records
from replay.statistics.piecewise import gains
from replay.statistics.pools import expected_best, marks
from replay.statistics.ranks import agreement
from replay.statistics.tails import told


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: `metric` names the measure that has its numbers, `n` the runs that it rests on."""

    metric: str
    said: str
    n: int


def outlook(ledger: Ledger) -> list[Sentence]:
    """Say what the statistics say; those that need a thousand shuffles are left to their metrics."""
    done = runs(ledger)
    return [Sentence(metric=name, said=say(ledger, done) or TOO_FEW, n=len(done)) for name, say in SENTENCES.items()]


def _importance(ledger: Ledger, done: list[Run]) -> str | None:
    found = importance(ledger.space, done) if ledger.space is not None else None
    if found is None:
        return None
    noise = f"seeds {found.noise:.0%}, " if found.noise is not None else "seeds unknown (no repeats), "
    return (
        f"over the whole space {_shares(found.parts.items())}, {noise}unexplained {found.unexplained:.0%}; as the "
        f"policy sampled {_shares(found.sampled.items())}; R2 {found.r2:.2f}, {found.r2_left_out:.2f} left out"
    )


def _shares(parts: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{part} {share:.0%}" for part, share in parts)


def _anova(ledger: Ledger, done: list[Run]) -> str | None:
    found = next((each for each in subsets(ledger) if each.subset.startswith("all")), None)
    if found is None:
        return None
    return (
        f"eta2 {found.eta2:.3f} [{found.eta2_low:.3f}, {found.eta2_high:.3f}] of the recorded runs, {found.groups} "
        f"groups, F({found.between}, {found.within}) = {found.f:.1f}, {told(found.log10_p)}; 1 - eta2 = "
        f"{found.rest:.3f} is knobs, interactions and noise together"
    )


def _fits(ledger: Ledger, done: list[Run]) -> str | None:
    best = running_best([run.validation for run in done])
    found = fits(best, ceiling=CEILING)
    power = next((each for each in found if each.model == "power"), None)
    reach = band("power", range(1, len(best) + 1), best, ceiling=CEILING)
    if power is None or power.c is None or reach is None or reach.c is None:
        return None
    return (
        f"best by AIC: {found[0].model}; power law c {power.c:.2f} [{reach.c[0]:.2f}, "
        f"{reach.c[1]:.2f}], R2 {power.r2:.2f}; on running bests this interval misses the true c more often than not"
    )


def _pools(ledger: Ledger, done: list[Run]) -> str | None:
    y = [run.validation for run in done]
    at = marks(len(y))
    best = running_best(y)
    told_at = zip(at, expected_best(y, at), strict=True) if at else ()
    return "; ".join(f"AP@{n} {best[n - 1]:.4f}, shuffled {expected:.4f}" for n, expected in told_at) or None


def _innovation(ledger: Ledger, done: list[Run]) -> str | None:
    y = [float(score) for score in scores(done)]
    law, null = decay(y), records(y)
    if null is None:
        return None
    said = (
        f"{null.happened} improvements, {null.expected:.1f} +- {null.deviation:.1f} if exchangeable, "
        f"at most so few with p = {null.p_few:.3f}, at least so many with p = {null.p_many:.3f}"
    )
    return said if law is None else f"{said}; alpha {law.alpha:.2f} [{law.alpha_low:.2f}, {law.alpha_high:.2f}]"


def _phases(ledger: Ledger, done: list[Run]) -> str | None:
    found, _ = found_phases(ledger)
    return "; ".join(f"{p.kind} {p.start}-{p.end} {p.change:+.2f} bits" for p in found) or None


def _validation_test(ledger: Ledger, done: list[Run]) -> str | None:
    groups = architecture(ledger.space)
    found = agreement(done, by_dimensions(done, groups[:1]) if groups else {})
    if found is None:
        return None
    inside = f", {found.within:.2f} inside {groups[0]}s" if found.within is not None and groups else ""
    turned = f", turned around in {', '.join(found.reversed)}" if found.reversed else ""
    return f"rank correlation {found.whole.rho:.2f} [{found.whole.low:.2f}, {found.whole.high:.2f}]{inside}{turned}"


def _sweeps(ledger: Ledger, done: list[Run]) -> str | None:
    found = enrichment(done, "sweep", top_of(len(done)))
    if found is None:
        return None
    return (
        f"{found.share:.0%} of runs, {found.share_top:.0%} of the best {found.top}: ratio {found.ratio:.2f} "
        f"[{found.low:.2f}, {found.high:.2f}]"
    )


def _era_gains(ledger: Ledger, done: list[Run]) -> str | None:
    rows = gains(done)
    if len(rows) < 2:
        return None
    at_borders = math.fsum(row.border for row in rows if row.border is not None)
    unmoved = math.fsum(row.border_null for row in rows if row.border_null is not None)
    return (
        f"{len(rows)} eras: {at_borders:+.4f} at borders ({unmoved:+.4f} if they changed nothing), "
        f"{math.fsum(row.within for row in rows):+.4f} within; scores of two eras do not compare"
    )


def _genealogy(ledger: Ledger, done: list[Run]) -> str | None:
    rows = descents(ledger)
    if not rows:
        return None
    whole = rows[0]
    return (
        f"{whole.improved} of {whole.pairs} children beat their parents: {whole.rate:.3f} [{whole.low:.3f}, "
        f"{whole.high:.3f}], any run {whole.by_chance:.3f}; {whole.beyond_noise} beyond noise"
    )


SENTENCES: dict[str, Callable[[Ledger, list[Run]], str | None]] = {
    "importance": _importance,
    "anova": _anova,
    "fits": _fits,
    "pools": _pools,
    "innovation_law": _innovation,
    "phases": _phases,
    "validation_test": _validation_test,
    "sweeps": _sweeps,
    "genealogy": _genealogy,
    "era_gains": _era_gains,
}
