"""The scheduler: verdicts, leases, budgets and the end, each decided from the log alone."""

from __future__ import annotations

from typing import Any

import pytest

from actors.agent import BARREN
from actors.judgement.budgets import Budget
from actors.scheduler import Scheduler
from actors.seeds import seed_of
from events.facts import (
    Abandoned,
    AnswerReceived,
    AnswerRefused,
    Assigned,
    CampaignClosed,
    CycleStarted,
    Execution,
    IdeaDeclined,
    IdeaProposed,
    LeaseRevoked,
    Queued,
    RemedyApplied,
    RemedyProposed,
    Requeued,
    Text,
    WorkerJoined,
    WorkerLost,
    WorkerRetired,
)
from tests.actors.scene import Scene
from tests.chronicle import INSTRUMENT, PLATFORM, Chronicle

A, B = "worker-cpu0-a", "worker-cpu1-b"


def scheduling(tale: Chronicle, *, agents: int = 1, **budget: Any) -> Scene:
    return Scene(tale, Scheduler(Budget(**budget), agents=agents, silence=10.0))


def proposes(tale: Chronicle, agent: str, *changes: dict[str, Any], raw: tuple[dict[str, Any], ...] = ()) -> list[str]:
    """A cycle of ideas; `raw` configurations are proposed as they are."""
    names = tale.cycle(agent, *changes)
    for number, configuration in enumerate(raw):
        name = f"raw-{number}"
        idea = IdeaProposed(idea=name, agent=agent, configuration=configuration, rationale="", origin="agent")
        tale.says(f"agent-{agent}", "cycle", "c-raw", idea)
        names.append(name)
    return names


def wide_worker(tale: Chronicle, name: str, lanes: int) -> None:
    joined = WorkerJoined(worker=name, device="cuda:0", lanes=lanes, platform=PLATFORM, instrument=INSTRUMENT)
    tale.says(name, "worker", name, joined)


def test_the_ideas_of_one_frame_are_judged_in_one_frame_oldest_first(tale: Chronicle) -> None:
    proposes(tale, "a", {"pooling": "max"}, {"pooling": "last"})
    proposes(tale, "b", {"pooling": "mean"})
    scene = scheduling(tale)
    first, second = scene.says(), scene.says()
    assert [type(fact) for fact in first] == [Queued, Queued]
    assert [fact.experiment for fact in (*first, *second) if isinstance(fact, Queued)] == ["e-1", "e-2", "e-3"]
    assert all(fact.cause is not None for fact in first)
    assert scene.decides() is None


def test_a_repeated_idea_is_declined_and_names_its_twin_within_a_frame_and_across_frames(tale: Chronicle) -> None:
    one, _ = proposes(tale, "a", {"pooling": "max"}, {"pooling": "max"})
    proposes(tale, "b", {"pooling": "max", "learning_rate": 3.2e-4})
    scene = scheduling(tale)
    _, within = scene.says()
    (across,) = scene.says()
    for declined in (within, across):
        assert isinstance(declined, IdeaDeclined)
        assert (declined.reason, declined.twin) == ("twin", one)


def test_an_idea_in_another_bin_of_a_continuous_dimension_is_no_twin(tale: Chronicle) -> None:
    proposes(tale, "a", {"learning_rate": 1e-3}, {"learning_rate": 1e-4})
    assert [type(fact) for fact in scheduling(tale).says()] == [Queued, Queued]


def test_an_idea_outside_the_space_is_declined_in_the_words_of_the_space(tale: Chronicle) -> None:
    wrong = tale.configuration() | {"pooling": "median"}
    proposes(tale, "a", raw=(wrong,))
    scene = scheduling(tale)
    (declined,) = scene.says()
    assert isinstance(declined, IdeaDeclined)
    assert declined.reason == "invalid"
    assert "median" in declined.rule


def test_after_the_close_every_idea_is_declined(tale: Chronicle) -> None:
    tale.closes("enough")
    proposes(tale, "a", {"pooling": "max"})
    (declined,) = scheduling(tale).says()
    assert isinstance(declined, IdeaDeclined)
    assert (declined.reason, declined.rule) == ("budget", "enough")


def test_a_lease_names_the_experiment_the_worker_the_attempt_and_a_seed_of_its_own(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    tale.worker_joins(A)
    (lease,) = scheduling(tale, timeout=77.0).says()
    assert isinstance(lease, Assigned)
    assert (lease.experiment, lease.worker, lease.attempt, lease.lane) == (experiment, A, 1, 0)
    assert lease.seed == seed_of(5, experiment)
    assert lease.execution.timeout == 77.0


def test_an_idle_worker_gets_one_pack_at_a_time(tale: Chronicle) -> None:
    for pooling in ("max", "last"):
        tale.queues(tale.proposes("a", pooling=pooling))
    tale.worker_joins(A)
    scene = scheduling(tale)
    assert len(scene.says()) == 1
    assert scene.decides() is None


def test_a_worker_that_was_not_heard_yet_is_entrusted_with_nothing(tale: Chronicle) -> None:
    tale.queues(tale.proposes("a"))
    tale.worker_joins(A)
    tale.worker_joins(B)
    scene = scheduling(tale)
    assert scene.decides(unheard=frozenset({A, B})) is None
    (lease,) = scene.says(unheard=frozenset({A}))
    assert isinstance(lease, Assigned)
    assert lease.worker == B


@pytest.mark.parametrize("news", [{"stopping": True}, {"stopping": True, "leaving": True}])
def test_a_scheduler_that_is_asked_to_stop_leases_nothing(tale: Chronicle, news: dict[str, bool]) -> None:
    tale.queues(tale.proposes("a"))
    tale.worker_joins(A)
    assert scheduling(tale).decides(**news) is None


def test_a_pack_holds_experiments_of_one_shape_up_to_the_lanes_of_its_worker(tale: Chronicle) -> None:
    for changes in ({"pooling": "max"}, {"length": 16}, {"pooling": "last"}, {"pooling": "mean"}):
        tale.queues(tale.proposes("a", **changes))
    wide_worker(tale, "worker-cuda0-a", lanes=2)
    leases = [fact for fact in scheduling(tale).says() if isinstance(fact, Assigned)]
    assert [(lease.experiment, lease.lane) for lease in leases] == [("e-1", 0), ("e-3", 1)]
    assert len({lease.pack for lease in leases}) == 1


def test_experiments_that_are_executed_differently_do_not_share_a_pack(tale: Chronicle) -> None:
    first, second = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(first)
    tale.starts(first)
    tale.fails(first, "out_of_memory")
    tale.requeues(first, micro_batches=2)
    wide_worker(tale, "worker-cuda0-b", lanes=2)
    leases = [fact for fact in scheduling(tale).says() if isinstance(fact, Assigned)]
    assert len(leases) == 1
    assert second in {lease.experiment for lease in leases} or leases[0].execution.micro_batches == 2


def test_agents_are_served_in_turn_however_many_ideas_one_of_them_has(tale: Chronicle) -> None:
    poolings = ("max", "last", "mean", "attention")
    for pooling in poolings:
        tale.queues(tale.proposes("loud", pooling=pooling))
    quiet = tale.queues(tale.proposes("quiet", pooling="max", encoder="retnet"))
    scene = scheduling(tale)
    tale.worker_joins(A)
    (first,) = scene.says()
    tale.worker_joins(B)
    (second,) = scene.says()
    assert isinstance(first, Assigned)
    assert isinstance(second, Assigned)
    assert quiet in (first.experiment, second.experiment)


def test_a_silent_worker_is_lost_on_the_log_before_its_lease_is_taken_back(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    pack = tale.assigns(experiment, on=A)
    tale.starts(experiment)
    scene = scheduling(tale)
    assert scene.decides(silences={A: 9.0}) is None
    (lost,) = scene.says(silences={A: 11.5})
    assert isinstance(lost, WorkerLost)
    assert (lost.worker, lost.silence) == (A, 11.5)
    decision = scene.decides(silences={A: 11.5})
    assert decision is not None
    revoked, requeued = decision.facts
    assert isinstance(revoked, LeaseRevoked)
    assert isinstance(requeued, Requeued)
    assert (revoked.pack, revoked.reason, decision.lease) == (pack, "lost", pack)
    assert (requeued.experiment, requeued.attempt) == (experiment, 2)


def test_a_lost_worker_is_lost_once(tale: Chronicle) -> None:
    tale.worker_joins(A)
    scene = scheduling(tale)
    assert len(scene.all(silences={A: 60.0})) == 1


def interrupted(tale: Chronicle, experiment: str, how: str, *, started: bool) -> None:
    worker = f"worker-cpu0-{tale.log.last()}"
    tale.assigns(experiment, on=worker)
    if started:
        tale.starts(experiment)
    if how == "lost":
        tale.loses(worker)
    else:
        tale.says(worker, "worker", worker, WorkerRetired(worker=worker, reason="asked to stop"))


@pytest.mark.parametrize(
    ("how", "started", "verdict"),
    [
        ("lost", True, Abandoned),
        ("lost", False, Requeued),
        ("retired", True, Requeued),
        ("retired", False, Requeued),
    ],
)
def test_only_a_worker_lost_while_it_ran_speaks_against_an_experiment(
    tale: Chronicle, how: str, started: bool, verdict: type
) -> None:
    experiment = tale.queues(tale.proposes("a"))
    scene = scheduling(tale, attempts=2)
    for _ in range(2):
        interrupted(tale, experiment, how, started=started)
        revoked, then = scene.says()
        assert isinstance(revoked, LeaseRevoked)
    assert isinstance(then, verdict)


def test_a_repaired_run_is_queued_again_as_its_remedy_says(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment, "crashed")
    scene = scheduling(tale)
    assert scene.decides() is None
    tale.repairs(experiment)
    (requeued,) = scene.says()
    assert isinstance(requeued, Requeued)
    assert (requeued.attempt, requeued.reason) == (2, "diverged: retry")
    assert requeued.cause is not None


def test_a_run_that_keeps_breaking_is_abandoned_after_the_allowed_attempts(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    scene = scheduling(tale, attempts=2)
    for _ in range(2):
        tale.assigns(experiment)
        tale.starts(experiment)
        tale.fails(experiment, "crashed")
        tale.repairs(experiment)
        (verdict,) = scene.says()
    assert isinstance(verdict, Abandoned)
    assert "after 2 spoiled attempts" in verdict.reason


def test_a_run_without_remedy_and_one_replaced_by_a_child_are_abandoned(tale: Chronicle) -> None:
    hopeless, replaced = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    scene = scheduling(tale)
    for experiment in (hopeless, replaced):
        tale.assigns(experiment)
        tale.starts(experiment)
        tale.fails(experiment)
    tale.repairs(hopeless, "none")
    repair = tale.repairs(replaced)
    child = RemedyProposed(repair=repair, experiment=replaced, remedy="child", child="i-9")
    tale.says("fixer", "repair", repair, child)
    tale.says("fixer", "repair", repair, RemedyApplied(repair=repair, experiment=replaced))
    verdicts = {fact.experiment: fact.reason for fact in scene.all() if isinstance(fact, Abandoned)}
    assert verdicts == {hopeless: "it diverged", replaced: "diverged: replaced by i-9"}


def test_the_campaign_closes_once_when_enough_is_completed(tale: Chronicle) -> None:
    scene = scheduling(tale, experiments=1)
    tale.runs(tale.queues(tale.proposes("a")))
    facts = scene.all()
    assert [type(fact) for fact in facts] == [CampaignClosed]


def test_no_more_runs_are_begun_than_the_budget_of_experiments_could_use(tale: Chronicle) -> None:
    for pooling in ("max", "last", "mean"):
        tale.queues(tale.proposes("a", pooling=pooling))
    wide_worker(tale, "worker-cuda0-a", lanes=32)
    tale.worker_joins(B)
    scene = scheduling(tale, experiments=2)
    assert len(scene.says()) == 2
    assert scene.decides() is None


def test_the_budget_of_device_time_reserves_each_run_at_its_time_out(tale: Chronicle) -> None:
    for pooling in ("max", "last", "mean"):
        tale.queues(tale.proposes("a", pooling=pooling))
    wide_worker(tale, "worker-cuda0-a", lanes=32)
    scene = scheduling(tale, gpu_hours=250 / 3600, timeout=100.0)
    assert len(scene.says()) == 2
    assert scene.decides() is None


def test_a_campaign_ends_when_no_attempt_fits_its_device_time_any_more(tale: Chronicle) -> None:
    tale.runs(tale.queues(tale.proposes("a")), gpu_seconds=60.0)
    (closed,) = scheduling(tale, gpu_hours=150 / 3600, timeout=100.0).says()
    assert isinstance(closed, CampaignClosed)
    assert "GPU-hours" in closed.reason


def test_wall_time_stops_new_work_waits_for_what_runs_and_then_closes(tale: Chronicle) -> None:
    running, waiting = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(running, on=A)
    tale.starts(running)
    tale.worker_joins(B)
    tale.waits(7200)
    scene = scheduling(tale, hours=1.0)
    assert scene.decides() is None
    assert isinstance(scheduling(tale, hours=3.0).decides().facts[0], Assigned)  # type: ignore[union-attr] # it leases
    tale.completes(running)
    (closed,) = scene.says()
    assert isinstance(closed, CampaignClosed)
    assert "1 hours of wall time" in closed.reason
    assert waiting


def test_nothing_begins_that_could_end_after_the_wall_time_however_long_it_may_take(tale: Chronicle) -> None:
    slow, quick = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    failed_slowly(tale, slow)
    tale.waits(3600 - 150)
    scene = scheduling(tale, hours=1.0, timeout=100.0)
    abandoned, lease = scene.all()
    assert isinstance(abandoned, Abandoned)
    assert (abandoned.experiment, abandoned.reason) == (slow, "the budget has no room for its 200 s")
    assert isinstance(lease, Assigned)
    assert (lease.experiment, lease.execution.timeout) == (quick, 100.0)
    late = scheduling(tale, hours=1.0, timeout=100.0)
    tale.waits(60)
    assert late.decides() is None, "what runs may end"


def failed_slowly(tale: Chronicle, experiment: str) -> None:
    tale.assigns(experiment, on=A)
    tale.starts(experiment)
    tale.fails(experiment, "timeout", gpu_seconds=100.0)
    tale.requeues(experiment, timeout=200.0)


def test_a_run_that_waits_for_more_time_than_is_left_does_not_block_those_behind_it(tale: Chronicle) -> None:
    patient = tale.queues(tale.proposes("a", pooling="max"), priority=0.9)
    quick = tale.queues(tale.proposes("a", pooling="last"), priority=0.1)
    running = tale.queues(tale.proposes("a", pooling="mean"))
    failed_slowly(tale, patient)
    tale.assigns(running, on=B)
    (lease,) = scheduling(tale, gpu_hours=850 / 3600, timeout=100.0).says()
    assert isinstance(lease, Assigned)
    assert lease.experiment == quick


def test_a_run_that_no_budget_can_pay_any_more_is_abandoned_once_nothing_else_runs(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    failed_slowly(tale, experiment)
    (abandoned,) = scheduling(tale, gpu_hours=250 / 3600, timeout=100.0).says()
    assert isinstance(abandoned, Abandoned)
    assert "no room for its 200 s" in abandoned.reason


def barren(tale: Chronicle, agent: str) -> None:
    tale.joins(agent)
    for number in range(BARREN):
        name = f"c-{agent}-{number}"
        tale.says(f"agent-{agent}", "cycle", name, CycleStarted(cycle=name, agent=agent, key=1))
        tale.says(f"agent-{agent}", "cycle", name, AnswerRefused(cycle=name, reason="nothing new"))


def test_a_campaign_ends_when_every_agent_has_long_been_without_a_new_idea(tale: Chronicle) -> None:
    barren(tale, "a")
    scene = scheduling(tale, agents=2)
    assert scene.decides() is None
    barren(tale, "b")
    (closed,) = scene.says()
    assert isinstance(closed, CampaignClosed)
    assert "no agent had a new idea" in closed.reason


def test_an_open_cycle_keeps_a_campaign_of_barren_agents_open(tale: Chronicle) -> None:
    barren(tale, "a")
    tale.says("agent-a", "cycle", "c-last", CycleStarted(cycle="c-last", agent="a", key=1))
    scene = scheduling(tale)
    assert scene.decides() is None
    tale.says("agent-a", "cycle", "c-last", AnswerReceived(cycle="c-last", text=Text(head=""), model="m"))
    assert isinstance(scene.says()[0], CampaignClosed)


def test_a_campaign_waits_for_a_failed_run_to_be_settled_before_it_closes(tale: Chronicle) -> None:
    scene = scheduling(tale, experiments=1)
    done, failing = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(failing, on=B)
    tale.starts(failing)
    tale.runs(done, on=A)
    tale.fails(failing, "crashed")
    assert scene.decides() is None
    tale.repairs(failing)
    assert [type(fact) for fact in scene.all()] == [Requeued, CampaignClosed]


def out_of_memory(tale: Chronicle, scene: Scene, experiment: str, slices: int) -> Any:
    """A run in so many slices runs out of memory, and the fixer slices it twice as fine; the scheduler's verdict."""
    tale.assigns(experiment, execution=Execution(micro_batches=slices))
    tale.starts(experiment)
    tale.fails(experiment, "out_of_memory")
    repair = tale.repairs(experiment)
    remedy = RemedyProposed(
        repair=repair, experiment=experiment, remedy="micro_batches", execution=Execution(micro_batches=slices * 2)
    )
    tale.says("fixer", "repair", repair, remedy)
    tale.says("fixer", "repair", repair, RemedyApplied(repair=repair, experiment=experiment))
    return scene.says()[0]


def test_finer_slicing_is_tried_to_its_end_however_few_attempts_are_allowed(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    scene = scheduling(tale, attempts=2)
    for slices in (1, 2, 4):
        again = out_of_memory(tale, scene, experiment, slices)
        assert isinstance(again, Requeued)
        assert again.execution.micro_batches == slices * 2
    tale.assigns(experiment, execution=Execution(micro_batches=8))
    tale.starts(experiment)
    tale.fails(experiment, "crashed")
    tale.repairs(experiment)
    assert isinstance(scene.says()[0], Requeued)


def test_the_same_slicing_tried_again_is_a_spoiled_attempt(tale: Chronicle) -> None:
    experiment = tale.queues(tale.proposes("a"))
    scene = scheduling(tale, attempts=2)
    for _ in range(2):
        tale.assigns(experiment)
        tale.starts(experiment)
        tale.fails(experiment, "out_of_memory")
        tale.repairs(experiment)
        (verdict,) = scene.says()
    assert isinstance(verdict, Abandoned)


def given_up(tale: Chronicle, scene: Scene, length: int) -> None:
    experiment = tale.queues(tale.proposes("a", length=length))
    tale.assigns(experiment)
    tale.starts(experiment)
    tale.fails(experiment)
    tale.repairs(experiment, "none")
    scene.says()


def test_a_search_in_which_every_run_breaks_ends_and_says_so(tale: Chronicle) -> None:
    scene = scheduling(tale, experiments=100, fruitless=3)
    for length in (8, 12):
        given_up(tale, scene, length)
    assert scene.decides() is None
    tale.runs(tale.queues(tale.proposes("a", length=16, pooling="max")))
    for length in (16, 20):
        given_up(tale, scene, length)
    assert scene.decides() is None
    given_up(tale, scene, 32)
    (closed,) = scene.says()
    assert isinstance(closed, CampaignClosed)
    assert closed.reason == "3 experiments in a row were given up and none completed, as budget.fruitless allows"


def test_nothing_is_begun_once_too_many_were_given_up_and_a_completion_lets_the_search_go_on(tale: Chronicle) -> None:
    scene = scheduling(tale, experiments=100, fruitless=1)
    running, waiting = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(running, on=B)
    tale.starts(running)
    given_up(tale, scene, 8)
    tale.queues(tale.proposes("a", length=12))
    assert scene.decides() is None
    tale.completes(running)
    (lease,) = scene.says()
    assert isinstance(lease, Assigned)
    assert lease.experiment == waiting


def test_runs_begun_before_the_last_completion_say_nothing_of_what_comes_after_it(tale: Chronicle) -> None:
    """A pack of which one lane completes and the others break at once is not a row of failures."""
    scene = scheduling(tale, experiments=100, fruitless=1)
    breaking, completing = (tale.queues(tale.proposes("a", pooling=pooling)) for pooling in ("max", "last"))
    tale.assigns(breaking, on=A)
    tale.assigns(completing, on=B)
    tale.starts(breaking)
    tale.starts(completing)
    tale.completes(completing)
    tale.fails(breaking)
    tale.repairs(breaking, "none")
    assert [type(fact) for fact in scene.all()] == [Abandoned]


def test_a_campaign_whose_agents_ran_out_of_money_says_so(tale: Chronicle) -> None:
    tale.joins("rich")
    for number in range(BARREN):
        name = f"c-rich-{number}"
        tale.says("agent-rich", "cycle", name, CycleStarted(cycle=name, agent="rich", key=1))
        tale.says("agent-rich", "cycle", name, AnswerRefused(cycle=name, reason="nothing new"))
    tale.joins("poor")
    tale.says("agent-poor", "cycle", "c-poor-1", CycleStarted(cycle="c-poor-1", agent="poor", key=1))
    refused = AnswerRefused(cycle="c-poor-1", reason="agent.usd = 1 has no room", kind="budget", usd=0.0)
    tale.says("agent-poor", "cycle", "c-poor-1", refused)
    (closed,) = scheduling(tale, agents=2).says()
    assert isinstance(closed, CampaignClosed)
    assert closed.reason == (
        "agent poor has no money for another question: agent.usd = 1 has no room; "
        f"agent rich had no new idea in {BARREN} cycles"
    )
