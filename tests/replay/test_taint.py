"""Taint: what followed from touched results, by which way, and what is worth making again."""

from __future__ import annotations

from pathlib import Path

import pytest

from events import facts
from events.envelope import Text
from replay.briefed import BLIND
from replay.doors import replay
from replay.folds import run
from replay.measures import MEASURES
from replay.pages.taint import rerun_page, taint_page
from replay.taint import BEST, taint, worth_rerunning
from tests.replay.shifting import Shifting

GOLDEN = str(Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad")


def _idea(c: Shifting, experiment: str) -> str:
    return c.ledger.experiments[experiment].idea


def _briefed(c: Shifting, agent: str, *, sections: tuple[str, ...] = (), through: int = 0) -> str:
    """An agent asks with a prompt and proposes one idea, which is queued; returns the idea."""
    c.joins(agent, "claude")
    asked = facts.CycleStarted(
        cycle=f"c-{agent}", agent=agent, key=1, prompt=Text(head="a briefing"), sections=sections, through=through
    )
    c.says(f"agent-{agent}", "cycle", f"c-{agent}", asked)
    proposed = facts.IdeaProposed(
        idea=f"i-{agent}", agent=agent, configuration=c.configuration(batch=64), rationale="", origin="agent"
    )
    answer = facts.AnswerReceived(cycle=f"c-{agent}", text=Text(head="ideas"), model="m")
    c.says(f"agent-{agent}", "cycle", f"c-{agent}", answer, proposed)
    return f"i-{agent}"


def test_taint_follows_parents_and_sweeps_to_any_depth_and_no_further() -> None:
    c = Shifting()
    bad, good = c.done(0.9, pooling="last"), c.done(0.8)
    child = c.done(0.85, parent=_idea(c, bad), batch=32)
    grandchild = c.done(0.7, parent=_idea(c, child), origin="sweep", batch=64)
    c.done(0.6, parent=_idea(c, good), batch=128)
    c.defect("pooling == last")
    found = taint(c.log)
    ways = [(one.experiment, one.via, one.root, one.depth) for one in found.tree]
    assert [way for way in ways if way[1] != "briefing"] == [(child, "parent", bad, 1), (grandchild, "sweep", bad, 2)]
    assert [(one.experiment, one.believed, one.known, one.followed) for one in found.results] == [(bad, 0.9, None, 2)]
    page = taint_page(found)
    assert f"{child} by parent: 0.8500" in page
    assert "1 of 5 results are touched" in page


def test_taint_follows_a_patch_to_the_runs_under_it() -> None:
    c = Shifting()
    bad = c.done(0.9, pooling="last")
    broken = c.queues(c.cycle("tpe", {"batch": 32}, parents=(_idea(c, bad),))[0])
    c.assigns(broken)
    c.starts(broken)
    c.fails(broken, "crashed")
    diagnosis = facts.DiagnosisMade(repair="r-1", experiment=broken, attempt=1, kind="crashed", diagnosis="a crash")
    proposed = facts.RemedyProposed(
        repair="r-1", experiment=broken, remedy="patch", patch="pa", diff=Text(head="---"), files=("kernels/x.py",)
    )
    applied = facts.RemedyApplied(repair="r-1", experiment=broken, instrument="patched", validation=0.5)
    c.says("fixer", "repair", "r-1", diagnosis, proposed)
    c.says("fixer", "repair", "r-1", applied)
    c.instrument = "patched"
    under = c.done(0.6, batch=64)
    c.defect("pooling == last")
    ways = {one.experiment: (one.via, one.root) for one in taint(c.log).tree if one.via != "briefing"}
    assert ways == {broken: ("parent", bad), under: ("patch", bad)}


def test_taint_follows_the_briefings_that_showed_a_touched_result() -> None:
    c = Shifting()
    bad = c.done(0.9, agent="uniform", pooling="last")
    told = _briefed(c, "told")
    _briefed(c, "unread", through=1)
    _briefed(c, "blind", sections=("schema", "rules"))
    c.defect("pooling == last")
    later = _briefed(c, "later")
    found = taint(c.log)
    assert [(one.idea, one.via, one.source) for one in found.tree] == [(told, "briefing", "c-told")]
    assert (found.briefed, found.tree[0].root, later in {one.idea for one in found.tree}) == (1, bad, False)


def test_a_touched_result_below_the_leaders_was_not_in_the_briefing() -> None:
    c = Shifting()
    for turn in range(BEST):
        c.done(0.6 + turn / 100, agent="uniform", pooling="mean")
    c.done(0.1, agent="uniform", pooling="last")
    _briefed(c, "told")
    c.defect("pooling == last")
    found = taint(c.log)
    assert (found.briefed, found.tree) == (0, [])
    assert [one.matters for one in found.results] == [False]


def test_a_learner_without_a_prompt_is_told_every_result_and_a_sampler_none() -> None:
    c = Shifting()
    for agent, policy in (("learner", "tpe"), ("sampler", BLIND[0])):
        c.joins(agent, policy)
    c.done(0.1, agent="sampler", pooling="last")
    learnt = c.proposes("learner", batch=32)
    c.proposes("sampler", batch=64)
    c.defect("pooling == last")
    assert [one.idea for one in taint(c.log).tree] == [learnt]


def test_what_would_lead_is_made_again_best_first_within_the_budget_and_once() -> None:
    c = Shifting("broken")
    bad = [c.done(score, pooling="last", agent="uniform") for score in (0.7, 0.9, 0.8)]
    c.defect("pooling == last")
    found = taint(c.log)
    assert [one.experiment for one in worth_rerunning(found)] == [bad[1], bad[2], bad[0]]
    assert [one.experiment for one in worth_rerunning(found, gpu_seconds=25.0)] == [bad[1], bad[2]]
    assert [one.experiment for one in worth_rerunning(found, most=1)] == [bad[1]]
    c.instrument = "mended"
    c.fix()
    c.again(bad[1], 0.4)
    again = taint(c.log)
    assert [one.experiment for one in worth_rerunning(again)] == [bad[2], bad[0]]
    assert "believed 0.9000, known now 0.4000" in taint_page(again)
    assert bad[2] in rerun_page(worth_rerunning(again))


def test_a_campaign_without_defects_says_so() -> None:
    c = Shifting()
    c.done(0.5)
    assert taint_page(taint(c.log)).endswith("no defect was found")
    assert rerun_page([]).startswith("nothing")


def test_the_door_answers_in_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(GOLDEN, "taint") == 0
    assert replay(GOLDEN, "taint", "--json") == 0
    assert replay(GOLDEN, "taint", "--rerun", "--most", "3") == 0
    assert '"followed":' in capsys.readouterr().out


def test_the_same_log_gives_the_same_taint_whenever_it_is_asked() -> None:
    c = Shifting()
    bad = c.done(0.9, pooling="last")
    for batch in (16, 32, 64):
        c.done(0.5, parent=_idea(c, bad), batch=batch)
    c.defect("pooling == last")
    assert taint(c.log) == taint(c.log)
    assert run(c.log, *MEASURES)[0].ledger.defects == c.ledger.defects
