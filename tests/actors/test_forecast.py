"""`myriad simulate FILE`: what a campaign would take, by its own roles, with durations that were really seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from actors.campaign import parse
from actors.errors import CampaignError
from actors.virtual.forecast import Forecast, forecast, foretell, foretold, of_task, page
from actors.virtual.laboratory import Laboratory, Setting
from actors.virtual.landscape import Landscape
from events.archives import archive
from events.facts import CampaignOpened, Completed, Started
from events.memory import MemoryLog
from events.space import Choice, Space
from replay.audit import audit

STUDY = Path(__file__).resolve().parents[2] / "docs" / "study"
DEMO = (Path(__file__).resolve().parents[2] / "actors" / "campaigns" / "demo.toml").read_text()


LONGER = DEMO.replace("timeout = 60", "timeout = 600").replace("gpu_hours = 1.0", "gpu_hours = 9.0")


def made(home: Path, text: str = DEMO, **changes: Any) -> Forecast:
    asked = {"seconds": 30.0, "like": None, "devices": 2, "lanes": 1} | changes
    return forecast(parse(text, file="demo.toml"), text, home=home, **asked)


def told(one: Forecast) -> tuple[str, MemoryLog]:
    log = MemoryLog(one.name)
    laboratory = Laboratory(one, log)
    laboratory.play()
    return "\n".join(page(one, log.read(), laboratory)), log


def test_the_demos_file_is_foretold_with_its_own_budget_and_breaks_no_law(tmp_path: Path) -> None:
    said, log = told(made(tmp_path))
    assert "44 experiments completed on 2 devices" in said
    assert "end       44 experiments completed, as the budget allows" in said
    minutes = float(re.search(r"takes +([\d.]+) min", said)[1])  # type: ignore[index] # it is there, or this fails
    # two devices, 44 runs of half a minute: eleven minutes if nobody ever waits for an idea
    assert 10 < minutes < 14
    hours = float(re.search(r"device +([\d.]+) hours", said)[1])  # type: ignore[index] # likewise
    assert hours == pytest.approx(44 * 30 / 3600, rel=0.15)
    assert audit(log).verdict == "held"


def test_twice_the_devices_take_half_the_time_and_the_same_device_hours(tmp_path: Path) -> None:
    def minutes(devices: int) -> float:
        said, _ = told(made(tmp_path, devices=devices))
        return float(re.search(r"takes +([\d.]+) min", said)[1])  # type: ignore[index] # it is there, or this fails

    assert minutes(1) / minutes(2) == pytest.approx(2, rel=0.15)


def test_a_budget_of_device_hours_ends_a_forecast_as_it_ends_a_run(tmp_path: Path) -> None:
    said, log = told(made(tmp_path, DEMO.replace("gpu_hours = 1.0", "gpu_hours = 0.1")))
    many = sum(isinstance(fact, Completed) for recorded in log.read() for fact in recorded.facts)
    assert 0 < many <= 0.1 * 3600 / 30 * 1.3
    assert f"{many} experiments completed" in said


def test_durations_are_those_of_a_campaign_that_was_run(tmp_path: Path) -> None:
    _, log = told(made(tmp_path, seconds=100.0, text=LONGER))
    archive.export(log, tmp_path / "before.myriad")
    one = made(tmp_path, seconds=None, like=str(tmp_path / "before.myriad"))
    assert set(one.durations.seconds) <= {70.0, 85.0, 100.0, 115.0, 130.0}
    assert len(one.durations.seconds) == 44
    assert "as 44 runs of" in one.durations.source


@pytest.mark.parametrize("fleet", ["a", "b"])
def test_a_campaign_that_was_trained_is_foretold_within_a_tenth_of_the_time_that_it_took(
    tmp_path: Path, fleet: str
) -> None:
    trained = STUDY / f"study-{fleet}-uniform.myriad"
    facts = [fact for recorded in archive.open_file(trained).read() for fact in recorded.facts]
    text = next(fact.file.head for fact in facts if isinstance(fact, CampaignOpened))
    begun = next(fact.at for fact in facts if isinstance(fact, Started))
    ended = max(fact.at for fact in facts if isinstance(fact, Completed))
    said, _ = told(made(tmp_path, text, seconds=None, like=str(trained)))
    minutes = float(re.search(r"takes +([\d.]+) min", said)[1])  # type: ignore[index] # it is there, or this fails
    assert minutes == pytest.approx((ended - begun) / 6e7, rel=0.1)


def test_models_are_not_asked_and_their_cycles_have_the_published_price(tmp_path: Path) -> None:
    text = DEMO.replace(
        'name = "tpe"\npolicy = "tpe"', 'name = "opus"\npolicy = "claude"\nmodel = "claude-opus-4-5"\nusd = 50'
    )
    text += "\n[prices.claude-opus-4-5]\ninput = 5.0\noutput = 25.0\n"
    one = made(tmp_path, text)
    assert [plan.policy for plan in one.plans] == ["surveyor", "uniform"]
    said, _ = told(one)
    assert re.search(r"models +[1-9]\d*\.\d\d USD", said)


def test_any_space_has_a_landscape_in_which_settings_and_seeds_matter() -> None:
    space = Space(
        name="own", dimensions=(Choice(name="depth", values=(1, 2, 3), part="architecture", stage="forward"),)
    )
    assert space.cells == 3
    land = Landscape(made(Path()).durations)
    values = {land.truth({"depth": depth}, seed) for depth in (1, 2, 3) for seed in (1, 2)}
    assert len(values) == 6
    assert all(0 < value < 1 for pair in values for value in pair)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seconds": None}, "--run-seconds 40"),
        ({"like": "nobody"}, "--run-seconds 40"),
        ({"seconds": -1.0}, "--run-seconds must be"),
        ({"devices": 0}, "--devices 4"),
        ({"devices": None}, "--devices 4"),
        ({"lanes": 0}, "--lanes at least 1"),
    ],
)
def test_what_cannot_be_foretold_is_said_in_one_sentence(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CampaignError, match=sentence):
        made(tmp_path, **changes)


@pytest.mark.parametrize("task", ["roadsim", "nexar", "clips"])
def test_each_task_is_foretold_without_its_clips(tmp_path: Path, task: str) -> None:
    setting = Setting(experiments=4, agents=1, devices=1, policy="uniform")
    text = of_task(task, setting)
    campaign = parse(text, file="here")
    foretell(
        forecast(campaign, text, seconds=30.0, like=None, devices=1, lanes=1, home=tmp_path), tmp_path / "sim.myriad"
    )
    opened = next(archive.open_file(tmp_path / "sim.myriad").read()).facts[0]
    assert isinstance(opened, CampaignOpened)
    assert f'kind = "{task}"' in opened.file.head


def test_the_door_foretells_a_file_and_a_task_and_keeps_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demo.toml").write_text(DEMO)
    asked: dict[str, Any] = {"lanes": 1, "seconds": 30.0, "like": None, "home": tmp_path, "to": None}
    assert foretold(tmp_path / "demo.toml", None, Setting(), devices=2, **asked) == 0
    assert "forecast of demo: 44 experiments completed on 2 devices" in capsys.readouterr().out
    setting = Setting(experiments=12, agents=2, devices=3, policy="uniform")
    assert foretold(None, "roadsim", setting, devices=3, **asked) == 0
    assert "forecast of sim: 12 experiments completed on 3 devices" in capsys.readouterr().out
    assert archive.open_file(tmp_path / "forecast-sim.myriad").last() > 12
    with pytest.raises(CampaignError, match="leave --task out"):
        foretold(tmp_path / "demo.toml", "roadsim", Setting(), devices=2, **asked)
    for task in ("moon", "command"):
        with pytest.raises(CampaignError, match=rf"--task {task} is not one of clips, nexar, roadsim"):
            foretold(None, task, Setting(), devices=2, **asked)
