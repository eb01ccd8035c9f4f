"""The order of the queue: whose turn it is, what goes first and why, and how long anybody can be made to wait."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest

from events.facts import Boosted
from replay.folds import Pass, run
from replay.ledger import Ledger, LedgerFold
from replay.lessons import Lessons, improvement
from replay.prospects import FEWEST, Prospects, counted
from replay.turns import OLDEST, Turn, order
from tests.chronicle import Chronicle

POINTS = [
    {"batch": batch, "length": length, "pooling": pooling, "encoder": encoder}
    for batch, length, pooling, encoder in itertools.product(
        (16, 32, 64, 128), (8, 12, 16, 20, 32), ("max", "last", "mean", "attention"), ("zipformer", "retnet")
    )
]


class Search:
    """A campaign whose ledger is folded as it is told."""

    def __init__(self) -> None:
        self.tale = Chronicle()
        self.tale.opened()
        self._pass = Pass(LedgerFold())
        self.prospects = Prospects()
        self._points = iter(POINTS)

    @property
    def ledger(self) -> Ledger:
        self._pass.advance(self.tale.log.read(self._pass.through))
        ledger: Ledger = self._pass.results()[0]
        return ledger

    def queues(self, agent: str, *, priority: float = 0.5) -> str:
        return self.tale.queues(self.tale.proposes(agent, **next(self._points)), priority=priority)

    def order(self) -> list[Turn]:
        return list(order(self.ledger, self.prospects))

    def names(self) -> list[str]:
        return [turn.experiment.experiment for turn in self.order()]

    def runs_next(self, **fields: float) -> Turn:
        turn = self.order()[0]
        self.tale.runs(turn.experiment.experiment, **fields)
        return turn


def learnt(*, costs: dict[int, float], scores: dict[int, float]) -> Search:
    """A campaign that has seen runs of each batch, which cost and scored as told."""
    search = Search()
    for dropout in (0.1, 0.2, 0.3, 0.4):
        for batch, seconds in costs.items():
            idea = search.tale.proposes("a", batch=batch, dropout=dropout)
            validation = scores[batch] + dropout / 20
            search.tale.runs(search.tale.queues(idea), validation=validation, gpu_seconds=seconds)
    return search


@pytest.mark.parametrize("agents", [2, 3, 4, 5])
def test_whatever_comes_no_agent_that_waits_sees_the_others_served_more_than_twice_each(agents: int) -> None:
    search, draw = Search(), Random(agents)
    names = [f"agent{number}" for number in range(agents)]
    since: dict[str, int] = {}
    for _ in range(150):
        for name in names:
            if draw.random() < 0.3 and _left(search):
                search.queues(name, priority=draw.random())
        waiting = {turn.agent for turn in search.order()}
        since = {name: since.get(name, 0) for name in waiting}
        if not waiting:
            continue
        served = search.runs_next(validation=draw.random()).agent
        since = {name: 0 if name == served else many + 1 for name, many in since.items()}
        assert max(since.values(), default=0) <= 2 * (agents - 1)


def _left(search: Search) -> bool:
    return len(search.ledger.ideas) < len(POINTS)


def test_an_agent_that_comes_late_begins_where_the_others_are_and_not_with_all_that_it_missed() -> None:
    search = Search()
    for _ in range(30):
        search.queues("early")
    for _ in range(15):
        search.runs_next()
    for _ in range(30):
        search.queues("late")
    assert [search.runs_next().agent for _ in range(12)].count("late") in (6, 7)


def test_no_experiment_waits_for_more_than_eight_turns_of_its_agent_for_itself_and_each_older_one() -> None:
    search = Search()
    first, second = search.queues("a", priority=0.01), search.queues("a", priority=0.0)
    ran: list[str] = []
    for _ in range(2 * OLDEST):
        search.queues("a", priority=0.9)
        ran.append(search.runs_next().experiment.experiment)
    assert ran.index(first) < OLDEST
    assert ran.index(second) < 2 * OLDEST
    assert ran.index(first) > 1


def test_of_two_equal_promises_the_one_that_takes_less_device_time_goes_first() -> None:
    search = learnt(costs={16: 40.0, 64: 10.0}, scores={16: 0.6, 64: 0.6})
    slow = search.tale.queues(search.tale.proposes("a", batch=16, pooling="max"))
    quick = search.tale.queues(search.tale.proposes("a", batch=64, pooling="max"))
    assert search.names() == [quick, slow]
    told = {turn.experiment.experiment: turn for turn in search.order()}
    one, other = told[slow].prospect, told[quick].prospect
    assert one is not None
    assert other is not None
    assert one.seconds == pytest.approx((4 * 40 + 25) / 5)
    assert other.seconds == pytest.approx((4 * 10 + 25) / 5)
    assert told[quick].worth == 1.0


def test_of_two_that_take_as_long_the_one_like_the_better_ones_goes_first() -> None:
    search = learnt(costs={16: 10.0, 64: 10.0}, scores={16: 0.7, 64: 0.5})
    poor = search.tale.queues(search.tale.proposes("a", batch=64, pooling="max"))
    good = search.tale.queues(search.tale.proposes("a", batch=16, pooling="max"))
    assert search.names() == [good, poor]


def test_a_run_takes_as_many_times_an_epoch_as_it_has() -> None:
    search = learnt(costs={16: 10.0, 64: 10.0}, scores={16: 0.6, 64: 0.6})
    for epochs in (5, 30):
        search.tale.queues(search.tale.proposes("a", epochs=epochs, pooling="max"))
    seconds = sorted(turn.prospect.seconds for turn in search.order() if turn.prospect is not None)
    assert seconds[1] / seconds[0] == pytest.approx(30 / 5)


def test_nothing_is_guessed_before_enough_is_known() -> None:
    search = Search()
    for _ in range(FEWEST):
        search.queues("a")
    for _ in range(FEWEST - 1):
        assert search.runs_next().prospect is None
    assert search.order()[0].worth == 0.0


def test_a_boost_goes_before_every_turn_and_a_negative_one_behind_its_agent_s_others() -> None:
    search = Search()
    one, two, three = (search.queues(agent) for agent in ("a", "a", "b"))
    search.tale.says("person-x", "campaign", "declared", Boosted(experiment=two, by=0.5, reason=""))
    search.tale.says("person-x", "campaign", "declared", Boosted(experiment=one, by=-5.0, reason=""))
    another = search.queues("a", priority=0.0)
    assert search.names() == [two, another, three, one]
    assert [turn.rule for turn in search.order()] == ["boosted", "value", "value", "value"]


def test_an_order_told_afresh_is_the_one_that_was_kept_up() -> None:
    search, draw = Search(), Random(3)
    for _ in range(40):
        search.queues(draw.choice("ab"), priority=draw.random())
    for _ in range(30):
        kept, afresh = search.order(), list(order(search.ledger, Prospects()))
        assert kept == afresh
        search.runs_next(validation=draw.random(), gpu_seconds=draw.uniform(5, 50))


@pytest.mark.parametrize(("mean", "spread", "best"), [(0.5, 0.1, 0.6), (0.7, 0.05, 0.6), (0.2, 0.3, 0.9)])
def test_the_expected_improvement_is_the_integral_of_what_exceeds_the_best(
    mean: float, spread: float, best: float
) -> None:
    steps = 20_000
    width = 20 * spread / steps
    draws = (mean - 10 * spread + (n + 0.5) * width for n in range(steps))
    density = [(x, math.exp(-(((x - mean) / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi))) for x in draws]
    integral = math.fsum(max(0.0, x - best) * weight * width for x, weight in density)
    assert improvement(mean, spread, best) == pytest.approx(integral, abs=1e-7)


def test_a_certain_guess_improves_by_what_it_lies_above_the_best() -> None:
    assert improvement(0.7, 0.0, 0.6) == pytest.approx(0.1)
    assert improvement(0.5, 0.0, 0.6) == 0.0


def test_what_is_learnt_grows_with_the_ledger_in_steps_of_at_most_a_few_per_cent() -> None:
    assert [counted(n) for n in range(65)] == list(range(65))
    for n in range(65, 20_000, 7):
        assert 0.96 * n < counted(n) <= n


def test_moments_of_one_log_learn_the_same_from_shared_lessons_in_whatever_order_they_are_seen() -> None:
    search = learnt(costs={16: 10.0, 32: 40.0}, scores={16: 0.6, 32: 0.8})
    for _ in range(70):
        search.queues("tpe")
        search.runs_next(validation=0.5 + 0.001 * (len(search.ledger.completed) % 7))
        search.queues("tpe")
    shared, places = Lessons(), list(range(search.tale.log.last(), 0, -37))
    for place in (*places, *reversed(places), *places[::3]):
        (ledger,) = run(search.tale.log, LedgerFold(), until=place)
        assert list(order(ledger, Prospects(shared))) == list(order(ledger, Prospects()))
    assert any(turn.worth for turn in order(search.ledger, Prospects(shared)))
