"""Today's roles decide what they recorded; a role that was changed is caught at the first decision that it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors import scheduler as scheduling
from actors.analyst import Analyst
from actors.fixer import Fixer
from actors.hindsight.doors import rehearse as door
from actors.hindsight.rehearsal import RehearsalImpossible, rehearse, todays
from actors.hindsight.rehearsal_page import rehearsal_page
from actors.judgement import priority
from actors.judgement.budgets import Budget
from actors.role import Decision, Known, News, Role
from actors.scheduler import Scheduler
from events import facts
from events.archives import archive
from events.blobs import Blobs
from events.envelope import Text
from events.log import Recorded
from events.memory import MemoryLog
from replay.turns import order
from tests.actors.company import Company, Member
from tests.actors.test_company import luck
from tests.actors.test_whatif import AGENTS, played
from tests.chronicle import Chronicle
from tests.replay import tales
from tests.test_golden import GOLDEN

BUDGET = Budget(experiments=12, timeout=60.0)


def cast(scheduler: type[Scheduler] = Scheduler, **changes: Any) -> tuple[Role, ...]:
    """The roles as a company of two agents begins them."""
    known: dict[str, Any] = {"agents": len(AGENTS), "silence": 10.0}
    analyst = Analyst(every=5, controls=True, timeout=60.0)
    return scheduler(BUDGET, **known | changes), Fixer(timeout=60.0), analyst


COMPANIES: dict[str, dict[str, Any]] = {
    "good luck": {},
    "bad luck": {"outcome": luck(0.5)},
    "a lost worker": {"losing": True, "outcome": luck(0.2)},
    "four lanes": {"lanes": 4, "outcome": luck(0.3)},
}


@pytest.mark.parametrize("name", COMPANIES)
def test_today_s_roles_decide_again_what_they_recorded(name: str, blobs: Blobs) -> None:
    company = played(blobs, **COMPANIES[name])
    made = rehearse(company.log, cast())
    assert made.first is None
    assert made.verdict == "same"
    counted = {one.role: one.same for one in made.roles}
    written = [recorded.author for recorded in company.log.read()]
    assert counted == {role: written.count(role) for role in ("scheduler", "fixer", "analyst")}


def test_a_stopped_and_resumed_campaign_is_the_same(blobs: Blobs) -> None:
    company = Company(blobs=blobs, budget=BUDGET, plans=AGENTS, every=5)
    for _ in range(12):
        for author in tuple(company.members):
            company.speaks(author)
            company.works(author)
    company.stopping = company.leaving = True
    company.play()
    company.stopping = company.leaving = False
    for name in ("worker-cpu7-x", "worker-cpu8-y"):
        company.joins(name)
    company.play()
    sealed = company.facts(facts.LogSealed)
    assert len(sealed) >= 2
    assert rehearse(company.log, cast()).verdict == "same"


class Wishful(Scheduler):
    """Weighs the proposer's wish alone: a changed priority."""

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        decision = super().decide(known, now, news)
        if decision is None:
            return None
        said = tuple(
            msgspec.structs.replace(fact, priority=fact.terms["wish"]) if isinstance(fact, facts.Queued) else fact
            for fact in decision.facts
        )
        return decision._replace(facts=said)


def test_a_scheduler_with_another_priority_is_named_by_position_field_and_both_values(blobs: Blobs) -> None:
    company = played(blobs)
    made = rehearse(company.log, cast(Wishful))
    where, queued = next(
        (position, fact)
        for recorded in company.log.read()
        for position, fact in recorded.positions()
        if isinstance(fact, facts.Queued) and fact.priority != fact.terms["wish"]
    )
    assert made.verdict == "different"
    assert made.first is not None
    assert (made.first.role, made.first.position, made.first.field) == ("scheduler", where, "priority")
    assert (made.first.recorded, made.first.today) == (queued.priority, queued.terms["wish"])
    assert f"position {where}, scheduler, field priority" in rehearsal_page(made)


def test_a_scheduler_that_queues_in_another_order_is_caught_where_it_assigns(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = played(blobs)
    monkeypatch.setattr(scheduling, "order", lambda *known: [*order(*known)][::-1])
    made = rehearse(company.log, cast())
    assert made.first is not None
    assert made.first.field in ("experiment", "decision")
    assert "Assigned" in _kind(company.log, made.first.position.sequence)


class Partial(Scheduler):
    """Always entrusts the work to the last idle worker."""

    def _assign(self, known: Known, now: int, news: News) -> Decision | None:
        idle = [w.worker for w in known.fleet.present() if w.pack is None and w.worker not in news.unheard]
        return super()._assign(known, now, news._replace(unheard=news.unheard | frozenset(idle[:-1])))


def test_a_scheduler_with_a_favourite_worker_is_caught(blobs: Blobs) -> None:
    made = rehearse(played(blobs).log, cast(Partial))
    assert made.first is not None
    assert made.first.field == "worker"


def test_a_scheduler_that_waits_longer_for_a_silent_worker_is_caught(blobs: Blobs) -> None:
    made = rehearse(played(blobs, losing=True).log, cast(silence=1000.0))
    assert made.first is not None
    assert made.first.field == "decision"
    assert "WorkerLost" in made.first.recorded


def test_a_fixer_with_another_patience_is_caught(blobs: Blobs) -> None:
    log = played(blobs, outcome=luck(0.5)).log
    scheduler, _, analyst = cast()
    made = rehearse(log, (scheduler, Fixer(timeout=1.0), analyst))
    assert made.first is not None
    assert made.first.role == "fixer"


def test_an_analyst_that_measures_at_other_times_is_caught(blobs: Blobs) -> None:
    made = rehearse(played(blobs).log, (Analyst(every=4, controls=False, timeout=1.0),))
    assert made.first is not None
    assert made.first.role == "analyst"


def test_a_digest_that_was_not_folded_from_the_log_is_caught(blobs: Blobs) -> None:
    whole = played(blobs).log
    forged = MemoryLog("company")
    forged.restore(_with_another_digest(recorded) for recorded in whole.read())
    made = rehearse(forged, cast())
    assert made.first is not None
    assert (made.first.role, made.first.field) == ("analyst", "digest")


def test_a_message_that_no_author_signed_is_nobody_s_decision(blobs: Blobs) -> None:
    frames, log = list(played(blobs).log.read()), MemoryLog("company")
    stray = Recorded(len(frames) + 1, "myriad.company.campaign.search.scheduler", "", b"what a server answered")
    log.restore([*frames, stray])
    assert rehearse(log, cast()).verdict == "same"


def _with_another_digest(recorded: Recorded) -> Recorded:
    payload = recorded.payload
    if b"LogSealed" in payload:
        plain = msgspec.json.decode(payload)
        plain[-1]["digest"] = plain[-1]["digest"][:-8] + "0" * 8
        payload = msgspec.json.encode(plain)
    return Recorded(recorded.sequence, recorded.subject, recorded.id, payload)


def _kind(log: MemoryLog, sequence: int) -> str:
    return type(next(iter(log.read(sequence - 1))).facts[0]).__name__


def test_an_idle_worker_that_nobody_had_heard_is_implied_by_who_was_chosen(blobs: Blobs) -> None:
    log = played(blobs).log
    assignments = [fact for recorded in log.read() for fact in recorded.facts if isinstance(fact, facts.Assigned)]
    names = {"worker-cpu0-a": "worker-cpu1-b", "worker-cpu1-b": "worker-cpu0-a"}
    assert assignments[0].worker in names
    late = Chronicle()
    late.opened()
    late.worker_joins("worker-cpu0-a")
    late.worker_joins("worker-cpu1-b")
    (idea,) = late.cycle("uniform", {})
    known = Known()
    role = Scheduler(BUDGET, agents=1, silence=10.0)
    known.advance(late.log.read())
    verdict = role.decide(known, late.at, News())
    assert verdict is not None
    late.says("scheduler", verdict.aggregate, verdict.identity, *verdict.facts)
    known.advance(late.log.read())
    lease = role.decide(known, late.at, News(unheard=frozenset({"worker-cpu0-a"})))
    assert lease is not None
    assert idea
    late.says("scheduler", lease.aggregate, lease.identity, *lease.facts)
    assert rehearse(late.log, (Scheduler(BUDGET, agents=1, silence=10.0),)).verdict == "same"


@pytest.fixture
def former_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scheduler order its queue as it did when the golden archive was recorded."""
    monkeypatch.setattr(scheduling, "order", lambda ledger, prospects: [(one,) for one in priority.order(ledger)])


@pytest.mark.usefixtures("former_order")
def test_an_older_vocabulary_cannot_be_told_and_is_never_called_different() -> None:
    log = archive.open_file(GOLDEN / "vocabulary-1.myriad")
    made = rehearse(log)
    assert made.verdict == "unknown"
    scheduler = made.roles[0]
    assert (scheduler.role, scheduler.different) == ("scheduler", 0)
    assert scheduler.same > 40
    assert "older vocabulary" in str(scheduler.untold)
    assert "scheme m1" in str(made.roles[2].untold)


def test_the_cast_of_a_recorded_campaign_is_read_from_its_own_file() -> None:
    log = archive.open_file(GOLDEN / "vocabulary-1.myriad")
    assert [role.author for role in todays(log)] == ["scheduler", "fixer", "analyst"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (tales.unopened, "never opened"),
        (lambda: told("budget = 3"), "cannot be read today"),
        (lambda: told("budget ="), "not TOML"),
        (lambda: told("[budget]\nexperimens = 3"), "experimens"),
    ],
)
def test_a_log_that_does_not_say_how_its_roles_were_set_is_refused(
    make: Callable[[], Chronicle], sentence: str
) -> None:
    with pytest.raises(RehearsalImpossible, match=sentence):
        rehearse(make().log)


def test_a_scheduler_that_orders_by_worth_is_told_apart_from_the_one_before_it_where_they_part() -> None:
    made = rehearse(archive.open_file(GOLDEN / "vocabulary-1.myriad"))
    assert (made.verdict, made.roles[0].verdict) == ("different", "different")
    assert "Assigned" in _kind(archive.open_file(GOLDEN / "vocabulary-1.myriad"), made.roles[0].first.position.sequence)  # type: ignore[union-attr] # it is different somewhere


def told(file: str) -> Chronicle:
    """A campaign under a file."""
    c = Chronicle()
    opened = facts.CampaignOpened(campaign="tale", file=Text(head=file), space=c.space, seed=0)
    c.says("person-test", "campaign", "opening", opened)
    return c


def test_a_log_on_which_no_role_has_spoken_cannot_be_told() -> None:
    made = rehearse(told("name = 'tale'").log)
    assert (made.verdict, made.first) == ("unknown", None)
    assert "never spoke" in rehearsal_page(made)


@pytest.mark.usefixtures("former_order")
def test_the_door_leaves_with_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = str(GOLDEN / "vocabulary-1.myriad")
    assert door(golden, json=True) == 2
    assert json.loads(capsys.readouterr().out)["verdict"] == "unknown"
    path = tmp_path / "tale.myriad"
    archive.export(tales.unopened().log, path)
    assert door(str(path)) == 2
    assert "never opened" in capsys.readouterr().err


def test_the_door_answers_the_same_and_different_by_its_exit_code(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "company.myriad"
    company = under_its_file(played(blobs).log)
    archive.export(company, path)
    assert door(str(path)) == 0
    assert "rehearsal  same" in capsys.readouterr().out
    monkeypatch.setattr("actors.hindsight.rehearsal.Scheduler", Wishful)
    assert door(str(path)) == 1
    assert "field priority" in capsys.readouterr().out


FILE = """
name = "company"
[budget]
experiments = 12
timeout = 60
[analysis]
every = 5
[[agent]]
name = "one"
policy = "uniform"
[[agent]]
name = "two"
policy = "uniform"
"""


def under_its_file(log: MemoryLog, file: str = FILE) -> MemoryLog:
    """The company's log, with the file that it was begun under."""
    whole = MemoryLog("company")
    first, *rest = log.read()
    opened = msgspec.structs.replace(first.facts[0], file=Text(head=file, length=len(file)))
    whole.restore([Recorded(1, first.subject, first.id, msgspec.json.encode([opened])), *rest])
    return whole


def test_roles_of_a_reopened_campaign_are_rehearsed_under_the_budget_that_they_were_told(blobs: Blobs) -> None:
    short = FILE.replace("experiments = 12", "experiments = 6")
    company = played(blobs, budget=Budget(experiments=6, timeout=60.0))
    reopened = facts.CampaignReopened(reason="more", file=Text(head=FILE, length=len(FILE)))
    company.declares(reopened)
    company.members["scheduler"] = Member(cast()[0], company.log, company.clock)
    company.joins("worker-cpu9-z")
    company.play()
    assert len(company.ledger.completed) == 12
    log = under_its_file(company.log, short)
    made = rehearse(log)
    assert made.first is None
    assert made.verdict == "same"
    assert rehearse(log, todays(log)).verdict == "different"
