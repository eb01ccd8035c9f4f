"""The tasks of a campaign file: what each kind needs, what it refuses, and a script that is run as a whole campaign."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actors import spacefile, tasks
from actors.benches.child import Child
from actors.benches.setups import Setup
from actors.campaign import parse
from actors.errors import CampaignFileInvalid
from actors.orders import Described
from events.folder import Campaign as Folder
from events.space import Choice, Interval
from tests import tiny
from tests.faults.runs import Place
from tests.test_pages import taken

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "iris"
TASK = tiny.FILE[tiny.FILE.index("[task]") : tiny.FILE.index("[space]")]


def with_task(text: str) -> str:
    return tiny.FILE.replace(TASK, f"[task]\n{text}\n\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('kind = "nexar"', "task.folder is missing; kind = 'nexar' needs it"),
        ('kind = "clips"\nfolder = "v"', "task.table is missing; kind = 'clips' needs it"),
        ('kind = "clips"\nfolder = "v"\ntable = "t"\nclips = 99', "task.clips has no meaning with kind = 'clips'"),
        ('kind = "roadsim"\nfolder = "v"', "task.folder has no meaning with kind = 'roadsim'"),
        ('kind = "roadsim"\nfleet = "c"', "task.fleet: invalid enum value 'c'"),
        ('kind = "nexar"\nfolder = "v"\nleads = [1.0, 1.0]', "task.leads must be seconds from 0, each once"),
        ('kind = "command"\nrun = ["x"]', "task.space is missing; kind = 'command' needs it"),
        ('kind = "command"\nrun = ["x"]\nspace = "none.toml"', "task.space: none.toml: cannot be read"),
        ('kind = "clip"', "task.kind: invalid enum value 'clip'"),
    ],
)
def test_what_a_task_lacks_or_cannot_mean_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(CampaignFileInvalid) as raised:
        parse(with_task(text), file="it.toml")
    assert sentence in str(raised.value)


def test_a_task_of_videos_becomes_an_order_with_all_that_it_says() -> None:
    text = 'kind = "clips"\nfolder = "v"\ntable = "t.csv"\nsplit = "s.json"\nstrict = true\nleads = [2.0]'
    task = parse(with_task(text), file="it.toml").task
    order = tasks.prepare(task, processes=3)
    assert (order.kind, order.folder, order.table, order.split) == ("clips", "v", "t.csv", "s.json")
    assert (order.strict, order.leads, order.processes, order.sample) == (True, (2.0,), 3, 0)
    trial = tasks.prepare(task, processes=3, sample=90)
    assert (trial.strict, trial.split, trial.sample) == (False, "", 90)


def test_a_space_file_has_choices_and_intervals_with_conditions() -> None:
    space = spacefile.read(EXAMPLE / "space.toml")
    assert [type(d) for d in space.dimensions] == [Choice, Choice, Choice, Interval, Interval, Interval]
    assert space.cells == 27
    assert not space.problems({"model": "neighbours", "measurements": 4, "epochs": 5, "neighbours": 3.0})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs a name and a [[dimension]]"),
        ("dimension = 3", "needs a name and a [[dimension]]"),
        ('[[dimension]]\nname = "a"\nvalues = []', "dimension a: values is empty"),
        ('[[dimension]]\nname = "a"\nlow = 1', "dimension a: Object missing required field `high`"),
        ('[[dimension]]\nname = "a"\nlow = 0\nhigh = 1\nscale = "log"', "a: a log scale needs a low end above 0"),
        ('[[dimension]]\nname = "a"\nlow = 0\nhigh = 1', "at least one dimension with values"),
        ('[[dimension]]\nname = "a"\nvalues = [1]\ncolour = 2', "dimension a: Object contains unknown field `colour`"),
        ("[", "is not TOML"),
    ],
)
def test_what_is_wrong_with_a_space_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(CampaignFileInvalid) as raised:
        spacefile.read(path)
    assert sentence in str(raised.value)


def test_a_bench_that_runs_a_script_loads_no_torch_and_one_that_trains_does(world: Folder, tmp_path: Path) -> None:
    def held(setup: Setup) -> bool:
        child = Child(setup, tmp_path / "bench.err", lambda pulse: None)
        try:
            assert isinstance(child.describe(), Described)
            return "libtorch" in Path(f"/proc/{child.pid}/maps").read_text()
        finally:
            child.close()

    assert held(tiny.setup(world))
    assert not held(tiny.setup(world, program=("python", "train.py")))


def test_the_worked_example_of_a_script_runs_as_its_page_says_and_keeps_what_each_run_said(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "docs" / "examples" / "iris")
    place = Place(tmp_path, None, name="iris")
    assert place.calls("check", "docs/examples/iris/campaign.toml").code == 0
    lines = taken("docs/examples/iris/README.md", "tests/actors/test_tasks.py")
    ended, report = (place.calls(*line.split()[1:]) for line in lines)
    assert ended.code == 0, ended.err
    assert "closed" in ended.out
    runs = sorted((place.folder.path / "runs").glob("e-*-1"))
    assert len(runs) >= 12
    assert all((run / "configuration.json").exists() and (run / "stderr.txt").read_text() == "" for run in runs)
    assert report.code == 0, report.err
    assert "Leaderboard" in report.out
    assert place.calls("replay", "iris", "digest").code == 0
