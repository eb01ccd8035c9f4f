import pytest

from events.envelope import Position
from replay.lineage import ExperimentUnknown, lineage
from replay.pages.lineage import lineage_page
from tests.replay import tales


def family():
    """A grandparent that failed once, two children of one cycle, one grandchild, and a twin of the first child."""
    c = tales.Chronicle()
    c.opened()
    (root,) = c.cycle("tpe", {})
    first = c.queues(root)
    c.assigns(first)
    c.starts(first)
    c.fails(first, "out_of_memory")
    c.repairs(first, "micro_batches")
    c.requeues(first, micro_batches=2)
    c.runs(first, validation=0.60)
    one, two, twin = c.cycle("tpe", {"batch": 64}, {"dropout": 0.1}, {"batch": 64}, origin="sweep", parents=(root,))
    c.runs(c.queues(one), validation=0.62)
    c.queues(two)
    c.declines(twin, twin=one)
    (grandchild,) = c.cycle("uniform", {"batch": 64, "encoder": "retnet"}, parents=(one,))
    c.runs(c.queues(grandchild), validation=0.90)
    return c, root, one, two, twin, grandchild


def test_a_line_leads_from_the_oldest_ancestor_with_what_each_step_changed_and_gained():
    c, root, one, _, _, grandchild = family()
    told = lineage(c.log, grandchild)
    assert [(step.parent, step.child, step.generation) for step in told.before] == [
        (root, one, -1),
        (one, grandchild, 0),
    ]
    changed = [[(x.dimension, x.before, x.after) for x in step.changes] for step in told.before]
    assert changed == [[("batch", 16, 64)], [("encoder", "zipformer", "retnet")]]
    assert [step.gain for step in told.before] == [pytest.approx(0.02), pytest.approx(0.28)]
    assert [step.within_noise for step in told.before] == [True, False]
    assert told.gained == pytest.approx(0.30)


def test_descendants_come_generation_by_generation_and_twins_and_siblings_are_named():
    c, root, one, two, twin, grandchild = family()
    told = lineage(c.log, root)
    assert [(step.child, step.generation) for step in told.after] == [(one, 1), (two, 1), (twin, 1), (grandchild, 2)]
    assert told.subject.failures == ("out_of_memory",)
    assert [(mend.remedy, mend.attempt) for mend in told.repairs] == [("micro_batches", 1)]
    child = lineage(c.log, one)
    assert (child.siblings, child.twins) == ((two, twin), (twin,))
    assert lineage(c.log, twin).subject.reason == f"twin of {one}"


def test_an_experiment_and_its_idea_are_one_question():
    c, root, *_ = family()
    assert lineage(c.log, "e-1") == lineage(c.log, root)
    assert lineage(c.log, "e-1").subject.proposed == Position(4, 1)


def test_a_run_without_a_result_gains_nothing_that_could_be_told():
    c, _, _, two, *_ = family()
    (step,) = lineage(c.log, two).before
    assert (step.gain, step.within_noise) == (None, None)
    assert lineage(c.log, two).gained is None
    assert "no gain to tell" in lineage_page(lineage(c.log, two))


def test_a_child_that_the_fixer_made_names_its_repair_s_origin():
    c = tales.busy(10)
    child = next(idea for idea in tales.measured(c).ledger.ideas.values() if idea.origin == "fixer")
    told = lineage(c.log, child.idea)
    assert (told.subject.agent, told.subject.origin) == ("fixer", "fixer")
    assert "by fixer as fixer" in lineage_page(told)


def test_an_idea_that_names_itself_as_its_parent_is_walked_once():
    c = tales.Chronicle()
    c.opened()
    c.cycle("tpe", {}, parents=("i-1",))
    told = lineage(c.log, "i-1")
    assert [(step.parent, step.child) for step in told.before] == [("i-1", "i-1")]


@pytest.mark.parametrize("make", [tales.unopened, tales.one])
def test_an_unknown_name_is_one_sentence_that_says_what_there_is(make):
    with pytest.raises(ExperimentUnknown, match="no experiment or idea 'e-9'"):
        lineage(make().log, "e-9")


def test_the_page_tells_the_line_the_children_and_the_repairs():
    c, root, one, *_ = family()
    page = lineage_page(lineage(c.log, root))
    assert page.startswith(f"e-1 ({root})  AP 0.6000 +- 0.0300")
    assert "From: nobody, it has no parents" in page
    assert "Children: 3, and 1 steps of later generations" in page
    assert "Repairs: 1" in page
    assert f"{root} -> {one}: batch 16 -> 64; +0.0200 within noise" in page
