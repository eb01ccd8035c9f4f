"""The campaign file: read strictly, every problem named with its key, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.campaign import parse, read
from actors.errors import CampaignError, CampaignFileInvalid
from actors.running import opening
from actors.running.sessions import file_of
from events.errors import CampaignUnknown
from events.folder import Campaign as Folder
from tests import tiny


def changed(before: str, after: str) -> str:
    assert tiny.FILE.count(before) == 1
    return tiny.FILE.replace(before, after)


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(CampaignFileInvalid) as raised:
        parse(text, file="it.toml")
    assert str(raised.value).startswith("it.toml: ")
    assert "\n" not in str(raised.value)
    return raised.value.problems


def test_a_file_says_what_it_narrows_and_the_rest_is_the_whole_space() -> None:
    campaign = parse(tiny.FILE, file="it.toml")
    space = campaign.searched()
    assert campaign.backbones == ("motion",)
    assert [c.values for c in space.choices if c.name in ("epochs", "length")] == [(8, 12), (5,)]
    assert len(space.intervals) == 9


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("clips =", "clipz =", "unknown key task.clipz; did you mean clips?"),
        ("[budget]", "[budgett]", "unknown key budgett; did you mean budget?"),
        ("policy =", "polici =", "unknown key agent.polici; did you mean policy?"),
        ("epochs =", "epoch =", "unknown key space.epoch; did you mean epochs?"),
        ("width = 16", "width = 16\nqqq = 1", "unknown key network.qqq; known are width, layers, heads"),
        ("epochs = [5]", "epochs = [6]", "space.epochs = 6 is not one of 5, 10, 15, 20, 30"),
        ("epochs = [5]", "epochs = []", "space.epochs: at least one value must remain"),
        ("epochs = [5]", "learning_rate = [1e-3, 1.0]", "space.learning_rate: give [low, high] inside [1e-05, 0.01]"),
        ("experiments = 6", 'experiments = "six"', "budget.experiments: expected `int | null`, got `str`"),
        ("timeout = 60", "timeout = inf", "budget.timeout must be above 0 and finite"),
        ("timeout = 60", "timeout = nan", "budget.timeout must be above 0 and finite"),
        ("timeout = 60", "timeout = 0", "budget.timeout must be above 0 and finite"),
        ("experiments = 6", "experiments = 0", "budget.experiments must be at least 1"),
        ("experiments = 6", "gpu_hours = -1", "budget.gpu_hours and budget.hours must be above 0 and finite"),
        ("experiments = 6\n", "", "budget needs experiments, gpu_hours or hours: a campaign must be able to end"),
        ("silence = 3", "silence = 1", "workers.silence must be at least 2 and finite"),
        ("silence = 3", "memory = 0", "workers.memory must be at least 1"),
        ("width = 16", "width = 18\nlayers = 1\nheads = 4", "Cannot overwrite"),
        ("heads = 2", "heads = 3", "network.width must be a positive multiple of twice network.heads"),
        ("every = 2", "every = 0", "analysis.every must be at least 1"),
        ("ideas = 3", "ideas = 0", "agent.ideas must be in [1, 200]"),
        ("ideas = 3", "ideas = 201", "agent.ideas must be in [1, 200]"),
        ("ideas = 3", "ideas = 3\nsweep = 101", "agent.sweep in [0, 100]"),
        ('["cpu", "cpu"]', '["tpu"]', "workers.devices are cpu or cuda:N"),
        ('"uniform"', '"unifrom"', "agent.policy = 'unifrom' is not one of tpe, uniform"),
        (f"clips = {tiny.CLIPS}", "clips = 10", "task.clips must be at least 60"),
        ('name = "tiny"', 'name = "ti ny"', "name"),
        ('name = "tiny"', 'name = "../up"', "name"),
        ('name = "tiny"', "name = 7", "name: expected `str`, got `int`"),
        ("[task]", "task", "is not TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence_that_names_the_key(before: str, after: str, sentence: str) -> None:
    found = problems(changed(before, after))
    assert any(sentence in problem for problem in found), found


def test_every_problem_of_a_kind_is_named_at_once() -> None:
    text = changed("clips =", "clipz =").replace("ideas = 3", "ideaz = 3")
    assert len(problems(text)) == 2


def test_two_agents_of_one_name_are_refused() -> None:
    twice = tiny.FILE + '\n[[agent]]\nname = "u"\npolicy = "tpe"\n'
    assert problems(twice) == ("two agents are named 'u'",)


def test_a_campaign_without_an_agent_is_refused() -> None:
    assert problems(tiny.FILE[: tiny.FILE.index("[[agent]]")]) == ("no [[agent]]: at least one must propose",)


@pytest.mark.parametrize("kind", ["missing", "a folder", "not text"])
def test_a_file_that_cannot_be_read_is_one_sentence_that_names_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it.toml"
    if kind == "a folder":
        path.mkdir()
    elif kind == "not text":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CampaignFileInvalid, match=r"it\.toml: "):
        read(path)


def test_a_name_that_is_neither_a_file_nor_a_campaign_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CampaignUnknown, match=r"nobody is neither a campaign file .* nor a campaign under"):
        file_of("nobody", tmp_path)


def test_a_folder_keeps_the_file_that_it_was_opened_with(tmp_path: Path) -> None:
    folder, campaign = Folder(tmp_path / "tiny"), parse(tiny.FILE, file="it.toml")
    opening.claim(folder, campaign, tiny.FILE)
    opening.claim(folder, campaign, tiny.FILE + "\n# a word\n")
    assert folder.file.read_text() == tiny.FILE


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("width = 16", "width = 32", "opened with network.width = 16, and this file says 32"),
        ("ideas = 3", "ideas = 4", "opened with agent[0].ideas = 3, and this file says 4"),
    ],
)
def test_a_changed_file_is_refused_naming_the_first_key_that_differs(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    folder = Folder(tmp_path / "tiny")
    opening.claim(folder, parse(tiny.FILE, file="it.toml"), tiny.FILE)
    text = changed(before, after)
    with pytest.raises(CampaignError) as raised:
        opening.claim(folder, parse(text, file="it.toml"), text)
    assert sentence in str(raised.value)
    assert folder.file.read_text() == tiny.FILE


def test_another_budget_is_told_and_left_to_the_log_to_refuse(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "tiny")
    assert opening.claim(folder, parse(tiny.FILE, file="it.toml"), tiny.FILE) is None
    text = changed("timeout = 60", "timeout = 60\nattempts = 5")
    told = opening.claim(folder, parse(text, file="it.toml"), text)
    assert "opened with budget.attempts = 3, and this file says 5" in str(told)
    assert "myriad declare tiny reopen" in str(told)
    assert folder.file.read_text() == tiny.FILE


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file stands here")
    folder = Folder(tmp_path / "home" / "tiny")
    with pytest.raises(CampaignError, match="cannot be made: Not a directory"):
        opening.claim(folder, parse(tiny.FILE, file="it.toml"), tiny.FILE)
