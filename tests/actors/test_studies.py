"""A lab's old search under our measures: real Optuna studies, in a database and a journal; unknowns stay unknown."""

from __future__ import annotations

import json
import math
from pathlib import Path

import optuna
import pytest

import myriad
from actors import studies
from actors.errors import CampaignError
from events import campaigns, facts
from replay.leaderboard import leaderboard
from replay.measures import Measurement

optuna.logging.set_verbosity(optuna.logging.ERROR)


def _objective(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    width = trial.suggest_int("width", 16, 512)
    kind = trial.suggest_categorical("kind", ["plain", "gated", None, True])
    value = 1.0 - abs(math.log10(rate) + 3) / 4 - layers / 100 - width / 10_000
    if kind == "gated":
        value -= trial.suggest_float("gate", 0.0, 1.0) / 50
    for step in range(3):
        trial.report(value - (2 - step) / 10, step)
    if trial.number % 7 == 3:
        raise optuna.TrialPruned
    if trial.number % 11 == 5:
        raise ArithmeticError("a run that broke")
    return value


def _study(source: object, direction: str = "maximize", name: str = "old") -> optuna.Study:
    sampler = optuna.samplers.TPESampler(seed=1)
    study = optuna.create_study(storage=source, study_name=name, direction=direction, sampler=sampler)  # type: ignore[arg-type] # a URL or a storage
    sign = 1.0 if direction == "maximize" else -1.0
    study.optimize(lambda trial: sign * _objective(trial), n_trials=30, catch=(ArithmeticError,))
    study.ask()  # a trial that never ended
    return study


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, optuna.Study]:
    path = tmp_path_factory.mktemp("old") / "old.db"
    return path, _study(f"sqlite:///{path}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    return tmp_path


def _measured(home: Path, name: str) -> Measurement:
    measurement = Measurement()
    measurement.advance(campaigns.open(name, home).read())
    return measurement


def _run(*words: str) -> int:
    return int(myriad.app()(words) or 0)


def test_every_trial_that_ended_is_there_with_what_its_study_says(home: Path, old: tuple[Path, optuna.Study]) -> None:
    path, study = old
    assert _run("import", f"sqlite:///{path}") == 0
    ledger = _measured(home, "old").ledger
    done = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    assert len(done) > 15
    assert sorted(ledger.completed) == sorted(f"e-{trial.number}" for trial in done)
    for trial in done:
        outcome = ledger.experiments[f"e-{trial.number}"].outcome
        assert outcome is not None
        assert (outcome.validation, outcome.test, outcome.noise) == (trial.value, None, None)
        assert (outcome.peak_memory, outcome.checkpoint) == (None, None)
        assert outcome.curves.validation == tuple(trial.intermediate_values.values())
    assert {idea.agent for idea in ledger.ideas.values()} == {"unknown"}
    best = leaderboard(ledger, top=1)[0]
    assert (best.experiment, best.within_noise, best.noise) == (f"e-{study.best_trial.number}", None, None)
    assert ledger.experiments["e-3"].abandoned == "pruned in its study at step 2"
    assert ledger.experiments["e-5"].abandoned == "failed in its study at step 2"
    assert len(ledger.experiments) == 30
    assert ledger.imported is not None
    assert "30 of 31 trials" in ledger.imported


def test_configurations_lie_in_the_space_that_the_study_had(home: Path, old: tuple[Path, optuna.Study]) -> None:
    assert _run("import", str(old[0]), "--name", "lab") == 0
    ledger = _measured(home, "lab").ledger
    assert ledger.space is not None
    for idea in ledger.ideas.values():
        assert ledger.space.problems(idea.configuration) == (), idea.configuration
    assert ledger.space.names == ("rate", "layers", "width", "kind", "gate?", "gate")
    assert any("gate" not in idea.configuration for idea in ledger.ideas.values())


def test_the_report_says_what_is_not_known_and_invents_nothing(
    home: Path, old: tuple[Path, optuna.Study], capsys: pytest.CaptureFixture[str]
) -> None:
    _run("import", str(old[0]))
    capsys.readouterr()
    assert _run("replay", "old", "report") == 0
    told = capsys.readouterr().out
    assert "imported   30 of 31 trials of the optuna study old" in told
    assert "who proposed each trial" in " ".join(told.split())
    assert "noise unknown" in told
    assert "within noise" not in told
    assert _run("replay", "old", "report", "--test", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["test"] for row in report["leaders"]} == {None}
    assert {row["noise"] for row in report["leaders"]} == {None}
    assert [agent["agent"] for agent in report["agents"]] == ["unknown"]


def test_every_other_door_answers_too(
    home: Path, old: tuple[Path, optuna.Study], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _run("import", str(old[0]))
    log = campaigns.open("old", home)
    assert any(isinstance(fact, facts.StudyImported) for recorded in log.read() for fact in recorded.facts)
    for door in ("metric", "eras", "queue", "taint", "instruments", "audit", "trajectory"):
        assert _run("replay", "old", door) in (0, 1, 2), door
    assert _run("replay", "old", "lineage", "e-1") == 0
    assert _run("replay", "old", "report", "--html", str(tmp_path / "old.html")) == 0
    assert _run("replay", "old", "figures", "--out", str(tmp_path / "figures")) == 0
    assert _run("export", "old", "--csv", str(tmp_path / "tables")) == 0


def test_a_study_that_was_minimised_is_ranked_by_its_negative(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = _study(f"sqlite:///{tmp_path}/less.db", "minimize", "less")
    _run("import", f"{tmp_path}/less.db")
    best = leaderboard(_measured(home, "less").ledger, top=1)[0]
    assert (best.experiment, best.validation) == (f"e-{study.best_trial.number}", -study.best_value)
    _run("replay", "less", "report")
    assert "negative of its objective" in " ".join(capsys.readouterr().out.split())


def test_a_journal_is_read_as_a_database_is_and_twice_gives_the_same_bytes(home: Path, tmp_path: Path) -> None:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    journal = tmp_path / "journal.log"
    _study(JournalStorage(JournalFileBackend(str(journal))))
    before = journal.read_bytes()
    for name in ("one", "two"):
        studies.write(studies.read(str(journal), None), "same", tmp_path / f"{name}.myriad")
    assert (tmp_path / "one.myriad").read_bytes() == (tmp_path / "two.myriad").read_bytes()
    assert journal.read_bytes() == before
    assert len(_measured(home, "one").ledger.completed) > 15


def test_what_is_no_study_is_one_sentence_and_makes_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no study")
    with pytest.raises(CampaignError, match="is not there: name a portable file"):
        studies.read(f"sqlite:///{tmp_path}/none.db", None)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(CampaignError, match="holds no"):
        studies.read(str(tmp_path / "notes.txt"), None)
    url = f"sqlite:///{tmp_path}/two.db"
    for name in ("one", "two"):
        optuna.create_study(storage=url, study_name=name)
    with pytest.raises(CampaignError, match="holds one, two: name one with --study"):
        studies.read(url, None)
    optuna.create_study(storage=url, study_name="both", directions=["maximize", "minimize"])
    with pytest.raises(CampaignError, match="2 objectives"):
        studies.read(url, "both")
    with pytest.raises(CampaignError) as refused:
        studies.read("postgresql://me:hunter2@127.0.0.1:1/db", None)
    assert "hunter2" not in str(refused.value)
    assert sorted(path.suffix for path in home.iterdir()) == [".db", ".txt"]
