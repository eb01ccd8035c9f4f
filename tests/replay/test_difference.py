import pytest

from events import facts
from events.envelope import Text
from replay.difference import PositionUnknown, Stretch, compare
from replay.differing import differences, first_difference
from replay.pages.difference import difference_page
from tests.replay import tales


def stretch(c, until=None, name="a", **more):
    return Stretch(reference=name, log=c.log, until=until, **more)


def campaign(file="name = 'tale'", *, scores=(0.6, 0.7), seed=0, instrument="instrument-1"):
    c = tales.Chronicle()
    opened = facts.CampaignOpened(campaign="tale", file=Text(head=file), space=c.space, seed=seed)
    c.says("person-test", "campaign", "opening", opened)
    for batch, score in zip((16, 64, 128), scores, strict=False):
        c.runs(c.queues(c.proposes("tpe", batch=batch)), validation=score)
    return c


def test_two_moments_of_one_campaign_are_one_history_and_tell_what_came_between():
    c = tales.busy(20)
    told = compare(stretch(c, 40), stretch(c))
    assert told.one_history
    assert told.shared == 40
    assert told.pairs == ()
    assert told.values["completed"].change == told.values["completed"].b - told.values["completed"].a > 0
    moved = {turned.experiment: (turned.a, turned.b) for turned in told.turned}
    assert (None, "completed") in moved.values()
    assert "one history: the 40 frames" in difference_page(told)


def test_a_campaign_against_itself_differs_in_nothing():
    c = tales.busy(15)
    told = compare(stretch(c), stretch(c, name="b"))
    assert (told.values, told.settings, told.turned) == ({}, {}, ())
    assert told.space == {"a": (), "b": ()}
    assert told.a.digest == told.b.digest
    assert told.shared == c.log.last()


def test_two_campaigns_compare_what_both_ran_and_whether_that_is_more_than_noise():
    told = compare(stretch(campaign(scores=(0.6, 0.7))), stretch(campaign(seed=1, scores=(0.61, 0.9, 0.5))))
    assert not told.one_history
    assert told.shared == 0
    assert [(pair.a, pair.b, pair.within_noise) for pair in told.pairs] == [("e-1", "e-1", True), ("e-2", "e-2", False)]
    assert told.pairs[1].change == pytest.approx(0.2)
    assert told.cells == {"both": 2, "a": 0, "b": 1}
    assert (told.lead.change, told.lead_within_noise) == (pytest.approx(0.2), False)
    page = difference_page(told)
    assert "two histories" in page
    assert "beyond noise: 1 of 2" in page


def test_settings_of_the_campaign_files_differ_by_their_whole_keys():
    one = campaign("name = 'a'\n[budget]\nexperiments = 4\n[[agent]]\nname = 'x'\n")
    other = campaign("name = 'a'\n[budget]\nexperiments = 9\ngpu_hours = 1.5\n[[agent]]\nname = 'y'\n")
    told = compare(stretch(one), stretch(other))
    assert {key: (delta.a, delta.b) for key, delta in told.settings.items()} == {
        "budget.experiments": (4, 9),
        "budget.gpu_hours": (None, 1.5),
        "agent.0.name": ("x", "y"),
    }


def test_a_file_that_cannot_be_read_is_said_and_never_guessed():
    long = Text(head="name", tail="x", length=9999, digest="d" * 64)
    c = tales.Chronicle()
    c.says(
        "person-test",
        "campaign",
        "opening",
        facts.CampaignOpened(campaign="tale", file=long, space=c.space, seed=0),
    )
    told = compare(stretch(c, name="far"), stretch(campaign()))
    assert told.settings == {}
    assert told.files[0].startswith("far: the campaign file cannot be read")


def test_scores_of_different_instruments_are_said_not_to_compare():
    other = tales.Chronicle()
    other.opened()
    experiment = other.queues(other.proposes("tpe"))
    other.assigns(experiment)
    said = facts.Started(
        experiment=experiment,
        attempt=1,
        pack="p-1",
        lane=0,
        worker="worker-cpu0-a",
        seed=7,
        instrument="instrument-2",
        platform={},
    )
    other.says("worker-cpu0-a", "pack", "p-1", said)
    other.completes(experiment)
    told = compare(stretch(campaign()), stretch(other))
    assert told.instruments == ("instrument-1", "instrument-2")
    assert "scores do not compare" in difference_page(told)


def test_spaces_are_told_apart_by_their_values():
    narrow = tales.Chronicle(space=tales.SPACE.narrowed({"batch": [16, 32], "dropout": [0.1, 0.2]}))
    narrow.opened()
    told = compare(stretch(narrow), stretch(campaign()))
    assert told.space["a"] == ("dropout in [0.1, 0.2]",)
    assert told.space["b"] == ("batch = 128", "batch = 64", "dropout in [0, 0.5]")


def test_a_position_beyond_the_log_is_one_sentence():
    with pytest.raises(PositionUnknown, match="the log ends at position"):
        compare(stretch(tales.one(), 999), stretch(tales.one()))


@pytest.mark.parametrize("make", [tales.unopened, tales.one, tales.failed, tales.equal])
def test_poor_campaigns_compare(make):
    assert difference_page(compare(stretch(make()), stretch(tales.busy(5))))
    assert difference_page(compare(stretch(make()), stretch(make())))


@pytest.mark.parametrize(
    ("one", "other", "field", "values"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, "b.c", (2, 3)),
        ([1, [2, 3]], [1, [2, 4]], "1.1", (3, 4)),
        ({"a": 1}, {"a": 1, "b": None}, "b", (None, None)),
        ([1], [], "0", (1, None)),
        (1, 1.0, "", (1, 1.0)),
        ({"a": True}, {"a": 1}, "a", (True, 1)),
    ],
)
def test_the_first_field_that_differs_is_named_by_its_path(one, other, field, values):
    found = first_difference(one, other)
    assert (found.field, (found.one, found.other)) == (field, values)


def test_what_is_missing_is_not_what_is_none():
    assert [d.missing for d in differences({"a": None}, {})] == ["other"]
    assert first_difference({"a": None, "b": [1, {"c": 2}]}, {"a": None, "b": [1, {"c": 2}]}) is None
