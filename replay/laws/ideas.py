"""Laws of ideas and names: given once, known before they are spoken of, judged and answered once, all accounted for."""

from __future__ import annotations

from collections.abc import Container

from events.facts import (
    Abandoned,
    AnswerReceived,
    AnswerRefused,
    Assigned,
    Completed,
    CycleStarted,
    DiagnosisMade,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    Requeued,
    Started,
    WorkerLost,
    WorkerRetired,
)
from replay.laws.rulings import KEPT, Case, Cases, Law, broken, tested, untold
from replay.laws.story import Entry, Story


def names_are_given_once(story: Story, entry: Entry) -> Cases:
    """An idea, an experiment, a cycle, a repair and a pack each have a name of their own."""
    fact = entry.fact
    match fact:
        case IdeaProposed():
            yield tested(f"idea {fact.idea} was proposed before", holds=fact.idea not in story.ideas)
        case Queued():
            yield tested(f"experiment {fact.experiment} was queued before", holds=fact.experiment not in story.runs)
        case CycleStarted():
            yield tested(f"cycle {fact.cycle} was started before", holds=fact.cycle not in story.cycles)
        case DiagnosisMade():
            yield tested(f"repair {fact.repair} was begun before", holds=fact.repair not in story.repairs)
        case Assigned():
            lease = story.leases.get(fact.pack)
            fresh = lease is None or lease.sequence == entry.position.sequence
            yield tested(f"pack {fact.pack} was assigned before", holds=fresh)


def nothing_is_spoken_of_before_it_exists(story: Story, entry: Entry) -> Cases:
    """Whatever a fact names was made known by a fact before it."""
    fact = entry.fact
    match fact:
        case AnswerReceived() | AnswerRefused():
            yield _known(fact.cycle, "cycle", story.cycles)
        case CycleStarted():
            yield _known(fact.agent, "agent", story.agents)
        case IdeaProposed():
            yield from (_known(parent, "idea", story.ideas) for parent in fact.parents)
        case IdeaDeclined():
            yield _known(fact.idea, "idea", story.ideas)
            if fact.twin is not None:
                yield _known(fact.twin, "idea", story.ideas)
        case Queued():
            yield _known(fact.idea, "idea", story.ideas)
        case Assigned():
            yield _known(fact.experiment, "experiment", story.runs)
            yield _known(fact.worker, "worker", story.devices)
        case LeaseRevoked():
            yield _known(fact.pack, "pack", story.leases)
        case WorkerLost() | WorkerRetired():
            yield _known(fact.worker, "worker", story.devices)
        case RemedyProposed() | RemedyApplied() | RemedyRefused():
            yield _known(fact.repair, "repair", story.repairs)
        case _:
            yield _known(fact.experiment, "experiment", story.runs)


def ideas_have_at_most_one_verdict(story: Story, entry: Entry) -> Cases:
    """The scheduler queues an idea or declines it, once."""
    idea = entry.fact.idea
    yield tested(f"idea {idea} had its verdict before", holds=not story.ideas.get(idea))


def questions_have_at_most_one_answer(story: Story, entry: Entry) -> Cases:
    """A cycle is answered or refused, once."""
    cycle = entry.fact.cycle
    yield tested(f"cycle {cycle} was answered before", holds=not story.cycles.get(cycle))


def everything_begun_is_accounted_for(story: Story) -> Cases:
    """At the end nothing hangs: experiments completed, abandoned or waiting, ideas judged, questions answered."""
    for name, run in story.runs.items():
        settled = run.state in ("waiting", "completed", "abandoned")
        yield KEPT if settled else _hanging(story, f"experiment {name} is {run.state}")
    for name, verdicts in story.ideas.items():
        yield KEPT if verdicts else _hanging(story, f"idea {name} has no verdict")
    for name, answers in story.cycles.items():
        yield KEPT if answers else _hanging(story, f"cycle {name} has no answer")


def _hanging(story: Story, sentence: str) -> Case:
    if story.ended:
        return broken(f"{sentence}, though the log was sealed")
    return untold(f"{sentence} where the log ends")


def _known(name: str, what: str, among: Container[str]) -> Case:
    return tested(f"{what} {name} is spoken of before it is known", holds=name in among)


IDEA_LAWS = (
    Law(names_are_given_once, (IdeaProposed, Queued, CycleStarted, DiagnosisMade, Assigned)),
    Law(
        nothing_is_spoken_of_before_it_exists,
        (
            *(AnswerReceived, AnswerRefused, CycleStarted, IdeaProposed, IdeaDeclined, Queued, Assigned, LeaseRevoked),
            *(WorkerLost, WorkerRetired, RemedyProposed, RemedyApplied, RemedyRefused, DiagnosisMade),
            *(Started, Completed, Failed, Requeued, Abandoned),
        ),
    ),
    Law(ideas_have_at_most_one_verdict, (IdeaDeclined, Queued)),
    Law(questions_have_at_most_one_answer, (AnswerReceived, AnswerRefused)),
)
