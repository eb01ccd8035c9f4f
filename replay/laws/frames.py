"""Laws of the log itself: its sequence, its names, who wrote what, and how much each author had read."""

from __future__ import annotations

from events.authors import WRITES, role_of
from events.envelope import Position
from events.facts import (
    AgentJoined,
    CampaignOpened,
    CycleStarted,
    IdeaProposed,
    Started,
    WorkerJoined,
    WorkerRetired,
)
from replay.laws.rulings import KEPT, Cases, Law, tested
from replay.laws.story import Entry, Story


def no_sequence_is_missing(story: Story, entry: Entry) -> Cases:
    """Frames are numbered from 1, each one more than the frame before it."""
    if entry.position.index == 0:
        expected, found = story.last + 1, entry.position.sequence
        yield tested(f"after {story.last} comes {found}", holds=found == expected)


def frame_ids_are_unique(story: Story, entry: Entry) -> Cases:
    """The log keeps one frame an id: an id twice is a decision written twice."""
    if entry.position.index == 0:
        yield tested(f"the id {entry.id} was written before", holds=entry.id not in story.ids)


def authors_number_their_frames(story: Story, entry: Entry) -> Cases:
    """The n-th frame of an author has the id `author:n`."""
    if entry.position.index == 0:
        known = story.authors.get(entry.author)
        expected = f"{entry.author}:{known.frames + 1 if known else 1}"
        yield tested(f"the id is {entry.id}, not {expected}", holds=entry.id == expected)


def authors_write_only_their_types(story: Story, entry: Entry) -> Cases:
    """The table in events/authors.py says which role may write which type."""
    kind = type(entry.fact)
    allowed = WRITES.get(role_of(entry.author), ())
    yield tested(f"{entry.author} wrote {kind.__name__}, which is not its to write", holds=kind in allowed)


def authors_speak_for_themselves(story: Story, entry: Entry) -> Cases:
    """Agents, workers and the fixer put no name but their own on what they write."""
    fact = entry.fact
    if isinstance(fact, WorkerJoined | WorkerRetired | Started):
        named = fact.worker
    else:
        named = fact.agent if role_of(entry.author) != "agent" else f"agent-{fact.agent}"
    yield tested(f"{entry.author} speaks for {named}", holds=named == entry.author)


def causes_precede_and_exist(story: Story, entry: Entry) -> Cases:
    """What made an author speak stands before what it said."""
    cause: Position | None = entry.fact.cause
    if cause is None:
        return
    if cause >= entry.position:
        yield tested(f"its cause {cause} comes no earlier than itself", holds=False)
        return
    # an earlier fact of the same frame exists although the story does not know the frame yet
    size = entry.size if cause.sequence == entry.position.sequence else 0
    if 0 < cause.sequence < len(story.sizes):
        size = max(size, story.sizes[cause.sequence])
    yield tested(f"its cause {cause} is not on the log", holds=0 <= cause.index < size)


def nobody_has_read_ahead(story: Story, entry: Entry) -> Cases:
    """An author decides from frames that were there: `through` lies before its own frame."""
    through, here = entry.fact.through, entry.position.sequence
    yield tested(f"it says that it had read through {through}", holds=0 <= through < here)


def nobody_forgets_its_own_word(story: Story, entry: Entry) -> Cases:
    """An author has folded its own last frame before it writes the next one."""
    known = story.authors.get(entry.author)
    if entry.position.index or known is None:
        return
    through = entry.fact.through
    yield tested(f"it had read through {through}, before its own {known.last}", holds=through >= known.last)


def a_campaign_is_opened_once(story: Story, entry: Entry) -> Cases:
    """One campaign, one file, one space, one seed; and nothing is said before."""
    if isinstance(entry.fact, CampaignOpened):
        yield tested("the campaign is opened a second time", holds=story.opened == 0)
        yield tested(f"it names the campaign {entry.fact.campaign}", holds=entry.fact.campaign == story.campaign)
    elif not story.opened:
        yield tested(f"{type(entry.fact).__name__} was said before the campaign was opened", holds=False)
    else:
        yield KEPT


FRAME_LAWS = (
    Law(no_sequence_is_missing, everywhere=True),
    Law(frame_ids_are_unique, everywhere=True),
    Law(authors_number_their_frames, everywhere=True),
    Law(authors_write_only_their_types, everywhere=True),
    Law(authors_speak_for_themselves, (AgentJoined, CycleStarted, IdeaProposed, WorkerJoined, WorkerRetired, Started)),
    Law(causes_precede_and_exist, everywhere=True),
    Law(nobody_has_read_ahead, everywhere=True),
    Law(nobody_forgets_its_own_word),
    Law(a_campaign_is_opened_once, everywhere=True),
)
