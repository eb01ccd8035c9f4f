import itertools
import re

import pytest

from events.facts import Boosted
from replay.moments.moment import moment
from replay.queueing import queueing, queueing_page
from tests.replay import tales


def waiting():
    """Two agents with ideas of different priorities, one of them served before."""
    c = tales.Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")))
    for agent, batch, priority in (("tpe", 32, 0.9), ("tpe", 64, 0.4), ("uniform", 64, 0.2), ("uniform", 128, 0.8)):
        c.queues(c.proposes(agent, batch=batch, dropout=0.2 if agent == "tpe" else 0.4), priority=priority)
    return c


def test_the_agent_served_least_goes_first_and_within_it_the_highest_priority():
    told = queueing(waiting().log)
    assert [(place.experiment, place.agent, place.turn) for place in told.waiting] == [
        ("e-5", "uniform", 0),
        ("e-2", "tpe", 1),
        ("e-4", "uniform", 1),
        ("e-3", "tpe", 2),
    ]
    assert [place.place for place in told.waiting] == [1, 2, 3, 4]
    assert told.served == {"tpe": 1}
    assert told.waiting[0].terms == {"wish": 0.5}


def test_the_queue_can_be_asked_for_as_it_stood():
    c = waiting()
    assert queueing(c.log, 1).waiting == ()
    early = queueing(c.log, c.log.last() - 3)
    assert [place.experiment for place in early.waiting] == ["e-4", "e-2", "e-3"]
    assert early.through == c.log.last() - 3


def test_a_declined_idea_names_its_rule_its_twin_how_that_fared_and_what_still_differs():
    c = tales.one(0.7)
    c.declines(c.proposes("uniform", dropout=0.26), twin="i-1")
    (declined,) = queueing(c.log).declined
    assert (declined.reason, declined.rule, declined.twin) == ("twin", "twin: a rule", "i-1")
    assert (declined.experiment, declined.status, declined.validation) == ("e-1", "completed", 0.7)
    assert [change.dimension for change in declined.changes] == ["dropout"]
    page = queueing_page(queueing(c.log))
    assert "twin i-1, e-1 completed AP 0.7000; differs in drop=0.26" in page


def test_an_idea_that_repeats_nothing_has_no_twin():
    c = tales.one()
    c.declines(c.proposes("tpe", batch=64), "budget")
    (declined,) = queueing(c.log).declined
    assert (declined.twin, declined.status, declined.changes) == (None, None, ())
    assert queueing(c.log).reasons == {"budget": 1}


def test_a_closed_campaign_says_that_nothing_will_run():
    c = waiting()
    c.closes()
    told = queueing(c.log)
    assert told.closed == "the budget is spent"
    assert "nothing that waits will run" in " ".join(queueing_page(told).split())


def test_a_lost_run_waits_again_as_its_next_attempt():
    c = tales.one()
    experiment = c.queues(c.proposes("uniform", batch=64))
    c.assigns(experiment)
    assert queueing(c.log).running == (experiment,)
    c.revokes(experiment)
    c.requeues(experiment)
    (place,) = queueing(c.log).waiting
    assert (place.experiment, place.attempt) == (experiment, 2)


@pytest.mark.parametrize("make", [tales.unopened, tales.one, tales.failed, tales.equal])
def test_poor_campaigns_have_a_queue(make):
    told = queueing(make().log)
    assert told.waiting == ()
    assert "Declined: 0 (none)" in queueing_page(told)


def test_the_page_says_what_a_run_promises_what_it_would_take_and_what_a_person_added():
    c = tales.Chronicle()
    c.opened()
    for batch, pooling in itertools.product((16, 64), ("max", "last", "mean", "attention")):
        idea, score = c.proposes("tpe", batch=batch, pooling=pooling), 0.5 + len(pooling) / 50 + batch % 3 / 20
        c.runs(c.queues(idea), validation=score, gpu_seconds=1280 / batch)
    quick, slow = (c.queues(c.proposes("tpe", batch=batch, dropout=0.1)) for batch in (64, 16))
    c.says("person-x", "campaign", "declared", Boosted(experiment=slow, by=0.25, reason=""))
    first, second = queueing(c.log).waiting
    assert (first.experiment, first.rule, first.boost) == (slow, "boosted", 0.25)
    assert (second.experiment, second.rule, second.boost, second.worth) == (quick, "value", 0.0, 1.0)
    assert first.seconds > second.seconds
    assert first.value == pytest.approx(first.priority + first.worth + first.boost)
    page = " ".join(queueing_page(queueing(c.log)).split())
    assert "boosted; " in page
    assert "boost 0.25" in page
    assert re.search(r"worth 1; gain 0\.\d+ in \d+ s", page)


def test_a_moment_lists_what_waits_in_the_order_of_the_queue():
    c = waiting()
    order = [place.experiment for place in queueing(c.log).waiting]
    assert [place.experiment for place in moment(c.log, str(c.log.last())).waiting] == order
    assert order != sorted(order)
