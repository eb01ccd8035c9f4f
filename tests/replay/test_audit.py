"""Every law of the audit is seen to hold on a sound log, and is tripped by a frame planted past the roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import msgspec
import pytest

from events import facts
from events.archives import archive
from events.envelope import Fact, Position, Text
from events.log import Recorded
from replay.audit import LAWS, MEASURES, READABLE, SCALES, audit, audit_page
from replay.digest import SCHEME
from replay.laws.rulings import Ruling, named
from replay.ledger import Ledger
from replay.measures import Measurement
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle
from tests.replay import tales
from tests.test_golden import GOLDEN

BUDGET = "name = 'tale'\n[budget]\nexperiments = 4\ngpu_hours = 1.0\nattempts = 3\nusd = 1.0\n"


def opened(file: Text | None = None) -> Chronicle:
    """A campaign with a file that states its budget, and features."""
    c = Chronicle()
    text = file or Text(head=BUDGET, length=len(BUDGET))
    opening = facts.CampaignOpened(campaign="tale", file=text, space=c.space, seed=0)
    made = facts.FeaturesExtracted(backbone="motion", digest="f" * 8, clips=90, width=8, reused=False, seconds=1.0)
    c.says("person-test", "campaign", "opening", opening)
    c.says("person-test", "campaign", "features", made)
    return c


def sound(*, sealed: bool = True) -> Chronicle:
    """A campaign in which every law is put to the test: a failure, a lost worker, a twin, a child, an end."""
    c = opened()
    vouched(c)
    kept, twin = c.cycle("tpe", {}, {})
    experiment = c.queues(kept)
    c.declines(twin, twin=kept)
    c.assigns(experiment)
    c.starts(experiment)
    c.fails(experiment)
    c.repairs(experiment)
    c.requeues(experiment)
    c.assigns(experiment, on="worker-cpu1-b")
    c.starts(experiment)
    c.loses("worker-cpu1-b")
    c.revokes(experiment)
    c.requeues(experiment)
    c.runs(experiment, validation=0.7)
    (child,) = c.cycle("tpe", {"batch": 64}, parents=(kept,))
    c.runs(c.queues(child), validation=0.8)
    if sealed:
        c.closes()
        seals(c)
    return c


def vouched(c: Chronicle) -> None:
    """The instrument is verified, its era opened; a person bans and lifts, finds a defect and sees it fixed."""
    c.worker_joins()
    verdict = facts.InstrumentVerified(instrument=INSTRUMENT, parts={}, canaries=(), seconds=1.0)
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", verdict)
    c.says("scheduler", "campaign", "era", facts.EraOpened(era=1, instrument=INSTRUMENT, reason="its canaries held"))
    c.says("person-test", "campaign", "declared", facts.Banned(ban="b-1", where="batch == 17", reason="a try"))
    c.says("person-test", "campaign", "declared", facts.BanLifted(ban="b-1", reason="enough"))
    c.says("person-test", "defect", "d-1", found("d-1"))
    c.says("person-test", "defect", "d-1", facts.DefectFixed(defect="d-1", instrument=INSTRUMENT))


def found(name: str) -> facts.DefectFound:
    return facts.DefectFound(defect=name, component="pooling", where="batch == 17", reason="a try")


def seals(c: Chronicle) -> None:
    """The analyst measures and seals, as it would."""
    live = Measurement()
    live.advance(c.log.read())
    c.measures(live.digest(), **live.values())
    live.advance(c.log.read())
    c.seals(live.digest())


def plants(c: Chronicle, author: str, where: str, *said: Fact, identity: str = "", **envelope: Any) -> int:
    """Put a frame on the log past every check; `where` is aggregate and id."""
    last = c.log.last()
    number = 1 + sum(recorded.author == author for recorded in c.log.read())
    stamped = [msgspec.structs.replace(fact, at=c.at, **({"through": last} | envelope)) for fact in said]
    raw(c, author, where, msgspec.json.encode(stamped), identity=identity or f"{author}:{number}")
    return last + 1


def raw(c: Chronicle, author: str, where: str, payload: bytes, *, identity: str) -> None:
    last = c.log.last()
    c.log.restore([Recorded(last + 1, f"myriad.tale.{where}.{author}", identity, payload)])


class Reader:
    """A log whose frames come as they are given."""

    campaign = "tale"

    def __init__(self, frames: list[Recorded]) -> None:
        self._frames = frames

    def last(self) -> int:
        return self._frames[-1].sequence if self._frames else 0

    def read(self, after: int = 0, subject: str = ">") -> Iterator[Recorded]:
        wanted = "analysis" if "analysis" in subject else ""
        return iter([r for r in self._frames if r.sequence > after and wanted in r.subject])

    def close(self) -> None:
        """Nothing is held."""


def ruled(c: Any, law: str) -> Ruling:
    made = audit(c.log if isinstance(c, Chronicle) else c)
    return next(ruling for ruling in made.rulings if ruling.law == law)


def test_a_sound_campaign_holds_and_every_law_was_put_to_the_test() -> None:
    made = audit(sound().log)
    assert [(r.law, r.breaches) for r in made.rulings if r.verdict != "held"] == []
    assert all(ruling.held > 0 for ruling in made.rulings)
    assert made.verdict == "held"
    assert len(made.rulings) == len(LAWS) + 5


def completed(c: Chronicle, name: str = "e-1", **fields: Any) -> facts.Completed:
    known: dict[str, Any] = {
        "experiment": name,
        "attempt": 3,
        "validation": 0.7,
        "test": 0.6,
        "noise": 0.03,
        "epoch": 1,
        "curves": facts.Curves(loss=(0.5,), validation=(0.7,)),
        "gpu_seconds": 10.0,
        "peak_memory": 1,
    }
    return facts.Completed(**(known | fields))


def lease(name: str, **fields: Any) -> facts.Assigned:
    known: dict[str, Any] = {
        "experiment": name,
        "attempt": 1,
        "pack": "p-77",
        "lane": 0,
        "worker": "worker-cpu0-a",
        "seed": 7,
        "execution": facts.Execution(),
    }
    return facts.Assigned(**(known | fields))


def start(name: str, **fields: Any) -> facts.Started:
    known: dict[str, Any] = {
        "experiment": name,
        "attempt": 1,
        "pack": "p-77",
        "lane": 0,
        "worker": "worker-cpu0-a",
        "seed": 7,
        "instrument": INSTRUMENT,
        "platform": PLATFORM,
    }
    return facts.Started(**(known | fields))


def idea(c: Chronicle, name: str, **fields: Any) -> facts.IdeaProposed:
    known = {"idea": name, "agent": "tpe", "configuration": c.configuration(), "rationale": "", "origin": "agent"}
    return facts.IdeaProposed(**(known | fields))


def leased(c: Chronicle, **fields: Any) -> str:
    """A fresh experiment under a fresh lease."""
    name = c.queues(c.proposes("tpe", batch=128))
    plants(c, "scheduler", "pack.p-77", lease(name, **fields))
    return name


def queued(experiment: str, of: str) -> facts.Queued:
    return facts.Queued(experiment=experiment, idea=of, priority=1.0, terms={})


def reused_id(c: Chronicle) -> None:
    plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9"), identity="agent-tpe:1")


def opened_twice(c: Chronicle) -> None:
    again = facts.CampaignOpened(campaign="tale", file=Text(head=BUDGET), space=c.space, seed=1)
    plants(c, "person-test", "campaign.opening", again)


def a_second_verdict(c: Chronicle) -> None:
    plants(c, "scheduler", "cycle.c-1", facts.IdeaDeclined(idea="i-1", reason="banned", rule="none"))


def a_second_answer(c: Chronicle) -> None:
    plants(c, "agent-tpe", "cycle.c-1", facts.AnswerRefused(cycle="c-1", reason="no word"))


def a_zombie(c: Chronicle) -> None:
    plants(c, "worker-cpu1-b", "pack.p-2", completed(c, attempt=2))


def a_stranger_completes(c: Chronicle) -> None:
    name = leased(c)
    plants(c, "worker-cpu0-a", "pack.p-77", start(name))
    plants(c, "worker-cpu9-x", "pack.p-77", completed(c, name, attempt=1))


def taken_from_the_present(c: Chronicle) -> None:
    leased(c)
    plants(c, "scheduler", "pack.p-77", facts.LeaseRevoked(pack="p-77", worker="worker-cpu0-a", reason="lost"))


def leased_twice(c: Chronicle) -> None:
    name = leased(c)
    plants(c, "scheduler", "pack.p-78", lease(name, pack="p-78", attempt=2))


def another_seed(c: Chronicle) -> None:
    plants(c, "worker-cpu0-a", "pack.p-77", start(leased(c), seed=8))


def other_features(c: Chronicle) -> None:
    made = facts.FeaturesExtracted(backbone="motion", digest="e" * 8, clips=90, width=8, reused=False, seconds=1.0)
    plants(c, "fixer", "repair.r-9", made)


def impossible(c: Chronicle) -> None:
    plants(c, "worker-cpu0-a", "pack.p-77", completed(c, validation=1.5))


def another_epoch_than_the_curve_s(c: Chronicle) -> None:
    curves = facts.Curves(loss=(0.5, 0.4), validation=(0.7, 0.9))
    plants(c, "worker-cpu0-a", "pack.p-77", completed(c, epoch=2, curves=curves))


def five_of_four(c: Chronicle) -> None:
    for batch in (16, 32, 128):
        c.runs(c.queues(c.proposes("tpe", batch=batch, scheduler="step")))


def an_hour_too_long(c: Chronicle) -> None:
    leased(c, execution=facts.Execution(timeout=3600.0))


def tried_too_often(c: Chronicle) -> None:
    name = c.queues(c.proposes("tpe", batch=128))
    for _ in range(3):
        c.assigns(name)
        c.starts(name)
        c.fails(name)
        c.requeues(name)
    c.assigns(name)


def a_dollar_too_much(c: Chronicle) -> None:
    c.cycle("tpe", {}, usd=0.6)
    plants(c, "agent-tpe", "cycle.c-9", facts.CycleStarted(cycle="c-9", agent="tpe", key=1, reserve_usd=0.5))


def an_unknown_cost(c: Chronicle) -> None:
    for cycle in ("c-8", "c-9"):
        plants(c, "agent-tpe", f"cycle.{cycle}", facts.CycleStarted(cycle=cycle, agent="tpe", key=1, reserve_usd=0.6))
        plants(c, "agent-tpe", f"cycle.{cycle}", facts.AnswerRefused(cycle=cycle, reason="no word"))


def hanging(c: Chronicle) -> None:
    c.assigns(c.queues(c.proposes("tpe", batch=128)))
    seals(c)


def refused_and_running(c: Chronicle) -> None:
    verdict = facts.InstrumentRefused(instrument=INSTRUMENT, parts={}, canaries=(), seconds=1.0, reason="no")
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", verdict)
    plants(c, "worker-cpu0-a", "pack.p-77", start(leased(c)))


def refused_where_it_runs(c: Chronicle) -> None:
    verdict = facts.InstrumentRefused(
        instrument=INSTRUMENT, parts={}, canaries=(), seconds=1.0, reason="no", platform=PLATFORM
    )
    c.says("worker-cpu0-a", "worker", "worker-cpu0-a", verdict)
    plants(c, "worker-cpu0-a", "pack.p-77", start(leased(c)))


def an_era(c: Chronicle, number: int, instrument: str = "instrument-2") -> None:
    opening = facts.EraOpened(era=number, instrument=instrument, reason="I say so")
    plants(c, "scheduler", "campaign.era", opening)


def declared(c: Chronicle, fact: Fact) -> None:
    plants(c, "person-test", "campaign.declared", fact)


PLANTED: dict[str, tuple[str, Callable[[Chronicle], Any]]] = {
    "an id twice": ("frame ids are unique", reused_id),
    "a number twice": ("authors number their frames", reused_id),
    "a word of another role": (
        "authors write only their types",
        lambda c: plants(c, "agent-tpe", "campaign.x", facts.CampaignClosed(reason="I say so")),
    ),
    "an idea in another's name": (
        "authors speak for themselves",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9", agent="uniform")),
    ),
    "a cause to come": (
        "causes precede and exist",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9"), cause=Position(c.log.last() + 1, 0)),
    ),
    "a cause beyond its frame": (
        "causes precede and exist",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9"), cause=Position(1, 5)),
    ),
    "an author ahead of the log": (
        "nobody has read ahead",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9"), through=c.log.last() + 1),
    ),
    "an author who forgot": (
        "nobody forgets its own word",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9"), through=1),
    ),
    "two openings": ("a campaign is opened once", opened_twice),
    "a name twice": ("names are given once", lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-1"))),
    "an experiment twice": (
        "names are given once",
        lambda c: plants(c, "scheduler", "cycle.c-1", queued("e-1", "i-1")),
    ),
    "an idea nobody had": (
        "nothing is spoken of before it exists",
        lambda c: plants(c, "scheduler", "cycle.c-1", queued("e-9", "i-99")),
    ),
    "a parent to come": (
        "nothing is spoken of before it exists",
        lambda c: plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-9", parents=("i-99",))),
    ),
    "a second verdict": ("ideas have at most one verdict", a_second_verdict),
    "a second answer": ("questions have at most one answer", a_second_answer),
    "a second result": (
        "nothing completes twice",
        lambda c: plants(c, "worker-cpu0-a", "pack.p-3", completed(c)),
    ),
    "a word without a lease": (
        "nothing is spoken under no lease",
        lambda c: plants(c, "worker-cpu0-a", "pack.p-3", completed(c)),
    ),
    "a zombie": ("a revoked lease is silent", a_zombie),
    "a zombie without a lease": ("nothing is spoken under no lease", a_zombie),
    "a stranger's result": ("completions follow a start by the same worker", a_stranger_completes),
    "a result without a start": (
        "completions follow a start by the same worker",
        lambda c: plants(c, "worker-cpu0-a", "pack.p-77", completed(c, leased(c), attempt=1)),
    ),
    "a lease taken from who is there": ("leases are taken only from who left", taken_from_the_present),
    "two leases": ("nothing is leased twice at once", leased_twice),
    "a lease for who is lost": (
        "nothing is leased twice at once",
        lambda c: leased(c, worker="worker-cpu1-b"),
    ),
    "an attempt skipped": ("nothing is leased twice at once", lambda c: leased(c, attempt=2)),
    "another seed": ("runs keep the draw of their lease", another_seed),
    "other features": ("one split and one instrument", other_features),
    "a run under a refused instrument": ("nothing runs unverified", refused_and_running),
    "a run on a platform that was refused": ("nothing runs unverified", refused_where_it_runs),
    "an era skipped": ("eras tile the log", lambda c: an_era(c, 3)),
    "an era of nobody's canaries": ("eras tile the log", lambda c: an_era(c, 2)),
    "an era of the same instrument": ("eras tile the log", lambda c: an_era(c, 2, INSTRUMENT)),
    "a ban lifted twice": (
        "what is declared names what there is",
        lambda c: declared(c, facts.BanLifted(ban="b-1", reason="again")),
    ),
    "a defect found twice": ("what is declared names what there is", lambda c: declared(c, found("d-1"))),
    "a fix of nothing": (
        "what is declared names what there is",
        lambda c: declared(c, facts.DefectFixed(defect="d-9", instrument=INSTRUMENT)),
    ),
    "a boost of nobody": (
        "what is declared names what there is",
        lambda c: declared(c, facts.Boosted(experiment="e-99", by=1.0, reason="")),
    ),
    "an impossible score": ("results are possible", impossible),
    "another epoch": ("results are possible", another_epoch_than_the_curve_s),
    "five of four experiments": ("budgets are kept", five_of_four),
    "an hour too long": ("budgets are kept", an_hour_too_long),
    "tried too often": ("budgets are kept", tried_too_often),
    "a dollar too much": ("money is kept", a_dollar_too_much),
    "an unknown cost": ("money is kept", an_unknown_cost),
    "a run that hangs": ("everything begun is accounted for", hanging),
    "a wrong digest": (MEASURES, lambda c: c.measures(f"{SCHEME}:{0:064}")),
    "a wrong value": (MEASURES, lambda c: c.measures(tales.measured(c).digest(), completed=99)),
    "no frame": (READABLE, lambda c: raw(c, "agent-tpe", "cycle.c-9", b"[{}", identity="agent-tpe:9")),
}


def test_every_law_has_a_plant() -> None:
    broken = {law for law, _ in PLANTED.values()}
    told_elsewhere = {"no sequence is missing", "the campaign file can be read"}
    assert {named(law.check) for law in LAWS} <= broken | told_elsewhere


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_frame_breaks_its_law(plant: str) -> None:
    law, add = PLANTED[plant]
    c = sound(sealed=False)
    assert ruled(c, law).broken == 0
    add(c)
    made = audit(c.log)
    ruling = next(ruling for ruling in made.rulings if ruling.law == law)
    assert ruling.broken >= 1
    assert (ruling.verdict, made.verdict) == ("broken", "broken")
    assert all(breach.sentence for breach in ruling.breaches)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: named(law.check))
def test_a_law_never_put_to_the_test_is_unknown_and_not_held(law: Any) -> None:
    made = audit(Chronicle().log)
    ruling = next(ruling for ruling in made.rulings if ruling.law == named(law.check))
    assert (ruling.verdict, ruling.held) == ("unknown", 0)
    assert made.verdict == "unknown"


def test_a_missing_sequence_is_found_where_it_is_missing() -> None:
    frames = list(sound().log.read())
    ruling = ruled(Reader(frames[:4] + frames[5:]), "no sequence is missing")
    assert (ruling.verdict, ruling.broken) == ("broken", 1)
    assert ruling.breaches[0].position == Position(6)


def test_a_frame_of_a_newer_vocabulary_is_unknown_and_never_broken() -> None:
    c = sound()
    raw(c, "scheduler", "campaign.x", b'[{"type":"WeatherChanged"}]', identity="scheduler:99")
    ruling = ruled(c, READABLE)
    assert (ruling.verdict, ruling.unknown, ruling.broken) == ("unknown", 1, 0)
    assert "newer Myriad" in ruling.breaches[0].sentence


def test_a_second_instrument_is_unknown_because_no_fact_opens_an_era() -> None:
    c = sound(sealed=False)
    joined = facts.WorkerJoined(
        worker="worker-cpu7-z", device="cpu", lanes=1, platform=PLATFORM, instrument="instrument-2"
    )
    c.says("worker-cpu7-z", "worker", "worker-cpu7-z", joined)
    name = leased(c, worker="worker-cpu7-z")
    plants(c, "worker-cpu7-z", "pack.p-77", start(name, worker="worker-cpu7-z", instrument="instrument-2"))
    ruling = ruled(c, "one split and one instrument")
    assert (ruling.verdict, ruling.broken, ruling.unknown) == ("unknown", 0, 1)


def test_a_second_instrument_is_held_where_a_fact_opened_its_era() -> None:
    c = sound(sealed=False)
    second = facts.WorkerJoined(
        worker="worker-cpu7-z", device="cpu", lanes=1, platform=PLATFORM, instrument="instrument-2"
    )
    c.says("worker-cpu7-z", "worker", "worker-cpu7-z", second)
    verdict = facts.InstrumentVerified(instrument="instrument-2", parts={}, canaries=(), seconds=1.0)
    c.says("worker-cpu7-z", "worker", "worker-cpu7-z", verdict)
    an_era(c, 2)
    name = leased(c, worker="worker-cpu7-z")
    plants(c, "worker-cpu7-z", "pack.p-77", start(name, worker="worker-cpu7-z", instrument="instrument-2"))
    for law in ("one split and one instrument", "nothing runs unverified", "eras tile the log"):
        assert (ruled(c, law).broken, ruled(c, law).unknown) == (0, 0)


def test_a_person_s_word_after_the_seal_reopens_nothing() -> None:
    c = sound()
    c.says("person-test", "defect", "d-2", found("d-2"))
    assert audit(c.log).verdict == "held"


def test_a_leaderboard_that_reads_test_scores_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    c = sound()
    c.runs(c.queues(c.proposes("tpe", batch=32)), validation=0.9, test=0.1)
    assert ruled(c, SCALES).held == 1

    def by_test(ledger: Ledger, many: int) -> list[str]:
        ranked = sorted(ledger.experiments.values(), key=attrgetter("outcome.test"), reverse=True)
        return [run.experiment for run in ranked[:many]]

    monkeypatch.setattr("replay.leaderboard.best", by_test)
    assert (ruled(c, SCALES).verdict, ruled(c, SCALES).broken) == ("broken", 1)


def test_what_still_runs_where_the_log_ends_is_unknown() -> None:
    c = sound(sealed=False)
    c.assigns(c.queues(c.proposes("tpe", batch=128)))
    ruling = ruled(c, "everything begun is accounted for")
    assert (ruling.verdict, ruling.unknown) == ("unknown", 1)
    assert audit(c.log).verdict == "unknown"


def test_a_campaign_file_that_is_not_at_hand_is_unknown_until_somebody_reads_it() -> None:
    c = opened(Text(head=BUDGET[:9], tail=BUDGET[-9:], length=len(BUDGET), digest="d" * 64))
    c.runs(c.queues(c.proposes("tpe")))
    c.closes()
    seals(c)
    assert audit(c.log).verdict == "unknown"
    made = audit(c.log, lambda text: BUDGET)
    assert made.verdict == "held"
    assert next(r for r in made.rulings if r.law == "budgets are kept").held > 0


def test_a_file_that_is_no_toml_is_unknown() -> None:
    ruling = ruled(opened(Text(head="budget = = 3")), "the campaign file can be read")
    assert "not TOML" in ruling.breaches[0].sentence


@pytest.mark.parametrize("make", [tales.unopened, tales.one, tales.failed, tales.equal])
def test_poor_campaigns_are_judged_without_an_error(make: Callable[[], Chronicle]) -> None:
    made = audit(make().log)
    assert made.verdict in ("unknown", "broken")
    assert f"audit      {made.verdict}" in audit_page(made)


def test_a_recorded_campaign_breaks_nothing_and_its_old_seals_are_unknown() -> None:
    made = audit(archive.open_file(GOLDEN / "vocabulary-1.myriad"))
    assert made.verdict == "unknown"
    assert {ruling.law for ruling in made.rulings if ruling.unknown} == {MEASURES}
    assert not any(ruling.broken for ruling in made.rulings)


def test_the_page_names_what_was_broken_where_and_what_was_never_tested() -> None:
    c = sound(sealed=False)
    where = plants(c, "agent-tpe", "cycle.c-9", idea(c, "i-1"))
    page = audit_page(audit(c.log))
    assert f"broken at {where}.0: names are given once: idea i-1 was proposed before" in page
    never = audit_page(audit(tales.one().log)).partition("never put to the test")[2]
    assert "a revoked lease is silent" in never
