"""Laws of trust: nothing runs unverified, eras follow one another, and declarations name what there is."""

from __future__ import annotations

from events.facts import (
    BanLifted,
    Banned,
    Boosted,
    Cancelled,
    DefectFixed,
    DefectFound,
    EraOpened,
    RepeatsBegun,
    RepeatsForgone,
    RunCompared,
    SeedsRepeated,
    Started,
)
from replay.laws.rulings import Cases, Law, tested
from replay.laws.story import Entry, Story


def nothing_runs_unverified(story: Story, entry: Entry) -> Cases:
    """Every canary of an instrument held before its first run, on the platform of that run where the verdict names one;
    a log that verified nothing says nothing of it.
    """
    instrument = entry.fact.instrument
    if story.vouched.verdicts:
        told = story.vouched.holds(instrument, entry.fact.platform)
        verdict = {True: "verified", False: "refused", None: "never verified there"}[told]
        yield tested(f"{instrument[:12]} is {verdict}, and runs", holds=verdict == "verified")


def eras_tile_the_log(story: Story, entry: Entry) -> Cases:
    """Eras are numbered one after the other, and each is opened for another instrument, whose canaries held."""
    fact: EraOpened = entry.fact
    eras, verdicts = story.vouched.eras, story.vouched.verdicts
    last = max(eras, default=0)
    yield tested(f"era {fact.era} follows era {last}", holds=fact.era == last + 1)
    yield tested(f"{fact.instrument[:12]} was not verified", holds=True in verdicts.get(fact.instrument, {}).values())
    yield tested(f"era {last} is under {fact.instrument[:12]} already", holds=eras.get(last) != fact.instrument)


def what_is_declared_names_what_there_is(story: Story, entry: Entry) -> Cases:
    """Bans and defects are named once and ended once; experiments that are named exist."""
    fact, vouched = entry.fact, story.vouched
    match fact:
        case Banned():
            yield tested(f"ban {fact.ban} was named before", holds=fact.ban not in vouched.bans)
        case BanLifted():
            yield tested(f"ban {fact.ban} is not in force", holds=vouched.bans.get(fact.ban) is False)
        case DefectFound():
            yield tested(f"defect {fact.defect} was found before", holds=fact.defect not in vouched.defects)
        case DefectFixed():
            yield tested(f"defect {fact.defect} is not open", holds=vouched.defects.get(fact.defect) is False)
        case RunCompared() | SeedsRepeated() | RepeatsBegun() | RepeatsForgone():
            run = story.runs.get(fact.experiment)
            held = run is not None and run.state == "completed"
            yield tested(f"{fact.experiment} has no result to compare with", holds=held)
        case _:
            yield tested(f"{fact.experiment} was never queued", holds=fact.experiment in story.runs)


TRUST_LAWS = (
    Law(nothing_runs_unverified, (Started,)),
    Law(eras_tile_the_log, (EraOpened,)),
    Law(
        what_is_declared_names_what_there_is,
        (
            *(Banned, BanLifted, DefectFound, DefectFixed, Boosted, Cancelled),
            *(RunCompared, SeedsRepeated, RepeatsBegun, RepeatsForgone),
        ),
    ),
)
