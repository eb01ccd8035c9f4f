import pytest

from events import facts
from replay.errors import HistoryBroken
from replay.folds import run
from replay.ledger import LedgerFold
from tests.chronicle import Chronicle
from tests.replay import tales


def ledger(c):
    return run(c.log, LedgerFold())[0]


def started():
    c = Chronicle()
    c.opened()
    idea = c.proposes("tpe", backbone="motion")
    experiment = c.queues(idea)
    c.assigns(experiment, on="worker-a-1")
    c.starts(experiment)
    return c, experiment


def test_an_experiment_goes_from_idea_to_result():
    c, experiment = started()
    assert ledger(c).experiments[experiment].status == "running"
    c.completes(experiment, validation=0.8, gpu_seconds=12.5)
    told = ledger(c)
    assert told.completed == [experiment]
    assert told.experiments[experiment].outcome.validation == 0.8
    assert told.experiments[experiment].gpu_seconds == 12.5
    assert (told.author(experiment), told.configuration(experiment)["backbone"]) == ("tpe", "motion")


def test_a_second_completion_is_void_and_the_first_stands():
    c, experiment = started()
    c.completes(experiment, validation=0.8)
    c.completes(experiment, validation=0.9)
    told = ledger(c)
    assert told.completed == [experiment]
    assert told.experiments[experiment].outcome.validation == 0.8
    assert [position.sequence for position in told.void] == [c.log.last()]


def test_nothing_that_has_its_result_is_leased_queued_or_abandoned_again():
    c, experiment = started()
    c.completes(experiment, validation=0.8)
    before = ledger(c).experiments[experiment]
    c.requeues(experiment)
    c.runs(experiment, validation=0.9)
    c.abandons(experiment)
    told = ledger(c)
    assert told.experiments[experiment] == before
    assert told.completed == [experiment]
    assert len(told.void) == 5


def test_a_word_from_a_worker_without_the_lease_is_void():
    c, experiment = started()
    c.worker_joins("worker-b-1")
    c.completes(experiment, by="worker-b-1", validation=0.9)
    assert ledger(c).experiments[experiment].status == "running"
    assert len(ledger(c).void) == 1


def test_a_word_after_the_lease_was_revoked_is_void():
    c, experiment = started()
    c.revokes(experiment)
    c.completes(experiment, validation=0.9)
    told = ledger(c)
    assert told.completed == []
    assert told.experiments[experiment].attempts[0].failure == "lost"
    assert not told.experiments[experiment].attempts[0].broken
    assert len(told.void) == 1


def test_an_experiment_is_queued_once():
    c, experiment = started()
    idea = ledger(c).experiments[experiment].idea
    again = facts.Queued(experiment=experiment, idea=idea, priority=1.0, terms={})
    c.says("scheduler", "cycle", "c-1", again)
    assert ledger(c).experiments[experiment].status == "running"
    assert len(ledger(c).void) == 1


def test_a_failed_run_comes_back_under_a_new_attempt():
    c, experiment = started()
    c.fails(experiment, "out_of_memory")
    c.repairs(experiment, "micro_batches")
    c.requeues(experiment, micro_batches=4)
    c.runs(experiment, validation=0.7)
    told = ledger(c).experiments[experiment]
    assert [attempt.failure for attempt in told.attempts] == ["out_of_memory", None]
    assert told.execution.micro_batches == 4
    assert told.gpu_seconds == 13.0


def test_ideas_wait_for_their_verdicts_by_source():
    c = Chronicle()
    c.opened()
    one, two = c.cycle("tpe", {"batch": 16}, {"batch": 32})
    assert ledger(c).unjudged == {"cycle.c-1": [one, two]}
    c.queues(one)
    c.declines(two, "twin", twin=one)
    assert ledger(c).unjudged == {}
    assert (ledger(c).ideas[two].declined, ledger(c).ideas[two].twin) == ("twin", one)


def test_a_verdict_on_an_unknown_idea_names_its_position():
    c = Chronicle()
    c.opened()
    c.says("scheduler", "cycle", "c-9", facts.Queued(experiment="e-9", idea="i-9", priority=0.5, terms={}))
    with pytest.raises(HistoryBroken, match="i-9 was never proposed") as caught:
        ledger(c)
    assert caught.value.position.sequence == 2


def test_a_fact_about_what_was_never_made_known_names_its_position():
    c = Chronicle()
    c.opened()
    c.says("agent-x", "cycle", "c-9", facts.CycleStarted(cycle="c-9", agent="x", key=1))
    with pytest.raises(HistoryBroken, match="CycleStarted speaks of 'x'"):
        tales.measured(c)
