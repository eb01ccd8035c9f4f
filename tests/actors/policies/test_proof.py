"""The proof of a campaign that thinks: two models search, a third repairs, and what befalls it costs no result."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from actors.repair.workshop import COPIES, DIFF
from events.archives.archive import open_folder
from events.facts import (
    Completed,
    CycleStarted,
    DiagnosisMade,
    EraOpened,
    Fact,
    Failed,
    IdeaDeclined,
    IdeaProposed,
    PatchAdopted,
    Queued,
    RemedyApplied,
    RemedyProposed,
    RemedyRefused,
    Started,
)
from events.folder import Campaign as Folder
from events.log import Recorded
from replay.audit import audit
from replay.cycles import CyclesFold
from replay.folds import Pass
from replay.measures import Measurement
from replay.seals import overall, verified
from tests.actors.policies import planted
from tests.actors.policies.asking import PLANTED, idea
from tests.actors.policies.planted import Housed
from tests.actors.policies.provider import Answer, Asked, Provider, Sent, provider, said
from tests.faults.runs import Ended, Place, Running
from tests.tiny import ALONE

AGENTS = """
[fixer]
policy = "claude"
model = "model-x"
adopt = "{adopt}"
usd = 3.0
max_tokens = 1000
base_url = "{url}"

[prices."model-x"]
input = 5.0
output = 25.0

[[agent]]
name = "claude"
policy = "claude"
model = "model-x"
backlog = 4
max_tokens = 1000
usd = 20.0
base_url = "{url}"

[[agent]]
name = "gemini"
policy = "gemini"
model = "model-x"
backlog = 4
max_tokens = 1000
usd = 20.0
base_url = "{url}"
"""

BUDGETS = {"claude": 20.0, "gemini": 20.0, "fixer": 3.0}
WHOLE = 30.0


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLANTED)
    monkeypatch.setenv("GEMINI_API_KEY", PLANTED)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.planted(tmp_path_factory.mktemp("house"))


def ready(
    world: Folder, path: Path, house: Path, server: Provider, *more: tuple[str, str], experiments: int, adopt: str
) -> Housed:
    """A tiny campaign of a Claude and a Gemini agent whose fixer asks Claude, on a house with planted mistakes."""
    changes = (
        ("experiments = 6", f"experiments = {experiments}"),
        ("timeout = 60", f"timeout = 60\nusd = {WHOLE}"),
        ("length = [8, 12]", "length = [20]"),
        *more,
    )
    place = Housed(path, world, *changes)
    place.house = house
    text = place.file.read_text()
    place.file.write_text(text[: text.index("[[agent]]")] + AGENTS.format(url=server.url, adopt=adopt))
    return place


def thinking() -> Answer:
    """Ever new ideas of the tiny space, all of which meet the bug; of every four, one is too hot and one too large."""
    numbers = itertools.count()

    def answer(asked: Asked) -> Sent:
        n = next(numbers)
        text = ""
        for k in range(4):
            text += idea(
                encoder=("retnet", "bimamba", "zipformer", "hybrid")[(n + k) % 4],
                length=20,
                batch=32 if k == 2 else 16,
                learning_rate="6e-3" if k == 3 else f"{0.001 + (n * 7 % 50) * 2e-5:.6f}",
                dropout=f"{(n * 4 + k) % 97 / 97 * 0.5:.4f}",
                mixup=f"{(n * 4 + k) * 31 % 97 / 97:.4f}",
                epochs=5,
                pooling=("max", "mean", "last", "attention")[n % 4],
            )
        return said(text)(asked)

    return answer


def facts(frames: list[Recorded], kind: type[Fact]) -> list[Any]:
    return [fact for recorded in frames for fact in recorded.facts if isinstance(fact, kind)]


def never_over(frames: list[Recorded]) -> None:
    told: Pass[Any] = Pass(CyclesFold())
    (cycles,) = told.results()
    for recorded in frames:
        told.advance((recorded,))
        assert cycles.spent() <= WHOLE
        assert all(cycles.spent(agent) <= limit for agent, limit in BUDGETS.items())


def accounted_for(frames: list[Recorded]) -> None:
    """Every candidate has its verdict, and every experiment its end, or waits where the search was closed."""
    ideas = {fact.idea for fact in facts(frames, IdeaProposed)}
    queued = {fact.idea: fact.experiment for fact in facts(frames, Queued)}
    declined = {fact.idea for fact in facts(frames, IdeaDeclined)}
    assert ideas == {*queued} | declined
    assert not {*queued} & declined
    completed = [fact.experiment for fact in facts(frames, Completed)]
    assert len(completed) == len(set(completed))
    measurement = Measurement()
    measurement.advance(frames)
    assert {e.status for e in measurement.ledger.experiments.values()} <= {"completed", "abandoned", "queued"}


def interrupted(place: Housed) -> None:
    """Kill all that runs with -9, in the middle of a patch's trial."""
    run = place.starts().until(lambda: tried(place) >= 1)
    run.kills("everything")
    run.ended()
    place.all_gone()


def moved(place: Housed, workers: int) -> Running:
    """Start it, and wait until its workers have come, and have come back with the patch."""
    joined = place.count("WorkerJoined")
    return place.starts().until(lambda: place.count("WorkerJoined") >= joined + 2 * workers)


def bereft(place: Housed, run: Running) -> None:
    """Take the features away and kill what has read them; wait until the fixer has made them again."""
    (features,) = place.folder.features.glob("motion-*.npy")
    features.unlink()
    run.kills("bench")
    run.until(lambda: features.exists() and any("FeaturesExtracted" in entry["facts"] for entry in place.wrote()))


def tried(place: Place) -> int:
    """How many trials of patches have begun."""
    return sum({"AnswerReceived", "RemedyProposed"} <= {*entry["facts"]} for entry in place.wrote())


def held(place: Housed, frames: list[Recorded], ended: Ended, *, completed: int) -> None:
    """Hold a finished campaign against everything that was promised of it."""
    assert ended.code == 0, ended
    accounted_for(frames)
    never_over(frames)
    assert len(facts(frames, Completed)) == completed
    assert {fact.agent for fact in facts(frames, CycleStarted)} == {"claude", "gemini", "fixer"}
    assert {fact.kind for fact in facts(frames, Failed)} >= {"crashed", "diverged", "out_of_memory"}
    assert {fact.remedy for fact in facts(frames, RemedyProposed)} >= {"patch", "child", "micro_batches", "extract"}
    repaired = {fact.repair for fact in (*facts(frames, RemedyApplied), *facts(frames, RemedyRefused))}
    assert repaired == {fact.repair for fact in facts(frames, DiagnosisMade)}
    measurement = Measurement()
    measurement.advance(frames)
    assert f"digest {measurement.digest()}" in ended.out
    archive = open_folder(place.folder.archive, "tiny")
    assert overall(verified(archive)[1]) == "held"
    assert [ruling.law for ruling in audit(archive).rulings if ruling.broken or ruling.unknown] == []
    assert PLANTED.encode() not in b"".join(p.read_bytes() for p in place.folder.path.rglob("*") if p.is_file())


def patched(frames: list[Recorded]) -> None:
    """A run that had crashed completed under the adopted instrument, in an era of its own."""
    (adopted,) = facts(frames, PatchAdopted)
    crashed = {fact.experiment for fact in facts(frames, Failed) if fact.kind == "crashed" and "pool" in whole(fact)}
    again = {fact.experiment for fact in facts(frames, Started) if fact.instrument == adopted.instrument}
    assert crashed & again & {fact.experiment for fact in facts(frames, Completed)}
    assert [fact.instrument for fact in facts(frames, EraOpened)][-1] == adopted.instrument


def whole(fact: Any) -> str:
    return str(fact.trace.head + fact.trace.tail)


def adopts(place: Housed, run: Running) -> None:
    """Wait until a patch has held and nobody trains with it; read it, as a person would, and adopt it."""
    run.until(lambda: any(entry["facts"] == ["RemedyApplied"] for entry in place.wrote()))
    assert place.count("PatchAdopted") == 0
    copies = place.folder.path / COPIES
    (name,) = [copy.name for copy in copies.iterdir() if (copy / DIFF).exists()]
    assert "kernels/pooling.py" in (copies / name / DIFF).read_text()
    said = place.calls("declare", "tiny", "adopt", name[:12], "--reason", "it reads well")
    assert said.code == 0, said
    assert f"PatchAdopted: patch {name}" in said.out


def test_two_models_search_a_third_repairs_a_person_adopts_and_two_kills_cost_no_result(
    world: Folder, tmp_path: Path, home: list[Place], house: Path
) -> None:
    mend = planted.answer("Twenty steps have nineteen places.", planted.repair(house))
    with provider(planted.telling_apart(thinking(), mend)) as server:
        place = ready(world, tmp_path, house, server, ALONE, experiments=10, adopt="ask")
        home.append(place)
        interrupted(place)
        run = place.starts()
        adopts(place, run)
        run.until(lambda: place.count("Completed") > 0)
        run.kills("runner")
        run.ended()
        place.all_gone()
        run = place.starts().until(lambda: place.count("Completed") > 1)
        bereft(place, run)
        ended = run.ended()
        asked = [asked for asked in server.requests if planted.asked_to_mend(asked)]
    frames = place.frames()
    held(place, frames, ended, completed=10)
    patched(frames)
    assert "kernels/pooling.py:" in asked[0].texts[1]
    assert len(asked) == 1, "what was interrupted is tried again, and nobody is asked twice"


@pytest.mark.prove
def test_a_long_search_is_killed_twice_and_its_fixer_is_wrong_twice(
    world: Folder, tmp_path: Path, home: list[Place], house: Path
) -> None:
    sealed = planted.diff(house, "evaluation.py", "import", "import  ")
    useless = planted.diff(house, "pooling.py", planted.BUG[1], planted.BUG[1].replace("!= 20", "!= 5 * 4"))
    answers = [planted.answer("Wrong.", sealed), planted.answer("Wrong, too.", useless)]
    answers.append(planted.answer("Right.", planted.repair(house)))
    with provider(planted.telling_apart(thinking(), planted.in_turn(*answers))) as server:
        place = ready(world, tmp_path, house, server, experiments=60, adopt="auto")
        home.append(place)
        interrupted(place)
        run = moved(place, 2)
        bereft(place, run)
        run.kills("runner")
        run.ended()
        place.all_gone()
        ended = place.runs()
        asked = [asked for asked in server.requests if planted.asked_to_mend(asked)]
    frames = place.frames()
    held(place, frames, ended, completed=60)
    patched(frames)
    assert len(asked) == 3
    reasons = [fact.reason for fact in facts(frames, RemedyRefused)]
    assert any("kernels/evaluation.py is sealed" in reason for reason in reasons)
    assert any("the run still does not end with a result" in reason for reason in reasons)
