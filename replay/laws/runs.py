"""Laws of runs: leases, results, the instrument that measured them, and the budgets that paid for them."""

from __future__ import annotations

from events.facts import (
    Assigned,
    Completed,
    CycleStarted,
    Failed,
    FeaturesExtracted,
    LeaseRevoked,
    RepeatsBegun,
    Started,
)
from replay.laws.rulings import KEPT, Cases, Law, broken, tested, untold
from replay.laws.story import Entry, Story

SLACK = 1e-6
"""Seconds, or US dollars, by which a sum may pass its limit: the rounding of the sum, nothing else."""


def nothing_completes_twice(story: Story, entry: Entry) -> Cases:
    """An experiment has one result."""
    run = story.runs.get(entry.fact.experiment)
    yield tested(f"{entry.fact.experiment} was completed before", holds=run is None or run.state != "completed")


def nothing_is_spoken_under_no_lease(story: Story, entry: Entry) -> Cases:
    """A worker speaks about the attempt that it was leased, while the lease holds; the ledger voids anything else."""
    fact = entry.fact
    sentence = f"{entry.author} says {type(fact).__name__} of {fact.experiment} without a lease that holds"
    yield tested(sentence, holds=story.holds(entry))


def completions_follow_a_start_by_the_same_worker(story: Story, entry: Entry) -> Cases:
    """Every result was assigned to, started by and told by one worker."""
    run = story.runs.get(entry.fact.experiment)
    if run is None or run.lease is None:
        yield broken(f"{entry.fact.experiment} was completed and never assigned")
    elif run.state == "assigned":
        yield broken(f"{entry.fact.experiment} was completed and never started")
    else:
        told = (run.lease.worker, run.author or entry.author, entry.author)
        sentence = f"assigned to {told[0]}, started by {told[1]}, completed by {told[2]}"
        yield tested(sentence, holds=len(set(told)) == 1)


def a_revoked_lease_is_silent(story: Story, entry: Entry) -> Cases:
    """After a lease was taken back its worker says nothing under it any more."""
    if isinstance(entry.fact, LeaseRevoked):
        yield KEPT
        return
    lease = story.leases.get(entry.about)
    if lease is not None and lease.revoked:
        yield broken(f"{entry.author} speaks about {entry.about}, which was taken back")


def leases_are_taken_only_from_who_left(story: Story, entry: Entry) -> Cases:
    """That a worker was lost or retired, or its runs cancelled, is on the log before its lease is taken back."""
    fact: LeaseRevoked = entry.fact
    device, lease = story.devices.get(fact.worker), story.leases.get(fact.pack)
    holder = lease.worker if lease is not None else None
    yield tested(f"{fact.pack} is {holder}'s, and is taken from {fact.worker}", holds=holder == fact.worker)
    if fact.reason == "cancelled":
        live = [name for name in (lease.experiments if lease is not None else ()) if name in story.live]
        told = [name for name in live if name in story.cancelled]
        yield tested(
            f"of {fact.pack} {len(told)} of {len(live)} runs were cancelled", holds=bool(live) and told == live
        )
        return
    status = device.status if device is not None else "unknown"
    yield tested(f"{fact.worker} is {status}, not {fact.reason}", holds=status == fact.reason)


def nothing_is_leased_twice_at_once(story: Story, entry: Entry) -> Cases:
    """An experiment that waits is leased, to a worker that is there, as its next attempt; nothing else is."""
    fact: Assigned = entry.fact
    run, device = story.runs.get(fact.experiment), story.devices.get(fact.worker)
    state = run.state if run is not None else "unknown"
    yield tested(f"{fact.experiment} is {state}, and is leased", holds=state == "waiting")
    there = device is not None and device.status == "joined" and fact.lane < device.lanes
    yield tested(f"{fact.worker} has no lane {fact.lane} to give", holds=there)
    before = run.lease.attempt if run is not None and run.lease is not None else 0
    yield tested(f"attempt {fact.attempt} follows attempt {before}", holds=fact.attempt == before + 1)


def runs_keep_the_draw_of_their_lease(story: Story, entry: Entry) -> Cases:
    """A run starts in the lane and with the seed that it was assigned; one experiment has one seed."""
    fact = entry.fact
    run = story.runs.get(fact.experiment)
    if run is None or run.lease is None:
        return
    if isinstance(fact, Assigned):
        sentence = f"{fact.experiment} had the seed {run.lease.seed}, and is assigned {fact.seed}"
        yield tested(sentence, holds=fact.seed == run.lease.seed)
    elif story.holds(entry):
        leased, here = (run.lease.lane, run.lease.seed), (fact.lane, fact.seed)
        yield tested(f"lane and seed {leased} were assigned, {here} started", holds=leased == here)


def one_split_and_one_instrument(story: Story, entry: Entry) -> Cases:
    """All scores are of the same clips and features, and of one code or of eras'; of what no era was opened for, nobody
    can say what it compares with.
    """
    fact = entry.fact
    if isinstance(fact, FeaturesExtracted):
        known = story.features.get(fact.backbone, fact)
        yield tested(f"the features of {fact.backbone} were {known.digest[:12]} before", holds=_alike(fact, known))
        others = {one.clips for one in story.features.values()}
        yield tested(f"{fact.clips} clips, and {sorted(others)} before", holds=others <= {fact.clips})
        return
    device = story.devices.get(entry.author)
    joined = device.instrument if device is not None else None
    yield tested(
        f"{entry.author} joined under {joined}, and starts under {fact.instrument}", holds=joined == fact.instrument
    )
    if story.instrument not in (None, fact.instrument) and fact.instrument not in story.vouched.eras.values():
        yield untold(
            f"measured by {fact.instrument[:12]}, others by {str(story.instrument)[:12]}: no fact opens an era"
        )


def results_are_possible(story: Story, entry: Entry) -> Cases:
    """Average precisions lie in [0, 1], and validation is what the curve says at the chosen epoch."""
    fact: Completed = entry.fact
    curve = fact.curves.validation
    inside = all(0 <= each <= 1 for each in (fact.validation, fact.test) if each is not None)
    inside = inside and (fact.noise or 0.0) >= 0 and fact.gpu_seconds >= 0
    yield tested("a score is outside [0, 1], or a spread or a time is negative", holds=inside)
    chosen = 1 <= fact.epoch <= len(curve) and curve[fact.epoch - 1] == fact.validation
    yield tested(f"validation {fact.validation} is not its curve's at epoch {fact.epoch}", holds=chosen)


def budgets_are_kept(story: Story, entry: Entry) -> Cases:
    """Nothing begins, or ends, beyond the experiments, GPU-hours and attempts of the campaign's file."""
    limits = story.file.get("budget", {}) if isinstance(story.file, dict) else {}
    most, hours, attempts = (limits.get(name) for name in ("experiments", "gpu_hours", "attempts"))
    begins = isinstance(entry.fact, Assigned)
    if isinstance(entry.fact, RepeatsBegun):
        yield from _repeats_are_paid(story, entry.fact, hours)
        return
    if most is not None:
        # the log may hold a completion that the ledger voids; it costs a lease, which another law tells
        used = story.completed + (len(story.live) + 1 if begins else 1)
        yield tested(f"{used} experiments of {most}", holds=used <= most)
    if hours is not None:
        mine = entry.fact.execution.timeout if begins else entry.fact.gpu_seconds
        rest = sum(seconds for name, seconds in story.live.items() if name != entry.fact.experiment)
        spent = story.spent.value() + rest + mine + story.vouched.repeated.value() + story.vouched.repeating
        yield tested(f"{spent:.1f} GPU-seconds of {hours * 3600:.1f}", holds=spent <= hours * 3600 + SLACK)
    run = story.runs.get(entry.fact.experiment)
    if attempts is not None and begins and run is not None:
        sentence = f"{entry.fact.experiment} is tried again after {run.spoiled} spoiled attempts of {attempts}"
        yield tested(sentence, holds=run.spoiled < attempts)


def _repeats_are_paid(story: Story, fact: RepeatsBegun, hours: float | None) -> Cases:
    # what was begun before and has no end counts as it was reserved, as what is begun now does
    vouched, mine = story.vouched, fact.timeout * len(fact.seeds)
    spent = story.spent.value() + vouched.repeated.value() + vouched.repeating + mine
    if hours is not None:
        yield tested(f"{spent:.1f} GPU-seconds of {hours * 3600:.1f}", holds=spent <= hours * 3600 + SLACK)


def money_is_kept(story: Story, entry: Entry) -> Cases:
    """No call of a model is begun whose worst case, beside all that is spent or reserved, the file does not allow."""
    limits = story.file.get("budget", {}) if isinstance(story.file, dict) else {}
    if (most := limits.get("usd")) is not None:
        used = story.usd.value() + sum(story.reserved.values()) + entry.fact.reserve_usd
        yield tested(f"{used:.4f} USD of {most:.4f} are spent or reserved", holds=used <= most + SLACK)


def the_campaign_file_can_be_read(story: Story) -> Cases:
    """The limits are told by the file that the log keeps."""
    yield untold(story.file) if isinstance(story.file, str) else KEPT


def _alike(one: FeaturesExtracted, other: FeaturesExtracted) -> bool:
    return (one.digest, one.clips, one.width) == (other.digest, other.clips, other.width)


RUN_LAWS = (
    Law(nothing_completes_twice, (Completed,)),
    Law(nothing_is_spoken_under_no_lease, (Started, Completed, Failed)),
    Law(completions_follow_a_start_by_the_same_worker, (Completed,)),
    Law(a_revoked_lease_is_silent, (LeaseRevoked, Started, Completed, Failed)),
    Law(leases_are_taken_only_from_who_left, (LeaseRevoked,)),
    Law(nothing_is_leased_twice_at_once, (Assigned,)),
    Law(runs_keep_the_draw_of_their_lease, (Assigned, Started)),
    Law(one_split_and_one_instrument, (FeaturesExtracted, Started), everywhere=True),
    Law(results_are_possible, (Completed,)),
    Law(budgets_are_kept, (Assigned, Completed, RepeatsBegun)),
    Law(money_is_kept, (CycleStarted,)),
)
