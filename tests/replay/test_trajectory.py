import pytest

from events import facts
from events.envelope import Position
from replay.milestones import MilestonesFold, milestones
from replay.pages.trajectory import trajectory_page
from replay.trajectory import label_of, labels, trajectory
from tests.replay import tales


def track_of(told, name):
    return next(track for track in told.tracks if track.dimension == name)


def moving(n=60):
    """Two agents that move from the appearance backbone to the motion one, the learning rate rising along."""
    c = tales.Chronicle()
    c.opened()
    for turn in range(n):
        late = turn >= n // 2
        changes = {"backbone": "motion" if late else "appearance", "learning_rate": 1e-3 if late else 1e-4}
        c.runs(c.queues(c.proposes(tales.AGENTS[turn % 2], **changes)), validation=0.5 + turn / 200)
    return c


def test_a_value_has_its_first_proposal_its_counts_its_shares_and_its_best():
    told = trajectory(moving().log)
    appearance, motion = track_of(told, "backbone").values
    assert (appearance.value, motion.value) == ("appearance", "motion")
    assert (appearance.proposed, appearance.completed, motion.completed) == (30, 30, 30)
    assert (motion.first.agent, motion.first.origin, motion.first.rationale) == ("tpe", "agent", "worth a try")
    assert motion.first.idea == "i-31"
    assert (appearance.best.validation, appearance.best.completion) == (pytest.approx(0.645), 30)
    assert (motion.best.experiment, motion.best.completion) == ("e-60", 60)
    assert appearance.shares[0][1] == 1.0
    assert (appearance.shares[-1][1], motion.shares[-1][1]) == (0.0, 1.0)


def test_the_shares_of_a_dimension_sum_to_one_at_every_reading():
    for track in trajectory(tales.busy(40).log).tracks:
        readings = zip(*(usage.shares for usage in track.values), strict=True)
        for reading in readings:
            assert sum(share for _, share in reading) == pytest.approx(1.0)
            assert len({n for n, _ in reading}) == 1


def test_a_continuous_dimension_is_told_by_the_bins_that_deduplication_compares():
    rate = tales.SPACE["learning_rate"]
    assert len(labels(rate)) == rate.bins
    assert label_of(rate, {"learning_rate": 1e-4}) == labels(rate)[rate.bin(1e-4)]
    rows = {usage.value: usage.completed for usage in track_of(trajectory(moving().log), "learning_rate").values}
    assert rows[labels(rate)[rate.bin(1e-4)]] == rows[labels(rate)[rate.bin(1e-3)]] == 30


def test_a_dimension_counts_only_the_runs_in_which_it_exists():
    c = tales.Chronicle()
    c.opened()
    for loss in ("focal", "bce", "focal"):
        c.runs(c.queues(c.proposes("tpe", loss=loss)))
    told = trajectory(c.log)
    assert (track_of(told, "focal_gamma").n, track_of(told, "loss").n) == (2, 3)


def test_a_value_outside_the_space_is_told_as_it_was_written():
    c = tales.Chronicle()
    c.opened()
    (good,) = c.cycle("tpe", {})
    wrong = {**c.configuration(), "batch": 7, "dropout": 3.0}
    idea = facts.IdeaProposed(idea="i-x", agent="tpe", configuration=wrong, rationale="why not", origin="agent")
    c.says("agent-tpe", "cycle", "c-9", idea)
    told = trajectory(c.log)
    assert good
    assert [usage.value for usage in track_of(told, "batch").values if usage.proposed] == ["16", "7"]
    assert track_of(told, "dropout").values[-1].value == "3.0"


def test_fixes_and_champions_stand_on_one_line_in_the_order_of_the_log():
    c = tales.busy(20)
    c.loses("worker-cpu0-a")
    c.closes()
    line = trajectory(c.log).line
    positions = [turn.position for turn in line]
    assert positions == sorted(positions)
    kinds = [turn.kind for turn in line]
    assert kinds[:3] == ["opened", "joined", "joined"]
    assert kinds[-2:] == ["lost", "closed"]
    champions = tales.measured(c).results[0].progress.improvements
    assert [turn.experiment for turn in line if turn.kind == "champion"] == [step.experiment for step in champions]
    fixes = [turn.what for turn in line if turn.kind == "fix"]
    assert fixes
    assert all("micro_batches" in fix for fix in fixes)


def test_a_widening_stands_on_the_line_between_who_brought_it_and_who_led_with_it():
    c = tales.Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")), validation=0.5)
    wider = {**c.configuration(), "backbone": "fusion"}
    idea = facts.IdeaProposed(idea="i-x", agent="tpe", configuration=wider, rationale="both", origin="agent")
    c.says("agent-tpe", "cycle", "c-1", idea)
    widened = facts.SpaceWidened(dimension="backbone", value="fusion", proposer="tpe", reason="as the rules allow")
    queued = facts.Queued(experiment="e-x", idea="i-x", priority=0.5, terms={})
    c.says("scheduler", "cycle", "c-1", widened, queued)
    c.runs("e-x", validation=0.9)
    told = trajectory(c.log)
    kinds = [turn.kind for turn in told.line]
    assert kinds == ["opened", "joined", "instrument", "champion", "widened", "champion"]
    assert told.line[4].what == "backbone = fusion, brought by tpe: as the rules allow"
    usage = track_of(told, "backbone").values[-1]
    assert (usage.value, usage.widened, usage.completed, usage.first.idea) == ("fusion", True, 1, "i-x")
    assert usage.first.position < told.line[4].position < usage.best.position
    page = trajectory_page(told)
    assert "+ fusion" in page
    assert "was not in the space at first" in page


def test_pauses_bans_eras_and_defects_are_turns():
    c = tales.one()
    said = (
        facts.CampaignPaused(reason="lunch"),
        facts.CampaignResumed(reason="back"),
        facts.Banned(ban="b-1", where="pooling == max", reason="no gain"),
        facts.BanLifted(ban="b-1", reason="by its rule"),
        facts.DefectFound(defect="d-1", component="pooling", where="pooling == attention", reason="it was mean"),
        facts.DefectFixed(defect="d-1", instrument="instrument-2"),
        facts.CampaignReopened(reason="more to see"),
    )
    for fact in said:
        c.says("person-test", "campaign", "acts", fact)
    c.says("scheduler", "campaign", "era", facts.EraOpened(era=2, instrument="instrument-2", reason="d-1 is fixed"))
    line = trajectory(c.log).line
    assert [turn.kind for turn in line[-8:]] == [
        *("paused", "resumed", "banned", "lifted", "defect", "fixed", "reopened", "era")
    ]
    assert line[-4].what == "d-1 in pooling, where pooling == attention: it was mean"


def test_another_instrument_is_a_turn_and_the_same_one_is_not():
    c = tales.one()
    experiment = c.queues(c.proposes("tpe", batch=64))
    c.assigns(experiment)
    said = facts.Started(
        experiment=experiment,
        attempt=1,
        pack="p-2",
        lane=0,
        worker="worker-cpu0-a",
        seed=7,
        instrument="another-one",
        platform={},
    )
    where = c.says("worker-cpu0-a", "pack", "p-2", said)
    turns = [turn for turn in trajectory(c.log).line if turn.kind == "instrument"]
    assert [turn.what for turn in turns] == ["instrument-1", "another-one, after instrument-1"]
    assert turns[-1].position == Position(where)


@pytest.mark.parametrize("make", [tales.unopened, tales.one, tales.failed, tales.equal])
def test_poor_campaigns_have_a_page_without_a_number_that_is_none(make):
    told = trajectory(make().log)
    page = trajectory_page(told)
    assert "None" not in page
    assert "nan" not in page


def test_a_campaign_without_a_completion_says_too_few():
    told = trajectory(tales.failed(1).log)
    assert all(usage.shares == () and usage.best is None for track in told.tracks for usage in track.values)
    assert "too few" in trajectory_page(told)
    assert milestones(MilestonesFold().initial(), tales.measured(tales.unopened()).results) == ()
