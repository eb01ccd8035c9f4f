import json

import pytest

from events.archives import archive
from replay.digest import SCHEME
from replay.doors import replay
from replay.statistics.nulls import NULLS
from tests.replay import tales


@pytest.fixture
def kept(tmp_path):
    """Writes a chronicle to a portable file and returns its path."""

    def keep(c):
        path = tmp_path / f"{c.log.campaign}.myriad"
        archive.export(c.log, path)
        return str(path)

    return keep


def test_a_campaign_alone_is_asked_for_its_report(kept, capsys):
    path = kept(tales.busy(10))
    assert replay(path) == 0
    alone = capsys.readouterr().out
    assert replay(path, "report") == 0
    assert capsys.readouterr().out == alone
    assert alone.startswith("campaign   tale")


def test_the_command_may_stand_before_or_after_the_campaign(kept, capsys):
    path = kept(tales.busy(10))
    assert (replay(path, "report", "--top", "3"), replay("report", path, "--top", "3")) == (0, 0)
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]
    assert "the best 3 of" in out


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("report",), {"subject", "scale", "values", "leaders", "controls", "agents", "search", "record"}),
        (("metric", "entropy"), {"name", "meaning", "unit", "n", "value", "series", "over", "window"}),
        (("at", "12"), {"subject", "at", "last", "values", "running", "waiting", "workers", "digest"}),
        (("digest",), {"digest", "checks", "verdict"}),
    ],
)
def test_every_door_has_a_json_twin(kept, capsys, words, keys):
    replay(kept(tales.busy(10)), *words, "--json")
    assert keys <= json.loads(capsys.readouterr().out).keys()


def test_the_digest_door_exits_by_its_verdict(kept, capsys):
    for name, (seal, code) in {"held": (None, 0), "broken": (f"{SCHEME}:ab", 1)}.items():
        c = tales.Chronicle(name)
        c.opened()
        c.seals(seal or tales.measured(c).digest())
        assert replay(kept(c), "digest") == code
        assert name in capsys.readouterr().out
    assert replay(kept(tales.one()), "digest") == 2


def test_metric_without_a_name_lists_every_measure_with_its_null(kept, capsys):
    path = kept(tales.one())
    assert replay(path, "metric") == 0
    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) <= 80
    assert replay(path, "metric", "--json") == 0
    assert json.loads(capsys.readouterr().out) == NULLS
    assert all(f"\n{name}: " in page for name in NULLS)


def test_an_unknown_metric_is_one_sentence_with_the_names(kept, capsys):
    assert replay(kept(tales.one()), "metric", "accuracy") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "running_best" in told.err


def test_a_moment_beyond_the_log_is_one_sentence(kept, capsys):
    assert replay(kept(tales.one()), "at", "99999") == 2
    assert "beyond the log" in capsys.readouterr().err


def test_a_campaign_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert replay("nowhere", "report", "--home", str(tmp_path)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_flipped_bit_is_one_sentence_and_exit_one(kept, capsys, tmp_path):
    path = kept(tales.busy(5))
    damaged = tmp_path / "damaged.myriad"
    content = bytearray((tmp_path / "tale.myriad").read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert path != str(damaged)
    assert replay(str(damaged), "report") == 1
    assert "damaged.myriad" in capsys.readouterr().err


def test_an_unknown_command_names_the_commands(kept, capsys):
    with pytest.raises(SystemExit) as left:
        replay(kept(tales.one()), "repot")
    assert left.value.code == 2
    told = capsys.readouterr()
    assert "report" in told.err + told.out


@pytest.mark.parametrize("words", [("--help",), ("report", "--help"), ("x", "metric", "--help")])
def test_help_says_how_to_ask(capsys, words):
    assert replay(*words) == 0
    assert "myriad replay CAMPAIGN" in capsys.readouterr().out
