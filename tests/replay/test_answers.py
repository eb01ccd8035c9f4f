"""The answers through their doors: a JSON twin for each page, exit codes with a meaning, one answer for any hash."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from events.archives import archive
from replay.doors import replay
from tests.replay import tales
from tests.replay.test_audit import sound

ROOT = Path(__file__).parents[2]

TELL = """
import msgspec
from replay.audit import audit
from replay.difference import Stretch, compare
from replay.lineage import lineage
from replay.queueing import queueing
from replay.trajectory import trajectory
from tests.replay import tales
c = tales.busy(25)
print(hash("premise"))
whole = Stretch(reference="whole", log=c.log)
half = Stretch(reference="half", log=c.log, until=60)
answers = [audit(c.log), lineage(c.log, "e-8"), queueing(c.log, 90), trajectory(c.log), compare(half, whole)]
for answer in answers:
    print(msgspec.json.encode(answer).decode())
"""


@pytest.fixture
def kept(tmp_path):
    """Writes a chronicle to a portable file and returns its path."""

    def keep(c, name="tale"):
        path = tmp_path / f"{name}.myriad"
        archive.export(c.log, path)
        return str(path)

    return keep


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("audit",), {"verdict", "rulings", "through", "facts"}),
        (("lineage", "e-3"), {"subject", "before", "after", "repairs", "gained"}),
        (("trajectory",), {"tracks", "line"}),
        (("queue",), {"waiting", "declined", "served", "reasons"}),
    ],
)
def test_every_answer_has_a_page_and_a_json_twin(kept, capsys, words, keys):
    path = kept(tales.busy(10))
    replay(path, *words)
    assert capsys.readouterr().out.count("\n") > 3
    replay(path, *words, "--json")
    assert keys <= json.loads(capsys.readouterr().out).keys()


def test_two_moments_are_asked_for_by_name_and_position(kept, capsys):
    path = kept(tales.busy(10))
    assert replay(f"{path}@40", "diff", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["a"]["subject"]["through"], told["one_history"]) == (40, True)
    assert replay(path, "diff", kept(tales.one(), "other")) == 0
    assert "the same through position 2, then they part" in capsys.readouterr().out
    for words, ends in ((("40",), [40, None]), (("40", "60"), [40, 60])):
        assert replay(path, "diff", *words, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        sides = [told[side]["subject"]["through"] for side in "ab"]
        assert sides == [end or told["b"]["last"] for end in ends]
        assert told["one_history"]
    assert replay(f"{path}@40", "queue") == 0
    assert "at position 40" in capsys.readouterr().out


def test_the_audit_leaves_with_its_verdict(kept):
    broken = sound(sealed=False)
    broken.completes("e-1")
    assert replay(kept(sound(), "held"), "audit") == 0
    assert replay(kept(broken, "broken"), "audit") == 1
    assert replay(kept(tales.one(), "unknown"), "audit") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lineage", "e-99"), "no experiment or idea 'e-99'"),
        (("diff", "nowhere"), "no campaign nowhere"),
    ],
)
def test_a_question_about_what_there_is_not_is_one_sentence_and_exit_two(kept, capsys, words, sentence):
    assert replay(kept(tales.one()), *words) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert sentence in told.err


def test_a_position_beyond_the_log_is_exit_two(kept, capsys):
    path = kept(tales.one())
    assert replay(path, "diff", f"{path}@999") == 2
    assert "the log ends at position" in capsys.readouterr().err


def test_three_hash_seeds_give_one_of_each_answer():
    told = []
    for seed in range(3):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        done = subprocess.run(
            [sys.executable, "-c", TELL], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        told.append(done.stdout.partition("\n"))
    assert len({premise for premise, _, _ in told}) == 3
    assert len({rest for _, _, rest in told}) == 1
