"""History under another rule: the identity is history, a cut is what a cut campaign did, the rest is bounded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.agent import Plan
from actors.hindsight.doors import whatif as door
from actors.hindsight.whatif import DRAWS, IDEAS, Bound, Question, QuestionImpossible, whatif
from actors.hindsight.whatif_page import whatif_page
from actors.judgement.budgets import Budget
from events import facts
from events.archives import archive
from events.blobs import Blobs
from events.log import LogReader
from replay.folds import run
from replay.ledger import LedgerFold
from replay.prospects import Prospects
from replay.queueing import places
from replay.turns import order
from tests.actors.company import Company, scored
from tests.actors.test_company import luck
from tests.chronicle import Chronicle
from tests.replay import tales
from tests.test_golden import GOLDEN

TODAYS: dict[str, Any] = {"duplicates": "bins", "order": "worth"}
AGENTS = (
    Plan(name="one", policy="uniform", ideas=2, backlog=2),
    Plan(name="two", policy="uniform", ideas=3, sweep=2, backlog=3),
)


def played(blobs: Blobs, *, losing: bool = False, **changes: Any) -> Company:
    """A whole campaign; `losing` takes a worker away while it trains."""
    known: dict[str, Any] = {"budget": Budget(experiments=12, timeout=60.0), "plans": AGENTS, "every": 5}
    company = Company(blobs=blobs, **known | changes)
    if losing:
        for _ in range(20):
            for author in tuple(company.members):
                company.speaks(author)
                if author.startswith("agent"):
                    company.works(author)
        company.leaves(company.facts(facts.Started)[0].worker)
    company.play()
    return company


CAMPAIGNS: dict[str, Callable[[Blobs], LogReader]] = {
    "a recorded one": lambda blobs: archive.open_file(GOLDEN / "vocabulary-1.myriad"),
    "a busy tale": lambda blobs: tales.busy(40).log,
    "one run": lambda blobs: tales.one().log,
    "nothing but failures": lambda blobs: tales.failed().log,
    "equal runs": lambda blobs: tales.equal().log,
    "never opened": lambda blobs: tales.unopened().log,
    "a company": lambda blobs: played(blobs).log,
    "a company with bad luck": lambda blobs: played(blobs, outcome=luck(0.4)).log,
    "a company that loses a worker": lambda blobs: played(blobs, losing=True, outcome=luck(0.2)).log,
    "a company with four lanes": lambda blobs: played(blobs, lanes=4, outcome=luck(0.3)).log,
}


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_asking_nothing_reproduces_history_byte_for_byte(name: str, blobs: Blobs) -> None:
    answer = whatif(CAMPAIGNS[name](blobs), Question())
    assert answer.identical
    assert (answer.parted, answer.conditional, answer.assumptions) == (None, False, ())
    assert answer.now == answer.then
    assert answer.best.low == answer.best.high == answer.then["best_validation"]
    assert (answer.unknown, answer.idle, answer.beyond, answer.turned) == ((), 0, False, ())
    assert "byte for byte" in whatif_page(answer)


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if "company" in name])
def test_naming_the_rules_that_were_in_force_reproduces_history_too(name: str, blobs: Blobs) -> None:
    answer = whatif(CAMPAIGNS[name](blobs), Question(experiments=12, **TODAYS))
    assert answer.parted is None
    assert answer.identical


def test_the_rules_of_then_reproduce_the_order_of_an_older_campaign_that_rounded_its_weights() -> None:
    log = archive.open_file(GOLDEN / "vocabulary-1.myriad")
    answer = whatif(log, Question(experiments=44, gpu_hours=1.0, duplicates="bins", order="fair"))
    assert answer.identical


@pytest.mark.parametrize(("share", "many"), [(0.0, 9), (0.3, 7)])
def test_a_budget_cut_is_answered_by_what_a_campaign_under_that_budget_did(
    share: float, many: int, blobs: Blobs
) -> None:
    long = played(blobs, outcome=luck(share), budget=Budget(experiments=20, timeout=60.0))
    short = played(blobs, outcome=luck(share), budget=Budget(experiments=many, timeout=60.0))
    answer = whatif(long.log, Question(experiments=many))
    assert not answer.conditional
    assert answer.completed == Bound(low=many, high=many)
    best = max(e.outcome.validation for e in short.ledger.experiments.values() if e.outcome is not None)
    assert answer.best == Bound(low=best, high=best)
    assert answer.closed == short.ledger.closed == f"{many} experiments completed, as the budget allows"
    assert answer.leaders[0].experiment == answer.now["best_experiment"]
    assert answer.now["gpu_seconds"] == pytest.approx(
        sum(e.gpu_seconds for e in short.ledger.experiments.values()), abs=1e-9
    )
    assert "the answer is exact" in " ".join(whatif_page(answer).split())


def test_a_larger_budget_than_history_had_is_bounded_from_below_alone(blobs: Blobs) -> None:
    log = played(blobs).log
    answer = whatif(log, Question(experiments=500))
    assert answer.beyond
    assert answer.completed == Bound(low=12, high=None)
    assert answer.best == Bound(low=float(answer.then["best_validation"] or 0), high=1.0)
    assert answer.gpu_seconds.high is None
    assert "at least" in whatif_page(answer)


def two_waiting() -> Chronicle:
    """Two ideas wait; the later one has the higher priority, runs first and is the better one."""
    c = Chronicle()
    c.opened()
    first, second = c.cycle("tpe", {}, {"batch": 64})
    low, high = c.queues(first, priority=0.2), c.queues(second, priority=0.9)
    c.runs(high, validation=0.9)
    c.runs(low, validation=0.6)
    return c


def test_under_another_order_each_run_keeps_its_own_end() -> None:
    answer = whatif(two_waiting().log, Question(order="age"))
    assert answer.parted == 8
    assert answer.conditional
    assert (IDEAS in answer.assumptions, DRAWS in answer.assumptions) == (True, True)
    assert answer.best == Bound(low=0.9, high=0.9)
    assert (answer.then["improvements"], answer.now["improvements"]) == (1, 2)
    assert answer.same_order == 0
    assert whatif(two_waiting().log, Question(order="priority")).same_order == 2


def test_a_run_that_history_never_saw_end_is_a_bound_and_never_a_guess() -> None:
    c = two_waiting()
    third = c.queues(c.proposes("tpe", batch=128))
    c.queues(c.proposes("tpe", batch=32))
    c.runs(third, validation=0.7)
    newest = c.queues(c.proposes("tpe", batch=16))
    c.runs(newest, validation=0.95)
    answer = whatif(c.log, Question(order="age"))
    (unknown,) = answer.unknown
    assert (unknown.experiment, unknown.why) == ("e-4", "history saw no end of it")
    assert answer.completed == Bound(low=3, high=4)
    assert answer.best == Bound(low=0.9, high=1.0)
    assert answer.gpu_seconds == Bound(low=30.0, high=630.0)
    assert answer.now["best_validation"] == 0.9


def test_without_deduplication_a_declined_twin_would_have_run_and_nobody_knows_how() -> None:
    c = Chronicle()
    c.opened()
    kept, twin = c.cycle("tpe", {}, {})
    experiment = c.queues(kept)
    c.declines(twin, twin=kept)
    c.runs(experiment, validation=0.7)
    c.runs(c.queues(c.proposes("uniform", batch=64)), validation=0.8)
    answer = whatif(c.log, Question(duplicates="none", order="age"))
    assert [(one.experiment, one.idea) for one in answer.unknown] == [(f"{twin}?", twin)]
    (turned,) = answer.turned
    assert (turned.then, turned.now) == (f"declined: twin of {kept}", "accepted")
    assert answer.best == Bound(low=0.7, high=1.0)


@pytest.mark.parametrize(
    ("rule", "declined"), [("exact", 1), ("bins", 2), ("cell", 3), ("near", 4), ("none", 0), ("recorded", 0)]
)
def test_each_rule_of_duplication_draws_its_own_line(rule: Any, declined: int) -> None:
    c = Chronicle()
    c.opened()
    base, wide = c.configuration(), c.space["dropout"]
    inside, outside = 0.26, 0.49
    assert wide.bin(base["dropout"]) == wide.bin(inside) != wide.bin(outside)  # type: ignore[union-attr,arg-type] # a continuous one
    changes = ({}, {}, {"dropout": inside}, {"dropout": outside}, {"batch": 128})
    for idea in c.cycle("tpe", *changes):
        c.queues(idea)
    answer = whatif(c.log, Question(duplicates=rule))
    assert answer.now["declined"] == declined


def test_an_agent_switched_off_takes_its_ideas_and_what_was_made_from_them_along() -> None:
    c = Chronicle()
    c.opened()
    (root,) = c.cycle("tpe", {})
    c.runs(c.queues(root), validation=0.9)
    (child,) = c.cycle("uniform", {"batch": 64}, parents=(root,))
    c.runs(c.queues(child), validation=0.8)
    (twin,) = c.cycle("uniform", {})
    c.declines(twin, twin=root)
    (own,) = c.cycle("uniform", {"batch": 128})
    c.runs(c.queues(own), validation=0.6)
    answer = whatif(c.log, Question(without=("tpe",)))
    assert answer.unborn == 2
    assert {one.idea: one.now for one in answer.turned} == {
        root: "not proposed",
        child: "not proposed",
        twin: "accepted",
    }
    assert answer.best == Bound(low=0.6, high=1.0)
    assert answer.idle == 2
    assert "completed.tpe" not in answer.now


def test_a_child_is_born_once_the_run_that_it_was_made_from_has_ended() -> None:
    c = Chronicle()
    c.opened()
    first, second = c.cycle("tpe", {}, {"batch": 64})
    low, high = c.queues(first, priority=0.2), c.queues(second, priority=0.9)
    c.runs(high, validation=0.9)
    (child,) = c.cycle("uniform", {"batch": 128}, parents=(second,))
    experiment = c.queues(child)
    c.runs(low, validation=0.6)
    c.runs(experiment, validation=0.7)
    answer = whatif(c.log, Question(order="age"))
    assert answer.turned == ()
    assert answer.now["completed"] == 3
    assert answer.unborn == 0


def two_instruments() -> Chronicle:
    """Two ideas wait; the later one runs first, the earlier one under another instrument."""
    c = Chronicle()
    c.opened()
    one, two = (c.queues(name) for name in c.cycle("tpe", {}, {"batch": 64}))
    c.runs(two, validation=0.9)
    c.assigns(one, on="worker-cpu9-z")
    said = facts.Started(
        experiment=one,
        attempt=1,
        pack="p-2",
        lane=0,
        worker="worker-cpu9-z",
        seed=7,
        instrument="instrument-2",
        platform={},
    )
    c.says("worker-cpu9-z", "pack", "p-2", said)
    c.completes(one, validation=0.8)
    return c


def test_under_another_instrument_a_run_has_no_known_end() -> None:
    answer = whatif(two_instruments().log, Question(order="age"))
    assert {found.why for found in answer.unknown} == {"its end is another instrument's"}
    assert answer.best == Bound(low=None, high=1.0)


def test_history_can_be_ended_where_another_instrument_began() -> None:
    cut = whatif(two_instruments().log, Question(eras=1))
    assert (cut.now["completed"], cut.parted, cut.conditional) == (1, 13, False)
    assert whatif(two_instruments().log, Question(eras=2)).identical


def test_what_the_queue_shows_is_the_scheduler_s_order_at_every_moment(blobs: Blobs) -> None:
    log = played(blobs, outcome=luck(0.3), budget=Budget(experiments=8)).log
    waited = 0
    for until in range(1, log.last() + 1, 3):
        (ledger,) = run(log, LedgerFold(), until=until)
        expected = [turn.experiment.experiment for turn in order(ledger, Prospects())]
        assert [place.experiment for place in places(ledger)] == expected
        waited += len(expected) > 1
    assert waited > 5


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (Question(without=("claude",)), "no agent claude joined; there were tpe"),
        (Question(experiments=0), "at least one experiment"),
        (Question(gpu_hours=-1.0), "more than 0 GPU-hours"),
        (Question(eras=0), "at least one era"),
    ],
)
def test_what_history_has_no_place_for_is_refused_in_a_sentence(question: Question, sentence: str) -> None:
    with pytest.raises(QuestionImpossible, match=sentence):
        whatif(tales.one().log, question)


@pytest.mark.parametrize("make", [tales.unopened, tales.one, tales.failed, tales.equal])
def test_poor_campaigns_are_answered_without_an_error(make: Callable[[], Chronicle]) -> None:
    questions = (Question(order="age", duplicates="near"), Question(experiments=1), Question(gpu_hours=0.001))
    for question in questions:
        assert whatif_page(whatif(make().log, question))


def test_the_door_answers_in_words_and_in_json_and_leaves_with_two_for_the_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], blobs: Blobs
) -> None:
    path = tmp_path / "company.myriad"
    archive.export(played(blobs, outcome=lambda r, _: scored(r)).log, path)
    assert door(str(path), order="age") == 0
    assert "what if    campaign company" in capsys.readouterr().out
    assert door(str(path), experiments=3, json=True) == 0
    assert json.loads(capsys.readouterr().out)["completed"] == {"low": 3, "high": 3}
    assert door(str(path), without=("one", "two")) == 2
    assert "unknown" in capsys.readouterr().out
    assert door(str(path), without=("nobody",)) == 2
    assert capsys.readouterr().err.count("\n") == 1
